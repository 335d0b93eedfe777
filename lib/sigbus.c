// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The registry of guards. See include/libunplug/sigbus.h for what a guard is.
 *
 * Handlers look a guard up without a lock: they may have interrupted who holds it. Each guard
 * is a gate: its word says whether it is LIVE, and counts the handlers inside. Places
 * for guards come in chunks that are never freed, so a handler may look at any place at
 * any time; what it reads there before it is inside is a hint.
 *
 *	find	for each place: does the hint contain the address? Then count, if it is LIVE (A);
 *		look again, now that it cannot change; keep the smallest
 *	put	count down; was it the last one of a guard that is not LIVE? Wake unregister
 *
 *	register	(lock) take a free place, unless ranges would overlap that must not; write the
 *			range and attributes, then LIVE (B)
 *	unregister	LIVE away (C), wait until the count is 0, (lock) give the place back
 *
 * Ordering
 * --------
 *
 * A  the count of find is one compare-and-swap of the word, an acquire that only succeeds
 *    on a LIVE word. Matches B: range and attributes are those of this registration.
 *    Matches C: it comes before LIVE is taken away, then unregister waits for it, or
 *    after, then it fails. As two steps (look, then count) a handler could patch a range
 *    that was unmapped, and belongs to somebody else.
 *
 * B  register stores the word last, a release. Without it a handler would find LIVE and
 *    use the range of who had the place before. Who faults in a range knows of it from who
 *    registered it, so the hint of its own guard is always right: a miss is a guard
 *    that is not yet, or not any more, to be found.
 *
 * C  unregister takes LIVE away by an atomic operation on the same word, then loads it
 *    until the count is 0, an acquire. Matches D.
 *
 * D  put is a release (and acquire, as it looks who is the last one). Matches C: whatever the
 *    handler did, the mmap of a patch included, is done before unregister returns, so
 *    before its caller unmaps the range. After it the handler does not use the
 *    place, but for a wake, which needs only that it is there.
 *
 * E  the place is free, for register, when unregister has seen the count at 0: attributes
 *    are never written while somebody is inside.
 *
 * F  a chunk is linked by a release, and followed by an acquire: its places are seen as free,
 *    or as what they became, never as what was in that memory before.
 *
 * G  (sigbus-answer.c) of several handlers in one guard that is to be patched, the
 *    one whose compare-and-swap makes it PATCHING calls mmap; PATCHED is a release, after
 *    it. The others wait for that, an acquire, and repeat their accesses. If two did it, the
 *    second would throw away what was written after the first.
 *
 * Overlap
 * -------
 *
 * A patch takes the whole range, so nobody else may guard a part of that, and mend it, or
 * believe that it is told of losses. That is decided by register, under the lock, against all places
 * that are taken: a guard that is DYING counts, as a handler that is inside may still patch. A
 * handler could not look: what it has seen would be old when it calls mmap.
 *
 * Memory
 * ------
 *
 * The caller owns the range, and may unmap it when unregister returned. Handlers hold no
 * reference of anything after put.
 */

#include "sigbus.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHUNK_GUARDS 64

struct chunk {
	struct unplug_sigbus guards[CHUNK_GUARDS];
	struct chunk *_Atomic next;
};

/*
 * Protects who takes a place, and gives it back, and the list's end. Before it, if both are
 * taken, as around a fork: that of sigbus-handler.c.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct chunk chunks;
static uint64_t last_id;

SIGBUS_TLS struct sigbus_inside *sigbus_inside;

/* Does it contain the address, as far as can be seen from here? */
static bool guard_contains(struct unplug_sigbus *guard, uintptr_t addr)
{
	uintptr_t start = atomic_load_explicit(&guard->start, memory_order_relaxed);
	size_t len = atomic_load_explicit(&guard->len, memory_order_relaxed);

	return addr - start < len;
}

static bool guard_get(struct unplug_sigbus *guard)
{
	uint32_t word = atomic_load_explicit(&guard->word, memory_order_relaxed);

	do {
		if (!(word & SIGBUS_LIVE))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&guard->word, &word, word + 1,	/* A */
							memory_order_acquire,
							memory_order_relaxed));
	return true;
}

