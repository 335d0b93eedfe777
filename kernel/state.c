// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which state of a device follows which, where more than one task wants to move it.
 *
 *	NEW --> REGISTERING --> LIVE --> DYING --> SHUT --> DRAINED --> GONE
 *			       |    ^      ^
 *			       v    |      |
 *			 FREEZING  THAWING |
 *			       |    ^      |
 *			       v    |      |
 *			       FROZEN -----+
 *
 * REGISTERING, FREEZING and THAWING are the business of one task each, which ends them
 * soon. Who wants to unplug the device meanwhile leaves a mark.
 */

#include "internal.h"

/*
 * A module that is loading or unloading cannot be kept: its init, when it
 * fails, and its exit end with the module gone, whatever its count says. Who
 * unplugs from there has to wait for gone instead.
 */
static bool unplug_dev_pin_driver(struct unplug_dev *dev)
{
	struct module *owner = dev->drv->owner;

	if (!owner)
		return true;
	return READ_ONCE(owner->state) == MODULE_STATE_LIVE &&
	       try_module_get(owner);
}

/* Who succeeds is the only one, and has to do what the new state stands for. */
static bool unplug_dev_move(struct unplug_dev *dev, int from, int to)
{
	return atomic_cmpxchg(&dev->state, from, to) == from;
}

static bool unplug_dev_begin(struct unplug_dev *dev)
{
	if (!unplug_dev_move(dev, UNPLUG_DEV_LIVE, UNPLUG_DEV_DYING) &&
	    !unplug_dev_move(dev, UNPLUG_DEV_FROZEN, UNPLUG_DEV_DYING))
		return false;

	dev->when_called = ktime_get();
	unplug_dev_get(dev);
	dev->pinned = unplug_dev_pin_driver(dev);
	if (!dev->frozen) {
		unplug_gate_kill(&dev->hw);
		unplug_gate_kill(&dev->gate);
	}
	return true;
}

/* Where unplug cannot begin yet, but will: leave a mark. */
static bool unplug_dev_mark(struct unplug_dev *dev)
{
	return unplug_dev_move(dev, UNPLUG_DEV_REGISTERING, UNPLUG_DEV_PULLED) ||
	       unplug_dev_move(dev, UNPLUG_DEV_FREEZING,
			       UNPLUG_DEV_FREEZING_PULLED) ||
	       unplug_dev_move(dev, UNPLUG_DEV_THAWING,
			       UNPLUG_DEV_THAWING_PULLED);
}

/* Is there anything that somebody has not asked for yet? */
static bool unplug_dev_may_ask(struct unplug_dev *dev)
{
	switch (atomic_read(&dev->state)) {
	case UNPLUG_DEV_REGISTERING:
	case UNPLUG_DEV_LIVE:
	case UNPLUG_DEV_FREEZING:
	case UNPLUG_DEV_FROZEN:
	case UNPLUG_DEV_THAWING:
		return true;
	default:
		return false;
	}
}

/**
 * unplug_dev_ask() - ask for a device to be unplugged
 * @dev: the device
 *
 * Context: Any.
 * Return: true: the caller is the first, and newcomers are refused; he has to shut it.
 *	   false: somebody else does, or will, or it is not registered.
 */
bool unplug_dev_ask(struct unplug_dev *dev)
{
	while (unplug_dev_may_ask(dev)) {
		if (unplug_dev_begin(dev))
			return true;
		if (unplug_dev_mark(dev))
			return false;
	}
	return false;
}

/**
 * unplug_dev_settle() - end a state that passes by itself
 * @dev: the device
 * @from: the state
 * @to: what follows: LIVE or FROZEN
 *
 * If somebody has asked to unplug the device meanwhile, now is the time.
 *
 * Context: Any in which unplug_dev_unplug_async() may be called.
 * Return: true if nobody has.
 */
bool unplug_dev_settle(struct unplug_dev *dev, int from, int to)
{
	if (unplug_dev_move(dev, from, to))
		return true;
	/* Whoever unplugs it sees what the caller has done. */
	atomic_set_release(&dev->state, to);
	unplug_dev_unplug_async(dev);
	return false;
}

/**
 * unplug_dev_was_live() - was a device ever registered?
 * @dev: the device
 *
 * Context: Any.
 * Return: true if so. GONE is also where a registration that failed ends.
 */
bool unplug_dev_was_live(struct unplug_dev *dev)
{
	int state = atomic_read(&dev->state);

	return state >= UNPLUG_DEV_PULLED &&
	       !(state == UNPLUG_DEV_GONE && !dev->when_called);
}
