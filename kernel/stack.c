// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is inside, as told by a stack.
 *
 * A task that is inside an operation, a fault, a release or a callback of any device has
 * a function of the core on its stack, which called the driver. To look there costs
 * those who enter nothing.
 */

#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include "internal.h"

#ifdef UNPLUG_HAVE_UNWINDER
#include <asm/unwind.h>

static bool stack_is_ours(unsigned long addr)
{
	return within_module(addr, THIS_MODULE);
}

/**
 * unplug_stack_save() - where a task is
 * @task: the task; the caller keeps its structure
 * @entries: for the return addresses, the innermost first
 * @max: how many fit in
 *
 * Context: With cpus_read_lock(): a CPU that goes gives the stacks it kept back at once.
 * Return: how many were found: 0 for another task that runs, or has no stack any more.
 */
unsigned int unplug_stack_save(struct task_struct *task, unsigned long *entries,
			       unsigned int max)
{
	struct unwind_state state;
	unsigned int n = 0;

	/*
	 * That of a task that has ended stays mapped for a grace period, though it may be
	 * another's by then: what is read is nonsense then, but can be read.
	 */
	rcu_read_lock();
	if (READ_ONCE(task->exit_state))
		goto unlock;
	for (unwind_start(&state, task, NULL, NULL);
	     n < max && !unwind_done(&state); unwind_next_frame(&state)) {
		entries[n] = unwind_get_return_address(&state);
		if (!entries[n])
			break;
		n++;
	}
unlock:
	rcu_read_unlock();
	return n;
}

/**
 * unplug_stack_inside() - is this task inside any device?
 * @caller: return address of the function of the core that asks: what it has called is
 *	    not looked at. It may lie in the core itself, if the driver's function has jumped
 *	    here instead of calling
 *
 * Context: Any.
 * Return: true if so; false also where the stack cannot be read.
 */
bool unplug_stack_inside(unsigned long caller)
{
	struct unwind_state state;
	bool outside = false;
	unsigned long addr;

	for (unwind_start(&state, current, NULL, NULL); !unwind_done(&state);
	     unwind_next_frame(&state)) {
		addr = unwind_get_return_address(&state);
		if (!addr)
			break;
		outside |= addr == caller;
		if (outside && stack_is_ours(addr))
			return true;
	}
	return false;
}
#else
unsigned int unplug_stack_save(struct task_struct *task, unsigned long *entries,
			       unsigned int max)
{
	return 0;
}

bool unplug_stack_inside(unsigned long caller)
{
	return false;
}
#endif
