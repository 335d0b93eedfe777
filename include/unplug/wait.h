/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_WAIT_H
#define _UNPLUG_WAIT_H

/**
 * DOC: wait
 *
 * Sleeping inside a device.
 *
 * An operation that waits for its hardware must not be left asleep when that is pulled:
 * the device would not be drained before the user gives up. There are three ways to have
 * it woken, by what the driver sleeps in:
 *
 *	unplug_wait_event_interruptible(dev, card->wait, card->done)
 *		instead of wait_event_interruptible(): returns -ENODEV when the device
 *		goes. Nothing else is needed
 *	unplug_dev_wake_queue(dev, &card->wake, &card->wait)
 *		for waits of the driver's that have no twin here (exclusive ones, loops
 *		of its own): unplug wakes all who sleep on the queue. Conditions have
 *		to include !unplug_dev_is_live(dev), and the operation returns
 *		unplug_dev_error(dev)
 *	struct unplug_driver, @cancel
 *		for everything else. A completion: complete_all(). If it is used again,
 *		reinit_completion(), then look whether unplug_dev_is_live(), then
 *		wait, and look again: who comes there after @cancel would sleep for
 *		ever. A semaphore: up(), by everybody who was let in and finds that the
 *		device is not live, too, as each lets in but one
 *
 * A sleeper stays inside: it is woken, finds out, and leaves, which does not depend on
 * its user, so drained follows at once. The order is the one that loses no wake-up:
 * unplug lets nobody in any more, then wakes; who is on his way to sleep has
 * queued himself first, then looks.
 *
 * When a device is frozen (unplug_dev_freeze()), sleepers are sent home likewise. The helpers
 * that signals interrupt return -ERESTARTSYS then, as if one had come, and the system call
 * begins again; the others return -EAGAIN.
 *
 * Sleepers in poll, select, epoll, of AIO and of io_uring need none of this.
 */

#include <linux/sched.h>
#include <linux/wait.h>
#include <unplug/device.h>

/**
 * struct unplug_wait - a sleeper; all fields private
 * @dev: the device
 * @head: where the driver wakes it
 * @by_driver: queued there
 * @by_core: queued where unplug wakes it
 */
struct unplug_wait {
	struct unplug_dev *dev;
	struct wait_queue_head *head;
	struct wait_queue_entry by_driver;
	struct wait_queue_entry by_core;
};

void __unplug_wait_begin(struct unplug_wait *wait, struct unplug_dev *dev,
			 struct wait_queue_head *head);
long __unplug_wait_prepare(struct unplug_wait *wait, int state);
long __unplug_wait_end(struct unplug_wait *wait, int state, long err);

/* As ___wait_event() of the kernel, with -ENODEV. */
#define ___unplug_wait_event(dev, head, condition, state, timeout,	\
			    unlock, lock)				\
({									\
	long __left = (timeout), __err;					\
	struct unplug_wait __wait;					\
									\
	__unplug_wait_begin(&__wait, (dev), &(head));			\
	for (;;) {							\
		__err = __unplug_wait_prepare(&__wait, (state));		\
		if (condition) {					\
			__err = __left ?: 1;				\
			break;						\
		}							\
		if (__err || !__left)					\
			break;						\
		unlock;							\
		__left = schedule_timeout(__left);			\
		lock;							\
	}								\
	__unplug_wait_end(&__wait, (state), __err);			\
})

#define __unplug_wait_event(dev, head, condition, state, timeout)	\
({									\
	might_sleep();							\
	___unplug_wait_event(dev, head, condition, state, timeout,	\
			     (void)0, (void)0);				\
})

#define __unplug_wait_forever(dev, head, condition, state)		\
	((int)min(0L, __unplug_wait_event(dev, head, condition, state,	\
					  MAX_SCHEDULE_TIMEOUT)))

/**
 * unplug_wait_event() - sleep until something is so, or the device goes
 * @dev: a device the caller is inside
 * @head: wait queue head, woken by who may change @condition
 * @condition: evaluated at first, and each time @head is woken; if it is so, it counts
 *	       more than that the device goes. Must not sleep: unlike with
 *	       wait_event() the caller is queued already
 *
 * Not to be interrupted: for what the hardware ends soon.
 *
 * Ownership: takes and puts nothing; the caller stays inside.
 * Context: Process, inside an operation, a fault or a hardware section. Sleeps.
 * Return: 0; -ENODEV: @condition is not so, and the device is being unplugged; -EAGAIN:
 *	   or frozen.
 */
