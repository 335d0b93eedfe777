// SPDX-License-Identifier: GPL-2.0-or-later
/* unplug-null: what the ivshmem card has no operation for */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

#define NODE "/dev/unplug-null0"
#define DEAD (POLLHUP | POLLERR)
#define PARAMETER "/sys/module/unplug_null/parameters/"
#define ABSENT "absent: unplug-null has no naive twin"

static void null_load(const char *arguments)
{
	int err = module_load("unplug-null", arguments);

	if (err)
		case_fail("loading unplug-null %s: %s", arguments, strerror(err));
}

static void null_unload(void)
{
	int err = module_unload_soon("unplug-null");

	if (err)
		case_fail("unloading unplug-null: %s", strerror(err));
}

static void null_unplug_start(struct job *job)
{
	job_do(job, "write", "/sys/bus/platform/drivers/unplug-null/unbind", "unplug-null.0");
}

static void null_unplug(void)
{
	struct job job;
	int err;

	null_unplug_start(&job);
	err = job_wait(&job);
	if (err)
		case_fail("unbinding unplug-null.0: %s", strerror(err));
	log_wait("unplug-null0#", "gone after");
}

static int null_open(void)
{
	return expect_works("open " NODE, open(NODE, O_RDWR | O_CLOEXEC));
}

/* The cards have a poll that is always ready; that of unplug-null never is for input. */
CASE(poll_before, .name = "poll-before", .promise = "K1: poll is as ever on a live card",
     .naive = "passes: nothing was pulled")
{
	struct pollfd p = { .events = POLLIN | POLLOUT };
	struct card card;

	card_init(&card, 1);
	p.fd = card_open(&card);
	expect_equal("poll", poll(&p, 1, 0), 1);
	expect_equal("events", p.revents, POLLIN | POLLOUT);
	close(p.fd);
}

CASE(poll_after, .name = "poll-after",
     .promise = "K1: poll of an old file says hang-up and error", .naive = "wrong-errno")
{
	struct pollfd p = { .events = POLLIN | POLLOUT };
	struct card card;

	card_init(&card, 1);
	p.fd = card_open(&card);
	card_unplug(&card);
	expect_equal("poll", poll(&p, 1, 0), 1);
	expect_equal("hang-up and error", p.revents & DEAD, DEAD);
	close(p.fd);
}

CASE(poll_null_after, .name = "poll-null-after",
     .promise = "K1: poll of an old file of unplug-null says hang-up and error", .naive = ABSENT)
{
	struct pollfd p = { .events = POLLIN | POLLOUT };

	null_load("");
	p.fd = null_open();
	expect_equal("poll, live", poll(&p, 1, 0), 1);
	expect_equal("events, live", p.revents, POLLOUT);
	null_unplug();
	expect_equal("poll", poll(&p, 1, 0), 1);
	expect_equal("events", p.revents & DEAD, DEAD);
	close(p.fd);
	null_unload();
}

static long sleeper_poll(void *arg)
{
	struct pollfd *p = arg;

	return poll(p, 1, -1);
}

static long sleeper_select(void *arg)
{
	struct pollfd *p = arg;
	fd_set read_set;

	FD_ZERO(&read_set);
	FD_SET(p->fd, &read_set);
	return select(p->fd + 1, &read_set, NULL, NULL, NULL);
}

static long sleeper_epoll(void *arg)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct pollfd *p = arg;
	int fd = epoll_create1(EPOLL_CLOEXEC), n;

	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, p->fd, &event))
		return -1;
	n = epoll_wait(fd, &event, 1, -1);
	p->revents = event.events;
	close(fd);
	return n;
}

static long sleeper_epoll_edge(void *arg)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct pollfd *p = arg;
	int fd = epoll_create1(EPOLL_CLOEXEC), n;

	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, p->fd, &event))
		return -1;
	n = epoll_wait(fd, &event, 1, -1);
	p->revents = event.events;
	close(fd);
	return n;
}

struct sleeper {
	long (*run)(void *arg);
	bool has_events;
};

static const struct sleeper in_poll = { sleeper_poll, true };
static const struct sleeper in_select = { sleeper_select, false };
static const struct sleeper in_epoll = { sleeper_epoll, true };
static const struct sleeper in_epoll_edge = { sleeper_epoll_edge, true };

static void woken(const struct sleeper *sleeper)
{
	struct pollfd p = { .events = POLLIN };
	struct task task;

	null_load("");
	p.fd = null_open();
	task_start(&task, sleeper->run, &p);
	task_wait_asleep(&task);
	null_unplug();
	expect_equal("the sleeper's result", task_wait(&task), 1);
	if (sleeper->has_events)
		expect_equal("events", p.revents & DEAD, DEAD);
	close(p.fd);
	null_unload();
}

