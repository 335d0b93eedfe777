// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of drivers: see include/unplug/callback.h. No gate is in front of them: they
 * end in shut, synchronously.
 *
 * The order there: the last hardware section is over, the driver tells its hardware to be
 * quiet, then each line is given back. If it were the other way round, a line that others
 * share would go on to be asserted with nobody there to answer, until the kernel
 * switches it off.
 *
 * Who does it, the caller of unplug or a worker, makes no difference to the kernel; and
 * ->remove gets no further than unplug_dev_unplug() before it is done. Handlers may call
 * unplug_dev_unplug_async(), as a worker does the rest.
 */

#include <linux/export.h>
#include <linux/interrupt.h>
#include <unplug/callback.h>
#include "internal.h"

static irqreturn_t irq_entry(int number, void *arg)
{
	struct unplug_irq *irq = arg;

	if (READ_ONCE(irq->off))
		return IRQ_NONE;
	return irq->handler(irq);
}

static irqreturn_t irq_thread_entry(int number, void *arg)
{
	struct unplug_irq *irq = arg;

	/* What the first half has begun is brought to its end. */
	if (!irq->handler && READ_ONCE(irq->off))
		return IRQ_NONE;
	return irq->thread(irq);
}

/**
 * unplug_irq_request() - ask for an interrupt
 * @dev: a device that was not registered yet
 * @irq: in the driver's structure
 * @number: of the line
 * @handler: as for request_threaded_irq(); may be NULL if there is a thread. Runs outside of
 *	     the gates, from now on, also before the device is live
 * @thread: runs in a thread when @handler says IRQ_WAKE_THREAD, likewise; or NULL. Waits
 *	    for nothing that shut must not wait for, as unplug_dev_unplug()
 * @flags: flags of request_irq()
 *
 * The line is given back in shut, when the driver's ->quiesce was called. A driver that fails
 * before the device was registered calls unplug_irq_free().
 *
 * Ownership: @irq is the core's until shut, or unplug_irq_free().
 * Context: Process. May sleep. The caller serialises this with register.
 * Return: 0; -EBUSY: the device was registered, or the line is in use; -EINVAL; what
 *	   request_threaded_irq() says.
 */
int unplug_irq_request(struct unplug_dev *dev, struct unplug_irq *irq,
		       unsigned int number,
		       irqreturn_t (*handler)(struct unplug_irq *irq),
		       irqreturn_t (*thread)(struct unplug_irq *irq),
		       unsigned long flags)
{
	int err;

	if (WARN_ON(atomic_read(&dev->state) != UNPLUG_DEV_NEW))
		return -EBUSY;
	if (!handler && !thread)
		return -EINVAL;
	irq->callback.dev = dev;
	irq->number = number;
	irq->handler = handler;
	irq->thread = thread;
	irq->flags = flags;
	irq->off = false;
	/* It has no name of its own yet. */
	err = request_threaded_irq(number, handler ? irq_entry : NULL,
				   thread ? irq_thread_entry : NULL, flags,
				   dev->drv->name, irq);
	if (err)
		return err;
	irq->requested = true;
	list_add_tail(&irq->callback.node, &dev->irqs);
	return 0;
}
EXPORT_SYMBOL_GPL(unplug_irq_request);

static void irq_free(struct unplug_irq *irq)
{
	free_irq(irq->number, irq);
	list_del(&irq->callback.node);
	irq->requested = false;
}

/**
 * unplug_irq_free() - give back an interrupt
 * @irq: an interrupt; zeroed, if it was never asked for
 *
 * For drivers that fail before the device was registered, or as registering fails. Does
 * nothing if it was done before: by shut, too.
 *
 * Ownership: @irq is the caller's again.
 * Context: Process. May sleep: waits for handler and thread.
 */
void unplug_irq_free(struct unplug_irq *irq)
{
	struct unplug_dev *dev = irq->callback.dev;
	int state;

	if (!dev)
		return;
	state = atomic_read(&dev->state);
	/* While it is live, this is unplug's to do. */
	if (WARN_ON(state != UNPLUG_DEV_NEW && state < UNPLUG_DEV_SHUT))
		return;
	if (irq->requested)
		irq_free(irq);
}
EXPORT_SYMBOL_GPL(unplug_irq_free);

static void irqs_free(struct unplug_dev *dev)
{
	struct unplug_irq *irq, *next;

	list_for_each_entry_safe(irq, next, &dev->irqs, callback.node)
		irq_free(irq);
}

/**
 * unplug_callbacks_quiet() - end interrupts and DMA, for good
 * @dev: a device whose hardware sections are over; the hardware is still the driver's
 *
 * Context: Process. May sleep: as long as the driver's ->quiesce, handlers, threads.
 */
void unplug_callbacks_quiet(struct unplug_dev *dev)
{
	if (dev->drv->quiesce)
		dev->drv->quiesce(dev);
	irqs_free(dev);
}

/* The last reference went, and no shut has ever come: its driver has forgotten something. */
void unplug_irqs_release(struct unplug_dev *dev)
{
	if (WARN(!list_empty(&dev->irqs), "unplug: unplug_irq_free() is missing"))
		irqs_free(dev);
}

/**
 * unplug_irqs_disable() - no handler runs, until unplug_irqs_enable()
 * @dev: a device
 *
 * On a line that others share, an interrupt of this device's hardware will not be answered.
 *
 * Context: Process. May sleep: waits for handlers and threads.
 */
void unplug_irqs_disable(struct unplug_dev *dev)
{
	struct unplug_irq *irq;

	list_for_each_entry(irq, &dev->irqs, callback.node) {
		if (irq->flags & IRQF_SHARED) {
			WRITE_ONCE(irq->off, true);
			synchronize_irq(irq->number);
		} else {
			disable_irq(irq->number);
		}
	}
}

/**
 * unplug_irqs_enable() - undo unplug_irqs_disable()
 * @dev: a device
 *
 * Context: Process.
 */
void unplug_irqs_enable(struct unplug_dev *dev)
{
	struct unplug_irq *irq;

	list_for_each_entry(irq, &dev->irqs, callback.node) {
		if (irq->flags & IRQF_SHARED)
			WRITE_ONCE(irq->off, false);
		else
			enable_irq(irq->number);
	}
}
