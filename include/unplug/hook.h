/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_HOOK_H
#define _UNPLUG_HOOK_H

/**
 * DOC: hook
 *
 * Delay hooks hold a task at a named point until a test lets it go on, so that
 * a race is provoked by order, never by luck. They exist in the hook build only
 * (UNPLUG_HOOKS); in the shipped modules the call below is nothing and leaves
 * no symbol behind.
 *
 * Each point is a file in debugfs, /sys/kernel/debug/unplug-hooks/POINT:
 *
 *	echo stop >POINT	tasks that reach the point from now on are held
 *	echo wait >POINT	blocks until at least one task is held there
 *	echo go   >POINT	lets all of them go on, and later ones pass
 *
 * Held tasks sleep: there is no point where they must not.
 */

#define UNPLUG_HOOK_POINTS(X)					\
	X(NODE, "node")			/* register: node made, gates shut */ \
	X(OPEN, "open")			/* device found, not active */	\
	X(OPEN_REFUSED, "open-refused")	/* by the gate */		\
	X(OPEN_ACTIVE, "open-active")	/* active, before the driver */	\
	X(OPERATION, "operation")	/* active, before the driver */	\
	X(RELEASE, "release")		/* last close, not claimed */	\
	X(RELEASE_CLAIMED, "release-claimed") /* before the driver */	\
	X(MAPPING, "mapping")		/* active, before the driver's mmap */ \
	X(MMAP, "mmap")			/* driver's mmap returned */	\
	X(POPULATED, "populated")	/* the same, in hardware section */ \
	X(FAULT, "fault")		/* in hardware section, no entry */ \
	X(TELL, "tell")			/* frozen: before the driver */	\
	X(CLOSED, "closed")		/* unplug: closed, not zapped */ \
	X(THAWED, "thawed")		/* gates open, not live */	\
	X(SHUT, "shut")			/* unplug: shut, not drained */	\
	X(DRAINED, "drained")		/* unplug: before releases */

enum unplug_hook_point {
#define UNPLUG_HOOK_ENUM(id, name) UNPLUG_HOOK_##id,
	UNPLUG_HOOK_POINTS(UNPLUG_HOOK_ENUM)
#undef UNPLUG_HOOK_ENUM
	UNPLUG_HOOK_MAX
};

#ifdef UNPLUG_HOOKS
void unplug_hook(enum unplug_hook_point point);
#else
static inline void unplug_hook(enum unplug_hook_point point)
{
}
#endif

#endif /* _UNPLUG_HOOK_H */
