// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The owner's side of shared memory: see include/libunplug/shmem.h for what can be relied
 * on.
 *
 * To empty the file may take for ever, and cannot be interrupted. So a thread does it, unless the caller
 * waits for ever, too: it has a reference of its own, and tells by the state when it is done.
 */

#include "internal.h"
#include "shmem.h"

#include <errno.h>
#include <fcntl.h>
#include <libunplug/sigbus.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Since Linux 6.3 */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

/**
 * struct unplug_shmem - memory of this process that is lent
 * @state: enum unplug_shmem_state; a futex
 * @refs: the owner's, and that of the thread that empties the file
 * @error: why that failed; valid once the state is LIVE again
 * @lent: the process it was lent to last, or 0
 * @fd: the file, for writing; never given away, if it is read-only
 * @lend_fd: what is given away; may be the same
 * @addr: the owner's mapping, which @guard keeps from killing him
 * @guard: over all of @addr
 * @size: of both
 * @flags: of unplug_shmem_create()
 */
struct unplug_shmem {
	_Atomic uint32_t state;
	_Atomic unsigned int refs;
	_Atomic int error;
	_Atomic pid_t lent;
	int fd;
	int lend_fd;
	void *addr;
	struct unplug_sigbus *guard;
	size_t size;
	unsigned int flags;
};

static void shmem_put(struct unplug_shmem *shmem)
{
	if (atomic_fetch_sub(&shmem->refs, 1) != 1)
		return;
	if (shmem->lend_fd != shmem->fd && shmem->lend_fd >= 0)
		close(shmem->lend_fd);
	close(shmem->fd);
	free(shmem);
}

/*
 * Nothing in it is to be executed as a program, says MFD_NOEXEC_SEAL: kernels that know it may refuse
 * a file of whose maker nothing is said (vm.memfd_noexec), others refuse the flag.
 */
static int shmem_file(const char *name, unsigned int flags)
{
	unsigned int memfd_flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd;

	if (flags & UNPLUG_SHMEM_HUGE)
		memfd_flags |= MFD_HUGETLB;
	fd = memfd_create(name, memfd_flags | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, memfd_flags);
	return fd;
}

/* Of what the file consists of */
static int shmem_round(struct unplug_shmem *shmem, size_t size)
{
	struct stat st;
	size_t page;

	if (fstat(shmem->fd, &st) < 0)
		return -errno;
	page = shmem->flags & UNPLUG_SHMEM_HUGE ? (size_t)st.st_blksize :
						  (size_t)sysconf(_SC_PAGESIZE);
	shmem->size = (size + page - 1) & ~(page - 1);
	if (shmem->size < size || shmem->size > SIZE_MAX / 2)
		return -EINVAL;
	return ftruncate(shmem->fd, (off_t)shmem->size) < 0 ? -errno : 0;
}

static int shmem_map(struct unplug_shmem *shmem)
{
	struct unplug_sigbus_attr attr = { .policy = UNPLUG_SIGBUS_PATCH };
	int r;

	shmem->addr = mmap(NULL, shmem->size, PROT_READ | PROT_WRITE, MAP_SHARED, shmem->fd, 0);
	if (shmem->addr == MAP_FAILED)
		return -errno;
	r = unplug_sigbus_register(&shmem->guard, shmem->addr, shmem->size, &attr);
	if (r < 0)
		munmap(shmem->addr, shmem->size);
	return r < 0 ? r : 0;
}

/*
 * What can be done with the descriptor that is given away. After the owner's mapping was made:
 * that one may write, and no later one.
 */
