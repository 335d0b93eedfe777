/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _LIBUNPLUG_INTERNAL_H
#define _LIBUNPLUG_INTERNAL_H

/*
 * Between the files of the library. Locks, in order:
 *
 *	registry->lock
 *	  slots_lock		slots.c
 */

#include <stddef.h>
#include <stdint.h>
#include <libunplug/gate.h>

/* One gate's words on one CPU: each CPU's are a page apart, so CPUs share no cache line. */
struct unplug_slot {
	uint32_t in;
	uint32_t out;
};

#define UNPLUG_SLOTS_STRIDE 4096	/* as in <libunplug/gate.h> */

char *unplug_slots_alloc(uint32_t *cpus);
void unplug_slots_free(char *slots);
int unplug_slots_sync(void);

/*
 * Take back the descriptor of the sequence this thread has left. Others read it: see
 * UNPLUG_GATE_COUNT().
 */
static inline void unplug_slots_leave(void)
{
#ifdef UNPLUG_GATE_RSEQ
	uint64_t *cs = (uint64_t *)((char *)__builtin_thread_pointer() +
				    __rseq_offset +
				    offsetof(struct rseq, rseq_cs));

	__atomic_store_n(cs, 0, __ATOMIC_RELAXED);
#endif
}

/* How often unplug_slots_sync() was called, for tests */
extern unsigned int unplug_slots_syncs;

#endif /* _LIBUNPLUG_INTERNAL_H */
