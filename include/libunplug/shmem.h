/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _LIBUNPLUG_SHMEM_H
#define _LIBUNPLUG_SHMEM_H

/**
 * DOC: shmem
 *
 * Memory that is lent to another process, and can be taken back without its help and
 * against its will. The owner:
 *
 *	unplug_shmem_create(&shmem, "frames", size, 0);
 *	unplug_shmem_lend(shmem, sock);
 *	... both use it ...
 *	unplug_shmem_revoke(shmem, 1000, &holder);
 *	unplug_shmem_free(shmem);
 *
 * and whom it is lent to, over a UNIX socket:
 *
 *	unplug_loan_borrow(&loan, sock, UNPLUG_LOAN_ZEROES);
 *	... unplug_loan_addr(loan) ...
 *	unplug_loan_free(loan);
 *
 * A client needs none of this: what it is sent is a message with a descriptor, that of
 * a memfd, which it may map as it likes.
 *
 * States
 * ------
 *
 *	LIVE --revoke--> SHUT --file is empty--> REVOKED
 *
 *	state     lend      the clients' mappings
 *	LIVE      works     work
 *	SHUT      -ENODEV   work until the file is empty
 *	REVOKED   -ENODEV   SIGBUS
 *
 * What revoking does
 * ------------------
 *
 * It empties the file. Once REVOKED every access of every shared mapping in every
 * process raises SIGBUS, made before or after, touched or not, by whomever the descriptor was
 * passed on to, in a process that is stopped, too; system calls on it fail with
 * EFAULT. A private mapping is lost as well, also the pages of it that had been written. Nobody can make the file grow
 * again, fill it, or change its seals: it has F_SEAL_GROW and F_SEAL_SEAL from the beginning, and not
 * F_SEAL_SHRINK, which only the owner's revoke needs, but any holder of a writable descriptor can use.
 *
 * A client that uses unplug_loan_borrow() with UNPLUG_LOAN_ZEROES goes on with zeroes, private to it,
 * instead of SIGBUS. So does the owner in its own mapping: whatever a client does to the file, the owner
 * is not killed by it, within the limits of guards (<libunplug/sigbus.h>): a thread that blocks
 * SIGBUS is, and so are all if somebody else has the signal and does not pass it on.
 *
 * What survives
 * -------------
 *
 * - Copies that a client made.
 * - Pins: pages in a pipe by vmsplice(2), or fixed buffers of io_uring. The client keeps these old
 *   pages; what it writes there nobody else sees, as they are not the file's any more. Direct I/O
 *   that is under way is not waited for.
 * - The descriptor, of an empty file.
 * - What the memory held is gone for the owner, too: copy what is to be kept before. A client may write
 *   until revoke returned.
 *
 * One for each client
 * -------------------
 *
 * Who has a writable descriptor can empty the file himself, and so take it from all others. Where
 * clients must not be able to do that to each other, create one for each.
 *
 * With UNPLUG_SHMEM_READ_ONLY clients get a descriptor for reading, and no mapping for
 * writing can be made by anybody, not even through a descriptor that was opened anew by way of
 * /proc. Such a one could empty the file, though, or delay revoke: the file's mode is 0 to refuse
 * it, which holds for clients of other users without CAP_DAC_OVERRIDE and CAP_FOWNER. One of the
 * owner's own user can change the mode back.
 *
 * Who can delay it
 * ----------------
 *
 * Emptying a file needs the lock of its inode. A client can have that for as long as it
 * likes, by a write(2) on its descriptor whose source is memory that it serves itself
 * (userfaultfd, FUSE). Therefore revoke has a timeout, and then says who it is: kill that
 * process, and call revoke again. Until the lock is free the state is SHUT. Nobody can delay it
 * on huge pages (UNPLUG_SHMEM_HUGE), as they have no write(2); nor on a read-only one, as far as
 * it cannot be opened anew.
 *
 * Who it is, is a hint, to be weighed before somebody is killed by it:
 *
 * - INSIDE is also who waits for the lock as we do: an innocent client that writes to the file looks like
 *   the one that holds it up. When he is killed and it goes on, it was somebody else, too.
 * - Who does not want to be seen is not INSIDE: he makes the call by io_uring, or by the
 *   processor's other way (int 0x80), or among thousands of threads; nor is he OPEN, if another of his
 *   threads has the descriptor, in a table of its own. /proc shows others' processes to
 *   who may trace them, and in his own PID namespace.
 * - LENT is who made the other end of the socket. If it has ended since, its number may be
 *   another's now. Who wants to be sure keeps a pidfd of it (SO_PEERPIDFD, where there is
 *   one), and kills by that.
 * - The name is what the process calls itself: any bytes, to be cleaned before they are printed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct unplug_shmem;
struct unplug_loan;

/* Flags of unplug_shmem_create() */
#define UNPLUG_SHMEM_READ_ONLY	1	/* clients can only read */
#define UNPLUG_SHMEM_HUGE	2	/* of huge pages, which have to be reserved */

