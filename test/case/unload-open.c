// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A driver that is unloaded right after gone, under whatever other processes have of its
 * device: descriptors, mappings, and sleepers of all kinds. From then on any of its
 * code that ran would be an oops.
 */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "include/uapi/unplug/ivshmem.h"
#include "test/case/module/sleeper-uapi.h"

#define NODE "/dev/unplug-sleeper"
#define PARAMETER "/sys/module/unplug_sleeper/parameters/"
#define PAGE 4096

/*
 * A process that waits for the device in some way until that goes, and touches all it has
 * of it once the driver is away
 */
struct waiter {
	const char *name;
	void (*wait)(struct waiter *waiter);
	unsigned int how;
	bool deaf;	/* to signals, while it sleeps */
	int fd;		/* its own open file */
	int shared;	/* one that all of them have */
	int ready[2];
	int go[2];
	struct job job;
};

/* What comes next is the sleep. */
static void waiter_sleeps(struct waiter *waiter)
{
	word_tell(waiter->ready[1]);
}

static void wait_read(struct waiter *waiter)
{
	char byte;

	expect_works(waiter->name, ioctl(waiter->fd, 0, waiter->how));
	waiter_sleeps(waiter);
	expect_errno(waiter->name, read(waiter->fd, &byte, 1), ENODEV);
}

static void wait_poll(struct waiter *waiter)
{
	struct pollfd polls[] = {
		{ .fd = waiter->fd, .events = POLLIN },
		{ .fd = waiter->shared, .events = POLLIN | POLLRDHUP },
	};
	int n;

	waiter_sleeps(waiter);
	n = poll(polls, 2, -1);
	expect_equal("poll", n, 2);
	expect_equal("poll", polls[0].revents, POLLHUP | POLLERR);
	expect_equal("poll", polls[1].revents, POLLHUP | POLLERR);
}

static void wait_select(struct waiter *waiter)
{
	fd_set to_read;

	FD_ZERO(&to_read);
	FD_SET(waiter->fd, &to_read);
	waiter_sleeps(waiter);
	expect_equal("select", select(waiter->fd + 1, &to_read, NULL, NULL, NULL), 1);
}

/* The queue is left: it holds on to both files until they are closed. */
static void wait_epoll(struct waiter *waiter)
{
	struct epoll_event event = { .events = EPOLLIN | waiter->how };
	int queue = expect_works("epoll_create1", epoll_create1(EPOLL_CLOEXEC));

	expect_works("epoll_ctl", epoll_ctl(queue, EPOLL_CTL_ADD, waiter->fd, &event));
	expect_works("epoll_ctl", epoll_ctl(queue, EPOLL_CTL_ADD, waiter->shared, &event));
	waiter_sleeps(waiter);
	expect_equal("epoll_wait", epoll_wait(queue, &event, 1, -1), 1);
	expect_equal("epoll", event.events, EPOLLHUP | EPOLLERR);
}

static void wait_aio(struct waiter *waiter)
{
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = waiter->fd, .aio_buf = POLLIN,
	};
	struct iocb *list[] = { &iocb };
	aio_context_t context = 0;
	struct io_event event;

	expect_works("io_setup", syscall(SYS_io_setup, 1, &context));
	expect_equal("io_submit", syscall(SYS_io_submit, context, 1, list), 1);
	waiter_sleeps(waiter);
	expect_equal("io_getevents", syscall(SYS_io_getevents, context, 1, 1, &event, NULL), 1);
	expect_equal("AIO", event.res, POLLHUP | POLLERR);
}

enum { URING_POLL, URING_POLL_MANY, URING_READ };

static void wait_uring(struct waiter *waiter)
{
	static const int want[] = {
		POLLHUP | POLLERR, POLLHUP | POLLERR, -ENODEV,
	};
	static struct io_uring ring;	/* as long as the process */
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	static char byte;

	if (io_uring_queue_init(4, &ring, 0))
		case_fail("io_uring_queue_init: %m");
	expect_works("ioctl", ioctl(waiter->fd, 0, SLEEPER_INTERRUPTIBLE));
	sqe = io_uring_get_sqe(&ring);
	if (waiter->how == URING_READ)
		io_uring_prep_read(sqe, waiter->fd, &byte, 1, 0);
	else if (waiter->how == URING_POLL)
		io_uring_prep_poll_add(sqe, waiter->fd, POLLIN);
	else
		io_uring_prep_poll_multishot(sqe, waiter->fd, POLLIN);
	expect_equal("io_uring_submit", io_uring_submit(&ring), 1);
	waiter_sleeps(waiter);
	expect_equal("io_uring_wait_cqe", io_uring_wait_cqe(&ring, &cqe), 0);
	expect_equal(waiter->name, cqe->res, want[waiter->how]);
	io_uring_cqe_seen(&ring, cqe);
}

