// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Numbers of devices, and with them the list of all devices.
 *
 * A table in two levels, of slots that are never freed or moved while the
 * registry is there. The reference count of a device is in its slot, not in the device:
 * so a look-up may always read it, and takes a reference unless the last one is gone. If it
 * gets one, the slot's device is there, whichever it is by then.
 *
 *	slot	 refs	dev
 *	free	 0	NULL
 *	in use	 > 0	the device
 *	leaving	 0	the device: its last reference is gone
 *
 * A  reserve writes dev before refs (a release), a look-up reads it after (an
 *    acquire): who gets a reference sees the device, and not the one before it.
 *
 * B  the last put writes dev after refs: reserve, which takes a slot if it has no
 *    device, does not meet the old count, and so no look-up gets the new device by
 *    a reference of the old.
 *
 * Numbers go up and wrap: one that was freed comes back last.
 *
 * model/registry.pml has A and B: change both.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <libunplug/device.h>
#include "internal.h"

#define CHUNK_SLOTS 1024
#define CHUNKS	    (UNPLUG_MINORS_MAX / CHUNK_SLOTS)

struct registry_slot {
	struct unplug_dev *dev;
	uint32_t refs;
};

/**
 * struct unplug_registry - devices by number
 * @chunks: CHUNK_SLOTS slots each, NULL if none of them was ever used
 * @minors: how many numbers there are
 * @next: the first that is tried next
 * @devices: how many have one
 * @generation: the last one given
 *
 * All but the slots, and @devices, is written under the library's lock.
 */
struct unplug_registry {
	struct registry_slot *chunks[CHUNKS];
	unsigned int minors;
	unsigned int next;
	unsigned int devices;
	uint64_t generation;
};

/**
 * unplug_registry_new() - make a registry
 * @minors: how many devices it may have at a time, up to UNPLUG_MINORS_MAX; 0 for that
 *
 * Ownership: the caller owes unplug_registry_destroy().
 * Context: Any thread; not a signal handler.
 * Return: the registry; NULL and errno: EINVAL, ENOMEM.
 */
struct unplug_registry *unplug_registry_new(unsigned int minors)
{
	struct unplug_registry *registry;
	int err = unplug_lib_init();

