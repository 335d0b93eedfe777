/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peer: whatever could guard a device in a process
 *
 * Each is behind the same calls, and does the same: who gets is told whether the device is
 * still there, and who shuts returns when nobody is inside who got before. The loops that
 * are timed are made here, in the file of each peer, so that all of it that a user would
 * have inline is inline.
 */
#ifndef UNPLUG_BENCH_PEER_H
#define UNPLUG_BENCH_PEER_H

#include <stdbool.h>
#include <stdlib.h>

#define THREADS_MAX 512		/* that begin in the same process */
#define CACHE_LINE 64

/**
 * struct peer - one of them
 * @name: as variant
 * @init: make this many gates, all open; 0, or -1 if this machine cannot have it
 * @thread_begin: called by each thread before anything else, with its number; may be NULL
 * @thread_end: called by it at its end; may be NULL
 * @pairs: get and put so many times, gate after gate, with so much work inside
 * @get: enter a gate, unless it is shut
 * @put: leave it
 * @shut: from now on nobody enters; wait until nobody is inside. NULL: protects nothing
 * @open: let people in again
 * @bytes: memory of a gate
 * @bytes_each: and so much more of each thread, or CPU
 */
struct peer {
	const char *name;
	int (*init)(unsigned int gates);
	void (*thread_begin)(unsigned int number);
	void (*thread_end)(void);
	void (*pairs)(unsigned int gates, unsigned long n, unsigned int work);
	bool (*get)(unsigned int gate);
	void (*put)(unsigned int gate);
	void (*shut)(unsigned int gate);
	void (*open)(unsigned int gate);
	size_t bytes, bytes_each;
};

extern const struct peer peer_none, peer_flag, peer_bare, peer_call, peer_atomic, peer_rwlock,
	peer_urcu_memb, peer_urcu_memb_call, peer_ck_epoch, peer_ck_brlock, peer_ck_bytelock,
	peer_qsbr, peer_unplug, peer_unplug_pic;

/**
 * struct flag - says that a device is gone; peers that have no such word bring this
 *
 * A line of the cache of its own, as it would be in the structure of a device.
 */
struct flag {
	_Alignas(CACHE_LINE) bool gone;
};

static inline bool flag_get(const struct flag *flag)
{
	return __atomic_load_n(&flag->gone, __ATOMIC_RELAXED);
}

static inline void flag_set(struct flag *flag, bool gone)
{
	__atomic_store_n(&flag->gone, gone, __ATOMIC_SEQ_CST);
}

/**
 * peer_array() - zeroed memory, aligned as caches want it; ends the program if there is none
 */
void *peer_array(size_t n, size_t size);

/*
 * So many multiplications, each of which waits for the one before; also for those of the
 * round before, so that rounds follow each other as they do where there is work to be done.
 */
static inline void peer_work(unsigned int n, unsigned long *x)
{
	unsigned long value = *x;

	for (; n; n--)
		__asm__ volatile("imul %0, %0" : "+r" (value));
	*x = value;
}

/*
 * Nothing is shut while it runs: who is refused has found a mistake. Gates take turns by a
 * count that is compared, the same for one gate and for many.
 */
#define PEER_PAIRS(get, put)							\
static void pairs(unsigned int gates, unsigned long n, unsigned int work)	\
{										\
	unsigned long x = 3;							\
	unsigned int gate = 0;							\
										\
	if (!work)								\
		goto bare;							\
	for (; n; n--) {							\
		if (!(get)(gate))						\
			abort();						\
		peer_work(work, &x);						\
		(put)(gate);							\
		gate = gate + 1 == gates ? 0 : gate + 1;			\
	}									\
	return;									\
bare:										\
	for (; n; n--) {							\
		if (!(get)(gate))						\
			abort();						\
		__asm__ volatile("" : : : "memory");				\
		(put)(gate);							\
		gate = gate + 1 == gates ? 0 : gate + 1;			\
	}									\
}

#endif