void sigbus_put(struct unplug_sigbus *guard)
{
	if (atomic_fetch_sub_explicit(&guard->word, 1, memory_order_acq_rel) == 1)	/* D */
		syscall(SYS_futex, &guard->word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/*
 * The smallest guard that contains @addr, entered, or NULL. Called in the handler. Takes time
 * in proportion to the number of places.
 */
struct unplug_sigbus *sigbus_find(uintptr_t addr)
{
	struct unplug_sigbus *guard, *best = NULL;
	struct chunk *chunk = &chunks;
	int i;

	for (; chunk; chunk = atomic_load_explicit(&chunk->next, memory_order_acquire)) {	/* F */
		for (i = 0; i < CHUNK_GUARDS; i++) {
			guard = &chunk->guards[i];
			if (!guard_contains(guard, addr) || !guard_get(guard))
				continue;
			if (!guard_contains(guard, addr) || (best && best->len <= guard->len)) {
				sigbus_put(guard);
				continue;
			}
			if (best)
				sigbus_put(best);
			best = guard;
		}
	}
	return best;
}

/* Is this thread in a handler that is inside @guard? */
bool sigbus_is_inside(const struct unplug_sigbus *guard)
{
	const struct sigbus_inside *inside;

	for (inside = sigbus_inside; inside; inside = inside->outer) {
		if (inside->guard == guard)
			return true;
	}
	return false;
}

/* May it put other memory in the place of its range? */
static bool attr_patches(const struct unplug_sigbus_attr *attr)
{
	return attr->policy != UNPLUG_SIGBUS_JUMP;
}

/* Does a guard have a part of the range that cannot be shared with @attr? Under the lock. */
static bool range_is_taken(uintptr_t start, size_t len, const struct unplug_sigbus_attr *attr)
{
	struct unplug_sigbus *guard;
	struct chunk *chunk = &chunks;
	int i;

	for (; chunk; chunk = atomic_load_explicit(&chunk->next, memory_order_relaxed)) {
		for (i = 0; i < CHUNK_GUARDS; i++) {
			guard = &chunk->guards[i];
			if (guard->taken && (attr_patches(attr) || attr_patches(&guard->attr)) &&
			    start < guard->start + guard->len && guard->start < start + len)
				return true;
		}
	}
	return false;
}

/* The place that has been free for longest, or NULL. Under the lock. */
static struct unplug_sigbus *place_find(struct chunk **lastp)
{
	struct unplug_sigbus *guard, *best = NULL;
	struct chunk *chunk = &chunks;
	int i;

	for (; chunk; chunk = atomic_load_explicit(&chunk->next, memory_order_relaxed)) {
		*lastp = chunk;
		for (i = 0; i < CHUNK_GUARDS; i++) {
			guard = &chunk->guards[i];
			if (!guard->taken && (!best || guard->id < best->id))
				best = guard;
		}
	}
	return best;
}

/*
 * A free place, of a new chunk if need be. Under the lock. Those that were given back last come
 * last: who unregisters a guard twice meets a free place, and no other's guard.
 */
static struct unplug_sigbus *place_take(void)
{
	struct chunk *last, *next;
	struct unplug_sigbus *guard = place_find(&last);

	if (!guard) {
		next = calloc(1, sizeof(*next));
		if (!next)
			return NULL;
		atomic_store_explicit(&last->next, next, memory_order_release);	/* F */
		guard = &next->guards[0];
	}
	guard->taken = true;
	guard->id = ++last_id;
	return guard;
}

/*
 * The length up to the end of the last page, as that is lost as a whole; 0 if there is no such
 * range.
 */
static size_t whole_pages(uintptr_t start, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t end = (start + len + page - 1) & ~(page - 1);

	return len && start + len > start && end > start ? end - start : 0;
}

static bool attr_is_valid(const struct unplug_sigbus_attr *attr, uintptr_t start)
{
	bool aligned = !(start & ((uintptr_t)sysconf(_SC_PAGESIZE) - 1));

	if (attr->prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC))
		return false;
	switch (attr->policy) {
	case UNPLUG_SIGBUS_PATCH:
		return aligned;
	case UNPLUG_SIGBUS_JUMP:
		return true;
	case UNPLUG_SIGBUS_CALL:
		return aligned && attr->lost;
	}
	return false;
}

/* Takes a place and makes it LIVE. Under the lock. */
static int guard_start(struct unplug_sigbus **guardp, uintptr_t start, size_t len,
		       const struct unplug_sigbus_attr *attr)
{
	struct unplug_sigbus *guard;

	if (range_is_taken(start, len, attr))
		return -EEXIST;
	guard = place_take();
	if (!guard)
		return -ENOMEM;
	guard->attr = *attr;
	atomic_store_explicit(&guard->start, start, memory_order_relaxed);
	atomic_store_explicit(&guard->len, len, memory_order_relaxed);
	atomic_store_explicit(&guard->patch, SIGBUS_WHOLE, memory_order_relaxed);
	atomic_store_explicit(&guard->hits, 0, memory_order_relaxed);
	atomic_store_explicit(&guard->word, SIGBUS_LIVE, memory_order_release);	/* B */
	*guardp = guard;
	return 0;
}

/**
 * unplug_sigbus_register() - guard a range of this process's memory
 * @guardp: where to return the guard
 * @addr: where it begins; but for UNPLUG_SIGBUS_JUMP the beginning of a page
 * @len: how long it is; its end is made that of a page, as mmap(2) does
 * @attr: what is to be done about a loss; copied
 *
 * Installs the handler, if this is the first guard in the process. Who was there
 * before gets what is not ours.
 *
 * Ownership: the caller owes unplug_sigbus_unregister(), before the range is unmapped
 *	    or given to another use.
 * Context: Any thread, not in a signal handler. May sleep.
 * Return: 0, also if somebody else has the signal by now: whether losses will be answered,
 *	   unplug_sigbus_check() says; -EINVAL for
 *	   a range or attributes that make no sense; -EEXIST: a part of the range is
 *	   guarded, and either of the two may patch; -ENOMEM; or what unplug_sigbus_install()
 *	   returns.
 */
int unplug_sigbus_register(struct unplug_sigbus **guardp, void *addr, size_t len,
			   const struct unplug_sigbus_attr *attr)
{
	uintptr_t start = (uintptr_t)addr;
	size_t pages = whole_pages(start, len);
	int r;

	if (!guardp || !addr || !attr || !pages || !attr_is_valid(attr, start))
		return -EINVAL;
	r = sigbus_need();
	if (r < 0)
		return r;

	pthread_mutex_lock(&lock);
	r = guard_start(guardp, start, pages, attr);
	pthread_mutex_unlock(&lock);
	return r;
}

/**
 * unplug_sigbus_unregister() - end a guard, and wait for handlers that are inside
 * @guard: which one; NULL is allowed
 *
 * When it returned no handler uses the range, calls &unplug_sigbus_attr.lost, or will:
 * the range may be unmapped, and what the callback uses may be freed.
 *
 * Context: Any thread, not in a signal handler. Waits for the policies that run, which
 *	    is bounded but for callbacks.
 * Return: 0; or, and nothing was done: -EDEADLK from inside the guard's own callback; -EINVAL: it
 *	   is not registered any more. (That is seen as long as its place was not given to
 *	   another, and the place given back last is given last; don't rely on it.)
 */
int unplug_sigbus_unregister(struct unplug_sigbus *guard)
{
	uint32_t word;

	if (!guard)
		return 0;
	if (sigbus_is_inside(guard))
		return -EDEADLK;

	word = atomic_fetch_and_explicit(&guard->word, SIGBUS_USERS, memory_order_acq_rel);	/* C */
	if (!(word & SIGBUS_LIVE))
		return -EINVAL;
	for (;;) {
		word = atomic_load_explicit(&guard->word, memory_order_acquire);	/* C */
		if (!word)
			break;
		syscall(SYS_futex, &guard->word, FUTEX_WAIT_PRIVATE, word, NULL, NULL, 0);
	}

	pthread_mutex_lock(&lock);
	guard->id = ++last_id;
	guard->taken = false;	/* E */
	pthread_mutex_unlock(&lock);
	return 0;
}

/**
 * unplug_sigbus_lost() - was memory of the guard missed?
 * @guard: a guard that is registered; of NULL nothing was
 *
 * Who has read zeroes that a patch put there, by whatever thread, and asks then, is told.
 *
 * Context: Any. Never sleeps.
 * Return: Whether a fault was answered since it was registered, or is being patched. That memory is
 *	   lost which nobody touched is not known to it.
 */
bool unplug_sigbus_lost(const struct unplug_sigbus *guard)
{
	if (!guard)
		return false;
	/* PATCHING was said before mmap (G), hits are counted after it. */
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&guard->patch, memory_order_relaxed) != SIGBUS_WHOLE ||
	       atomic_load_explicit(&guard->hits, memory_order_relaxed);
}

