/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _LIBUNPLUG_REGISTRY_H
#define _LIBUNPLUG_REGISTRY_H

/**
 * DOC: registry
 *
 * The devices of a process, or of a part of it, by number. Whoever has got a number from
 * a user looks it up and gets the device with a reference, or NULL, without a lock:
 *
 *	dev = unplug_registry_find(registry, minor);
 *	if (!dev)
 *		return -ENXIO;
 *
 * What is found may be new or dying: its gate tells.
 *
 * Numbers go up and wrap: one that was freed comes back last, and never while anybody
 * has a reference of the device that had it. Each device, and each thaw of one, has a
 * generation, a number that never comes back.
 */

#ifdef __cplusplus
extern "C" {
#endif

struct unplug_dev;
struct unplug_registry;

#define UNPLUG_MINORS_MAX (1U << 20)

struct unplug_registry *unplug_registry_new(unsigned int minors);
int unplug_registry_destroy(struct unplug_registry *registry);
struct unplug_dev *unplug_registry_find(struct unplug_registry *registry,
					unsigned int minor);
struct unplug_dev *unplug_registry_next(struct unplug_registry *registry,
					unsigned int *from);

#ifdef __cplusplus
}
#endif

#endif /* _LIBUNPLUG_REGISTRY_H */
