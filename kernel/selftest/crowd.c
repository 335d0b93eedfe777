// SPDX-License-Identifier: GPL-2.0-only
/* Threads that use a gate while a test closes it, or opens it again. */

#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include "selftest.h"

#define USERS	8

/* The last CPU goes and comes meanwhile. */
static int crowd_hotplug(void *arg)
{
	int cpu = nr_cpu_ids - 1;

	while (!kthread_should_stop()) {
		if (cpu == 0 || remove_cpu(cpu))
			schedule_timeout_interruptible(1);
		else
			WARN_ON(add_cpu(cpu));
	}
	return 0;
}

/* Until somebody is at it: an event, not a time. @rounds: how often somebody was inside */
void selftest_crowd_wait(const atomic_t *rounds)
{
	int before = atomic_read(rounds);

	while (atomic_read(rounds) - before < 20)
		cond_resched();
}

/*
 * Eight threads run @user, which ends when kthread_should_stop(), while @test runs; with
 * @hotplug, a CPU comes and goes.
 */
int selftest_crowd(int (*user)(void *arg), void (*test)(void *arg), void *arg,
		   bool hotplug)
{
	struct task_struct *threads[USERS + 1];
	int i, n = USERS + hotplug;

	for (i = 0; i < n; i++) {
		threads[i] = kthread_run(i < USERS ? user : crowd_hotplug, arg,
					 "unplug-crowd");
		if (IS_ERR(threads[i]))
			break;
		get_task_struct(threads[i]);
	}
	if (i == n)
		test(arg);
	n -= i;
	while (i--) {
		kthread_stop(threads[i]);
		put_task_struct(threads[i]);
	}
	CHECK(!n);
	return 0;
}
