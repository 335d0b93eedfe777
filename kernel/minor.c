// SPDX-License-Identifier: GPL-2.0-only
/*
 * Minor numbers, and with them the list of all devices.
 *
 * One xarray is both. Its lock, a spinlock, is the only one that devices share;
 * it is held for a look-up or a store, never while anything sleeps. Readers
 * take no lock: they look up under RCU and take a reference unless the last
 * one is gone. What they find may be new or dying: its gate tells.
 *
 *	reserve		number and name are taken
 *	free name	the node is gone, the next device may have its name
 *	free		the last reference is gone, the number is free
 *
 * Numbers go up and wrap at 2^20: one that was freed comes back last.
 *
 * model/minor.pml follows these steps: change both.
 */

#include <linux/rcupdate.h>
#include <linux/xarray.h>
#include "internal.h"

#define MINOR_NAMED XA_MARK_1

static DEFINE_XARRAY_ALLOC(minors);
static u32 minor_next;
static u64 generation_last;

static bool minor_name_taken(const char *name)
{
	struct unplug_dev *dev;
	unsigned long i;

	xa_for_each_marked(&minors, i, dev, MINOR_NAMED) {
		if (!strcmp(dev_name(&dev->device), name))
			return true;
	}
	return false;
}

/**
 * unplug_minor_reserve() - take a number for a named device
 * @dev: a new device whose name is set
 *
 * Sets @dev->minor and @dev->generation.
 *
 * Context: Process. May sleep.
 * Return: 0; -EEXIST: a device has that name; -ENOSPC: 2^20 devices; -ENOMEM.
 */
int unplug_minor_reserve(struct unplug_dev *dev)
{
	u32 minor;
	int err;

	xa_lock(&minors);
	/* May drop the lock to allocate: names are compared afterwards. */
	err = __xa_alloc_cyclic(&minors, &minor, dev, XA_LIMIT(0, MINORMASK),
				&minor_next, GFP_KERNEL);
	if (err < 0)
		goto unlock;
	err = 0;
	if (minor_name_taken(dev_name(&dev->device))) {
		__xa_erase(&minors, minor);
		err = -EEXIST;
		goto unlock;
	}
	__xa_set_mark(&minors, minor, MINOR_NAMED);
	dev->minor = minor;
	dev->generation = ++generation_last;
unlock:
	xa_unlock(&minors);
	return err == -EBUSY ? -ENOSPC : err;
}

/**
 * unplug_minor_renew() - a new generation begins
 * @dev: a device that has a number
 *
 * Context: Process.
 */
void unplug_minor_renew(struct unplug_dev *dev)
{
	xa_lock(&minors);
	WRITE_ONCE(dev->generation, ++generation_last);
	xa_unlock(&minors);
}

/**
 * unplug_minor_free_name() - let another device have the name
 * @dev: a device whose number is reserved and whose node is gone
 *
 * Context: Process.
 */
void unplug_minor_free_name(struct unplug_dev *dev)
{
	xa_clear_mark(&minors, dev->minor, MINOR_NAMED);
}

/**
 * unplug_minor_free() - let another device have the number
 * @dev: a device whose last reference is gone; without a number: does nothing
 *
 * Look-ups may still see the device: its memory must outlive a grace period.
 *
 * Context: Process.
 */
void unplug_minor_free(struct unplug_dev *dev)
{
	if (dev->generation)
		xa_erase(&minors, dev->minor);
}

/**
 * unplug_minor_find() - look up a device by number
 * @minor: minor number of a node
 *
 * Context: Any but hard interrupt. Takes no lock.
 * Return: the device with a reference for the caller, or NULL.
 */
struct unplug_dev *unplug_minor_find(unsigned int minor)
{
	struct unplug_dev *dev;

	rcu_read_lock();
	dev = xa_load(&minors, minor);
	if (dev && !unplug_dev_tryget(dev))
		dev = NULL;
	rcu_read_unlock();

	return dev;
}

/**
 * unplug_minor_next() - go through all devices that have a number
 * @from: the lowest number wanted, 0 at first; set to what to go on with
 *
 * Context: Any but hard interrupt. Takes no lock.
 * Return: a device with a reference for the caller, or NULL: there are no more.
 */
struct unplug_dev *unplug_minor_next(unsigned long *from)
{
	struct unplug_dev *dev;

	rcu_read_lock();
	do {
		dev = xa_find(&minors, from, MINORMASK, XA_PRESENT);
		++*from;
	} while (dev && !unplug_dev_tryget(dev));
	rcu_read_unlock();

	return dev;
}
