// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The device: see <libunplug/device.h>.
 *
 *	NEW -register-> LIVE -freeze-> FREEZING -> FROZEN -thaw-> LIVE
 *	any of them -unplug-> DYING -> SHUT -> DRAINED
 *
 * The state is written under the library's lock, which makes transitions happen one after
 * the other; none waits for users. FREEZING and DYING are left at once, unless membarrier failed.
 *
 * What unplug and the last insider have to tell each other is in dev->events, which each changes
 * by one atomic operation:
 *
 *	QUIET	nobody is inside: set by the gate when it is dead
 *	SHUT	for good: set by unplug
 *
 * Whoever finds the other's set is the second, one alone, and goes on: ->drained, then
 *
 *	DRAINED	->drained has returned
 *	LAST	it was the gate, at once with its QUIET: for the child of a fork
 *
 * A thaw takes QUIET back. So the gate looks at nothing of the device after it has set it
 * and has not been the second: that might be about another life already.
 *
 * Memory
 * ------
 *
 * While QUIET is not set the device has a reference of itself, which the gate's drained puts
 * when it has done its work. So who leaves last needs none.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <libunplug/device.h>
#include "internal.h"

static struct unplug_dev *gate_dev(struct unplug_gate *gate)
{
	return (struct unplug_dev *)((char *)gate -
				     offsetof(struct unplug_dev, gate));
}

static void dev_event(struct unplug_dev *dev, uint32_t event)
{
	__atomic_fetch_or(&dev->events, event, __ATOMIC_ACQ_REL);
	unplug_futex_wake(&dev->events);
}

/* What cannot be returned as an error */
static __attribute__((noreturn, cold)) void
dev_fatal(const struct unplug_dev *dev, const char *function, const char *why)
{
	if (!dev_is_ready(dev))
		unplug_fatal("%s(device %p): it was not prepared: call unplug_dev_init() first",
			     function, (const void *)dev);
	unplug_fatal("%s(device %s %u, %p): %s", function, dev->drv->name, dev->minor,
		     (const void *)dev, why);
}

/* The second of QUIET and SHUT */
static void dev_drained(struct unplug_dev *dev)
{
	if (dev->drv->drained)
		dev->drv->drained(dev);
	dev_event(dev, EVENT_DRAINED);
}

