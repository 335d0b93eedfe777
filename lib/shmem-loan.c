// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The client's side of shared memory: see include/libunplug/shmem.h.
 */

#include "shmem.h"

#include <errno.h>
#include <fcntl.h>
#include <libunplug/sigbus.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct unplug_loan {
	int fd;
	void *addr;
	size_t size;
	bool read_only;
	struct unplug_sigbus *guard;	/* or NULL */
};

/*
 * Is it what is lent here? Only a memfd has seals: anything else could make who touches
 * its memory wait for ever. Returns 0, -EBADMSG, or -ENODEV if it was taken back already.
 */
static int loan_check(int fd, const struct shmem_offer *offer)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || (seals & (F_SEAL_GROW | F_SEAL_SEAL)) != (F_SEAL_GROW | F_SEAL_SEAL))
		return -EBADMSG;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!st.st_size)
		return -ENODEV;
	return (uint64_t)st.st_size == offer->size ? 0 : -EBADMSG;
}

static int loan_map(struct unplug_loan *loan, const struct shmem_offer *offer, unsigned int flags)
{
	bool read_only = offer->flags & UNPLUG_SHMEM_READ_ONLY;
	int prot = read_only ? PROT_READ : PROT_READ | PROT_WRITE;
	struct unplug_sigbus_attr attr = { .policy = UNPLUG_SIGBUS_PATCH, .prot = prot };
	int r;

	loan->read_only = read_only;
	loan->size = offer->size;
	loan->addr = mmap(NULL, loan->size, prot, MAP_SHARED, loan->fd, 0);
	if (loan->addr == MAP_FAILED)
		return -errno;
	if (!(flags & UNPLUG_LOAN_ZEROES))
		return 0;
	r = unplug_sigbus_register(&loan->guard, loan->addr, loan->size, &attr);
	if (r < 0)
		munmap(loan->addr, loan->size);
	return r < 0 ? r : 0;
}

/**
 * unplug_loan_borrow() - receive memory that somebody lends, and map it
 * @loanp: where to return it
 * @sock: a UNIX socket, of a stream or of packets, on which unplug_shmem_lend() was called
 *	  at the other end
 * @flags: 0: when it is taken back, accesses raise SIGBUS; UNPLUG_LOAN_ZEROES: they
 *	   meet zeroes
 *
 * The other end is not trusted: what is accepted is sealed memory of the size that was said, and
 * whatever becomes of it, it does no more than be lost. It waits if nothing has come, as
 * recvmsg(2) would.
 *
 * Ownership: the caller owes unplug_loan_free().
 * Context: Any thread. May sleep.
 * Return: 0; -EBADMSG: that is no loan; -ENODEV: it has been taken back already; -ECONNRESET:
 *	   the other end is closed; -EINVAL for @flags; -ENOMEM; or what recvmsg(2) or
 *	   unplug_sigbus_register() say. 0 also if somebody else has SIGBUS by now: ask
 *	   unplug_sigbus_check().
 */
int unplug_loan_borrow(struct unplug_loan **loanp, int sock, unsigned int flags)
{
	struct unplug_loan *loan;
	struct shmem_offer offer;
	int r;

	if (!loanp || (flags & ~(unsigned int)UNPLUG_LOAN_ZEROES))
		return -EINVAL;
	loan = calloc(1, sizeof(*loan));
	if (!loan)
		return -ENOMEM;
	r = shmem_offer_receive(sock, &offer, &loan->fd);
	if (r < 0)
		goto err_free;
	r = loan_check(loan->fd, &offer);
	if (r < 0)
		goto err_close;
	r = loan_map(loan, &offer, flags);
	if (r < 0)
		goto err_close;
	*loanp = loan;
	return 0;

err_close:
	close(loan->fd);
err_free:
	free(loan);
	return r;
}

/**
 * unplug_loan_free() - give borrowed memory back
 * @loan: what was borrowed; NULL is allowed
 *
 * Context: Any thread, while no other uses the memory.
 */
void unplug_loan_free(struct unplug_loan *loan)
{
	if (!loan)
		return;
	unplug_sigbus_unregister(loan->guard);
	munmap(loan->addr, loan->size);
	close(loan->fd);
	free(loan);
}

/**
 * unplug_loan_addr() - where borrowed memory is mapped
 * @loan: what was borrowed
 *
 * Context: Any.
 * Return: The address; it stays the same when the memory is taken back. NULL of NULL.
 */
void *unplug_loan_addr(const struct unplug_loan *loan)
{
	return loan ? loan->addr : NULL;
}

/**
 * unplug_loan_size() - how much was borrowed
 * @loan: what was borrowed
 *
 * Context: Any.
 * Return: Bytes; it stays the same when the memory is taken back. 0 of NULL.
 */
size_t unplug_loan_size(const struct unplug_loan *loan)
{
	return loan ? loan->size : 0;
}

/**
 * unplug_loan_read_only() - can borrowed memory only be read?
 * @loan: what was borrowed
 *
 * The owner has said so, by UNPLUG_SHMEM_READ_ONLY: who writes to it is killed by SIGSEGV, also when
 * zeroes have come in its place.
 *
 * Context: Any.
 * Return: Whether it is mapped for reading alone; NULL is.
 */
bool unplug_loan_read_only(const struct unplug_loan *loan)
{
	return !loan || loan->read_only;
}

/**
 * unplug_loan_lost() - was borrowed memory taken back?
 * @loan: what was borrowed
 *
 * To be asked after reading, before what was read is believed: who reads zeroes cannot know
 * otherwise whether they are the owner's. It knows of pages, too, that were lost though the file is
 * as long as ever, if UNPLUG_LOAN_ZEROES was asked for, and they were touched.
 *
 * Context: Any.
 * Return: Whether any of it is missing now, or was when it was touched; NULL is.
 */
bool unplug_loan_lost(const struct unplug_loan *loan)
{
	struct stat st;

	if (!loan || unplug_sigbus_lost(loan->guard))
		return true;
	return fstat(loan->fd, &st) < 0 || (uint64_t)st.st_size < loan->size;
}
