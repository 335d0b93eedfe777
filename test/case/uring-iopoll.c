// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Users who poll for completions, by io_uring: the kernel asks ->iopoll of each request in
 * turn, and an error from one of them would keep it from all that come after. The driver is
 * module/iopoll.c.
 */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "test/case/module/iopoll-uapi.h"

#define MODULE "unplug-iopoll"
#define NODE "/dev/" MODULE
#define PARAMETER "/sys/module/unplug_iopoll/parameters/"
#define ABSENT "absent: it has no ->iopoll"

static const enum io_uring_op read_first[] = { IORING_OP_READ, IORING_OP_URING_CMD };
static const enum io_uring_op cmd_first[] = { IORING_OP_URING_CMD, IORING_OP_READ };

struct user {
	int fd;
	struct io_uring ring;
	char byte;
};

static void user_send(struct user *user, enum io_uring_op op)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&user->ring);

	if (op == IORING_OP_READ)
		io_uring_prep_read(sqe, user->fd, &user->byte, 1, 0);
	else
		io_uring_prep_rw(op, sqe, user->fd, NULL, 0, 0);
	sqe->user_data = op;
	expect_equal("io_uring_submit", io_uring_submit(&user->ring), 1);
}

/* Two requests are kept, the second one of the other kind. */
static void user_init(struct user *user, const char *arguments, const enum io_uring_op ops[])
{
	int err;

	expect_equal("errno of loading " MODULE, module_load(MODULE, arguments), 0);
	user->fd = expect_works(NODE, open(NODE, O_RDWR | O_CLOEXEC | O_DIRECT));
	err = io_uring_queue_init(IOPOLL_KEPT, &user->ring, IORING_SETUP_IOPOLL);
	if (err)
		case_fail("io_uring_queue_init: %s", strerror(-err));
	user_send(user, ops[0]);
	user_send(user, ops[1]);
}

/* Ask once, without waiting. What has come, or NULL */
static struct io_uring_cqe *user_ask(struct user *user)
{
	struct io_uring_cqe *cqe;
	unsigned int head;

	expect_works("polling", syscall(__NR_io_uring_enter, user->ring.ring_fd, 0, 0,
					IORING_ENTER_GETEVENTS, NULL, 0));
	io_uring_for_each_cqe(&user->ring, head, cqe)
		return cqe;
	return NULL;
}

static void user_expect_nothing(struct user *user, const char *what)
{
	if (user_ask(user))
		case_fail("%s: there is an answer", what);
}

static void user_expect(struct user *user, enum io_uring_op op, int result)
{
	const char *what = op == IORING_OP_READ ? "a read" : "a command";
	struct io_uring_cqe *cqe = user_ask(user);

	if (!cqe)
		case_end(OUTCOME_HANG, "%s: no answer", what);
	expect_equal(what, cqe->user_data, op);
	expect_equal(what, cqe->res, result);
	io_uring_cqe_seen(&user->ring, cqe);
}

static int driver_asked(void)
{
	char text[16];

	expect_equal("errno of asking", file_read(PARAMETER "asked", text, sizeof(text)), 0);
	return atoi(text);
}

static void driver_do(const char *what)
{
	expect_equal(what, file_write(PARAMETER "do", what), 0);
}

/* While something is kept, which is inside: freeze says so. */
static void driver_is_left(const char *what)
{
	int err = strcmp(what, "freeze") ? 0 : EINPROGRESS;

	expect_equal(what, file_write(PARAMETER "do", what), err);
}

static void driver_is_ready(void)
{
	expect_equal("errno of being ready", file_write(PARAMETER "ready", "1"), 0);
}

/* Nothing is left of the ring's requests: the file would keep the driver otherwise. */
static void user_end(struct user *user)
{
	io_uring_queue_exit(&user->ring);
	close(user->fd);
	expect_equal("errno of unloading " MODULE, module_unload_soon(MODULE), 0);
}

CASE(uring_iopoll_before, .name = "uring-iopoll-before",
     .promise = "K1: who polls for completions of a live device gets them from the driver",
     .naive = ABSENT)
{
	struct user user;

	user_init(&user, "", read_first);
	user_expect_nothing(&user, "the hardware is not ready");
	if (!driver_asked())
		case_fail("the driver was not asked");
	driver_is_ready();
	user_expect(&user, IORING_OP_READ, IOPOLL_ANSWER);
	user_expect(&user, IORING_OP_URING_CMD, IOPOLL_ANSWER);
	user_end(&user);
}

CASE(uring_iopoll_asleep, .name = "uring-iopoll-asleep",
     .promise = "K6: what is polled for ends with ENODEV when the driver completes it in ->cancel",
     .naive = ABSENT)
{
	struct user user;

	user_init(&user, "", read_first);
	driver_do("pull");
	log_wait(MODULE "#", "gone after");
	user_expect(&user, IORING_OP_READ, -ENODEV);
	user_expect(&user, IORING_OP_URING_CMD, -ENODEV);
	user_end(&user);
}

/* The second request is completed, while the first one stays: it must not be in the way. */
static void play_behind(const enum io_uring_op ops[], const char *what)
{
	struct user user;
	int asked;

	user_init(&user, "keep=1", ops);
	driver_is_ready();
	driver_is_left(what);
	asked = driver_asked();
	user_expect_nothing(&user, what);
	driver_do("complete");
	user_expect(&user, ops[1], -EIO);
	user_expect_nothing(&user, what);
	expect_equal("how often the driver was asked", driver_asked(), asked);
	driver_do("complete");
	user_expect(&user, ops[0], -EIO);
	if (!strcmp(what, "freeze")) {
		driver_do("thaw");
		user_send(&user, ops[0]);
		user_expect(&user, ops[0], IOPOLL_ANSWER);
	} else {
		log_wait(MODULE "#", "gone after");
		user_send(&user, ops[0]);
		user_expect(&user, ops[0], -ENODEV);
	}
	user_end(&user);
}

CASE(uring_iopoll_after, .name = "uring-iopoll-after",
     .promise = "K2, K5: a polled read that is left when the device goes is in no other request's way",
     .naive = ABSENT)
{
	play_behind(read_first, "pull");
}

CASE(uring_cmd_iopoll_after, .name = "uring-cmd-iopoll-after",
     .promise = "K2, K5: nor is a polled command of io_uring", .naive = ABSENT)
{
	play_behind(cmd_first, "pull");
}

CASE(uring_iopoll_frozen, .name = "uring-iopoll-frozen",
     .promise = "K12: who polls for completions of a frozen device finds none, and no error",
     .naive = ABSENT)
{
	play_behind(read_first, "freeze");
}