static bool dev_gate_drained(struct unplug_gate *gate)
{
	struct unplug_dev *dev = gate_dev(gate);
	uint32_t before = __atomic_load_n(&dev->events, __ATOMIC_RELAXED);
	uint32_t last;

	do
		last = before & EVENT_SHUT ? EVENT_LAST : 0;
	while (!__atomic_compare_exchange_n(&dev->events, &before,
					    before | EVENT_QUIET | last, true,
					    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	unplug_futex_wake(&dev->events);
	if (last)
		dev_drained(dev);
	unplug_dev_put(dev);	/* its own */
	return false;		/* gone, or open again, perhaps */
}

/* The device whose gate it is, or NULL */
const struct unplug_dev *unplug_dev_of_gate(const struct unplug_gate *gate)
{
	return gate->drained == dev_gate_drained ? gate_dev((struct unplug_gate *)gate) : NULL;
}

/**
 * unplug_dev_init() - prepare a device
 * @dev: memory of the caller, any content; may be freed by ->gone
 * @drv: what to call; must stay as long as the device
 * @registry: where it gets a number
 *
 * Look-ups find it from now on, and are refused by its gate.
 *
 * Ownership: the caller has one reference, and owes unplug_dev_put(), if it succeeds.
 * Context: Any thread; not a signal handler.
 * Return: 0; -ENOSPC: the registry has no more numbers; -ENOMEM; -EINVAL for NULL. Then ->gone is
 *	   not called.
 */
int unplug_dev_init(struct unplug_dev *dev, const struct unplug_driver *drv,
		    struct unplug_registry *registry)
{
	int err;

	if (!dev || !drv || !registry)
		return -EINVAL;
	memset(dev, 0, sizeof(*dev));
	err = unplug_gate_init(&dev->gate, dev_gate_drained);
	if (err)
		return err;
	dev->drv = drv;
	dev->registry = registry;
	dev->state = UNPLUG_DEV_NEW;
	dev->events = EVENT_QUIET;
	err = unplug_minor_reserve(dev);
	if (err)
		unplug_gate_destroy(&dev->gate);
	return err;
}

static void dev_set_state(struct unplug_dev *dev, enum unplug_dev_state state)
{
	__atomic_store_n(&dev->state, state, __ATOMIC_RELEASE);
}

/* Under the lock; QUIET is set. */
static void dev_let_in(struct unplug_dev *dev)
{
	unplug_dev_get(dev);
	__atomic_fetch_and(&dev->events, ~EVENT_QUIET, __ATOMIC_RELAXED);
	dev_set_state(dev, UNPLUG_DEV_LIVE);
	unplug_gate_open(&dev->gate);
}

/**
 * unplug_dev_register() - let users in
 * @dev: a new device
 *
 * Ownership: the caller owes unplug_dev_unplug() before he puts his reference.
 * Context: Any thread; not a signal handler.
 * Return: 0; -ENODEV: it was unplugged already; -EBUSY: it was registered; -EINVAL: it was not
 *	   prepared.
 */
int unplug_dev_register(struct unplug_dev *dev)
{
	int err = 0;

	if (!dev_is_ready(dev))
		return -EINVAL;
	unplug_lib_lock();
	if (dev->state >= UNPLUG_DEV_DYING)
		err = -ENODEV;
	else if (dev->state != UNPLUG_DEV_NEW)
		err = -EBUSY;
	else
		dev_let_in(dev);
	unplug_lib_unlock();
	return err;
}

/**
 * unplug_dev_get() - take a reference
 * @dev: a device the caller has a reference of, or is inside of; NULL does nothing. Aborts, with a
 *	 line on stderr, if nobody has one, or it was not prepared
 *
 * Ownership: the caller owes unplug_dev_put().
 * Context: Any.
 * Return: @dev.
 */
struct unplug_dev *unplug_dev_get(struct unplug_dev *dev)
{
	if (!dev)
		return NULL;
	if (!dev_is_ready(dev) || !__atomic_fetch_add(dev->refs, 1, __ATOMIC_RELAXED))
		dev_fatal(dev, "unplug_dev_get", "its last reference is gone: get one of unplug_registry_find()");
	return dev;
}

/**
 * unplug_dev_put() - give a reference back
 * @dev: the device; NULL does nothing. Aborts, with a line on stderr, if it was the last one of a
 *	 device that is not drained, if none was left, or if the device was not prepared
 *
 * A device whose last reference is put has to be new, or drained: one that is live has a
 * reference of itself.
 *
 * Ownership: the caller's reference is gone.
 * Context: Any that ->gone can do with. Takes no lock.
 */
void unplug_dev_put(struct unplug_dev *dev)
{
	static uint32_t none;
	const struct unplug_driver *drv;
	uint32_t before;

	if (!dev)
		return;
	if (!dev_is_ready(dev))
		dev_fatal(dev, "unplug_dev_put", NULL);
	before = __atomic_fetch_sub(dev->refs, 1, __ATOMIC_ACQ_REL);
	if (before > 1)
		return;
	if (!before)
		dev_fatal(dev, "unplug_dev_put", "its last reference is gone: look for a put too many");
	if (dev->state != UNPLUG_DEV_NEW &&
	    !(__atomic_load_n(&dev->events, __ATOMIC_RELAXED) & EVENT_DRAINED))
		dev_fatal(dev, "unplug_dev_put",
			  "the last reference, but it is not drained: unplug it, or look for a put too many");
	drv = dev->drv;
	/* The number's count may soon be another's: a put too many is not to be of that. */
	dev->refs = &none;
	unplug_gate_destroy(&dev->gate);
	unplug_minor_free(dev);
	if (drv->gone)
		drv->gone(dev);
}

/*
 * Under the lock: who takes part in this unplug is put on a list. A device may be
 * named twice.
 */
static struct unplug_dev *dev_claim(struct unplug_dev *const devs[],
				    unsigned int n, bool *slots)
{
	struct unplug_dev *list = NULL, *dev;
	unsigned int i;
	bool live;

	for (i = 0; i < n; i++) {
		dev = devs[i];
		if (dev->state >= UNPLUG_DEV_SHUT || dev->next)
			continue;
		dev->next = list ? list : dev;	/* the last one points to itself */
		list = dev;
		live = dev->state != UNPLUG_DEV_NEW;
		/* First: who is refused by kill looks why. */
		dev_set_state(dev, UNPLUG_DEV_DYING);
		if (live) {
			unplug_gate_kill(&dev->gate);
			*slots |= dev->gate.cpus;
		}
	}
	return list;
}

static struct unplug_dev *dev_unlist(struct unplug_dev **list)
{
	struct unplug_dev *dev = *list;

	*list = dev->next == dev ? NULL : dev->next;
	dev->next = NULL;
	return dev;
}

static int devs_check(struct unplug_dev *const devs[], unsigned int n)
{
	unsigned int i;

	if (n && !devs)
		return -EINVAL;
	for (i = 0; i < n; i++)
		if (!dev_is_ready(devs[i]))
			return -EINVAL;
	return 0;
}

/* Shut is done: begin to drain. Nobody else does, nor thaws. */
static void dev_shut(struct unplug_dev *dev)
{
	uint32_t before;

	if (dev->drv->cancel)
		dev->drv->cancel(dev);
	before = __atomic_fetch_or(&dev->events, EVENT_SHUT, __ATOMIC_ACQ_REL);
	if (before & EVENT_QUIET)
		dev_drained(dev);
	else
		unplug_gate_fold(&dev->gate);
}

/**
 * unplug_dev_unplug_many() - take devices away
 * @devs: devices in any state, of any registries; one may be named twice
 * @n: how many
 *
 * Returns when they are shut, whoever is inside; with one membarrier for all. If others
 * unplug one of them at the same time, or did before, that is all right: it does not wait for
 * ->cancel and ->drained, which these call.
 *
 * Ownership: the caller has a reference of each, and keeps it.
 * Context: Any thread, insiders too; not a signal handler. Calls ->cancel, and ->drained of
 *	    devices that nobody is inside of.
 * Return: 0; -EPERM or another error of membarrier(2), forbidden by a filter of
 *	   system calls: no user is let in, or hardly any, but no device will be drained,
 *	   until the call is repeated and succeeds; -EINVAL: one of them was not prepared,
 *	   nothing was done.
 */
int unplug_dev_unplug_many(struct unplug_dev *const devs[], unsigned int n)
{
	struct unplug_dev *list, *dev, *mine = NULL;
	int err = devs_check(devs, n);
	bool slots = false;

	if (err)
		return err;
	unplug_lib_lock();
	list = dev_claim(devs, n, &slots);
	if (slots)
		err = unplug_slots_sync();
	while (list) {
		dev = dev_unlist(&list);
		if (err)
			continue;
		dev_set_state(dev, UNPLUG_DEV_SHUT);
		dev->next = mine ? mine : dev;
		mine = dev;
	}
	unplug_lib_unlock();
	while (mine)
		dev_shut(dev_unlist(&mine));
	return err;
}

/**
 * unplug_dev_unplug() - take a device away
 * @dev: a device in any state
 *
 * Ownership: the caller has a reference, and keeps it.
 * Context: as unplug_dev_unplug_many().
 * Return: as unplug_dev_unplug_many().
 */
int unplug_dev_unplug(struct unplug_dev *dev)
{
	return unplug_dev_unplug_many(&dev, 1);
}

/**
 * unplug_dev_wait_drained() - wait until nobody is inside
 * @dev: a device, which may yet have to be unplugged or frozen
 * @timeout: in milliseconds; 0 looks and does not wait, -1 waits for ever
 *
 * Not by somebody who is inside, and not from ->cancel or ->drained: what it waits for comes
 * after these.
 *
 * Ownership: the caller has a reference, and keeps it.
 * Context: May sleep. Not a signal handler.
 * Return: 0: it is drained, and ->drained has returned; or it is frozen; or new;
 *	   -ETIMEDOUT; -EINVAL: it was not prepared.
 */
int unplug_dev_wait_drained(struct unplug_dev *dev, int timeout)
{
	struct timespec deadline = unplug_deadline(timeout);
	uint32_t events;
	int err = 0;

	if (!dev_is_ready(dev))
		return -EINVAL;
	for (;;) {
		events = __atomic_load_n(&dev->events, __ATOMIC_ACQUIRE);
		if (events & EVENT_DRAINED)
			return 0;
		/* Of an unplug that has begun ->drained is to come. */
		if (events & EVENT_QUIET &&
		    __atomic_load_n(&dev->state, __ATOMIC_ACQUIRE) <
		    UNPLUG_DEV_DYING)
			return 0;
		if (!timeout || err)
			return err ? err : -ETIMEDOUT;
		err = unplug_futex_wait(&dev->events, events,
					timeout < 0 ? NULL : &deadline);
	}
}

/**
 * unplug_dev_freeze() - take a device away until it is thawed
 * @dev: a live device
 *
 * Returns when nobody enters any more; unplug_dev_wait_drained() waits for those inside.
 *
 * Ownership: the caller has a reference, and keeps it; he owes unplug_dev_thaw() or unplug.
 * Context: Any thread, insiders too; not a signal handler.
 * Return: 0; -ENODEV: it is unplugged; -EBUSY: it is frozen, or new; -EPERM or another
 *	   error of membarrier(2): nobody is let in, or hardly, until this is repeated; -EINVAL: it
 *	   was not prepared.
 */
int unplug_dev_freeze(struct unplug_dev *dev)
{
	int err = 0;

	if (!dev_is_ready(dev))
		return -EINVAL;
	unplug_lib_lock();
	if (dev->state >= UNPLUG_DEV_DYING) {
		err = -ENODEV;
	} else if (dev->state != UNPLUG_DEV_LIVE &&
		   dev->state != UNPLUG_DEV_FREEZING) {
		err = -EBUSY;
	} else {
		dev_set_state(dev, UNPLUG_DEV_FREEZING);
		err = unplug_gate_shut(&dev->gate);
		if (!err)
			dev_set_state(dev, UNPLUG_DEV_FROZEN);
	}
	unplug_lib_unlock();
	return err;
}

/**
 * unplug_dev_thaw() - let users in again
 * @dev: a frozen device that nobody is inside of
 *
 * A new generation begins.
 *
 * Ownership: the caller has a reference, and keeps it.
 * Context: Any thread; not a signal handler.
 * Return: 0; -ENODEV: it is unplugged; -EBUSY: somebody is inside, or it is not frozen; -EINVAL: it
 *	   was not prepared.
 */
int unplug_dev_thaw(struct unplug_dev *dev)
{
	int err = 0;

	if (!dev_is_ready(dev))
		return -EINVAL;
	unplug_lib_lock();
	if (dev->state >= UNPLUG_DEV_DYING) {
		err = -ENODEV;
	} else if (dev->state != UNPLUG_DEV_FROZEN ||
		   !(__atomic_load_n(&dev->events, __ATOMIC_ACQUIRE) &
		     EVENT_QUIET)) {
		err = -EBUSY;
	} else {
		unplug_minor_renew(dev);
		dev_let_in(dev);
	}
	unplug_lib_unlock();
	return err;
}

/**
 * unplug_dev_forked() - say who is inside, in the child of a fork
 * @dev: a device of the parent's, in the child's memory
 * @inside: how many active references the child has taken over
 *
 * One that was unplugged, and not drained, is to be unplugged again: who was in ->cancel or in
 * ->drained is not there, so that these are called again, as of their beginning. References of
 * other threads that keep the memory stay counted; so does the device's own, if another thread was
 * about to put that: ->gone does not come in the child then, and the registry stays busy.
 *
 * Ownership: the caller has a reference, and keeps it; he owes a put for each of @inside, and
 *	    unplug_dev_unplug() if the state is DYING.
 * Context: The child of a fork that has one thread only, before it uses the device; not from
 *	    its callbacks.
 */
void unplug_dev_forked(struct unplug_dev *dev, unsigned int inside)
{
	bool last;

	if (!dev_is_ready(dev))
		dev_fatal(dev, "unplug_dev_forked", NULL);
	last = (dev->events & (EVENT_LAST | EVENT_DRAINED)) == EVENT_LAST;
	dev->next = NULL;
	if (dev->state == UNPLUG_DEV_SHUT && !(dev->events & EVENT_DRAINED)) {
		dev->state = UNPLUG_DEV_DYING;
		dev->events &= ~(EVENT_SHUT | EVENT_LAST);
	}
	if (!(dev->events & EVENT_QUIET))
		unplug_gate_forked(&dev->gate, inside);
	if (last)
		unplug_dev_put(dev);	/* its own */
}