static void wait_signal(struct waiter *waiter)
{
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	expect_works("F_SETOWN", fcntl(waiter->fd, F_SETOWN, getpid()));
	expect_works("F_SETSIG", fcntl(waiter->fd, F_SETSIG, SIGRTMIN));
	expect_works("O_ASYNC", fcntl(waiter->fd, F_SETFL, O_ASYNC));
	waiter_sleeps(waiter);
	expect_equal("the signal", sigwaitinfo(&set, &info), SIGRTMIN);
	expect_equal("its band", info.si_code, POLL_HUP);
}

#define WAITER(text, function, ...) { .name = (text), .wait = (function), ##__VA_ARGS__ }
#define READER(text, way, ...) WAITER("read, " text, wait_read, .how = (way), ##__VA_ARGS__)

static struct waiter waiters[] = {
	WAITER("poll", wait_poll),
	WAITER("select", wait_select),
	WAITER("epoll, level", wait_epoll),
	WAITER("epoll, edge", wait_epoll, .how = EPOLLET),
	WAITER("epoll, once", wait_epoll, .how = EPOLLONESHOT),
	WAITER("AIO poll", wait_aio),
	WAITER("io_uring poll", wait_uring, .how = URING_POLL),
	WAITER("io_uring poll, for ever", wait_uring, .how = URING_POLL_MANY),
	WAITER("io_uring read", wait_uring, .how = URING_READ),
	WAITER("SIGIO", wait_signal),
	READER("interruptible", SLEEPER_INTERRUPTIBLE),
	READER("uninterruptible", SLEEPER_UNINTERRUPTIBLE, .deaf = true),
	READER("killable", SLEEPER_KILLABLE, .deaf = true),
	READER("timeout", SLEEPER_TIMEOUT),
	READER("locked", SLEEPER_LOCKED),
	READER("section", SLEEPER_SECTION, .deaf = true),
	READER("queue", SLEEPER_QUEUE),
	READER("cancel", SLEEPER_CANCEL),
};

#define WAITERS (sizeof(waiters) / sizeof(waiters[0]))

/* Every way into the driver there is, on a file whose driver is unloaded */
static void touch_all(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char byte;

	expect_errno("read", read(fd, &byte, 1), ENODEV);
	expect_errno("ioctl", ioctl(fd, 0, 0), ENODEV);
	expect_errno("mmap", mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0,
		     ENODEV);
	expect_equal("poll", poll(&poll_fd, 1, -1), 1);
	expect_equal("poll", poll_fd.revents, POLLHUP | POLLERR);
}

static int waiter_main(void *arg)
{
	struct waiter *waiter = arg;

	waiter->fd = open(NODE, O_RDWR | O_CLOEXEC);
	expect_works(NODE, waiter->fd);
	waiter->wait(waiter);
	word_hear(waiter->go[0], "the one who unloads");
	touch_all(waiter->fd);
	touch_all(waiter->shared);
	expect_works("no SIGIO any more", fcntl(waiter->fd, F_SETFL, 0));
	expect_errno("O_ASYNC", fcntl(waiter->fd, F_SETFL, O_ASYNC), ENODEV);
	expect_works("close", close(waiter->fd));
	expect_works("close", close(waiter->shared));
	return 0;
}

/* There is no event for falling asleep: look, after the last word before it. */
static void waiter_wait_asleep(struct waiter *waiter)
{
	char path[64], stat[512], *state;

	word_hear(waiter->ready[0], waiter->name);
	snprintf(path, sizeof(path), "/proc/%d/stat", waiter->job.pid);
	for (;;) {
		if (file_read(path, stat, sizeof(stat)))
			case_fail("%s: %m", path);
		state = strrchr(stat, ')') ?: stat;
		if (!strncmp(state, waiter->deaf ? ") D" : ") S", 3))
			return;
		if (!job_running(&waiter->job))
			case_fail("%s: came back, was to sleep", waiter->name);
		sched_yield();
	}
}

static void waiter_start(struct waiter *waiter, int shared)
{
	waiter->shared = shared;
	if (pipe2(waiter->ready, O_CLOEXEC) || pipe2(waiter->go, O_CLOEXEC))
		case_fail("pipe: %m");
	job_start(&waiter->job, waiter_main, waiter);
}

static bool module_listed(const char *name)
{
	char line[256];
	FILE *file = fopen("/proc/modules", "re");
	bool listed = false;

	if (!file)
		case_fail("/proc/modules: %m");
	while (fgets(line, sizeof(line), file))
		listed |= !strncmp(line, name, strlen(name)) && line[strlen(name)] == ' ';
	fclose(file);
	return listed;
}

