// SPDX-License-Identifier: GPL-2.0-only
/* Sleeping inside a device: see include/unplug/wait.h. */

#include <linux/export.h>
#include <linux/signal.h>
#include <unplug/wait.h>
#include "internal.h"

/* For the macros of wait.h, where it is described what they do together. */
void __unplug_wait_begin(struct unplug_wait *wait, struct unplug_dev *dev,
			 struct wait_queue_head *head)
{
	wait->dev = dev;
	wait->head = head;
	init_wait_entry(&wait->by_driver, 0);
	init_wait_entry(&wait->by_core, 0);
}
EXPORT_SYMBOL_GPL(__unplug_wait_begin);

/* Queue first, then look. Negative: there is no use in sleeping. */
long __unplug_wait_prepare(struct unplug_wait *wait, int state)
{
	long err;

	prepare_to_wait(&wait->dev->wait, &wait->by_core, state);
	err = prepare_to_wait_event(wait->head, &wait->by_driver, state);
	return unplug_dev_is_live(wait->dev) ? err : -ENODEV;
}
EXPORT_SYMBOL_GPL(__unplug_wait_prepare);

/* What the wait comes to. Who may not be interrupted is not made to begin again, either. */
long __unplug_wait_end(struct unplug_wait *wait, int state, long err)
{
	finish_wait(wait->head, &wait->by_driver);
	finish_wait(&wait->dev->wait, &wait->by_core);
	if (err != -ENODEV)
		return err;
	return state == TASK_INTERRUPTIBLE || !unplug_dev_is_frozen(wait->dev) ?
		       unplug_dev_error(wait->dev) : -EAGAIN;
}
EXPORT_SYMBOL_GPL(__unplug_wait_end);

/**
 * unplug_dev_wake_queue() - have unplug wake a wait queue
 * @dev: a device that was not registered yet
 * @wake: for the core, as long as the device
 * @head: the queue; all who sleep there are woken, and have to look whether
 *	  unplug_dev_is_live()
 *
 * Ownership: both stay the driver's, in its structure.
 * Context: Any. The caller serialises this with register.
 */
void unplug_dev_wake_queue(struct unplug_dev *dev, struct unplug_wake *wake,
			   struct wait_queue_head *head)
{
	WARN_ON(atomic_read(&dev->state) != UNPLUG_DEV_NEW);
	wake->head = head;
	list_add_tail(&wake->node, &dev->wakes);
}
EXPORT_SYMBOL_GPL(unplug_dev_wake_queue);

static void wait_wake_driver(struct unplug_dev *dev)
{
	struct unplug_wake *wake;

	list_for_each_entry(wake, &dev->wakes, node)
		wake_up_all(wake->head);
	if (dev->drv->cancel)
		dev->drv->cancel(dev);
}

/**
 * unplug_wait_wake() - wake everybody who sleeps in a device
 * @dev: a device that dies, whose gates are closed: nobody comes after this
 *
 * Context: Process.
 */
void unplug_wait_wake(struct unplug_dev *dev)
{
	__wake_up(&dev->wait, TASK_NORMAL, 0,
		  poll_to_key(EPOLLHUP | EPOLLERR));
	wake_up_all(&dev->thawed);
	kill_fasync(&dev->fasync, SIGIO, POLL_HUP);
	/* Frozen or not: the driver may have undone what its cancel did at freeze. */
	wait_wake_driver(dev);
}

/**
 * unplug_wait_restart() - have everybody who sleeps in a device look again
 * @dev: a device that is frozen, whose gates are closed
 *
 * No event is told to those in poll: they ask again, and hear nothing.
 *
 * Context: Process.
 */
void unplug_wait_restart(struct unplug_dev *dev)
{
	wake_up_all(&dev->wait);
	wait_wake_driver(dev);
}
