/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_TEST_WINDOW_H
#define _UNPLUG_TEST_WINDOW_H

/*
 * A window: a place in a function of the kernel's own, where there are no hooks, at which
 * a case holds somebody. It is a probe, and a parameter of the module: "stop" holds the
 * next one to come there, "held" says that he has, "go" lets him go on. If nobody does
 * within window_seconds, he goes on all the same, and "go" answers ETIME.
 */

#include <linux/atomic.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>

enum window_state { WINDOW_GO, WINDOW_STOP, WINDOW_HELD, WINDOW_SECOND, WINDOW_LATE };

static const char *const window_states[] = { "go", "stop", "held", "second", "late" };

static unsigned int window_seconds = 15;
module_param(window_seconds, uint, 0444);
MODULE_PARM_DESC(window_seconds, "how long somebody may be held (default 15)");

/**
 * struct window - one of them
 * @probe: at the entry of the function; without an address if nobody can be held there
 * @state: enum window_state
 * @is_ours: is it about a mapping of the case's? from the function's registers
 * @second: not the first one is held, but the next
 */
struct window {
	struct kprobe probe;
	int state;
	bool (*is_ours)(const struct pt_regs *regs);
	bool second;
};

#define WINDOW_AT(function)						\
	.probe = { .symbol_name = function, .pre_handler = window_hold }

/* Is it he who is to be held? */
static bool window_arrive(struct window *window)
{
	int held_from = WINDOW_STOP;

	if (window->second) {
		if (cmpxchg(&window->state, WINDOW_STOP, WINDOW_SECOND) ==
		    WINDOW_STOP)
			return false;
		held_from = WINDOW_SECOND;
	}
	return cmpxchg(&window->state, held_from, WINDOW_HELD) == held_from;
}

/*
 * A probe cannot sleep. It may spin: at the entry of a function it is called with
 * interrupts enabled, and nobody who matters here waits for RCU.
 */
static int window_hold(struct kprobe *probe, struct pt_regs *regs)
{
	struct window *window = container_of(probe, struct window, probe);
	unsigned long end = jiffies + window_seconds * HZ;

	if (READ_ONCE(window->state) == WINDOW_GO || irqs_disabled() ||
	    !window->is_ours(regs) || !window_arrive(window))
		return 0;
	while (READ_ONCE(window->state) == WINDOW_HELD &&
	       time_before(jiffies, end))
		cpu_relax();
	cmpxchg(&window->state, WINDOW_HELD, WINDOW_LATE);
	return 0;
}

/* -ENOENT: this kernel has no such function, only inlined, or none that ftrace reaches. */
static int window_set(const char *text, const struct kernel_param *param)
{
	struct window *window = param->arg;
	int want = sysfs_match_string(window_states, text);

	if (want != WINDOW_GO && want != WINDOW_STOP)
		return -EINVAL;
	if (!window->probe.addr)
		return -ENOENT;
	return xchg(&window->state, want) == WINDOW_LATE ? -ETIME : 0;
}

static int window_get(char *text, const struct kernel_param *param)
{
	struct window *window = param->arg;

	return sysfs_emit(text, "%s\n", window_states[READ_ONCE(window->state)]);
}

static const struct kernel_param_ops window_ops = {
	.set = window_set,
	.get = window_get,
};

/* Others than those of ftrace come with interrupts off, where nobody can be held. */
static void window_init(struct window *window)
{
	if (!register_kprobe(&window->probe)) {
		if (kprobe_ftrace(&window->probe))
			return;
		unregister_kprobe(&window->probe);
	}
	window->probe.addr = NULL;
}

static void window_exit(struct window *window)
{
	WRITE_ONCE(window->state, WINDOW_GO);
	if (window->probe.addr)
		unregister_kprobe(&window->probe);
}

#endif /* _UNPLUG_TEST_WINDOW_H */
