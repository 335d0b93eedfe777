// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who sleeps in a device that is pulled: inside an operation, and in each of the ways to
 * wait for a file. The driver is module/sleeper.c.
 *
 * For unplug-textbook, read: the same driver where nobody is woken by unplug.
 */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "test/case/module/sleeper-uapi.h"

#define NODE "/dev/unplug-sleeper"
#define PARAMETER "/sys/module/unplug_sleeper/parameters/"
#define ABSENT "absent: nobody waits in it"

static int sleeper_open(void)
{
	const char *arguments = driver->textbook ? "textbook=1" : "";

	expect_equal("errno of loading unplug-sleeper", module_load("unplug-sleeper", arguments),
		     0);
	return expect_works(NODE, open(NODE, O_RDWR | O_CLOEXEC));
}

static void sleeper_feed(const char *how)
{
	expect_equal("errno of feeding", file_write(PARAMETER "feed", how), 0);
}

/* From another process, and until gone: what is left after that must do no harm. */
static void sleeper_pull(void)
{
	module_pull(PARAMETER "pull");
	log_wait("unplug-sleeper#", "gone after");
}

/* Unloaded although @fd is open still, if it is */
static void sleeper_end(int fd)
{
	expect_equal("errno of unloading", module_unload_soon("unplug-sleeper"), 0);
	if (fd >= 0)
		close(fd);
}

static long read_byte(void *arg)
{
	char byte;

	return read(*(int *)arg, &byte, 1);
}

static void reader_start(struct task *task, int *fd, enum sleeper_way way)
{
	task_start(task, read_byte, fd);
	if (way == SLEEPER_UNINTERRUPTIBLE || way == SLEEPER_SECTION || way == SLEEPER_KILLABLE)
		task_wait_asleep_deaf(task);
	else
		task_wait_asleep(task);
}

/* It works as ever, asleep or not; and does not sleep on when the device goes. */
static void read_asleep(enum sleeper_way way)
{
	int fd = sleeper_open();
	struct task task;

	expect_works("choosing how to wait", ioctl(fd, 0, way));
	sleeper_feed("device");
	expect_equal("read of a byte that is there", read_byte(&fd), 1);
	reader_start(&task, &fd, way);
	sleeper_feed("device");
	expect_equal("read of a byte that came", task_wait(&task), 1);
	reader_start(&task, &fd, way);
	sleeper_pull();
	expect_errno("read, asleep when its device went", task_wait(&task), ENODEV);
	expect_errno("read, after", read_byte(&fd), ENODEV);
	sleeper_end(fd);
}

#define READ_ASLEEP(id, way, what, ...)						\
	CASE_OF(read_asleep_##id, read_asleep, way, .name = "read-asleep-" what,	\
		.promise = "K6: a reader asleep is woken and told when its device goes: " what, \
		.naive = ABSENT, __VA_ARGS__)

READ_ASLEEP(interruptible, SLEEPER_INTERRUPTIBLE, "interruptible", .textbook = "hang");
READ_ASLEEP(deaf, SLEEPER_UNINTERRUPTIBLE, "uninterruptible");
READ_ASLEEP(killable, SLEEPER_KILLABLE, "killable");
READ_ASLEEP(timeout, SLEEPER_TIMEOUT, "timeout");
READ_ASLEEP(locked, SLEEPER_LOCKED, "locked");
READ_ASLEEP(section, SLEEPER_SECTION, "section");
READ_ASLEEP(queue, SLEEPER_QUEUE, "queue");
READ_ASLEEP(cancel, SLEEPER_CANCEL, "cancel");

static void on_signal(int signal)
{
	(void)signal;
}

