/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_CALLBACK_H
#define _UNPLUG_CALLBACK_H

/**
 * DOC: callback
 *
 * What the kernel calls in a driver beside its file operations: work, timers, interrupts.
 * (Attributes in sysfs: attr.h.) All have one form. A structure of ours is embedded in the
 * driver's; it is made known while the device is NEW, with a function that gets it back;
 * and nobody has to stop it:
 *
 *	struct card {
 *		struct unplug_dev dev;
 *		struct unplug_work work;
 *	};
 *
 *	static void card_work(struct unplug_work *work)
 *	{
 *		struct card *card = container_of(work, struct card, work);
 *		...
 *	}
 *
 *	unplug_work_init(&card->dev, &card->work, card_work);	in probe
 *	unplug_work_queue(system_wq, &card->work);		wherever
 *
 * Work, delayed work, timer, hrtimer
 * ----------------------------------
 *
 * They run like file operations: inside the device, and touch the hardware in hardware
 * sections. What is pending when the device is unplugged never runs; what runs is an
 * insider, for which drained waits. Queueing and arming is refused from the moment on at
 * which nobody gets in any more, whoever tries. So they may arm themselves again for ever.
 *
 * Before the device is live they cannot be queued or armed: that begins in operations,
 * or in probe after unplug_dev_register(). A workqueue of the driver's own is destroyed in
 * ->gone, as insiders may still be on their way to queue something there.
 *
 * Interrupts
 * ----------
 *
 * Handler and thread run outside of the gates, from unplug_irq_request() until shut: the
 * hardware is there all the time, and somebody in a hardware section may wait for just this
 * interrupt. They touch the hardware without a section. shut does, after the
 * last hardware section, and before the bus gets anything back:
 *
 *	1. ->quiesce of the driver: it tells the hardware to send no interrupts, and to
 *	   leave memory alone
 *	2. free_irq() of each, which waits for handler and thread
 *
 * So handler and thread wait for nothing that a hardware section must not wait for,
 * as for a mutex that somebody holds while he waits for a user.
 */

#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/lockdep.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <unplug/device.h>

/**
 * struct unplug_callback - what all have in common; all fields private
 * @node: in dev->callbacks, or dev->irqs
 * @dev: the device
 * @cancel: takes it back if it is pending, and waits for the end of it
 */
struct unplug_callback {
	struct list_head node;
	struct unplug_dev *dev;
	void (*cancel)(struct unplug_callback *callback);
};

/**
 * struct unplug_work - a work item; all fields private
 * @callback: the device's
 * @work: the kernel's
 * @func: the driver's
 */
struct unplug_work {
	struct unplug_callback callback;
	struct work_struct work;
	void (*func)(struct unplug_work *work);
};

/**
 * struct unplug_delayed_work - a work item with a timer; all fields private
 * @callback: the device's
 * @dwork: the kernel's
 * @func: the driver's
 */
struct unplug_delayed_work {
	struct unplug_callback callback;
	struct delayed_work dwork;
	void (*func)(struct unplug_delayed_work *dwork);
};

/**
 * struct unplug_timer - a timer, in jiffies; all fields private
 * @callback: the device's
 * @timer: the kernel's
 * @func: the driver's
 */
struct unplug_timer {
	struct unplug_callback callback;
	struct timer_list timer;
	void (*func)(struct unplug_timer *timer);
};

/**
 * struct unplug_hrtimer - a timer, in nanoseconds; all fields private but @timer
 * @callback: the device's
 * @timer: the kernel's; @func may hrtimer_forward_now() it
 * @func: the driver's
 */
struct unplug_hrtimer {
	struct unplug_callback callback;
	struct hrtimer timer;
	enum hrtimer_restart (*func)(struct unplug_hrtimer *timer);
};

/**
 * struct unplug_irq - an interrupt; all fields private
 * @callback: the device's
 * @handler: the driver's
 * @thread: the driver's
 * @number: of the line
 * @flags: flags of request_irq()
 * @off: answer IRQ_NONE
 * @requested: not freed yet
 */