/* How often the only thread of this process is inside */
static uint32_t own_users(const struct unplug_sigbus *guard)
{
	const struct sigbus_inside *inside;
	uint32_t n = 0;

	for (inside = sigbus_inside; inside; inside = inside->outer)
		n += inside->guard == guard;
	return n;
}

/*
 * The other threads are not in the child: neither are those of them that were inside, or
 * about to patch, or waited in unregister.
 */
static void guard_fork(struct unplug_sigbus *guard)
{
	uint32_t live = guard->word & SIGBUS_LIVE;

	guard->word = live | own_users(guard);
	if (!guard->word)
		guard->taken = false;
	/* The patch may be there already, and zeroes be read that are not the owner's. */
	if (guard->patch == SIGBUS_PATCHING) {
		guard->patch = SIGBUS_WHOLE;
		guard->hits++;
	}
}

static void fork_prepare(void)
{
	sigbus_handler_lock();
	pthread_mutex_lock(&lock);
}

static void fork_parent(void)
{
	pthread_mutex_unlock(&lock);
	sigbus_handler_unlock();
}

static void fork_child(void)
{
	struct chunk *chunk;
	int i;

	for (chunk = &chunks; chunk; chunk = chunk->next) {
		for (i = 0; i < CHUNK_GUARDS; i++)
			guard_fork(&chunk->guards[i]);
	}
	pthread_mutex_unlock(&lock);
	sigbus_handler_unlock();
}

/* Returns 0 or a negative errno. */
int sigbus_fork_init(void)
{
	return -pthread_atfork(fork_prepare, fork_parent, fork_child);
}
