// SPDX-License-Identifier: GPL-2.0-or-later
/* What an actor has io_uring do for him, one thing at a time */

#include "world.h"

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#define WAIT_NS 20000000	/* then it is cancelled */

struct ring {
	struct io_uring uring;
};

static bool need_ring(struct actor *actor, const struct step *step)
{
	if (!actor->ring) {
		actor->ring = calloc(1, sizeof(*actor->ring));
		if (!actor->ring || io_uring_queue_init(8, &actor->ring->uring, 0) < 0)
			_exit(1);	/* who watches says so */
	}
	if (step->handle->fd < 0)
		op_open(actor, step);
	return step->handle->fd >= 0;
}

static int wait_result(struct io_uring *uring, struct __kernel_timespec *limit, int *result)
{
	struct io_uring_cqe *cqe;
	int err;

	do {
		err = limit ? io_uring_wait_cqe_timeout(uring, &cqe, limit) :
			      io_uring_wait_cqe(uring, &cqe);
	} while (err == -EINTR);
	if (err)
		return err;
	*result = cqe->res;
	/* That of the cancellation is not waited for, but not taken for another, either. */
	err = io_uring_cqe_get_data(cqe) ? 0 : -EAGAIN;
	io_uring_cqe_seen(uring, cqe);
	return err;
}

/* Is whoever sleeps there to be woken by what happens to the card? */
static bool is_away(const struct handle *handle)
{
	struct oracle_look look = board_look(handle->generation);

	return look.state >= TORTURE_PULLING || look.ended > handle->opened_to;
}

/*
 * Prepared in @sqe: what comes of it, in time, or because it is cancelled, which it is not once its
 * card has been pulled: then it ends by itself, or is found by watch. If we cancel it, that ends it
 * as a signal would.
 */
static int submit(struct actor *actor, const struct handle *handle, struct io_uring_sqe *sqe)
{
	struct __kernel_timespec limit = { .tv_nsec = WAIT_NS };
	struct io_uring *uring = &actor->ring->uring;
	int result = 0, err;

	io_uring_sqe_set_data(sqe, actor);
	while (io_uring_submit(uring) == -EINTR)
		;
	do {
		err = wait_result(uring, &limit, &result);
	} while (err == -EAGAIN || (err == -ETIME && is_away(handle)));
	if (err != -ETIME)
		return result;
	sqe = io_uring_get_sqe(uring);
	io_uring_prep_cancel(sqe, actor, 0);
	io_uring_sqe_set_data(sqe, NULL);
	while (io_uring_submit(uring) == -EINTR)
		;
	while (wait_result(uring, NULL, &result) == -EAGAIN)
		;
	return result == -ECANCELED ? -EINTR : result;
}

/* The kernel's own: io_uring of 6.12 shows it to users, where that of 6.1 makes EINTR of it. */
#define ERESTARTSYS 512

/* It is interrupted only if it is cancelled. */
static void judge(struct actor *actor, struct oracle_act *act, int result, uint64_t value)
{
	act->nonblock = true;	/* it waits for no thaw */
	if (result == -ERESTARTSYS)
		result = -EINTR;
	if (result == -EINTR)
		act->signals = true;
	act_end(actor, act, result < 0 ? -result : 0, value);
}

static int submit_read(struct actor *actor, const struct handle *handle, uint64_t *whose)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&actor->ring->uring);

	io_uring_prep_read(sqe, handle->fd, whose, sizeof(*whose), 0);
	return submit(actor, handle, sqe);
}

/*
 * The kernel cancels it by itself when signals keep it from starting a thread: the card was not
 * asked. So it is asked again, by who gets none.
 */
void op_uring_read(struct actor *actor, const struct step *step)
{
	struct oracle_act act;
	sigset_t all, old;
	uint64_t whose = 0;
	int result;

	if (!need_ring(actor, step))
		return;
	act_begin(actor, &act, ORACLE_READ, step->handle);
	result = submit_read(actor, step->handle, &whose);
	if (result == -ECANCELED) {
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, &old);
		result = submit_read(actor, step->handle, &whose);
		sigprocmask(SIG_SETMASK, &old, NULL);
	}
	judge(actor, &act, result, whose);
}

void op_uring_poll(struct actor *actor, const struct step *step)
{
	struct io_uring_sqe *sqe;
	struct oracle_act act;
	int result;

	if (!need_ring(actor, step))
		return;
	act_begin(actor, &act, ORACLE_POLL, step->handle);
	sqe = io_uring_get_sqe(&actor->ring->uring);
	io_uring_prep_poll_add(sqe, step->handle->fd, POLLIN);
	result = submit(actor, step->handle, sqe);
	judge(actor, &act, result, result);
}
