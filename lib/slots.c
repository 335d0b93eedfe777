// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Words per CPU for gates, and the barrier that makes them readable.
 *
 * A chunk is one page per CPU; a gate has eight bytes at the same place in each of
 * them. Pages are touched by CPUs that count there, so a large machine costs address
 * space first.
 *
 * Slots are taken under the library's lock, and given back without it, as the last put
 * of a device may be in a signal handler, whoever it has interrupted:
 *
 * A  Chunks are never freed, and put in the list by a release.
 *
 * B  Who gives a slot back clears its bit, a release, then adds it to the free ones, likewise. Who
 *    takes one acquires both: where one is free there is a bit, and what was counted by the
 *    gate before has been. (model/registry.pml: change both.)
 *
 * Once, at the first gate, it is decided whether restartable sequences are used: glibc must have
 * registered them (not in valgrind, nor with glibc.pthread.rseq=0), and the kernel must be
 * willing to interrupt them.
 */

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <libunplug/gate.h>
#include "internal.h"

/*
 * Of linux/membarrier.h, which older headers lack. Broken twins, which the tests have to
 * find, use others.
 */
#ifndef MEMBARRIER_RSEQ
#define MEMBARRIER_RSEQ			(1 << 7)
#define MEMBARRIER_REGISTER_RSEQ	(1 << 8)
#endif

#define SLOTS_PER_CHUNK (UNPLUG_SLOTS_STRIDE / sizeof(struct unplug_slot))

/**
 * struct slots_chunk - a page per CPU
 * @next: the chunk made before this one
 * @pages: that of CPU 0
 * @free: how many slots are free
 * @used: a bit per slot
 */
struct slots_chunk {
	struct slots_chunk *next;
	char *pages;
	unsigned int free;
	uint64_t used[SLOTS_PER_CHUNK / 64];
};

static pthread_once_t slots_once = PTHREAD_ONCE_INIT;
static struct slots_chunk *slots_chunks;	/* grows under the library's lock */
static uint32_t slots_cpus;			/* since slots_once */

unsigned int unplug_slots_syncs;

static int membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0) < 0 ? -errno : 0;
}

static void slots_init(void)
{
#ifdef UNPLUG_GATE_RSEQ
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	/* The child of a fork inherits it. */
	if (__rseq_size && cpus > 0 && !membarrier(MEMBARRIER_REGISTER_RSEQ))
		slots_cpus = cpus;
#endif
}

/*
 * unplug_slots_sync() - wait until no sequence runs that began before
 *
 * A full fence on all CPUs that run this process, too. Does not wait for anybody
 * who is not inside a sequence.
 *
 * Return: 0; -EPERM or another error of membarrier(2), forbidden by a filter of system
 *	   calls: then sequences may be running.
 */
int unplug_slots_sync(void)
{
	__atomic_fetch_add(&unplug_slots_syncs, 1, __ATOMIC_RELAXED);
	return membarrier(MEMBARRIER_RSEQ);
}

/* Under the lock */
static struct slots_chunk *slots_chunk_new(void)
{
	struct slots_chunk *chunk = calloc(1, sizeof(*chunk));

	if (!chunk)
		return NULL;
	chunk->pages = mmap(NULL, (size_t)slots_cpus * UNPLUG_SLOTS_STRIDE,
			    PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk->pages == MAP_FAILED) {
		free(chunk);
		return NULL;
	}
	chunk->free = SLOTS_PER_CHUNK;
	chunk->next = slots_chunks;
	__atomic_store_n(&slots_chunks, chunk, __ATOMIC_RELEASE);	/* A */
	return chunk;
}

/* Under the lock. It has a free one. */
static char *slots_take(struct slots_chunk *chunk)
{
	unsigned int i = 0, bit;
	uint64_t used;

	while (!~(used = __atomic_load_n(&chunk->used[i], __ATOMIC_ACQUIRE))) /* B */
		i++;
	bit = __builtin_ctzll(~used);
	__atomic_fetch_or(&chunk->used[i], UINT64_C(1) << bit, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&chunk->free, 1, __ATOMIC_RELAXED);
	return chunk->pages + (i * 64 + bit) * sizeof(struct unplug_slot);
}

/*
 * unplug_slots_alloc() - words of each CPU for a gate
 * @cpus: set to how many CPUs there are; 0: without restartable sequences, or for want of
 *	  memory: then there are none
 *
 * They hold any content.
 *
 * Return: the slot of CPU 0, or NULL: -ENOMEM if @cpus is not 0.
 */
char *unplug_slots_alloc(uint32_t *cpus)
{
	struct slots_chunk *chunk;
	char *slots = NULL;

	pthread_once(&slots_once, slots_init);
	*cpus = slots_cpus;
	if (!slots_cpus)
		return NULL;

	unplug_lib_lock();
	for (chunk = slots_chunks; chunk; chunk = chunk->next)
		if (__atomic_load_n(&chunk->free, __ATOMIC_ACQUIRE))	/* B */
			break;
	if (!chunk)
		chunk = slots_chunk_new();
	if (chunk)
		slots = slots_take(chunk);
	unplug_lib_unlock();
	return slots;
}

/*
 * unplug_slots_free() - give them back
 * @slots: what unplug_slots_alloc() returned, or NULL
 *
 * Chunks are kept for the next gate. Takes no lock. Fatal if they are none of this library's:
 * where a process has two copies of it, the one that made a gate destroys it.
 */
void unplug_slots_free(char *slots)
{
	struct slots_chunk *chunk;
	size_t i;

	if (!slots)
		return;
	chunk = __atomic_load_n(&slots_chunks, __ATOMIC_ACQUIRE);	/* A */
	while (chunk && (size_t)(slots - chunk->pages) >= UNPLUG_SLOTS_STRIDE)
		chunk = chunk->next;
	if (!chunk)
		unplug_fatal("slots %p: they are another copy's of the library: let the one that made the gate destroy it",
			     (void *)slots);
	i = (slots - chunk->pages) / sizeof(struct unplug_slot);
	__atomic_fetch_and(&chunk->used[i / 64], ~(UINT64_C(1) << i % 64),
			   __ATOMIC_RELEASE);			/* B */
	__atomic_fetch_add(&chunk->free, 1, __ATOMIC_RELEASE);	/* B */
}