CASE(read_signalled, .name = "read-signalled",
     .promise = "K1: a signal ends a wait of the core's as any other, and nothing is lost",
     .naive = ABSENT)
{
	struct sigaction action = { .sa_handler = on_signal };
	int fd = sleeper_open();
	struct task task;

	expect_works("choosing how to wait", ioctl(fd, 0, SLEEPER_INTERRUPTIBLE));
	expect_works("sigaction", sigaction(SIGUSR1, &action, NULL));
	reader_start(&task, &fd, SLEEPER_INTERRUPTIBLE);
	expect_works("tgkill", tgkill(getpid(), task.tid, SIGUSR1));
	expect_errno("read, interrupted", task_wait(&task), EINTR);
	sleeper_feed("device");
	expect_equal("read of a byte that came later", read_byte(&fd), 1);
	sleeper_pull();
	sleeper_end(fd);
}

static long poll_file(void *arg)
{
	struct pollfd poll_fd = { .fd = *(int *)arg, .events = POLLIN };

	if (poll(&poll_fd, 1, -1) != 1)
		return -1;
	return poll_fd.revents;
}

/* It looks like an error, and like something to read, which says so. */
static long select_file(void *arg)
{
	fd_set to_read;

	FD_ZERO(&to_read);
	FD_SET(*(int *)arg, &to_read);
	return select(*(int *)arg + 1, &to_read, NULL, NULL, NULL);
}

/* The driver's heads are freed while a sleeper is still on his way out: by forced release, at gone. */
static void poll_asleep(long (*wait)(void *arg), long live, long dead)
{
	int fd = sleeper_open();
	struct task task;

	task_start(&task, wait, &fd);
	task_wait_asleep(&task);
	sleeper_feed("file");
	expect_equal("woken by a byte", task_wait(&task), live);
	expect_equal("read", read_byte(&fd), 1);
	task_start(&task, wait, &fd);
	task_wait_asleep(&task);
	sleeper_pull();
	expect_equal("woken by the end", task_wait(&task), dead);
	expect_equal("asked again", wait(&fd), dead);
	sleeper_end(fd);
}

CASE(poll_asleep, .name = "poll-asleep",
     .promise = "K1, K6: poll says HUP and ERR when its device goes", .naive = ABSENT)
{
	poll_asleep(poll_file, POLLIN, POLLHUP | POLLERR);
}

CASE(select_asleep, .name = "select-asleep",
     .promise = "K1, K6: select says that there is something to read", .naive = ABSENT)
{
	poll_asleep(select_file, 1, 1);
}

static void epoll_expect(int queue, uint32_t want)
{
	struct epoll_event event = { };

	if (epoll_wait(queue, &event, 1, case_timeout()) != 1)
		case_end(OUTCOME_HANG, "epoll says nothing");
	expect_equal("what epoll says", event.events, want);
}

static int epoll_new(int fd, uint32_t how)
{
	struct epoll_event event = { .events = EPOLLIN | how };
	int queue = expect_works("epoll_create1", epoll_create1(EPOLL_CLOEXEC));

	expect_works("epoll_ctl", epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event));
	return queue;
}

/* Queues that outlive the driver, then the file, are asked and closed in the end. */
CASE(epoll_asleep, .name = "epoll-asleep",
     .promise = "K1, K6: epoll says HUP and ERR, edge triggered or not, and outlives the device",
     .naive = ABSENT)
{
	int fd = sleeper_open(), level = epoll_new(fd, 0), edge = epoll_new(fd, EPOLLET);
	int alone = epoll_new(fd, EPOLLEXCLUSIVE), late;
	struct epoll_event event;

	sleeper_feed("file");
	epoll_expect(level, EPOLLIN);
	epoll_expect(edge, EPOLLIN);
	epoll_expect(alone, EPOLLIN);
	expect_equal("an edge is told once", epoll_wait(edge, &event, 1, 0), 0);
	expect_equal("read", read_byte(&fd), 1);
	expect_equal("level triggered, nothing there", epoll_wait(level, &event, 1, 0), 0);
	sleeper_pull();
	epoll_expect(level, EPOLLHUP | EPOLLERR);
	epoll_expect(edge, EPOLLHUP | EPOLLERR);
	epoll_expect(alone, EPOLLHUP | EPOLLERR);
	late = epoll_new(fd, EPOLLET);
	epoll_expect(late, EPOLLHUP | EPOLLERR);
	sleeper_end(-1);
	epoll_expect(level, EPOLLHUP | EPOLLERR);
	close(fd);
	expect_equal("nothing is left", epoll_wait(level, &event, 1, 0), 0);
	close(level);
	close(edge);
	close(alone);
	close(late);
}