CASE(unload_sleepers, .name = "unload-sleepers",
     .promise = "K2, K6: once gone, the driver is unloaded although others sleep on its queues, in all ways",
     .naive = "absent: nobody waits in it")
{
	size_t i;
	int fd;

	expect_equal("errno of loading unplug-sleeper", module_load("unplug-sleeper", ""), 0);
	fd = expect_works(NODE, open(NODE, O_RDWR | O_CLOEXEC));
	for (i = 0; i < WAITERS; i++)
		waiter_start(&waiters[i], fd);
	for (i = 0; i < WAITERS; i++)
		waiter_wait_asleep(&waiters[i]);
	module_pull(PARAMETER "pull");
	log_wait("unplug-sleeper#", "gone after");
	expect_equal("errno of unloading", module_unload_soon("unplug-sleeper"), 0);
	expect_equal("listed in /proc/modules", module_listed("unplug_sleeper"), false);
	for (i = 0; i < WAITERS; i++)
		word_tell(waiters[i].go[1]);
	for (i = 0; i < WAITERS; i++)
		expect_equal(waiters[i].name, job_wait(&waiters[i].job), 0);
	touch_all(fd);
	close(fd);
}

/*
 * A process with a mapping of a card: its own, or inherited
 */
struct mapper {
	struct card card;
	bool inherits;
	int fd;
	uint8_t *map;
	int ready[2];
	int go[2];
	struct job job;
};

static void mapper_map(struct mapper *mapper)
{
	uint8_t value;

	mapper->fd = card_open(&mapper->card);
	mapper->map = card_map(mapper->fd, 2 * PAGE, 0);
	touch_read(mapper->map, &value);
}

/* A page that was there, one that was not; again when others had the card since */
static void mapper_touch(struct mapper *mapper)
{
	expect_signal_bus("a page that was there", mapper->map);
	expect_signal_bus("a page that was not", mapper->map + PAGE);
}

static int mapper_main(void *arg)
{
	struct mapper *mapper = arg;
	struct ivshmem_info info;
	uint8_t value;

	if (mapper->inherits)
		touch_read(mapper->map, &value);
	else
		mapper_map(mapper);
	word_tell(mapper->ready[1]);
	word_hear(mapper->go[0], "the one who unloads");
	mapper_touch(mapper);
	expect_errno("ioctl", ioctl(mapper->fd, IVSHMEM_IOC_INFO, &info), ENODEV);
	expect_errno("mmap", mmap(NULL, PAGE, PROT_READ, MAP_SHARED, mapper->fd, 0) == MAP_FAILED ?
		     -1 : 0, ENODEV);
	word_tell(mapper->ready[1]);
	word_hear(mapper->go[0], "the one who loads");
	mapper_touch(mapper);
	expect_works("close", close(mapper->fd));
	mapper_touch(mapper);
	expect_works("munmap of a part", munmap(mapper->map, PAGE));
	expect_signal_bus("the other part", mapper->map + PAGE);
	return 0;
}

#define MAPPERS 4

static void mappers_send(struct mapper *mappers)
{
	int i;

	for (i = 0; i < MAPPERS; i++)
		word_tell(mappers[i].go[1]);
}

static void mappers_wait(struct mapper *mappers)
{
	int i;

	for (i = 0; i < MAPPERS; i++)
		word_hear(mappers[i].ready[0], "a process with a mapping");
}

CASE(unload_mapped, .name = "unload-mapped",
     .promise = "K2, K3, K9: the driver is unloaded and comes back under descriptors and mappings of other processes",
     .naive = "wrong-errno")
{
	struct mapper mappers[MAPPERS], own = { };
	int i, err;

	card_init(&own.card, 1);
	mapper_map(&own);
	for (i = 0; i < MAPPERS; i++) {
		mappers[i] = own;
		mappers[i].inherits = i % 2;
		if (pipe2(mappers[i].ready, O_CLOEXEC) || pipe2(mappers[i].go, O_CLOEXEC))
			case_fail("pipe: %m");
		job_start(&mappers[i].job, mapper_main, &mappers[i]);
	}
	mappers_wait(mappers);
	card_unplug(&own.card);
	err = driver->naive ? module_unload(driver->module) : module_unload_soon(driver->module);
	if (err)
		case_end(OUTCOME_WRONG_ERRNO, "unloading: %s", strerrorname_np(err));
	mappers_send(mappers);
	mappers_wait(mappers);
	expect_equal("errno of loading again", module_load(driver->module, ""), 0);
	card_wait(&own.card);
	card_fill(1, 0);
	mappers_send(mappers);
	for (i = 0; i < MAPPERS; i++)
		expect_equal("a process with a mapping", job_wait(&mappers[i].job), 0);
	mapper_touch(&own);
	expect_works("close", close(own.fd));
	expect_untouched(1, "current", 0);
}
