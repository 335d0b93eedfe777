// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long it takes to take away what nobody is in: one, 64, and one while somebody
 * sleeps in another for seconds. Measured on a guest with two processors; kinds and cases
 * take turns, so that what else the host does hits all of them. Where one is
 * taken away there is always a second one and a thread that sleeps: inside it, or outside.
 */

#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "bench.h"

#define PULL_ROUNDS		31
#define PULL_MANY		DOORS_MAX
#define PULL_MANY_ROUNDS	7
/* Where the sleeper is in the way, each round takes as long as he sleeps. */
#define PULL_LONG_ROUNDS	5
#define PULL_LONG_NS		(NSEC_PER_SEC / 2)
#define PULL_SLEEPER_SECONDS	2

struct sleeper {
	const struct door_kind *kind;
	struct door door;
	bool enters;
	struct completion asleep, wake;
	struct task_struct *task;
};

/* Sleeps for two seconds, or until it is no longer of use. */
static int sleeper_run(void *data)
{
	struct sleeper *sleeper = data;
	int index = 0;

	if (sleeper->enters)
		index = sleeper->kind->enter(&sleeper->door);
	complete(&sleeper->asleep);
	wait_for_completion_timeout(&sleeper->wake, PULL_SLEEPER_SECONDS * HZ);
	if (sleeper->enters && index >= 0)
		sleeper->kind->leave(&sleeper->door, index);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return index < 0 ? index : 0;
}

static int sleeper_start(struct sleeper *sleeper, const struct door_kind *kind,
			 bool enters)
{
	int err;

	sleeper->kind = kind;
	sleeper->enters = enters;
	init_completion(&sleeper->asleep);
	init_completion(&sleeper->wake);
	init_completion(&sleeper->door.drained);
	err = kind->init(&sleeper->door);
	if (err)
		return err;
	sleeper->task = kthread_run(sleeper_run, sleeper, "unplug-bench");
	if (IS_ERR(sleeper->task)) {
		kind->exit(&sleeper->door, false);
		return PTR_ERR(sleeper->task);
	}
	wait_for_completion(&sleeper->asleep);
	return 0;
}

static int sleeper_stop(struct sleeper *sleeper)
{
	int err;

	complete(&sleeper->wake);
	err = kthread_stop(sleeper->task);
	sleeper->kind->exit(&sleeper->door, false);
	return err;
}

static int doors_init(const struct door_kind *kind, struct door *doors, int n)
{
	int i, err;

	for (i = 0; i < n; i++) {
		init_completion(&doors[i].drained);
		err = kind->init(&doors[i]);
		if (err) {
			while (i--)
				kind->exit(&doors[i], false);
			return err;
		}
	}
	return 0;
}

/* The time to pull @n doors, or an error */
static s64 pull_doors(const struct door_kind *kind, int n)
{
	struct door *doors = kcalloc(n, sizeof(*doors), GFP_KERNEL);
	ktime_t begin;
	s64 ns;
	int i;

	if (!doors)
		return -ENOMEM;
	ns = doors_init(kind, doors, n);
	if (ns)
		goto free;
	/* What the last one left to RCU is not to be waited for here. */
	rcu_barrier();
	begin = ktime_get();
	kind->pull(doors, n);
	ns = ktime_to_ns(ktime_sub(ktime_get(), begin));
	for (i = 0; i < n; i++)
		kind->exit(&doors[i], true);
free:
	kfree(doors);
	return ns;
}

static s64 pull_beside_sleeper(const struct door_kind *kind, bool inside)
{
	struct sleeper *sleeper = kzalloc(sizeof(*sleeper), GFP_KERNEL);
	s64 ns, err;

	if (!sleeper)
		return -ENOMEM;
	ns = sleeper_start(sleeper, kind, inside);
	if (!ns) {
		ns = pull_doors(kind, 1);
		err = sleeper_stop(sleeper);
		if (err)
			ns = err;
	}
	kfree(sleeper);
	return ns;
}

static int pull_alone(struct seq_file *seq, const struct door_kind *kind)
{
	s64 ns = pull_beside_sleeper(kind, false);

	if (ns < 0)
		return ns;
	sample(seq, "unplug_idle", kind->name, "us", ns);
	return 0;
}

/* @slow: how often the sleeper was waited for; enough is enough */
static int pull_beside(struct seq_file *seq, const struct door_kind *kind,
		       int *slow)
{
	s64 ns;

	if (*slow == PULL_LONG_ROUNDS)
		return 0;
	ns = pull_beside_sleeper(kind, true);
	if (ns < 0)
		return ns;
	*slow += ns > PULL_LONG_NS;
	sample(seq, "unplug_sleeper", kind->name, "us", ns);
	return 0;
}

static int pull_many(struct seq_file *seq, const struct door_kind *kind)
{
	s64 ns = pull_doors(kind, PULL_MANY);

	if (ns < 0)
		return ns;
	sample(seq, "unplug_64", kind->name, "us", ns);
	return 0;
}

int pull_show(struct seq_file *seq, void *data)
{
	int slow[DOOR_KINDS] = { };
	int round, i, err;

	for (round = 0; round < PULL_ROUNDS; round++) {
		for (i = 0; i < DOOR_KINDS; i++) {
			err = pull_alone(seq, &door_kinds[i]);
			if (!err)
				err = pull_beside(seq, &door_kinds[i], &slow[i]);
			if (!err && round < PULL_MANY_ROUNDS)
				err = pull_many(seq, &door_kinds[i]);
			if (err)
				return err;
		}
	}
	return 0;
}
