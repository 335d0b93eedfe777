// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work items and timers of drivers, behind the gate: see include/unplug/callback.h.
 *
 * Why one cancel of each suffices, when the gate is drained:
 *
 * - Whoever queues or arms is inside while he does. After close nobody enters any more,
 *   and drained comes after the last one left: by then all that was ever queued is
 *   queued, and nothing else will be. This holds for callbacks that arm themselves, too: they
 *   are refused like anybody. The kernel alone may still queue something: a hrtimer whose
 *   entry point has just answered HRTIMER_RESTART, as it was inside when that was
 *   right. hrtimer_cancel() waits until the timer has been queued again, and takes
 *   it out; and delayed work, whose timer goes off, which cancel_delayed_work_sync() knows.
 * - An entry point that is running when it is cancelled was let in before the gate was closed and
 *   is on its way out, having left already; or it is refused. In both cases it runs a few
 *   instructions more, of the core, for which cancel waits. So nobody looks at the
 *   driver's structure or the core's text afterwards.
 * - What is cancelled, and what is refused, never calls the driver.
 */

#include <linux/export.h>
#include <unplug/callback.h>
#include <unplug/wait.h>
#include "internal.h"

static void callback_init(struct unplug_dev *dev, struct unplug_callback *callback,
			  void (*cancel)(struct unplug_callback *callback))
{
	WARN_ON(atomic_read(&dev->state) != UNPLUG_DEV_NEW);
	callback->dev = dev;
	callback->cancel = cancel;
	list_add_tail(&callback->node, &dev->callbacks);
}

/**
 * unplug_callbacks_cancel() - take back what is pending, for good
 * @dev: a device whose gate is drained
 *
 * If the gate were opened again, all could be queued again.
 *
 * Context: Process. May sleep, but waits for a few instructions of each.
 */
void unplug_callbacks_cancel(struct unplug_dev *dev)
{
	struct unplug_callback *callback;

	list_for_each_entry(callback, &dev->callbacks, node)
		callback->cancel(callback);
}

static void work_entry(struct work_struct *work)
{
	struct unplug_work *own = container_of(work, struct unplug_work, work);
	struct unplug_dev *dev = own->callback.dev;

	if (!__unplug_guard_enter(dev, "work"))
		return;
	own->func(own);
	unplug_guard_leave(dev);
}

static void work_cancel(struct unplug_callback *callback)
{
	unplug_work_cancel(container_of(callback, struct unplug_work, callback));
}

/* For the macro in callback.h, where it is described. */
void __unplug_work_init(struct unplug_dev *dev, struct unplug_work *work,
			void (*func)(struct unplug_work *work),
			const char *name, struct lock_class_key *key)
{
	INIT_WORK(&work->work, work_entry);
	lockdep_init_map(&work->work.lockdep_map, name, key, 0);
	work->func = func;
	callback_init(dev, &work->callback, work_cancel);
}
EXPORT_SYMBOL_GPL(__unplug_work_init);

/**
 * unplug_work_queue() - queue a work item
 * @wq: where; has to stay until ->gone
 * @work: the item
 *
 * Ownership: takes and puts nothing; the caller has a reference of the device.
 * Context: Any.
 * Return: true: it was queued, and will run unless unplug is first; false: it is
 *	   pending already, or the device is not live.
 */
bool unplug_work_queue(struct workqueue_struct *wq, struct unplug_work *work)
{
	struct unplug_dev *dev = work->callback.dev;
	bool queued;

	if (!unplug_dev_get_active(dev))
		return false;
	queued = queue_work(wq, &work->work);
	unplug_dev_put_active(dev);
	return queued;
}
EXPORT_SYMBOL_GPL(unplug_work_queue);

/**
 * unplug_work_cancel() - take back a work item, and wait for the end of it
 * @work: the item
 *
 * Ownership: takes and puts nothing.
 * Context: Process. May sleep. Not from the item itself.
 * Return: true if it was pending.
 */
bool unplug_work_cancel(struct unplug_work *work)
{
	return cancel_work_sync(&work->work);
}
EXPORT_SYMBOL_GPL(unplug_work_cancel);