#define unplug_wait_event(dev, head, condition)				\
	__unplug_wait_forever(dev, head, condition, TASK_UNINTERRUPTIBLE)

/**
 * unplug_wait_event_timeout() - unplug_wait_event() for a time
 * @dev: see there
 * @head: see there
 * @condition: see there
 * @timeout: jiffies
 *
 * Ownership: takes and puts nothing; the caller stays inside.
 * Context: As unplug_wait_event().
 * Return: jiffies that were left, at least 1; 0: @condition is not so after @timeout;
 *	   -ENODEV; -EAGAIN.
 */
#define unplug_wait_event_timeout(dev, head, condition, timeout)	\
	__unplug_wait_event(dev, head, condition,			\
			    TASK_UNINTERRUPTIBLE, timeout)

/**
 * unplug_wait_event_interruptible() - unplug_wait_event(), until a signal comes
 * @dev: see there
 * @head: see there
 * @condition: see there
 *
 * Ownership: takes and puts nothing; the caller stays inside.
 * Context: As unplug_wait_event(). In a hardware section only for what the hardware, not
 *	    another user, does: what it waits for is over when the device goes, but
 *	    unplug waits for the section.
 * Return: 0; -ENODEV; -ERESTARTSYS.
 */
#define unplug_wait_event_interruptible(dev, head, condition)		\
	__unplug_wait_forever(dev, head, condition, TASK_INTERRUPTIBLE)

/**
 * unplug_wait_event_interruptible_timeout() - the same, for a time
 * @dev: see there
 * @head: see there
 * @condition: see there
 * @timeout: jiffies
 *
 * Ownership: takes and puts nothing; the caller stays inside.
 * Context: As unplug_wait_event_interruptible().
 * Return: jiffies that were left, at least 1; 0: @condition is not so after @timeout;
 *	   -ENODEV; -ERESTARTSYS.
 */
#define unplug_wait_event_interruptible_timeout(dev, head, condition,	\
						timeout)		\
	__unplug_wait_event(dev, head, condition,			\
			    TASK_INTERRUPTIBLE, timeout)

/**
 * unplug_wait_event_interruptible_lock_irq() - the same, with a lock held
 * @dev: see there
 * @head: see there
 * @condition: evaluated with @lock held
 * @lock: spinlock, taken by spin_lock_irq(); not held while asleep
 *
 * Ownership: takes and puts nothing; the caller stays inside, and has @lock again.
 * Context: As unplug_wait_event_interruptible().
 * Return: 0; -ENODEV; -ERESTARTSYS.
 */
#define unplug_wait_event_interruptible_lock_irq(dev, head, condition,	\
						 lock)			\
	((int)min(0L, ___unplug_wait_event(dev, head, condition,	\
					   TASK_INTERRUPTIBLE,		\
					   MAX_SCHEDULE_TIMEOUT,	\
					   spin_unlock_irq(&(lock)),	\
					   spin_lock_irq(&(lock)))))

/**
 * unplug_wait_event_killable() - unplug_wait_event(), until a fatal signal comes
 * @dev: see there
 * @head: see there
 * @condition: see there
 *
 * Ownership: takes and puts nothing; the caller stays inside.
 * Context: As unplug_wait_event_interruptible().
 * Return: 0; -ENODEV; -EAGAIN; -ERESTARTSYS.
 */
#define unplug_wait_event_killable(dev, head, condition)		\
	__unplug_wait_forever(dev, head, condition, TASK_KILLABLE)

/**
 * struct unplug_wake - a wait queue that unplug wakes; all fields private
 * @node: in the device's list
 * @head: the queue
 *
 * Embedded in the driver's structure.
 */
struct unplug_wake {
	struct list_head node;
	struct wait_queue_head *head;
};

void unplug_dev_wake_queue(struct unplug_dev *dev, struct unplug_wake *wake,
			   struct wait_queue_head *head);

/**
 * unplug_dev_is_live() - may one still sleep in the device?
 * @dev: a device that was registered
 *
 * For the conditions of sleepers the core does not know, and for loops that take long.
 *
 * Ownership: takes and puts nothing; the caller is inside.
 * Context: Any.
 * Return: true; false as soon as the device is being unplugged, or frozen.
 */
static inline bool unplug_dev_is_live(const struct unplug_dev *dev)
{
	return READ_ONCE(dev->gate.state) == UNPLUG_GATE_LIVE;
}

#endif /* _UNPLUG_WAIT_H */