CASE(poll_head_freed, .name = "poll-head-freed",
     .promise = "K6: a driver may free a wait queue head of its pollers', as POLLFREE says, and have another one; epoll stays",
     .naive = ABSENT)
{
	int fd = sleeper_open();
	struct pollfd look = { .fd = fd, .events = POLLIN };
	int queue = epoll_new(fd, 0);
	struct epoll_event event;
	struct task task;

	expect_equal("events before", poll(&look, 1, 0), 0);
	sleeper_feed("free");
	expect_equal("events after a head was freed", poll(&look, 1, 0), 0);
	expect_equal("epoll, after a head was freed", epoll_wait(queue, &event, 1, 0), 0);
	task_start(&task, poll_file, &fd);
	task_wait_asleep(&task);
	sleeper_feed("file");
	expect_equal("events by the next head", task_wait(&task), POLLIN);
	epoll_expect(queue, EPOLLIN);
	expect_equal("read", read_byte(&fd), 1);
	task_start(&task, poll_file, &fd);
	task_wait_asleep(&task);
	sleeper_pull();
	expect_equal("events, late", task_wait(&task), POLLHUP | POLLERR);
	epoll_expect(queue, EPOLLHUP | EPOLLERR);
	close(queue);
	sleeper_end(fd);
}

/* SIGIO has a band: POLL_IN while the device lives, POLL_HUP when it goes. */
CASE(sigio, .name = "sigio-after",
     .promise = "K6: who asked for SIGIO is told by it when the device goes", .naive = ABSENT)
{
	int fd = sleeper_open(), signals;
	struct signalfd_siginfo info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = expect_works("signalfd", signalfd(-1, &set, SFD_CLOEXEC));
	expect_works("F_SETOWN", fcntl(fd, F_SETOWN, getpid()));
	expect_works("F_SETSIG", fcntl(fd, F_SETSIG, SIGRTMIN));
	expect_works("O_ASYNC", fcntl(fd, F_SETFL, O_ASYNC));
	sleeper_feed("device");
	expect_equal("a signal", poll_in(signals, case_timeout()), 1);
	expect_equal("its size", read(signals, &info, sizeof(info)), sizeof(info));
	expect_equal("its band", info.ssi_code, POLL_IN);
	sleeper_pull();
	expect_equal("a signal", poll_in(signals, case_timeout()), 1);
	expect_equal("its size", read(signals, &info, sizeof(info)), sizeof(info));
	expect_equal("its band", info.ssi_code, POLL_HUP);
	expect_works("no more of them", fcntl(fd, F_SETFL, 0));
	expect_errno("O_ASYNC, after", fcntl(fd, F_SETFL, O_ASYNC), ENODEV);
	sleeper_end(fd);
}

/* Closed, and switched off, when the driver is not told any more, and not yet released */
CASE(sigio_closing, .name = "sigio-closing",
     .promise = "K2: no file stays in the driver's list for SIGIO after its release",
     .naive = ABSENT, .hooks = true)
{
	int fd = sleeper_open(), other = open(NODE, O_RDWR | O_CLOEXEC);
	struct job job;

	expect_works(NODE, other);
	expect_works("O_ASYNC", fcntl(fd, F_SETFL, O_ASYNC));
	expect_works("O_ASYNC", fcntl(other, F_SETFL, O_ASYNC));
	hook_stop("shut");
	job_do(&job, "write", PARAMETER "pull", "1");
	hook_wait("shut");
	expect_works("no more of them", fcntl(other, F_SETFL, 0));
	close(fd);
	hook_go("shut");
	expect_equal("errno of the pull", job_wait(&job), 0);
	log_wait("unplug-sleeper#", "gone after");
	sleeper_end(other);
}