	if (err) {
		errno = -err;
		return NULL;
	}
	if (minors > UNPLUG_MINORS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	registry = calloc(1, sizeof(*registry));
	if (registry)
		registry->minors = minors ? minors : UNPLUG_MINORS_MAX;
	return registry;
}

/**
 * unplug_registry_destroy() - free a registry
 * @registry: one nobody looks anything up in; NULL does nothing
 *
 * Ownership: it is gone if it succeeds.
 * Context: Any thread; not a signal handler.
 * Return: 0; -EBUSY: somebody has a reference of a device; nothing was done.
 */
int unplug_registry_destroy(struct unplug_registry *registry)
{
	unsigned int i;

	if (!registry)
		return 0;
	if (__atomic_load_n(&registry->devices, __ATOMIC_ACQUIRE))
		return -EBUSY;
	for (i = 0; i < CHUNKS; i++)
		free(registry->chunks[i]);
	free(registry);
	return 0;
}

static struct registry_slot *registry_slot(struct unplug_registry *registry,
					   unsigned int minor)
{
	struct registry_slot *chunk =
		__atomic_load_n(&registry->chunks[minor / CHUNK_SLOTS],
				__ATOMIC_ACQUIRE);

	return chunk ? &chunk[minor % CHUNK_SLOTS] : NULL;
}

/* Under the lock */
static int registry_chunk_new(struct unplug_registry *registry,
			      unsigned int minor)
{
	struct registry_slot *chunk =
		calloc(CHUNK_SLOTS, sizeof(struct registry_slot));

	if (!chunk)
		return -ENOMEM;
	__atomic_store_n(&registry->chunks[minor / CHUNK_SLOTS], chunk,
			 __ATOMIC_RELEASE);
	return 0;
}

/* Under the lock: a number that nobody has, or a negative error */
static int registry_pick(struct unplug_registry *registry)
{
	struct registry_slot *slot;
	unsigned int i, minor;
	int err;

	for (i = 0; i < registry->minors; i++) {
		minor = (registry->next + i) % registry->minors;
		slot = registry_slot(registry, minor);
		if (!slot) {
			err = registry_chunk_new(registry, minor);
			return err ? err : (int)minor;
		}
		if (!__atomic_load_n(&slot->dev, __ATOMIC_ACQUIRE)) /* B */
			return minor;
	}
	return -ENOSPC;
}

/*
 * unplug_minor_reserve() - take a number for a device, and its first reference
 *
 * Sets @dev->minor, @dev->refs and @dev->generation.
 *
 * Return: 0; -ENOSPC: there are no more numbers; -ENOMEM.
 */
int unplug_minor_reserve(struct unplug_dev *dev)
{
	struct unplug_registry *registry = dev->registry;
	struct registry_slot *slot;
	int minor;

	unplug_lib_lock();
	minor = registry_pick(registry);
	if (minor >= 0) {
		registry->next = (minor + 1) % registry->minors;
		slot = registry_slot(registry, minor);
		dev->minor = minor;
		dev->refs = &slot->refs;
		dev->generation = ++registry->generation;
		__atomic_fetch_add(&registry->devices, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&slot->dev, dev, __ATOMIC_RELAXED);
		__atomic_store_n(&slot->refs, 1, __ATOMIC_RELEASE);	/* A */
	}
	unplug_lib_unlock();
	return minor < 0 ? minor : 0;
}

/* unplug_minor_renew() - a new generation begins. Under the lock */
void unplug_minor_renew(struct unplug_dev *dev)
{
	__atomic_store_n(&dev->generation, ++dev->registry->generation,
			 __ATOMIC_RELAXED);
}

/*
 * unplug_minor_free() - let another device have the number
 * @dev: a device whose last reference is gone
 *
 * Afterwards the registry may be gone.
 */
void unplug_minor_free(struct unplug_dev *dev)
{
	struct unplug_registry *registry = dev->registry;
	struct registry_slot *slot = registry_slot(registry, dev->minor);

	__atomic_store_n(&slot->dev, NULL, __ATOMIC_RELEASE);	/* B */
	__atomic_fetch_sub(&registry->devices, 1, __ATOMIC_RELEASE);
}

/**
 * unplug_registry_find() - look up a device by number
 * @registry: the registry; in NULL nothing is found
 * @minor: any number
 *
 * Ownership: the caller owes unplug_dev_put() if it succeeds.
 * Context: Any. Takes no lock.
 * Return: the device with a reference for the caller, or NULL.
 */
struct unplug_dev *unplug_registry_find(struct unplug_registry *registry,
					unsigned int minor)
{
	struct registry_slot *slot;
	uint32_t refs;

	if (!registry || minor >= registry->minors)
		return NULL;
	slot = registry_slot(registry, minor);
	if (!slot)
		return NULL;
	refs = __atomic_load_n(&slot->refs, __ATOMIC_RELAXED);
	do {
		if (!refs)
			return NULL;
	} while (!__atomic_compare_exchange_n(&slot->refs, &refs, refs + 1,
					      true, __ATOMIC_ACQUIRE, /* A */
					      __ATOMIC_RELAXED));
	return __atomic_load_n(&slot->dev, __ATOMIC_RELAXED);
}

/**
 * unplug_registry_next() - go through all devices
 * @registry: the registry; in NULL nothing is found
 * @from: the lowest number wanted, 0 at first; set to what to go on with
 *
 * Ownership: the caller owes unplug_dev_put() for each.
 * Context: Any. Takes no lock.
 * Return: a device with a reference for the caller, or NULL: there are no more.
 */
struct unplug_dev *unplug_registry_next(struct unplug_registry *registry,
					unsigned int *from)
{
	struct unplug_dev *dev;

	if (!registry || !from)
		return NULL;
	while (*from < registry->minors) {
		if (!registry_slot(registry, *from)) {
			*from = (*from / CHUNK_SLOTS + 1) * CHUNK_SLOTS;
			continue;
		}
		dev = unplug_registry_find(registry, (*from)++);
		if (dev)
			return dev;
	}
	return NULL;
}