#define WOKEN(id, text)								\
	CASE_OF(id##_during, woken, &in_##id, .name = text "-during",		\
		.promise = "K6: a sleeper in " text " is woken by unplug",	\
		.naive = ABSENT)

WOKEN(poll, "poll");
WOKEN(select, "select");
WOKEN(epoll, "epoll");
WOKEN(epoll_edge, "epoll-edge");

static int parameter(const char *path)
{
	char text[32];

	if (file_read(path, text, sizeof(text)))
		case_fail("%s: %m", path);
	return atoi(text);
}

#define FILES 64

CASE(release_after, .name = "release-after",
     .promise = "K6: each of 64 open files is released once, by unplug, not by its close",
     .naive = ABSENT)
{
	int fd[FILES], i;

	null_load("");
	for (i = 0; i < FILES; i++)
		fd[i] = null_open();
	expect_equal("opened", parameter(PARAMETER "opened"), FILES);
	expect_equal("released before", parameter(PARAMETER "released"), 0);
	null_unplug();
	expect_equal("released by unplug", parameter(PARAMETER "released"), FILES);
	for (i = 0; i < FILES; i++)
		expect_works("close", close(fd[i]));
	expect_equal("released after the closes", parameter(PARAMETER "released"), FILES);
	null_unload();
}

struct closer {
	int fd[FILES];
	int start[2];
};

static int closer_main(void *arg)
{
	struct closer *closer = arg;
	char byte;
	int i;

	close(closer->start[1]);
	if (read(closer->start[0], &byte, 1) < 0)
		return 1;
	for (i = 0; i < FILES; i++)
		expect_works("close", close(closer->fd[i]));
	return 0;
}

CASE(release_during, .name = "release-during",
     .promise = "K7: each of 64 files closed while unplug runs is released once",
     .naive = ABSENT)
{
	struct closer closer;
	struct job closing, unbind;
	int i;

	null_load("");
	for (i = 0; i < FILES; i++)
		closer.fd[i] = null_open();
	if (pipe(closer.start))
		case_fail("pipe: %m");
	job_start(&closing, closer_main, &closer);
	for (i = 0; i < FILES; i++)
		close(closer.fd[i]);
	null_unplug_start(&unbind);
	close(closer.start[1]);
	if (job_wait(&unbind))
		case_fail("unbinding unplug-null.0 failed");
	job_wait(&closing);
	log_wait("unplug-null0#", "gone after");
	expect_equal("opened", parameter(PARAMETER "opened"), FILES);
	expect_equal("released", parameter(PARAMETER "released"), FILES);
	null_unload();
}

#define FILES_MANY 20000

/* Each close and each release is to find its file without a walk past the others. */
CASE(files_many, .name = "files-many",
     .promise = "K6: 20000 open files of one device are released, each one once",
     .naive = ABSENT)
{
	struct rlimit limit = { FILES_MANY + 100, FILES_MANY + 100 };
	int *fd = calloc(FILES_MANY, sizeof(*fd)), i;

	if (!fd || setrlimit(RLIMIT_NOFILE, &limit))
		case_fail("RLIMIT_NOFILE: %m");
	null_load("");
	for (i = 0; i < FILES_MANY; i++)
		fd[i] = null_open();
	null_unplug();
	expect_equal("released by unplug", parameter(PARAMETER "released"), FILES_MANY);
	for (i = 0; i < FILES_MANY; i++)
		expect_works("close", close(fd[i]));
	expect_equal("opened", parameter(PARAMETER "opened"), FILES_MANY);
	expect_equal("released", parameter(PARAMETER "released"), FILES_MANY);
	null_unload();
	free(fd);
}

CASE(map_fixed_none, .name = "map-fixed-none",
     .promise = "bad input: mapping what has no ->mmap fails, and spares what was there",
     .naive = ABSENT)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t value = 0;
	void *map;
	int fd;

	if (page == MAP_FAILED)
		case_fail("mmap: %m");
	page[0] = 0x42;
	null_load("");
	fd = null_open();
	map = mmap(page, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
	expect_errno("mmap", map == MAP_FAILED ? -1 : 0, ENODEV);
	expect_equal("touching the page that was there raised signal", touch_read(page, &value),
		     0);
	expect_equal("its byte", value, 0x42);
	close(fd);
	null_unload();
}

CASE(null_parameter, .name = "null-parameter",
     .promise = "bad input: unplug-null refuses a number of devices it cannot make",
     .naive = ABSENT)
{
	expect_equal("devices=0, errno", module_load("unplug-null", "devices=0"), EINVAL);
	log_wait("unplug-null: devices=0", "must be");
	expect_equal("devices=65, errno", module_load("unplug-null", "devices=65"), EINVAL);
	null_load("devices=64");
	null_unload();
}
