// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows in the kernel's own functions, where there are no hooks:
 *
 *	at_copy	fork: the child's mapping is there, its entries are not
 *	at_move	mremap: the new mapping is there, the entries are still in the old one
 *	at_zap	between the first and the second mapping that are zapped
 *
 * Each is a parameter of the module: "stop" holds the next one to come there, "held"
 * says that he has, "go" lets him go on.
 */

#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include "hole.h"
#include "hole-compat.h"

enum window_state { WINDOW_GO, WINDOW_STOP, WINDOW_HELD, WINDOW_SECOND };

static const char *const states[] = { "go", "stop", "held", "second" };

/**
 * struct window - one of them
 * @probe: at the entry of the function
 * @state: enum window_state
 * @vma: the mapping, from the function's registers
 * @second: not the first one is held, but the next
 */
struct window {
	struct kprobe probe;
	int state;
	const struct vm_area_struct *(*vma)(const struct pt_regs *regs);
	bool second;
};

static const struct vm_area_struct *vma_child(const struct pt_regs *regs)
{
	return (const struct vm_area_struct *)regs->di;
}

static const struct vm_area_struct *vma_zapped(const struct pt_regs *regs)
{
	return hole_zapped_vma(regs);
}

static const struct vm_area_struct *vma_moved(const struct pt_regs *regs)
{
	return hole_moved_vma(regs->di);
}

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
	unsigned long end = jiffies + 15 * HZ;

	if (READ_ONCE(window->state) == WINDOW_GO || irqs_disabled() ||
	    !hole_is_ours(window->vma(regs)) || !window_arrive(window))
		return 0;
	while (READ_ONCE(window->state) == WINDOW_HELD &&
	       time_before(jiffies, end))
		cpu_relax();
	return 0;
}

static struct window copy = {
	.probe = { .symbol_name = "copy_page_range", .pre_handler = window_hold },
	.vma = vma_child,
};

static struct window move = {
	.probe = { .symbol_name = "move_page_tables", .pre_handler = window_hold },
	.vma = vma_moved,
};

static struct window zap = {
	.probe = { .symbol_name = HOLE_ZAP, .pre_handler = window_hold },
	.vma = vma_zapped,
	.second = true,
};

/* -ENOENT: this kernel has no such function, only inlined, or none that ftrace reaches. */
static int window_set(const char *text, const struct kernel_param *param)
{
	struct window *window = param->arg;
	int want = sysfs_match_string(states, text);

	if (want != WINDOW_GO && want != WINDOW_STOP)
		return -EINVAL;
	if (!window->probe.addr)
		return -ENOENT;
	WRITE_ONCE(window->state, want);
	return 0;
}

static int window_get(char *text, const struct kernel_param *param)
{
	struct window *window = param->arg;

	return sysfs_emit(text, "%s\n", states[READ_ONCE(window->state)]);
}

static const struct kernel_param_ops window_ops = {
	.set = window_set,
	.get = window_get,
};
module_param_cb(at_copy, &window_ops, &copy, 0600);
module_param_cb(at_move, &window_ops, &move, 0600);
module_param_cb(at_zap, &window_ops, &zap, 0600);

static struct window *const windows[] = { &copy, &move, &zap };
static bool registered[ARRAY_SIZE(windows)];

void hole_windows_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(windows); i++) {
		registered[i] = !register_kprobe(&windows[i]->probe);
		/* Others come with interrupts off, where nobody can be held. */
		if (registered[i] && !kprobe_ftrace(&windows[i]->probe)) {
			unregister_kprobe(&windows[i]->probe);
			registered[i] = false;
		}
		if (!registered[i])
			windows[i]->probe.addr = NULL;
	}
}

void hole_windows_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(windows); i++) {
		WRITE_ONCE(windows[i]->state, WINDOW_GO);
		if (registered[i])
			unregister_kprobe(&windows[i]->probe);
	}
}
