// SPDX-License-Identifier: GPL-2.0-only
/*
 * When an unplug takes long: a line in the log that says what it waits for, and who is
 * inside. First after stall_ms, then after twice that time, and so on.
 */

#include <linux/moduleparam.h>
#include "internal.h"
#include "trace.h"

static unsigned int stall_ms = 10000;
module_param(stall_ms, uint, 0644);
MODULE_PARM_DESC(stall_ms,
		 "after how long the log names who keeps a device from being gone, in milliseconds; 0: never (default 10000)");

/* How many tasks are described at most */
#define STALL_HOLDERS 8

#define SECTIONS "hardware sections have not ended yet: the driver must not wait for users in one"

static void stall_report(struct unplug_dev *dev, const char *what,
			 unsigned int number, const char *words)
{
	s64 us = ktime_us_delta(ktime_get(), dev->when_called);

	trace_unplug_stall(dev, what, us, number);
	unplug_dev_err(dev, "after %lld s: %u %s\n", us / USEC_PER_SEC, number,
		       words);
	unplug_report_holders(dev, NULL, STALL_HOLDERS);
}

static void stall_look(struct unplug_dev *dev)
{
	unsigned int sections = unplug_gate_inside(&dev->hw);

	switch (atomic_read(&dev->state)) {
	case UNPLUG_DEV_DYING:
		stall_report(dev, "sections", sections, sections ?
			     SECTIONS :
			     "hardware sections, but not shut yet: interrupts, or what is mapped, take long");
		break;
	case UNPLUG_DEV_SHUT:
		stall_report(dev, "drain", unplug_gate_inside(&dev->gate),
			     "operations still inside: shut, but not drained");
		break;
	case UNPLUG_DEV_DRAINED:
		stall_report(dev, "releases", READ_ONCE(dev->unreleased),
			     "files not released yet, or the driver's ->gone runs: drained, but not gone");
		break;
	}
}

/**
 * unplug_stall_work() - an unplug has taken long
 * @work: dev->stall_work
 *
 * Context: Process.
 */
void unplug_stall_work(struct work_struct *work)
{
	struct unplug_dev *dev = container_of(to_delayed_work(work),
					      struct unplug_dev, stall_work);

	stall_look(dev);
	dev->stall_delay *= 2;
	queue_delayed_work(unplug_wq, &dev->stall_work, dev->stall_delay);
}

/**
 * unplug_stall_begin() - an unplug has begun
 * @dev: the device; stays until unplug_stall_end()
 *
 * Context: Process.
 */
void unplug_stall_begin(struct unplug_dev *dev)
{
	dev->stall_delay = msecs_to_jiffies(READ_ONCE(stall_ms));
	if (dev->stall_delay)
		queue_delayed_work(unplug_wq, &dev->stall_work,
				   dev->stall_delay);
}

/**
 * unplug_stall_end() - it is over
 * @dev: the device
 *
 * Context: Process. Waits for a report that is being written.
 */
void unplug_stall_end(struct unplug_dev *dev)
{
	cancel_delayed_work_sync(&dev->stall_work);
}