/* Flags of unplug_loan_borrow() */
#define UNPLUG_LOAN_ZEROES	1	/* when it is taken back go on with zeroes */

/**
 * enum unplug_shmem_state - see "States"
 * @UNPLUG_SHMEM_LIVE: can be lent
 * @UNPLUG_SHMEM_SHUT: is being taken back
 * @UNPLUG_SHMEM_REVOKED: was taken back
 */
enum unplug_shmem_state {
	UNPLUG_SHMEM_LIVE,
	UNPLUG_SHMEM_SHUT,
	UNPLUG_SHMEM_REVOKED
};

/**
 * enum unplug_shmem_how - how a holder is known
 * @UNPLUG_SHMEM_NOBODY: nobody was found
 * @UNPLUG_SHMEM_LENT: it is who it was lent to last; what it does is not known
 * @UNPLUG_SHMEM_OPEN: it has it open for writing
 * @UNPLUG_SHMEM_INSIDE: it is in a system call that writes to it: it holds it up, or waits as well
 */
enum unplug_shmem_how {
	UNPLUG_SHMEM_NOBODY,
	UNPLUG_SHMEM_LENT,
	UNPLUG_SHMEM_OPEN,
	UNPLUG_SHMEM_INSIDE
};

/**
 * struct unplug_shmem_holder - who holds up a revoke
 * @pid: the process, or 0
 * @tid: the thread, if it is known, or 0
 * @how: how it is known; what is seen of others' processes depends on rights
 * @name: of the process, as in /proc/PID/comm, or empty; chosen by it, so any bytes
 */
struct unplug_shmem_holder {
	pid_t pid;
	pid_t tid;
	enum unplug_shmem_how how;
	char name[16];
};

int unplug_shmem_create(struct unplug_shmem **shmemp, const char *name, size_t size,
			unsigned int flags);
void unplug_shmem_free(struct unplug_shmem *shmem);

void *unplug_shmem_addr(const struct unplug_shmem *shmem);
size_t unplug_shmem_size(const struct unplug_shmem *shmem);
enum unplug_shmem_state unplug_shmem_state(const struct unplug_shmem *shmem);
bool unplug_shmem_lost(const struct unplug_shmem *shmem);

int unplug_shmem_lend(struct unplug_shmem *shmem, int sock);
int unplug_shmem_revoke(struct unplug_shmem *shmem, int timeout_ms,
			struct unplug_shmem_holder *holder);

int unplug_loan_borrow(struct unplug_loan **loanp, int sock, unsigned int flags);
void unplug_loan_free(struct unplug_loan *loan);

void *unplug_loan_addr(const struct unplug_loan *loan);
size_t unplug_loan_size(const struct unplug_loan *loan);
bool unplug_loan_read_only(const struct unplug_loan *loan);
bool unplug_loan_lost(const struct unplug_loan *loan);

#ifdef __cplusplus
}
#endif

#endif /* _LIBUNPLUG_SHMEM_H */
