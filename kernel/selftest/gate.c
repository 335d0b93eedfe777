// SPDX-License-Identifier: GPL-2.0-only
/* The gate: who gets in, who is counted, and when it drains. */

#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <unplug/gate.h>
#include "selftest.h"

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

static void probe_open(struct probe *probe)
{
	struct unplug_gate *const gate = &probe->gate;

	unplug_gates_open(&gate, 1);
}

static void probe_close(struct probe *probe)
{
	struct unplug_gate *const gate = &probe->gate;

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

static int get_new(void)
{
	struct probe probe;

	CHECK(!probe_init(&probe));
	CHECK(!unplug_gate_get_active(&probe.gate));
	CHECK(unplug_gate_inside(&probe.gate) == 0);
	unplug_gate_destroy(&probe.gate);
	return 0;
}

static int get_live(void)
{
	struct probe probe;

	CHECK(!probe_init(&probe));
	probe_open(&probe);
	CHECK(unplug_gate_get_active(&probe.gate));
	CHECK(unplug_gate_get_active(&probe.gate));
	CHECK(unplug_gate_inside(&probe.gate) == 2);
	unplug_gate_put_active(&probe.gate);
	unplug_gate_put_active(&probe.gate);
	CHECK(unplug_gate_inside(&probe.gate) == 0);
	CHECK(atomic_read(&probe.drained) == 0);
	probe_shut(&probe);
	return probe_exit(&probe);
}

static int get_dying(void)
{
	struct probe probe;

	CHECK(!probe_init(&probe));
	probe_open(&probe);
	CHECK(unplug_gate_get_active(&probe.gate));
	probe_close(&probe);
	/* Also a nested one. */
	CHECK(!unplug_gate_get_active(&probe.gate));
	CHECK(unplug_gate_inside(&probe.gate) == 1);
	unplug_gate_fold(&probe.gate);
	CHECK(unplug_gate_inside(&probe.gate) == 1);
	CHECK(atomic_read(&probe.drained) == 0);
	unplug_gate_put_active(&probe.gate);
	return probe_exit(&probe);
}

/* The word reaches zero before the sum has joined it: not drained yet. */
static int put_before_fold(void)
{
	struct probe probe;

	CHECK(!probe_init(&probe));
	probe_open(&probe);
	CHECK(unplug_gate_get_active(&probe.gate));
	CHECK(unplug_gate_get_active(&probe.gate));
	probe_close(&probe);
	unplug_gate_put_active(&probe.gate);
	CHECK(unplug_gate_inside(&probe.gate) == 1);
	unplug_gate_put_active(&probe.gate);
	CHECK(unplug_gate_inside(&probe.gate) == 0);
	CHECK(atomic_read(&probe.drained) == 0);
	unplug_gate_fold(&probe.gate);
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
	probe_open(&probe);
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

static int count_wraps(void)
{
	struct probe probe;

	CHECK(!probe_init(&probe));
	probe_open(&probe);
	/* As after so many references got on one CPU and put on another. */
	*per_cpu_ptr(probe.gate.word, 0) += 5L << 32;
	*per_cpu_ptr(probe.gate.word, nr_cpu_ids - 1) -= 5L << 32;
	CHECK(unplug_gate_get_active(&probe.gate));
	CHECK(unplug_gate_inside(&probe.gate) == 1);
	probe_shut(&probe);
	CHECK(atomic_read(&probe.drained) == 0);
	unplug_gate_put_active(&probe.gate);
	return probe_exit(&probe);
}

static void ipi_try(void *arg)
{
	struct probe *probe = arg;

	if (unplug_gate_get_active(&probe->gate))
		atomic_inc(&probe->entered);
}

/* What a CPU counted before it went offline counts, and it does not come back open. */
static int cpu_goes(void)
{
	struct probe probe;
	int last = nr_cpu_ids - 1;

	if (last == 0)
		return 0;
	CHECK(!probe_init(&probe));
	probe_open(&probe);
	CHECK(!smp_call_function_single(last, ipi_try, &probe, 1));
	CHECK(atomic_read(&probe.entered) == 1);
	CHECK(!remove_cpu(last));
	CHECK(unplug_gate_inside(&probe.gate) == 1);
	probe_shut(&probe);
	CHECK(atomic_read(&probe.drained) == 0);
	CHECK(!add_cpu(last));
	CHECK(!smp_call_function_single(last, ipi_try, &probe, 1));
	CHECK(atomic_read(&probe.entered) == 1);
	unplug_gate_put_active(&probe.gate);
	return probe_exit(&probe);
}

/* A CPU that was offline when the gate was opened admits like the others. */
static int cpu_comes(void)
{
	struct probe probe;
	int last = nr_cpu_ids - 1;

	if (last == 0)
		return 0;
	CHECK(!probe_init(&probe));
	CHECK(!remove_cpu(last));
	probe_open(&probe);
	CHECK(!add_cpu(last));
	CHECK(!smp_call_function_single(last, ipi_try, &probe, 1));
	CHECK(atomic_read(&probe.entered) == 1);
	probe_shut(&probe);
	CHECK(atomic_read(&probe.drained) == 0);
	unplug_gate_put_active(&probe.gate);
	return probe_exit(&probe);
}

/**
 * struct crowd - threads that enter and leave while the gate is shut
 * @probe: the gate
 * @away: set when nobody may be inside
 * @late: how often somebody was
 * @rounds: how often somebody was inside in all
 */
struct crowd {
	struct probe probe;
	bool away;
	atomic_t late;
	atomic_t rounds;
};

static int crowd_thread(void *arg)
{
	struct crowd *crowd = arg;

	while (unplug_gate_get_active(&crowd->probe.gate)) {
		cond_resched();		/* may be put on another CPU */
		if (READ_ONCE(crowd->away))
			atomic_inc(&crowd->late);
		atomic_inc(&crowd->rounds);
		unplug_gate_put_active(&crowd->probe.gate);
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static int crowd_run(struct crowd *crowd, struct task_struct **threads, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		threads[i] = kthread_run(crowd_thread, crowd, "unplug-crowd");
		CHECK(!IS_ERR(threads[i]));
		get_task_struct(threads[i]);
	}
	/* All are at it: an event, not a time. */
	while (atomic_read(&crowd->rounds) < 100 * n)
		cond_resched();
	probe_shut(&crowd->probe);
	wait_for_completion(&crowd->probe.done);
	WRITE_ONCE(crowd->away, true);
	for (i = 0; i < n; i++) {
		kthread_stop(threads[i]);
		put_task_struct(threads[i]);
	}
	return 0;
}

static int drain_crowd(void)
{
	struct task_struct *threads[8];
	struct crowd *crowd;
	int round, err = 0;

	for (round = 0; round < 20 && !err; round++) {
		crowd = kzalloc(sizeof(*crowd), GFP_KERNEL);
		if (!crowd)
			return -ENOMEM;
		CHECK(!probe_init(&crowd->probe));
		probe_open(&crowd->probe);
		err = crowd_run(crowd, threads, ARRAY_SIZE(threads));
		if (!err)
			err = probe_exit(&crowd->probe);
		CHECK(err || atomic_read(&crowd->late) == 0);
		kfree(crowd);
	}
	return err;
}

const struct selftest selftests_gate[] = {
	{ "gate get-new", get_new },
	{ "gate get-live", get_live },
	{ "gate get-dying", get_dying },
	{ "gate put-before-fold", put_before_fold },
	{ "gate put-other-cpu", put_other_cpu },
	{ "gate count-wraps", count_wraps },
	{ "gate cpu-goes", cpu_goes },
	{ "gate cpu-comes", cpu_comes },
	{ "gate drain-crowd", drain_crowd },
	{ }
};