static void uring_expect(struct io_uring *ring, const char *what, int want)
{
	struct __kernel_timespec limit = { .tv_sec = case_timeout() / 1000 };
	struct io_uring_cqe *cqe;
	int err = io_uring_wait_cqe_timeout(ring, &cqe, &limit);

	if (err)
		case_end(OUTCOME_HANG, "io_uring, %s: %s", what, strerror(-err));
	expect_equal(what, cqe->res, want);
	io_uring_cqe_seen(ring, cqe);
}

static void uring_init(struct io_uring *ring)
{
	int err = io_uring_queue_init(4, ring, 0);

	if (err)
		case_fail("io_uring_queue_init: %s", strerror(-err));
}

CASE(uring_read_asleep, .name = "uring-read-asleep",
     .promise = "K6: a read by io_uring ends with ENODEV", .naive = ABSENT)
{
	int fd = sleeper_open();
	struct io_uring ring;
	char byte;

	expect_works("choosing how to wait", ioctl(fd, 0, SLEEPER_INTERRUPTIBLE));
	uring_init(&ring);
	io_uring_prep_read(io_uring_get_sqe(&ring), fd, &byte, 1, 0);
	io_uring_submit(&ring);
	sleeper_feed("file");
	uring_expect(&ring, "read of a byte that came", 1);
	io_uring_prep_read(io_uring_get_sqe(&ring), fd, &byte, 1, 0);
	io_uring_submit(&ring);
	sleeper_pull();
	uring_expect(&ring, "read, asleep when its device went", -ENODEV);
	sleeper_end(fd);
	io_uring_queue_exit(&ring);
}

CASE(uring_poll_asleep, .name = "uring-poll-asleep",
     .promise = "K1, K6: a poll by io_uring ends with HUP and ERR, whatever heads the driver has",
     .naive = ABSENT)
{
	int fd = sleeper_open();
	struct io_uring ring;

	uring_init(&ring);
	io_uring_prep_poll_add(io_uring_get_sqe(&ring), fd, POLLIN);
	io_uring_submit(&ring);
	sleeper_feed("device");
	uring_expect(&ring, "poll, a byte came", POLLIN);
	expect_equal("read", read_byte(&fd), 1);
	io_uring_prep_poll_add(io_uring_get_sqe(&ring), fd, POLLIN);
	io_uring_submit(&ring);
	sleeper_pull();
	uring_expect(&ring, "poll, its device went", POLLHUP | POLLERR);
	sleeper_end(fd);
	io_uring_queue_exit(&ring);
}

static void aio_poll(aio_context_t context, int fd)
{
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = fd, .aio_buf = POLLIN,
	};
	struct iocb *list[] = { &iocb };

	expect_equal("io_submit", syscall(SYS_io_submit, context, 1, list), 1);
}

static void aio_expect(aio_context_t context, const char *what, long want)
{
	struct timespec limit = { .tv_sec = case_timeout() / 1000 };
	struct io_event event;

	if (syscall(SYS_io_getevents, context, 1, 1, &event, &limit) != 1)
		case_end(OUTCOME_HANG, "AIO, %s: no event", what);
	expect_equal(what, event.res, want);
}

/* AIO waits on one queue, and refuses drivers that have two. */
CASE(aio_poll_asleep, .name = "aio-poll-asleep",
     .promise = "K1, K6: a poll by AIO ends with HUP and ERR, whatever heads the driver has",
     .naive = ABSENT)
{
	aio_context_t context = 0;
	int fd = sleeper_open();

	expect_works("io_setup", syscall(SYS_io_setup, 4, &context));
	aio_poll(context, fd);
	sleeper_feed("file");
	aio_expect(context, "poll, a byte came", POLLIN);
	expect_equal("read", read_byte(&fd), 1);
	aio_poll(context, fd);
	sleeper_pull();
	aio_expect(context, "poll, its device went", POLLHUP | POLLERR);
	sleeper_end(fd);
	expect_works("io_destroy", syscall(SYS_io_destroy, context));
}
