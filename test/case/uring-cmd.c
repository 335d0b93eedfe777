// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of io_uring that a driver keeps, and completes later, when its device is
 * pulled. The driver is module/uring.c.
 *
 * For unplug-textbook: the same driver, where unplug neither completes nor waits for them.
 */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include "test/case/module/uring-uapi.h"

#define NODE "/dev/unplug-uring"
#define PARAMETER "/sys/module/unplug_uring/parameters/"
#define ABSENT "absent: it has no ->uring_cmd"
#define COMMANDS 3

struct user {
	int fd;
	struct io_uring ring;
	struct job job;
	int ready[2];
};

static void user_init(struct user *user, const char *arguments)
{
	int err = module_load("unplug-uring", driver->textbook ? "textbook=1" : arguments);

	expect_equal("errno of loading unplug-uring", err, 0);
	user->fd = expect_works(NODE, open(NODE, O_RDWR | O_CLOEXEC));
	err = io_uring_queue_init(2 * COMMANDS, &user->ring, 0);
	if (err)
		case_fail("io_uring_queue_init: %s", strerror(-err));
}

static void user_send(struct user *user, unsigned int op)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&user->ring);

	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, user->fd, NULL, 0, 0);
	sqe->cmd_op = op;
	expect_equal("io_uring_submit", io_uring_submit(&user->ring), 1);
}

static void user_expect(struct user *user, const char *what, int want)
{
	struct __kernel_timespec limit = { .tv_sec = case_timeout() / 1000 };
	struct io_uring_cqe *cqe;
	int err = io_uring_wait_cqe_timeout(&user->ring, &cqe, &limit);

	if (err)
		case_end(OUTCOME_HANG, "%s: %s", what, strerror(-err));
	expect_equal(what, cqe->res, want);
	io_uring_cqe_seen(&user->ring, cqe);
}

static void user_send_all(struct user *user)
{
	struct io_uring_cqe *cqe;
	int i;

	for (i = 0; i < COMMANDS; i++)
		user_send(user, URING_LATER);
	expect_equal("a command is kept", io_uring_peek_cqe(&user->ring, &cqe), -EAGAIN);
}

static void user_complete(const char *result)
{
	expect_equal("errno of completing", file_write(PARAMETER "complete", result), 0);
}

static void user_end(struct user *user)
{
	expect_equal("errno of unloading", module_unload_soon("unplug-uring"), 0);
	user_send(user, URING_NOW);
	user_expect(user, "a command, the driver is away", -ENODEV);
	close(user->fd);
	io_uring_queue_exit(&user->ring);
}

CASE(uring_cmd_before, .name = "uring-cmd-before",
     .promise = "K2: commands of io_uring work as ever, answered at once or later", .naive = ABSENT)
{
	struct user user;
	int i;

	user_init(&user, "");
	user_send(&user, URING_NOW);
	user_expect(&user, "a command answered at once", URING_ANSWER);
	user_send(&user, 77);
	user_expect(&user, "a command it does not know", -EINVAL);
	user_send_all(&user);
	user_complete("7");
	for (i = 0; i < COMMANDS; i++)
		user_expect(&user, "a command answered later", 7);
	module_pull(PARAMETER "pull");
	log_wait("unplug-uring#", "gone after");
	user_end(&user);
}

CASE(uring_cmd_asleep, .name = "uring-cmd-asleep",
     .promise = "K6: commands of io_uring that the driver keeps end with ENODEV", .naive = ABSENT,
     .textbook = "hang")
{
	struct user user;
	int i;

	user_init(&user, "");
	user_send_all(&user);
	module_pull(PARAMETER "pull");
	for (i = 0; i < COMMANDS; i++)
		user_expect(&user, "a command, kept when the device went", -ENODEV);
	log_wait("unplug-uring#", "gone after");
	user_end(&user);
}

/* The driver has them, say its hardware: they are inside although ->uring_cmd returned. */
CASE(uring_cmd_held, .name = "uring-cmd-held",
     .promise = "K2, K8: a command of io_uring that the driver keeps holds drained, not shut",
     .naive = ABSENT)
{
	struct user user;
	int i, err;

	user_init(&user, "keep=1");
	user_send_all(&user);
	module_pull(PARAMETER "pull");
	log_wait("unplug-uring#", "3 operations still inside");
	user_send(&user, URING_NOW);
	user_expect(&user, "a command, too late", -ENODEV);
	err = module_unload("unplug-uring");
	if (err != EAGAIN && err != EBUSY)
		case_fail("unloaded with commands inside: errno %d", err);
	if (log_has("unplug-uring#", "drained after"))
		case_fail("drained was declared with commands inside");
	user_complete("-5");
	for (i = 0; i < COMMANDS; i++)
		user_expect(&user, "a command, completed late", -EIO);
	log_wait("unplug-uring#", "gone after");
	user_end(&user);
}

static int user_main(void *arg)
{
	struct user *user = arg;
	struct io_uring_cqe *cqe;

	user_init(user, "keep=1");
	user_send_all(user);
	word_tell(user->ready[1]);
	io_uring_wait_cqe(&user->ring, &cqe);
	return 1;
}

static void user_start(struct user *user)
{
	if (pipe2(user->ready, O_CLOEXEC))
		case_fail("pipe: %m");
	job_start(&user->job, user_main, user);
	word_hear(user->ready[0], "who sends commands");
}

static bool kernel_cancels(void)
{
	int major = 0, minor = 0;
	struct utsname kernel;

	if (uname(&kernel) || sscanf(kernel.release, "%d.%d", &major, &minor) != 2)
		case_fail("uname: %m");
	return major > 6 || (major == 6 && minor >= 7);
}

/*
 * Since 6.7 the kernel asks the driver to cancel what a dying task, or ring, has sent; and
 * again and again until it is done.
 */
CASE(uring_cmd_killed, .name = "uring-cmd-killed",
     .promise = "K8: killing who sent a command of io_uring ends it, in a device that is shut, too",
     .naive = ABSENT)
{
	struct user user;

	if (!kernel_cancels())
		case_end(OUTCOME_SKIP, "this kernel asks no driver to cancel a command");
	user_start(&user);
	module_pull(PARAMETER "pull");
	log_wait("unplug-uring#", "still inside");
	job_kill(&user.job);
	log_wait("unplug-uring#", "gone after");
	expect_equal("errno of unloading", module_unload_soon("unplug-uring"), 0);
}

/* Who completes does it in the user's task: when that gets to it */
CASE(uring_cmd_stopped, .name = "uring-cmd-stopped",
     .promise = "K6, K8: a stopped process with commands of io_uring holds drained, not shut; killing it ends that",
     .naive = ABSENT)
{
	struct user user;
	int status;

	user_start(&user);
	expect_works("SIGSTOP", kill(user.job.pid, SIGSTOP));
	expect_equal("stopped", waitpid(user.job.pid, &status, WUNTRACED), user.job.pid);
	module_pull(PARAMETER "pull");
	log_wait("unplug-uring#", "still inside");
	user_complete("-19");
	if (log_has("unplug-uring#", "drained after"))
		case_fail("drained was declared with commands inside");
	job_kill(&user.job);
	log_wait("unplug-uring#", "gone after");
	expect_equal("errno of unloading", module_unload_soon("unplug-uring"), 0);
}