static int shmem_seal(struct unplug_shmem *shmem)
{
	int seals = F_SEAL_GROW | F_SEAL_SEAL;
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

	shmem->lend_fd = shmem->fd;
	if (shmem->flags & UNPLUG_SHMEM_READ_ONLY) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", shmem->fd);
		shmem->lend_fd = open(path, O_RDONLY | O_CLOEXEC);
		if (shmem->lend_fd < 0 || fchmod(shmem->fd, 0) < 0)
			return -errno;
		seals |= F_SEAL_FUTURE_WRITE;
	}
	return fcntl(shmem->fd, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

/**
 * unplug_shmem_create() - get memory that can be lent and taken back
 * @shmemp: where to return it
 * @name: for who looks into /proc; up to 249 bytes
 * @size: how much; made whole pages
 * @flags: UNPLUG_SHMEM_READ_ONLY, UNPLUG_SHMEM_HUGE, or both, or 0
 *
 * It is mapped in this process, and guarded there (<libunplug/sigbus.h>): if a client takes it away,
 * the owner goes on with zeroes.
 *
 * Ownership: the caller owes unplug_shmem_free().
 * Context: Any thread. May sleep.
 * Return: 0; -EINVAL for a size or flags that make no sense; -ENOMEM, which with UNPLUG_SHMEM_HUGE
 *	   says that too few huge pages are reserved; or what memfd_create(2), open(2) of
 *	   /proc/self/fd, and unplug_sigbus_register() say. 0 also if somebody else has SIGBUS by now:
 *	   ask unplug_sigbus_check().
 */
int unplug_shmem_create(struct unplug_shmem **shmemp, const char *name, size_t size,
			unsigned int flags)
{
	struct unplug_shmem *shmem;
	int r;

	if (!shmemp || !name || !size || (flags & ~(unsigned int)SHMEM_FLAGS))
		return -EINVAL;
	shmem = calloc(1, sizeof(*shmem));
	if (!shmem)
		return -ENOMEM;
	shmem->refs = 1;
	shmem->flags = flags;
	shmem->lend_fd = -1;
	shmem->fd = shmem_file(name, flags);
	if (shmem->fd < 0) {
		r = -errno;
		free(shmem);
		return r;
	}

	r = shmem_round(shmem, size);
	if (r < 0)
		goto err_put;
	r = shmem_map(shmem);
	if (r < 0)
		goto err_put;
	r = shmem_seal(shmem);
	if (r < 0)
		goto err_unmap;
	*shmemp = shmem;
	return 0;

err_unmap:
	unplug_sigbus_unregister(shmem->guard);
	munmap(shmem->addr, shmem->size);
err_put:
	shmem_put(shmem);
	return r;
}

/**
 * unplug_shmem_free() - forget memory that was lent
 * @shmem: what to forget; NULL is allowed
 *
 * It does not revoke: clients that have it keep it. If a revoke is under way, that goes on.
 *
 * Context: Any thread, while no other uses it or its memory.
 */
void unplug_shmem_free(struct unplug_shmem *shmem)
{
	if (!shmem)
		return;
	unplug_sigbus_unregister(shmem->guard);
	munmap(shmem->addr, shmem->size);
	shmem_put(shmem);
}

/**
 * unplug_shmem_addr() - where the owner has it mapped
 * @shmem: memory that can be lent
 *
 * Context: Any.
 * Return: The address, for reading and writing; it stays the same. NULL of NULL.
 */
void *unplug_shmem_addr(const struct unplug_shmem *shmem)
{
	return shmem ? shmem->addr : NULL;
}

/**
 * unplug_shmem_size() - how much it is
 * @shmem: memory that can be lent
 *
 * Context: Any.
 * Return: Bytes, in whole pages; 0 of NULL.
 */
size_t unplug_shmem_size(const struct unplug_shmem *shmem)
{
	return shmem ? shmem->size : 0;
}

/**
 * unplug_shmem_state() - what became of it
 * @shmem: memory that can be lent
 *
 * Context: Any.
 * Return: The state, which may change meanwhile if a revoke is under way; of NULL
 *	   UNPLUG_SHMEM_REVOKED.
 */
enum unplug_shmem_state unplug_shmem_state(const struct unplug_shmem *shmem)
{
	return shmem ? (enum unplug_shmem_state)atomic_load(&shmem->state) : UNPLUG_SHMEM_REVOKED;
}

/**
 * unplug_shmem_lost() - did a client, or revoke, empty it?
 * @shmem: memory that can be lent
 *
 * To be asked after reading, before what was read is believed.
 *
 * A page may be lost in a file that is as long as ever (a hole in huge pages, swap that cannot
 * be read). That is known when it was touched, and zeroes have come in the place of all.
 *
 * Context: Any.
 * Return: Whether any of it is missing now, or was when it was touched; NULL is.
 */
bool unplug_shmem_lost(const struct unplug_shmem *shmem)
{
	struct stat st;

	return !shmem || unplug_sigbus_lost(shmem->guard) || fstat(shmem->fd, &st) < 0 ||
	       (uint64_t)st.st_size < shmem->size;
}

/**
 * unplug_shmem_lend() - give it to who is at the other end of a socket
 * @shmem: memory that can be lent
 * @sock: a UNIX socket, of a stream or of packets
 *
 * Remembers the process at the other end, as far as the socket knows it: that is who
 * connected, or made the pair of sockets.
 *
 * Context: Any thread. Waits as sendmsg(2) does.
 * Return: 0; -ENODEV: it has been revoked; -EIO: only a part of the message could be sent, the
 *	   stream is of no use any more; -EINVAL for NULL; or what sendmsg(2) says.
 */
int unplug_shmem_lend(struct unplug_shmem *shmem, int sock)
{
	struct shmem_offer offer = { .magic = SHMEM_MAGIC };
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);
	int r;

	if (!shmem)
		return -EINVAL;
	if (unplug_shmem_state(shmem) != UNPLUG_SHMEM_LIVE)
		return -ENODEV;
	offer.size = shmem->size;
	offer.flags = shmem->flags;
	r = shmem_offer_send(sock, &offer, shmem->lend_fd);
	if (!r && !getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		shmem->lent = peer.pid;
	return r;
}

/* SHUT ends. With an error nothing was done, and it can be tried again. */
static void shut_end(struct unplug_shmem *shmem, int error)
{
	shmem->error = error;
	atomic_store(&shmem->state, error ? UNPLUG_SHMEM_LIVE : UNPLUG_SHMEM_REVOKED);
	syscall(SYS_futex, &shmem->state, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Waits while somebody holds the inode's lock. */
static void shmem_empty(struct unplug_shmem *shmem)
{
	shut_end(shmem, ftruncate(shmem->fd, 0) < 0 ? -errno : 0);
}

static void *empty_thread(void *data)
{
	struct unplug_shmem *shmem = data;

	shmem_empty(shmem);
	shmem_put(shmem);
	return NULL;
}

static int empty_start(struct unplug_shmem *shmem)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	r = pthread_attr_init(&attr);
	if (r)
		return -r;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	atomic_fetch_add(&shmem->refs, 1);
	/* The process's signals are for its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, &attr, empty_thread, shmem);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (r)
		atomic_fetch_sub(&shmem->refs, 1);
	return -r;
}

/*
 * Until the state is SHUT no more. Returns 0; -ETIMEDOUT after @deadline, if that is not NULL; or
 * what futex(2) says.
 */
static int shut_wait(struct unplug_shmem *shmem, const struct timespec *deadline)
{
	while (atomic_load(&shmem->state) == UNPLUG_SHMEM_SHUT) {
		if (syscall(SYS_futex, &shmem->state, FUTEX_WAIT_BITSET_PRIVATE, UNPLUG_SHMEM_SHUT,
			    deadline, NULL, FUTEX_BITSET_MATCH_ANY) < 0 &&
		    errno != EINTR && errno != EAGAIN)
			return -errno;
	}
	return 0;
}

/**
 * unplug_shmem_revoke() - take memory back, from everybody
 * @shmem: memory that was lent
 * @timeout_ms: how long to wait for a client that delays it; 0: only begin; negative: for
 *		ever
 * @holder: where to return who delays it, after -ETIMEDOUT; or NULL
 *
 * When it returned 0 no mapping reaches the memory any more; see "What revoking does", and
 * "What survives". May be called again, and by several threads.
 *
 * The search for the holder comes on top of the timeout. It is bounded, by 32768 looks into /proc, which
 * takes less than a second where nothing else does; without @holder there is none. A process that
 * does not get on in exec(2) holds up a look at it.
 *
 * After -ETIMEDOUT it goes on, in a thread of this process. That thread cannot be killed, nor can
 * the process be, until the holder is.
 *
 * Context: Any thread. May sleep. Not in the child of a fork that was born in between: the
 *	    thread is not there, and nobody tells the child that it is done. unplug_shmem_lost() does.
 * Return: 0; -ETIMEDOUT: not yet, see @holder; -EAGAIN: no thread could be made, nothing was
 *	   done; -EINVAL for NULL; or what ftruncate(2) and futex(2) say.
 */
int unplug_shmem_revoke(struct unplug_shmem *shmem, int timeout_ms,
			struct unplug_shmem_holder *holder)
{
	uint32_t state = UNPLUG_SHMEM_LIVE;
	struct timespec deadline = unplug_deadline(timeout_ms);
	int r = 0;

	if (!shmem)
		return -EINVAL;
	if (atomic_compare_exchange_strong(&shmem->state, &state, UNPLUG_SHMEM_SHUT)) {
		if (timeout_ms < 0)
			shmem_empty(shmem);
		else
			r = empty_start(shmem);
		if (r < 0)
			shut_end(shmem, r);
	}

	r = shut_wait(shmem, timeout_ms < 0 ? NULL : &deadline);
	if (r == -ETIMEDOUT && holder)
		shmem_holder_find(holder, shmem->fd, shmem->lent);
	if (r < 0)
		return r;
	return unplug_shmem_state(shmem) == UNPLUG_SHMEM_REVOKED ? 0 : shmem->error;
}
