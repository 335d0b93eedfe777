/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _LIBUNPLUG_DEVICE_H
#define _LIBUNPLUG_DEVICE_H

/**
 * DOC: device
 *
 * Something that may be taken away while threads use it: a gate, a reference count,
 * a number. It is the twin of the kernel's, include/unplug/device.h.
 *
 * Life
 * ----
 *
 *	unplug_dev_init(&card->dev, &driver, registry);
 *	      the caller sets up the rest of his structure
 *	unplug_dev_register(&card->dev);
 *	      users get in
 *	unplug_dev_unplug(&card->dev);
 *	      irreversible; returns at once
 *	unplug_dev_put(&card->dev);
 *	      the caller's own reference
 *
 * There are two kinds of references. One keeps the memory, and nothing more
 * (unplug_dev_get(), unplug_dev_put()). The other, active, keeps the device
 * plugged in as far as its holder is concerned, for the time of one operation:
 *
 *	if (!unplug_dev_get_active(dev))
 *		return unplug_dev_error(dev);
 *	... what needs the device ...
 *	unplug_dev_put_active(dev);
 *
 * Unplug has three events
 * -----------------------
 *
 * shut	   Newcomers fail. ->cancel was called. Bounded: unplug does it, and returns. (If two
 *	   unplug it at once, one may return before the other has called ->cancel.)
 * drained  Nobody is inside. ->drained is called: what operations use may be freed.
 * gone	   The last reference was put. ->gone is called: the device may be freed.
 *
 * Reset
 * -----
 *
 * A device that has to be reset stays plugged in, and is not to be touched meanwhile:
 *
 *	unplug_dev_freeze(dev);			newcomers fail with EAGAIN
 *	unplug_dev_wait_drained(dev, -1);	insiders leave
 *	(reset)
 *	unplug_dev_thaw(dev);			a new generation begins
 *
 * unplug may come at any time, also in between. All of these may be called by any
 * number of threads at once, and by those who are inside (but for the waiting).
 */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <libunplug/gate.h>
#include <libunplug/registry.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum unplug_dev_state - how far a device is
 * @UNPLUG_DEV_NEW: not registered yet
 * @UNPLUG_DEV_LIVE: users come and go
 * @UNPLUG_DEV_FREEZING: freeze was called; or it failed, and has to be repeated
 * @UNPLUG_DEV_FROZEN: nobody enters until it is thawed
 * @UNPLUG_DEV_DYING: unplug was called; or it failed, and has to be repeated
 * @UNPLUG_DEV_SHUT: nobody enters any more
 * @UNPLUG_DEV_DRAINED: and nobody is inside, and ->drained has returned
 */
enum unplug_dev_state {
	UNPLUG_DEV_NEW,
	UNPLUG_DEV_LIVE,
	UNPLUG_DEV_FREEZING,
	UNPLUG_DEV_FROZEN,
	UNPLUG_DEV_DYING,
	UNPLUG_DEV_SHUT,
	UNPLUG_DEV_DRAINED
};

/**
 * struct unplug_driver - what the library has to know of a kind of device
 * @name: for messages, should the library be misused: one line on stderr, before it aborts
 * @cancel: optional; called when nobody enters any more, by unplug: sends home who sleeps
 *	    inside. What it does has to last: an insider may reach his sleep after it
 * @drained: optional; called once, when nobody is inside any more and nobody will be, by
 *	     whoever left last, or by unplug
 * @gone: optional; called once, when the last reference was put, by whoever did. Frees
 *	  the memory that the device lies in
 */
struct unplug_driver {
	const char *name;
	void (*cancel)(struct unplug_dev *dev);
	void (*drained)(struct unplug_dev *dev);
	void (*gone)(struct unplug_dev *dev);
};

/**
 * struct unplug_dev - embedded in a structure of the caller's; all fields private
 * @gate: who is inside
 * @drv: what to call
 * @registry: where it has its number
 * @refs: reference count; memory of the registry, that outlives the device
 * @generation: set under the library's lock
 * @minor: its number, until the last reference is put
 * @state: enum unplug_dev_state, up to SHUT; written under the library's lock
 * @events: what has happened, for those who wait
 * @next: what one call unplugs
 * @reserved: for later
 */
struct unplug_dev {
	struct unplug_gate gate;
	const struct unplug_driver *drv;
	struct unplug_registry *registry;
	uint32_t *refs;
	uint64_t generation;
	uint32_t minor;
	uint32_t state;
	uint32_t events;
	struct unplug_dev *next;
	void *reserved[3];
};

int unplug_dev_init(struct unplug_dev *dev, const struct unplug_driver *drv,
		    struct unplug_registry *registry);
int unplug_dev_register(struct unplug_dev *dev);
struct unplug_dev *unplug_dev_get(struct unplug_dev *dev);
void unplug_dev_put(struct unplug_dev *dev);

int unplug_dev_unplug(struct unplug_dev *dev);
int unplug_dev_unplug_many(struct unplug_dev *const devs[], unsigned int n);
int unplug_dev_wait_drained(struct unplug_dev *dev, int timeout);
int unplug_dev_freeze(struct unplug_dev *dev);
int unplug_dev_thaw(struct unplug_dev *dev);
void unplug_dev_forked(struct unplug_dev *dev, unsigned int inside);

enum unplug_dev_state unplug_dev_state(const struct unplug_dev *dev);
int unplug_dev_error(const struct unplug_dev *dev);
unsigned int unplug_dev_inside(const struct unplug_dev *dev);
unsigned int unplug_dev_minor(const struct unplug_dev *dev);
uint64_t unplug_dev_generation(const struct unplug_dev *dev);

/**
 * unplug_dev_get_active() - begin an operation
 * @dev: the device
 *
 * Never waits, see unplug_gate_get_active().
 *
 * Ownership: the caller has a reference of the device, and owes
 *	    unplug_dev_put_active() if it succeeds.
 * Context: Any thread, signal handlers; not a vfork child.
 * Return: true if the caller is inside; false if the device is not live:
 *	   unplug_dev_error() says why.
 */
static inline __attribute__((always_inline)) bool
unplug_dev_get_active(struct unplug_dev *dev)
{
	return unplug_gate_get_active(&dev->gate);
}

/**
 * unplug_dev_put_active() - end an operation
 * @dev: the device, of which the caller is inside
 *
 * Ownership: the caller is no longer inside, and touches the device only if he has a
 *	    reference, too.
 * Context: As unplug_dev_get_active(). May call ->drained, and ->gone.
 */
static inline __attribute__((always_inline)) void
unplug_dev_put_active(struct unplug_dev *dev)
{
	unplug_gate_put_active(&dev->gate);
}

#ifdef __cplusplus
}
#endif

#endif /* _LIBUNPLUG_DEVICE_H */