struct unplug_irq {
	struct unplug_callback callback;
	irqreturn_t (*handler)(struct unplug_irq *irq);
	irqreturn_t (*thread)(struct unplug_irq *irq);
	unsigned int number;
	unsigned long flags;
	bool off;
	bool requested;
};

/* Each user of the macros below is a lock class of its own, as with INIT_WORK(). */
void __unplug_work_init(struct unplug_dev *dev, struct unplug_work *work,
			void (*func)(struct unplug_work *work),
			const char *name, struct lock_class_key *key);
void __unplug_delayed_work_init(struct unplug_dev *dev,
				struct unplug_delayed_work *dwork,
				void (*func)(struct unplug_delayed_work *dwork),
				const char *name, struct lock_class_key *key);
void __unplug_timer_init(struct unplug_dev *dev, struct unplug_timer *timer,
			 void (*func)(struct unplug_timer *timer),
			 const char *name, struct lock_class_key *key);

/**
 * unplug_work_init() - make a work item known
 * @dev: a device that was not registered yet
 * @work: in the driver's structure
 * @func: runs inside the device; may queue itself again
 *
 * Ownership: @work is the core's until gone.
 * Context: Any. The caller serialises this with register.
 * Return: nothing.
 */
#define unplug_work_init(dev, work, func)				\
do {									\
	static struct lock_class_key __key;				\
									\
	__unplug_work_init((dev), (work), (func), #work, &__key);	\
} while (0)

/**
 * unplug_delayed_work_init() - make a delayed work item known
 * @dev: a device that was not registered yet
 * @dwork: in the driver's structure
 * @func: runs inside the device; may queue itself again
 *
 * Ownership: @dwork is the core's until gone.
 * Context: Any. The caller serialises this with register.
 * Return: nothing.
 */
#define unplug_delayed_work_init(dev, dwork, func)			\
do {									\
	static struct lock_class_key __key;				\
									\
	__unplug_delayed_work_init((dev), (dwork), (func), #dwork,	\
				   &__key);				\
} while (0)

/**
 * unplug_timer_init() - make a timer known
 * @dev: a device that was not registered yet
 * @timer: in the driver's structure
 * @func: runs inside the device, in a soft interrupt; may arm itself again
 *
 * Ownership: @timer is the core's until gone.
 * Context: Any. The caller serialises this with register.
 * Return: nothing.
 */
#define unplug_timer_init(dev, timer, func)				\
do {									\
	static struct lock_class_key __key;				\
									\
	__unplug_timer_init((dev), (timer), (func), #timer, &__key);	\
} while (0)

void unplug_hrtimer_init(struct unplug_dev *dev, struct unplug_hrtimer *timer,
			 clockid_t clock, enum hrtimer_mode mode,
			 enum hrtimer_restart (*func)(struct unplug_hrtimer *timer));

bool unplug_work_queue(struct workqueue_struct *wq, struct unplug_work *work);
bool unplug_delayed_work_queue(struct workqueue_struct *wq,
			       struct unplug_delayed_work *dwork,
			       unsigned long delay);
bool unplug_delayed_work_mod(struct workqueue_struct *wq,
			     struct unplug_delayed_work *dwork,
			     unsigned long delay);
bool unplug_timer_mod(struct unplug_timer *timer, unsigned long expires);
bool unplug_hrtimer_start(struct unplug_hrtimer *timer, ktime_t time,
			  enum hrtimer_mode mode);

bool unplug_work_cancel(struct unplug_work *work);
bool unplug_delayed_work_cancel(struct unplug_delayed_work *dwork);
bool unplug_timer_cancel(struct unplug_timer *timer);
bool unplug_hrtimer_cancel(struct unplug_hrtimer *timer);

int unplug_irq_request(struct unplug_dev *dev, struct unplug_irq *irq,
		       unsigned int number,
		       irqreturn_t (*handler)(struct unplug_irq *irq),
		       irqreturn_t (*thread)(struct unplug_irq *irq),
		       unsigned long flags);
void unplug_irq_free(struct unplug_irq *irq);

#endif /* _UNPLUG_CALLBACK_H */