static void delayed_work_entry(struct work_struct *work)
{
	struct unplug_delayed_work *own = container_of(to_delayed_work(work),
						       struct unplug_delayed_work,
						       dwork);
	struct unplug_dev *dev = own->callback.dev;

	if (!__unplug_guard_enter(dev, "delayed work"))
		return;
	own->func(own);
	unplug_guard_leave(dev);
}

static void delayed_work_cancel(struct unplug_callback *callback)
{
	unplug_delayed_work_cancel(container_of(callback,
						struct unplug_delayed_work,
						callback));
}

/* For the macro in callback.h, where it is described. */
void __unplug_delayed_work_init(struct unplug_dev *dev,
				struct unplug_delayed_work *dwork,
				void (*func)(struct unplug_delayed_work *dwork),
				const char *name, struct lock_class_key *key)
{
	INIT_DELAYED_WORK(&dwork->dwork, delayed_work_entry);
	lockdep_init_map(&dwork->dwork.work.lockdep_map, name, key, 0);
	dwork->func = func;
	callback_init(dev, &dwork->callback, delayed_work_cancel);
}
EXPORT_SYMBOL_GPL(__unplug_delayed_work_init);

/**
 * unplug_delayed_work_queue() - queue a work item in a while
 * @wq: where; has to stay until ->gone
 * @dwork: the item
 * @delay: jiffies
 *
 * Ownership: takes and puts nothing; the caller has a reference of the device.
 * Context: Any.
 * Return: true: it will run unless unplug is first; false: it is pending already,
 *	   or the device is not live.
 */
bool unplug_delayed_work_queue(struct workqueue_struct *wq,
			       struct unplug_delayed_work *dwork,
			       unsigned long delay)
{
	struct unplug_dev *dev = dwork->callback.dev;
	bool queued;

	if (!unplug_dev_get_active(dev))
		return false;
	queued = queue_delayed_work(wq, &dwork->dwork, delay);
	unplug_dev_put_active(dev);
	return queued;
}
EXPORT_SYMBOL_GPL(unplug_delayed_work_queue);

/**
 * unplug_delayed_work_mod() - queue a work item in a while, pending or not
 * @wq: where; has to stay until ->gone
 * @dwork: the item
 * @delay: jiffies, from now
 *
 * Ownership: takes and puts nothing; the caller has a reference of the device.
 * Context: Any.
 * Return: true: it will run unless unplug is first; false: the device is not live.
 *	   (mod_delayed_work() says whether it was pending.)
 */
bool unplug_delayed_work_mod(struct workqueue_struct *wq,
			     struct unplug_delayed_work *dwork,
			     unsigned long delay)
{
	struct unplug_dev *dev = dwork->callback.dev;

	if (!unplug_dev_get_active(dev))
		return false;
	mod_delayed_work(wq, &dwork->dwork, delay);
	unplug_dev_put_active(dev);
	return true;
}
EXPORT_SYMBOL_GPL(unplug_delayed_work_mod);

/**
 * unplug_delayed_work_cancel() - take back delayed work, and wait for the end of it
 * @dwork: the item
 *
 * Ownership: takes and puts nothing.
 * Context: Process. May sleep. Not from the item itself.
 * Return: true if it was pending.
 */
bool unplug_delayed_work_cancel(struct unplug_delayed_work *dwork)
{
	return cancel_delayed_work_sync(&dwork->dwork);
}
EXPORT_SYMBOL_GPL(unplug_delayed_work_cancel);

static void timer_entry(struct timer_list *timer)
{
	struct unplug_timer *own = container_of(timer, struct unplug_timer, timer);
	struct unplug_dev *dev = own->callback.dev;

	if (!__unplug_guard_enter(dev, "timer"))
		return;
	own->func(own);
	unplug_guard_leave(dev);
}

static void timer_cancel(struct unplug_callback *callback)
{
	unplug_timer_cancel(container_of(callback, struct unplug_timer, callback));
}

/* For the macro in callback.h, where it is described. */
void __unplug_timer_init(struct unplug_dev *dev, struct unplug_timer *timer,
			 void (*func)(struct unplug_timer *timer),
			 const char *name, struct lock_class_key *key)
{
	timer_setup(&timer->timer, timer_entry, 0);
	lockdep_init_map(&timer->timer.lockdep_map, name, key, 0);
	timer->func = func;
	callback_init(dev, &timer->callback, timer_cancel);
}
EXPORT_SYMBOL_GPL(__unplug_timer_init);

