// SPDX-License-Identifier: LGPL-2.1-or-later
/* What can be asked about a device. */

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <libunplug/device.h>
#include "internal.h"

/**
 * unplug_dev_state() - how far a device is
 * @dev: the device
 *
 * Ownership: takes and puts nothing.
 * Context: Any.
 * Return: what it was a moment ago; DRAINED is for good; NEW for one that was not prepared.
 */
enum unplug_dev_state unplug_dev_state(const struct unplug_dev *dev)
{
	if (!dev_is_ready(dev))
		return UNPLUG_DEV_NEW;
	if (__atomic_load_n(&dev->events, __ATOMIC_ACQUIRE) & EVENT_DRAINED)
		return UNPLUG_DEV_DRAINED;
	return (enum unplug_dev_state)__atomic_load_n(&dev->state,
						      __ATOMIC_ACQUIRE);
}

/**
 * unplug_dev_error() - why users are refused
 * @dev: the device
 *
 * Ownership: takes and puts nothing.
 * Context: Any.
 * Return: -EAGAIN: it is frozen (or live again already); -ENXIO: it was never registered, or
 *	   not even prepared; -ENODEV: it is unplugged.
 */
int unplug_dev_error(const struct unplug_dev *dev)
{
	if (!dev_is_ready(dev))
		return -ENXIO;
	switch (__atomic_load_n(&dev->state, __ATOMIC_ACQUIRE)) {
	case UNPLUG_DEV_NEW:
		return -ENXIO;
	case UNPLUG_DEV_LIVE:
	case UNPLUG_DEV_FREEZING:
	case UNPLUG_DEV_FROZEN:
		return -EAGAIN;
	default:
		return -ENODEV;
	}
}

/**
 * unplug_dev_inside() - how many users are inside
 * @dev: the device
 *
 * Ownership: takes and puts nothing.
 * Context: Any.
 * Return: for messages, see unplug_gate_inside().
 */
unsigned int unplug_dev_inside(const struct unplug_dev *dev)
{
	return dev_is_ready(dev) ? unplug_gate_inside(&dev->gate) : 0;
}

/**
 * unplug_dev_minor() - the number of a device
 * @dev: the device
 *
 * Ownership: takes and puts nothing.
 * Context: Any.
 * Return: its number; no other device has it until the last reference is put. UINT_MAX, which
 *	   none has, if it was not prepared.
 */
unsigned int unplug_dev_minor(const struct unplug_dev *dev)
{
	return dev_is_ready(dev) ? dev->minor : UINT_MAX;
}

/**
 * unplug_dev_generation() - which life of which device this is
 * @dev: the device
 *
 * Ownership: takes and puts nothing.
 * Context: Any.
 * Return: a number no other device of the registry ever had, nor this one before it
 *	   was thawed; 0 if it was not prepared.
 */
uint64_t unplug_dev_generation(const struct unplug_dev *dev)
{
	return dev_is_ready(dev) ? __atomic_load_n(&dev->generation, __ATOMIC_RELAXED) : 0;
}
