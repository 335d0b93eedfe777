// SPDX-License-Identifier: GPL-2.0-only
/* A gate that is opened again: nobody is lost, nobody is inside meanwhile. */

#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <unplug/gate.h>
#include "selftest.h"

#define THAWS	60

/**
 * struct again - a gate that is frozen and thawed
 * @gate: the gate
 * @done: drained, this time
 * @away: set when nobody may be inside
 * @late: how often somebody was
 * @rounds: how often somebody was inside in all
 * @entered: how many CPUs let somebody in
 */
struct again {
	struct unplug_gate gate;
	struct completion done;
	bool away;
	atomic_t late;
	atomic_t rounds;
	atomic_t entered;
};

static void again_drained(struct unplug_gate *gate)
{
	complete_all(&container_of(gate, struct again, gate)->done);
}

static struct again *again_new(void)
{
	struct again *again = kzalloc(sizeof(*again), GFP_KERNEL);

	if (!again)
		return NULL;
	init_completion(&again->done);
	if (unplug_gate_init(&again->gate, again_drained)) {
		kfree(again);
		return NULL;
	}
	unplug_gate_open(&again->gate);
	return again;
}

static void again_free(struct again *again)
{
	unplug_gate_destroy(&again->gate);
	kfree(again);
}

static void again_freeze(struct again *again)
{
	struct unplug_gate *const gate = &again->gate;

	unplug_gate_kill(gate);
	unplug_gates_close(&gate, 1);
	unplug_gate_fold(gate);
	wait_for_completion(&again->done);
}

static void again_thaw(struct again *again)
{
	reinit_completion(&again->done);
	unplug_gate_thaw(&again->gate);
}

static void enter_here(void *arg)
{
	struct again *again = arg;

	if (unplug_gate_get_active(&again->gate))
		atomic_inc(&again->entered);
}

/* In on each CPU, out on this one: single words are nonsense, the sum is right. */
static int thaw_all_cpus(void)
{
	struct again *again = again_new();
	int i, n;

	CHECK(again);
	again_freeze(again);
	CHECK(!unplug_gate_get_active(&again->gate));
	again_thaw(again);
	on_each_cpu(enter_here, again, true);
	n = atomic_read(&again->entered);
	CHECK(n == num_online_cpus());
	CHECK(unplug_gate_inside(&again->gate) == n);
	for (i = 0; i < n; i++)
		unplug_gate_put_active(&again->gate);
	CHECK(unplug_gate_inside(&again->gate) == 0);
	again_freeze(again);
	again_free(again);
	return 0;
}

/* A CPU that was away when the gate was closed, thawed, or both, lets users in, too. */
static int thaw_cpu_away(void)
{
	struct again *again = again_new();
	int cpu = nr_cpu_ids - 1;

	CHECK(again);
	if (cpu == 0)
		goto free;
	CHECK(!remove_cpu(cpu));
	again_freeze(again);
	again_thaw(again);
	CHECK(!add_cpu(cpu));
	CHECK(!smp_call_function_single(cpu, enter_here, again, 1));
	CHECK(atomic_read(&again->entered) == 1);
	unplug_gate_put_active(&again->gate);
free:
	again_freeze(again);
	again_free(again);
	return 0;
}

static int user_thread(void *arg)
{
	struct again *again = arg;

	while (!kthread_should_stop()) {
		if (!unplug_gate_get_active(&again->gate)) {
			cond_resched();
			continue;
		}
		cond_resched();		/* may be put on another CPU */
		if (READ_ONCE(again->away))
			atomic_inc(&again->late);
		atomic_inc(&again->rounds);
		unplug_gate_put_active(&again->gate);
	}
	return 0;
}

static void thaw_rounds(void *arg)
{
	struct again *again = arg;
	int i;

	for (i = 0; i < THAWS; i++) {
		selftest_crowd_wait(&again->rounds);
		again_freeze(again);
		WRITE_ONCE(again->away, true);
		cond_resched();
		WRITE_ONCE(again->away, false);
		again_thaw(again);
	}
}

static int thaw_crowd_of(bool hotplug)
{
	struct again *again = again_new();

	CHECK(again);
	CHECK(!selftest_crowd(user_thread, thaw_rounds, again, hotplug));
	CHECK(unplug_gate_inside(&again->gate) == 0);
	again_freeze(again);
	CHECK(atomic_read(&again->late) == 0);
	again_free(again);
	return 0;
}

static int thaw_crowd(void)
{
	return thaw_crowd_of(false);
}

static int thaw_crowd_hotplug(void)
{
	return thaw_crowd_of(true);
}

const struct selftest selftests_thaw[] = {
	{ "thaw all-cpus", thaw_all_cpus, "K12" },
	{ "thaw cpu-away", thaw_cpu_away, "K12" },
	{ "thaw crowd", thaw_crowd, "K12" },
	{ "thaw crowd-hotplug", thaw_crowd_hotplug, "K12" },
	{ }
};
