// SPDX-License-Identifier: GPL-2.0-only
/* The gate: who gets in, who is counted, and when it drains. */

#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <unplug/gate.h>
#include "selftest.h"

#define CONTRACT_CLOSE(gates, n) unplug_gates_close((gates), (n))
#define CONTRACT_THAW(gate)	unplug_gate_thaw(gate)

#include "../../test/contract/gate.h"

/**
 * struct probe - a gate under test
 * @gate: the gate
 * @drained: how often it drained
 * @entered: how often ipi_try() got in
 * @done: completed when it did
 */
struct probe {
	struct unplug_gate gate;
	atomic_t drained;
	atomic_t entered;
	struct completion done;
};

static void probe_drained(struct unplug_gate *gate)
{
	struct probe *probe = container_of(gate, struct probe, gate);

	atomic_inc(&probe->drained);
	complete_all(&probe->done);
}

static int probe_init(struct probe *probe)
{
	atomic_set(&probe->drained, 0);
	atomic_set(&probe->entered, 0);
	init_completion(&probe->done);
	return unplug_gate_init(&probe->gate, probe_drained);
}

/* Neither newcomers nor stragglers get in. */
static void probe_close(struct probe *probe)
{
	struct unplug_gate *const gate = &probe->gate;

	unplug_gate_kill(gate);
	unplug_gates_close(&gate, 1);
}

static void probe_shut(struct probe *probe)
{
	probe_close(probe);
	unplug_gate_fold(&probe->gate);
}

/* Of a drained gate. */
static int probe_exit(struct probe *probe)
{
	CHECK(atomic_read(&probe->drained) == 1);
	CHECK(!unplug_gate_get_active(&probe->gate));
	unplug_gate_destroy(&probe->gate);
	return 0;
}

static void ipi_try(void *arg)
{
	struct probe *probe = arg;

	if (unplug_gate_get_active(&probe->gate))
		atomic_inc(&probe->entered);
}

/* From kill on, on each CPU, though none has been asked to shut its word. */
static int get_killed(void)
{
	struct unplug_gate *gate;
	struct probe probe;

	CHECK(!probe_init(&probe));
	gate = &probe.gate;
	unplug_gate_open(gate);
	CHECK(unplug_gate_get_active(gate));
	unplug_gate_kill(gate);
	on_each_cpu(ipi_try, &probe, 1);
	CHECK(atomic_read(&probe.entered) == 0);
	CHECK(unplug_gate_inside(gate) == 1);
	unplug_gate_put_active(gate);
	CHECK(unplug_gate_inside(gate) == 0);
	CHECK(atomic_read(&probe.drained) == 0);
	unplug_gates_close(&gate, 1);
	CHECK(unplug_gate_inside(gate) == 0);
	unplug_gate_fold(gate);
	return probe_exit(&probe);
}

/*
 * A straggler: has read where to count before the kill, and counts later. Until its
 * CPU has shut its word it gets in, and is counted; then not.
 */
static int get_straggling(void)
{
	struct unplug_gate *gate;
	long __percpu *word;
	struct probe probe;

	CHECK(!probe_init(&probe));
	gate = &probe.gate;
	unplug_gate_open(gate);
	word = gate->word;
	unplug_gate_kill(gate);
	CHECK(unplug_word_inc(word));
	unplug_gates_close(&gate, 1);
	CHECK(!unplug_word_inc(word));
	CHECK(unplug_gate_inside(gate) == 1);
	unplug_gate_fold(gate);
	CHECK(atomic_read(&probe.drained) == 0);
	CHECK(!unplug_word_dec(word));
	__unplug_gate_put_late(gate);
	return probe_exit(&probe);
}

static void ipi_get(void *gate)
{
	WARN_ON(!unplug_gate_get_active(gate));
}

static void ipi_put(void *gate)
{
	unplug_gate_put_active(gate);
}

/* In hard interrupts, got on each CPU and put on each: only the sum counts. */
static int put_other_cpu(void)
{
	struct probe probe;
	int cpu, n = num_online_cpus();

	CHECK(!probe_init(&probe));
	unplug_gate_open(&probe.gate);
	for (cpu = 0; cpu < n; cpu++)
		on_each_cpu(ipi_get, &probe.gate, 1);
	CHECK(unplug_gate_inside(&probe.gate) == n * n);
	for (cpu = 0; cpu < n * n; cpu++)
		unplug_gate_put_active(&probe.gate);
	CHECK(unplug_gate_inside(&probe.gate) == 0);

	CHECK(unplug_gate_get_active(&probe.gate));
	for (cpu = 1; cpu < n; cpu++)
		CHECK(unplug_gate_get_active(&probe.gate));
	probe_shut(&probe);
	CHECK(atomic_read(&probe.drained) == 0);
	on_each_cpu(ipi_put, &probe.gate, 1);
	return probe_exit(&probe);
}

