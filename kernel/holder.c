// SPDX-License-Identifier: GPL-2.0-only
/* Who is inside a device, by name: see holder.h. */

#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "internal.h"

DEFINE_STATIC_KEY_FALSE(unplug_tracking);

static DEFINE_MUTEX(tracking_lock);
static bool tracking;		/* under it; read under a dev->holders_lock */

static void holder_free(struct unplug_holder *holder)
{
	put_task_struct(holder->task);
	kfree(holder);
}

static void holder_add(struct unplug_dev *dev, const char *op, bool counted)
{
	/* Any context; without memory he is one of those who are only counted. */
	struct unplug_holder *holder = kmalloc(sizeof(*holder),
					       GFP_ATOMIC | __GFP_NOWARN);
	unsigned long flags;

	if (!holder)
		return;
	holder->task = get_task_struct(current);
	holder->op = op;
	holder->since = ktime_get();
	holder->interrupt = !in_task();
	holder->counted = counted;
	spin_lock_irqsave(&dev->holders_lock, flags);
	/* He has seen the key on, but the records may be swept away by now. */
	if (READ_ONCE(tracking)) {
		holder->id = ++dev->holders_last;
		list_add_tail(&holder->node, &dev->holders);
		holder = NULL;
	}
	spin_unlock_irqrestore(&dev->holders_lock, flags);
	if (holder)
		holder_free(holder);
}

/* Without a record he came before tracking was switched on. */
static void holder_del(struct unplug_dev *dev)
{
	struct unplug_holder *holder;
	unsigned long flags;

	spin_lock_irqsave(&dev->holders_lock, flags);
	list_for_each_entry_reverse(holder, &dev->holders, node)
		if (holder->task == current)
			break;
	if (list_entry_is_head(holder, &dev->holders, node))
		holder = NULL;
	else
		list_del(&holder->node);
	spin_unlock_irqrestore(&dev->holders_lock, flags);
	if (holder)
		holder_free(holder);
}

/**
 * unplug_holder_enter() - write down who got inside
 * @dev: the device, entered
 * @op: what for; a literal of the core
 *
 * Context: Any, up to hard interrupt; by unplug_cold_call().
 */
void unplug_holder_enter(struct unplug_dev *dev, const char *op)
{
	holder_add(dev, op, true);
}

/**
 * unplug_holder_leave() - the caller is about to leave
 * @dev: the device, entered
 * @op: not in use
 *
 * Context: Any, up to hard interrupt; by unplug_cold_call().
 */
void unplug_holder_leave(struct unplug_dev *dev, const char *op)
{
	holder_del(dev);
}

/**
 * unplug_holder_release_begin() - a driver's ->release is about to run
 * @dev: the device; gone waits for the release, no gate counts it
 *
 * Context: Process.
 */
void unplug_holder_release_begin(struct unplug_dev *dev)
{
	if (static_branch_unlikely(&unplug_tracking))
		holder_add(dev, "release", false);
}

/**
 * unplug_holder_release_end() - it has returned
 * @dev: the device
 *
 * Context: Process.
 */
void unplug_holder_release_end(struct unplug_dev *dev)
{
	if (static_branch_unlikely(&unplug_tracking))
		holder_del(dev);
}

/**
 * unplug_holder_next() - look at those inside, one after the other
 * @dev: the device
 * @after: the last one's id, or 0
 * @copy: filled
 *
 * Not under one lock: who looks at their stacks takes his time, and they come and go
 * meanwhile.
 *
 * Ownership: the caller owes put_task_struct() of @copy->task if it succeeds.
 * Context: Any, but interrupts.
 * Return: true; false if there is no other.
 */
bool unplug_holder_next(struct unplug_dev *dev, u64 after,
			struct unplug_holder *copy)
{
	struct unplug_holder *holder;
	bool found = false;

	spin_lock_irq(&dev->holders_lock);
	list_for_each_entry(holder, &dev->holders, node) {
		found = holder->id > after;
		if (!found)
			continue;
		*copy = *holder;
		get_task_struct(copy->task);
		break;
	}
	spin_unlock_irq(&dev->holders_lock);
	return found;
}

/**
 * unplug_holder_last() - whom to end with
 * @dev: the device
 *
 * Of a busy device others come faster than one can look at them.
 *
 * Context: Any, but interrupts.
 * Return: the id of the last record so far.
 */
u64 unplug_holder_last(struct unplug_dev *dev)
{
	u64 last;

	spin_lock_irq(&dev->holders_lock);
	last = dev->holders_last;
	spin_unlock_irq(&dev->holders_lock);
	return last;
}

/**
 * unplug_holder_unknown() - how many are inside of whom nothing is known
 * @dev: the device
 *
 * Context: Any, but interrupts.
 * Return: their number; off by those who come and go meanwhile.
 */
unsigned int unplug_holder_unknown(struct unplug_dev *dev)
{
	unsigned int inside = unplug_gate_inside(&dev->gate), known = 0;
	struct unplug_holder *holder;

	spin_lock_irq(&dev->holders_lock);
	list_for_each_entry(holder, &dev->holders, node)
		known += holder->counted;
	spin_unlock_irq(&dev->holders_lock);
	return inside > known ? inside - known : 0;
}

/**
 * unplug_holder_forget() - forget all records
 * @dev: the device
 *
 * Context: Process.
 */
void unplug_holder_forget(struct unplug_dev *dev)
{
	struct unplug_holder *holder, *next;
	LIST_HEAD(list);

	spin_lock_irq(&dev->holders_lock);
	list_splice_init(&dev->holders, &list);
	spin_unlock_irq(&dev->holders_lock);
	list_for_each_entry_safe(holder, next, &list, node)
		holder_free(holder);
}

/*
 * Off, then the records: who is about to add one takes the lock of his device before or
 * after it was swept. Those who leave look for records no longer, or find none.
 */
static void tracking_stop(void)
{
	struct unplug_dev *dev;
	unsigned long i = 0;

	WRITE_ONCE(tracking, false);
	static_branch_disable(&unplug_tracking);
	while ((dev = unplug_minor_next(&i))) {
		unplug_holder_forget(dev);
		unplug_dev_put(dev);
	}
}

/**
 * unplug_tracking_set() - write down who is inside, from now on, or no longer
 * @on: whether
 *
 * Context: Process. May sleep.
 */
void unplug_tracking_set(bool on)
{
	mutex_lock(&tracking_lock);
	if (on && !tracking) {
		WRITE_ONCE(tracking, true);
		static_branch_enable(&unplug_tracking);
	} else if (!on && tracking) {
		tracking_stop();
	}
	mutex_unlock(&tracking_lock);
}

/**
 * unplug_tracking_is_on() - are those inside being written down?
 *
 * Context: Any.
 * Return: true or false.
 */
bool unplug_tracking_is_on(void)
{
	return READ_ONCE(tracking);
}

static int tracking_param_set(const char *value, const struct kernel_param *param)
{
	bool on;
	int err = value ? kstrtobool(value, &on) : -EINVAL;

	if (!err)
		unplug_tracking_set(on);
	return err;
}

static const struct kernel_param_ops tracking_ops = {
	.set = tracking_param_set,
	.get = param_get_bool,
};

module_param_cb(tracking, &tracking_ops, &tracking, 0644);
MODULE_PARM_DESC(tracking,
		 "write down who is inside each device, for debugfs and the log (default N)");