/**
 * unplug_timer_mod() - arm a timer, pending or not
 * @timer: the timer
 * @expires: when, in jiffies
 *
 * Ownership: takes and puts nothing; the caller has a reference of the device.
 * Context: Any.
 * Return: true: it will go off unless unplug is first; false: the device is not live.
 *	   (mod_timer() says whether it was pending.)
 */
bool unplug_timer_mod(struct unplug_timer *timer, unsigned long expires)
{
	struct unplug_dev *dev = timer->callback.dev;

	if (!unplug_dev_get_active(dev))
		return false;
	mod_timer(&timer->timer, expires);
	unplug_dev_put_active(dev);
	return true;
}
EXPORT_SYMBOL_GPL(unplug_timer_mod);

/**
 * unplug_timer_cancel() - disarm a timer, and wait for the end of it
 * @timer: the timer
 *
 * Ownership: takes and puts nothing.
 * Context: Not in an interrupt. Not from the timer itself.
 * Return: true if it was pending.
 */
bool unplug_timer_cancel(struct unplug_timer *timer)
{
	return timer_delete_sync(&timer->timer);
}
EXPORT_SYMBOL_GPL(unplug_timer_cancel);

static enum hrtimer_restart hrtimer_entry(struct hrtimer *timer)
{
	struct unplug_hrtimer *own = container_of(timer, struct unplug_hrtimer,
						  timer);
	struct unplug_dev *dev = own->callback.dev;
	enum hrtimer_restart restart;

	if (!__unplug_guard_enter(dev, "hrtimer"))
		return HRTIMER_NORESTART;
	restart = own->func(own);
	/* It would be refused the next time. */
	if (!unplug_dev_is_live(dev))
		restart = HRTIMER_NORESTART;
	unplug_guard_leave(dev);
	return restart;
}

static void hrtimer_cancel_callback(struct unplug_callback *callback)
{
	unplug_hrtimer_cancel(container_of(callback, struct unplug_hrtimer,
					   callback));
}

/**
 * unplug_hrtimer_init() - make a timer known
 * @dev: a device that was not registered yet
 * @timer: in the driver's structure
 * @clock: as for hrtimer_setup()
 * @mode: likewise
 * @func: runs inside the device, in an interrupt, hard or soft by @mode; may restart
 *
 * Ownership: @timer is the core's until gone.
 * Context: Any. The caller serialises this with register.
 */
void unplug_hrtimer_init(struct unplug_dev *dev, struct unplug_hrtimer *timer,
			 clockid_t clock, enum hrtimer_mode mode,
			 enum hrtimer_restart (*func)(struct unplug_hrtimer *timer))
{
	hrtimer_setup(&timer->timer, hrtimer_entry, clock, mode);
	timer->func = func;
	callback_init(dev, &timer->callback, hrtimer_cancel_callback);
}
EXPORT_SYMBOL_GPL(unplug_hrtimer_init);

/**
 * unplug_hrtimer_start() - arm a timer, pending or not
 * @timer: the timer
 * @time: when
 * @mode: as for hrtimer_start()
 *
 * Ownership: takes and puts nothing; the caller has a reference of the device.
 * Context: Any.
 * Return: true: it will go off unless unplug is first; false: the device is not live.
 */
bool unplug_hrtimer_start(struct unplug_hrtimer *timer, ktime_t time,
			  enum hrtimer_mode mode)
{
	struct unplug_dev *dev = timer->callback.dev;

	if (!unplug_dev_get_active(dev))
		return false;
	hrtimer_start(&timer->timer, time, mode);
	unplug_dev_put_active(dev);
	return true;
}
EXPORT_SYMBOL_GPL(unplug_hrtimer_start);

/**
 * unplug_hrtimer_cancel() - disarm a timer, and wait for the end of it
 * @timer: the timer
 *
 * Ownership: takes and puts nothing.
 * Context: Not in an interrupt. Not from the timer itself.
 * Return: true if it was pending.
 */
bool unplug_hrtimer_cancel(struct unplug_hrtimer *timer)
{
	return hrtimer_cancel(&timer->timer) > 0;
}
EXPORT_SYMBOL_GPL(unplug_hrtimer_cancel);