/* As after so many references got on one CPU and put on another */
static int count_wraps(void)
{
	struct probe probe;

	if (nr_cpu_ids == 1)
		return 0;
	CHECK(!probe_init(&probe));
	unplug_gate_open(&probe.gate);
	*per_cpu_ptr(probe.gate.own, 0) += (1L << 31) + 8;
	*per_cpu_ptr(probe.gate.own, nr_cpu_ids - 1) -= (1L << 31) + 7;
	CHECK(unplug_gate_inside(&probe.gate) == 1);
	probe_shut(&probe);
	CHECK(unplug_gate_inside(&probe.gate) == 1);
	CHECK(atomic_read(&probe.drained) == 0);
	unplug_gate_put_active(&probe.gate);
	return probe_exit(&probe);
}

/* What a CPU counted before it went offline counts, and it does not come back open. */
static int cpu_went(struct probe *probe, int cpu)
{
	CHECK(!smp_call_function_single(cpu, ipi_try, probe, 1));
	CHECK(atomic_read(&probe->entered) == 1);
	CHECK(!remove_cpu(cpu));
	CHECK(unplug_gate_inside(&probe->gate) == 1);
	probe_shut(probe);
	CHECK(atomic_read(&probe->drained) == 0);
	return 0;
}

static int cpu_goes(void)
{
	int err, cpu = nr_cpu_ids - 1;
	struct probe probe;

	if (cpu == 0)
		return 0;
	CHECK(!probe_init(&probe));
	unplug_gate_open(&probe.gate);
	err = cpu_went(&probe, cpu);
	CHECK(!add_cpu(cpu));
	if (err)
		return err;
	CHECK(!smp_call_function_single(cpu, ipi_try, &probe, 1));
	CHECK(atomic_read(&probe.entered) == 1);
	unplug_gate_put_active(&probe.gate);
	return probe_exit(&probe);
}

#define CROWD_GATES	60

/**
 * struct crowd - threads that enter and leave while one gate after the other is shut
 * @probes: the gates, all open in the beginning
 * @away: set when nobody may be inside
 * @late: how often somebody was
 * @refused: set when somebody was refused
 * @again: how often somebody got in after that
 * @rounds: how often somebody was inside in all
 */
struct crowd {
	struct probe probes[CROWD_GATES];
	bool away[CROWD_GATES];
	bool refused[CROWD_GATES];
	atomic_t late;
	atomic_t again;
	atomic_t rounds;
};

static void crowd_pass(struct crowd *crowd, int i)
{
	struct unplug_gate *gate = &crowd->probes[i].gate;
	bool refused = false;

	while (unplug_gate_get_active(gate)) {
		if (refused)
			atomic_inc(&crowd->again);
		cond_resched();		/* may be put on another CPU */
		if (READ_ONCE(crowd->away[i]))
			atomic_inc(&crowd->late);
		atomic_inc(&crowd->rounds);
		unplug_gate_put_active(gate);
		/* Before the next get: matches the release below. */
		refused = smp_load_acquire(&crowd->refused[i]);
	}
	/* Who sees this begins after a refusal: matches the acquire above. */
	smp_store_release(&crowd->refused[i], true);
}

static int crowd_thread(void *arg)
{
	struct crowd *crowd = arg;
	int i;

	for (i = 0; i < CROWD_GATES; i++)
		crowd_pass(crowd, i);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void crowd_shut_all(void *arg)
{
	struct crowd *crowd = arg;
	int i;

	for (i = 0; i < CROWD_GATES; i++) {
		selftest_crowd_wait(&crowd->rounds);
		probe_shut(&crowd->probes[i]);
		wait_for_completion(&crowd->probes[i].done);
		WRITE_ONCE(crowd->away[i], true);
	}
}

static int crowd_drains(bool hotplug)
{
	struct crowd *crowd = kvzalloc(sizeof(*crowd), GFP_KERNEL);
	int i, err;

	if (!crowd)
		return -ENOMEM;
	for (i = 0; i < CROWD_GATES; i++) {
		CHECK(!probe_init(&crowd->probes[i]));
		unplug_gate_open(&crowd->probes[i].gate);
	}
	err = selftest_crowd(crowd_thread, crowd_shut_all, crowd, hotplug);
	for (i = 0; i < CROWD_GATES && !err; i++)
		err = probe_exit(&crowd->probes[i]);
	CHECK(err || atomic_read(&crowd->late) == 0);
	CHECK(err || atomic_read(&crowd->again) == 0);
	kvfree(crowd);
	return err;
}

static int drain_crowd(void)
{
	return crowd_drains(false);
}

static int drain_crowd_hotplug(void)
{
	return crowd_drains(true);
}

const struct selftest selftests_gate[] = {
	{ "gate get-new", contract_get_new, "K1" },
	{ "gate open-after-refusal", contract_open_after_refusal, "K1" },
	{ "gate get-live", contract_get_live, "K1" },
	{ "gate get-killed", get_killed, "K1" },
	{ "gate get-straggling", get_straggling, "K1" },
	{ "gate close-many", contract_close_many, "K7" },
	{ "gate get-dying", contract_get_dying, "K1" },
	{ "gate put-before-fold", contract_put_before_fold, "K2" },
	{ "gate put-other-cpu", put_other_cpu, "K2" },
	{ "gate count-wraps", count_wraps, "K2" },
	{ "gate cpu-goes", cpu_goes, "K2" },
	{ "gate drain-crowd", drain_crowd, "K2" },
	{ "gate drain-crowd-hotplug", drain_crowd_hotplug, "K2" },
	{ }
};
