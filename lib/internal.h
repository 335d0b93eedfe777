/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _LIBUNPLUG_INTERNAL_H
#define _LIBUNPLUG_INTERNAL_H

/* Between the files of the library. There is one lock: lock.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <libunplug/device.h>

/* The word of a gate: gate.c. One of zeroes is none that init has prepared: it lets nobody in. */
#define GATE_LIVE	UINT64_C(1)	/* get is not refused */
#define GATE_SHUT	UINT64_C(2)	/* was killed: who leaves looks whether he is the last one */
#define GATE_FOLDED	UINT64_C(4)	/* the slots are added up */
#define GATE_NEW	UINT64_C(8)	/* was never open */
#define GATE_WAITED	UINT64_C(16)	/* somebody sleeps until it is dead */
#define GATE_TELLING	UINT64_C(32)	/* ->drained has not returned */
#define GATE_UNIT	UINT64_C(64)
#define GATE_FLAGS	(GATE_UNIT - 1)

/* Nobody is inside, nor will be. */
static inline bool gate_word_over(uint64_t word)
{
	return (word & ~(GATE_WAITED | GATE_TELLING)) ==
	       (GATE_SHUT | GATE_FOLDED);
}

static inline bool gate_word_dead(uint64_t word)
{
	return gate_word_over(word) && !(word & GATE_TELLING);
}

/* Of a folded gate: more were put than got. */
static inline bool gate_word_below(uint64_t word)
{
	return (int64_t)word < 0;
}

/* Init has prepared it. */
static inline bool gate_is_ready(const struct unplug_gate *gate)
{
	return gate && __atomic_load_n(&gate->word, __ATOMIC_RELAXED);
}

void unplug_gate_need(const struct unplug_gate *gate, const char *function);
void unplug_gate_fatal_below(const struct unplug_gate *gate) __attribute__((noreturn, cold));
void unplug_gate_fatal_closed(const struct unplug_gate *gate) __attribute__((noreturn, cold));
void unplug_gate_fatal_busy(const struct unplug_gate *gate, uint64_t word)
	__attribute__((noreturn, cold));

void unplug_gate_wake(struct unplug_gate *gate);
void unplug_gate_tell(struct unplug_gate *gate, uint64_t word, int fd);

/* What happened to a device: device.c */
#define EVENT_QUIET	1U
#define EVENT_SHUT	2U
#define EVENT_DRAINED	4U
#define EVENT_LAST	8U

/* Init has prepared it: one of zeroes has no reference count. */
static inline bool dev_is_ready(const struct unplug_dev *dev)
{
	return dev && dev->refs;
}

const struct unplug_dev *unplug_dev_of_gate(const struct unplug_gate *gate);

int unplug_minor_reserve(struct unplug_dev *dev);
void unplug_minor_renew(struct unplug_dev *dev);
void unplug_minor_free(struct unplug_dev *dev);

void unplug_futex_wake(uint32_t *futex);
int unplug_futex_wait(uint32_t *futex, uint32_t value,
		      const struct timespec *deadline);
struct timespec unplug_deadline(int timeout);

/* One gate's words on one CPU: each CPU's are a page apart, so CPUs share no cache line. */
struct unplug_slot {
	uint32_t in;
	uint32_t out;
};

#define UNPLUG_SLOTS_STRIDE 4096	/* as in <libunplug/gate.h> */

int unplug_lib_init(void);
void unplug_fatal(const char *format, ...)
	__attribute__((noreturn, cold, format(printf, 1, 2)));
void unplug_lib_lock(void);
void unplug_lib_unlock(void);

char *unplug_slots_alloc(uint32_t *cpus);
void unplug_slots_free(char *slots);
int unplug_slots_sync(void);

/* Whatever this library counts by, programs may have come here from a sequence. */
#if defined(__x86_64__) && defined(__LP64__) && defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 35)
#include <sys/rseq.h>
#define SLOTS_LEAVE
#endif
#endif

/*
 * Take back the descriptor of the sequence this thread has left. Others read it: see
 * UNPLUG_GATE_COUNT().
 */
static inline void unplug_slots_leave(void)
{
#ifdef SLOTS_LEAVE
	uint64_t *cs = (uint64_t *)((char *)__builtin_thread_pointer() +
				    __rseq_offset +
				    offsetof(struct rseq, rseq_cs));

	__atomic_store_n(cs, 0, __ATOMIC_RELAXED);
#endif
}

/* How often unplug_slots_sync() was called, for tests */
extern unsigned int unplug_slots_syncs;

#endif /* _LIBUNPLUG_INTERNAL_H */
