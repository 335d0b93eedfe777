// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Users who mean harm: they keep an operation inside as long as they like, or do not run
 * when they should. The card is shut, its slot and the others are free, who it is can be
 * seen, and an administrator has a way to end it: doc/operating.md has these.
 */

#define _GNU_SOURCE
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define TRACKING "/sys/kernel/debug/unplug/tracking"
#define SLEEPER "/dev/unplug-sleeper"
#define SLEEPER_PARAMETER "/sys/module/unplug_sleeper/parameters/"

/* A process that is inside, reading from the card to a page that another one serves */
struct holder {
	struct card card;
	const char *path;	/* of that page, if it is a file's */
	int tell[2];
	int hear[2];
	struct job job;
};

static void job_stop(struct job *job)
{
	int status;

	expect_works("SIGSTOP", kill(job->pid, SIGSTOP));
	expect_equal("who stopped", waitpid(job->pid, &status, WUNTRACED), job->pid);
	if (!WIFSTOPPED(status))
		case_fail("process %d did not stop", job->pid);
}

/* There is no event for that either. */
static void job_wait_running(struct job *job)
{
	char path[64], stat[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", job->pid);
	do {
		sched_yield();
		if (file_read(path, stat, sizeof(stat)))
			case_fail("%s: %m", path);
	} while (!strstr(stat, ") R"));
}

/* In the list of who is inside, which is looked up by stacks where nothing was switched on */
static void expect_named(const struct card *card, pid_t pid)
{
	char path[2 * CARD_PATH], line[256], who[32];
	bool named = false;
	FILE *file;

	/* The folder has the name of the log, without the colon. */
	snprintf(path, sizeof(path), "/sys/kernel/debug/unplug/%.*s/holders",
		 (int)strlen(card->id) - 1, card->id);
	snprintf(who, sizeof(who), "of process %d ", pid);
	file = fopen(path, "re");
	if (!file)
		case_fail("%s: %m", path);
	while (fgets(line, sizeof(line), file))
		named |= !!strstr(line, who);
	fclose(file);
	if (!named)
		case_fail("process %d is not in %s", pid, path);
}

/* The slot takes a fresh card, which works; and another card can be changed. */
static void check_bus(int number)
{
	struct card card;
	char byte = 1;
	int fd, i;

	card_init(&card, 2);
	card_pull(&card);
	for (i = 0; i < 2; i++) {
		card.number = i ? 2 : number;
		card_plug(&card);
		fd = card_open(&card);
		expect_equal("read of a fresh card", read(fd, &byte, 1), 1);
		expect_equal("its byte", byte, 0);
		close(fd);
	}
}

static void pull_held(struct holder *holder)
{
	card_pull(&holder->card);
	if (!driver->naive) {
		log_wait(holder->card.id, "shut after");
		log_wait(holder->card.id, "still inside");
	}
	check_bus(holder->card.number);
	if (driver->naive)
		return;
	if (log_has(holder->card.id, "drained after"))
		case_fail("drained was declared with an operation inside");
	expect_named(&holder->card, holder->job.pid);
}

static int holder_main(void *arg)
{
	struct holder *holder = arg;
	int fd = card_open(&holder->card), page = open(holder->path, O_RDONLY | O_CLOEXEC);
	uint8_t *map;

	if (page < 0)
		case_fail("open %s: %m", holder->path);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, page, 0);
	if (map == MAP_FAILED)
		case_fail("mmap of %s: %m", holder->path);
	/* Nothing is known of what it returns: the page may come, or not. */
	return read(fd, map, PAGE) == -1 && errno != EFAULT && errno != ENODEV;
}

static void hold_by_fuse(struct holder *holder, struct served *served)
{
	served_init(served);
	card_init(&holder->card, 1);
	holder->path = served->path;
	job_start(&holder->job, holder_main, holder);
	served_wait(served);
	pull_held(holder);
}

/* The kernel waits for the answer to a read that was sent: not even a kill ends that. */
static void fuse_killed(const void *unused)
{
	struct holder holder = { };
	struct served served;

	(void)unused;
	hold_by_fuse(&holder, &served);
	expect_works("kill", kill(holder.job.pid, SIGKILL));
	job_wait_in(&holder.job, "request_wait_answer");
	expect_named(&holder.card, holder.job.pid);
	job_kill(&served.server);
	served.server.pid = 0;
	job_kill(&holder.job);
	card_wait_gone(&holder.card);
	served_end(&served);
}

static void fuse_aborted(const void *unused)
{
	char path[2 * CARD_PATH];
	struct holder holder = { };
	struct served served;

	(void)unused;
	hold_by_fuse(&holder, &served);
	snprintf(path, sizeof(path), "%s/abort", served.connection);
	expect_equal("errno of aborting the connection", file_write(path, "1"), 0);
	card_wait_gone(&holder.card);
	expect_equal("who read", job_wait(&holder.job), 0);
	served_end(&served);
}

#define FUSE(id, text, what)							\
	CASE_OF(hostile_##id, id, NULL, .name = "hostile-" text,		\
		.promise = "K5, K6, K8: a read to a page of a FUSE file system: the bus is free, the reader is named; " what, \
		.naive = "hang");						\
	CASE_OF(hostile_hooks_##id, id, NULL, .name = "hostile-" text "-hooks",	\
		.promise = "K5, K6, K8: the same in the hook build",		\
		.naive = "absent: see hostile-" text, .hooks = true)

FUSE(fuse_killed, "fuse-killed", "killing him and its server ends it");
FUSE(fuse_aborted, "fuse-aborted", "aborting its connection ends it");

/* Its page is served by another process: this one, which stays alive. */
static int userfault_main(void *arg)
{
	struct holder *holder = arg;
	int fd = card_open(&holder->card);
	struct hold hold;

	hold_init(&hold, PAGE);
	if (write(holder->tell[1], &hold.uffd, sizeof(hold.uffd)) != sizeof(hold.uffd))
		return 1;
	word_hear(holder->hear[0], "who serves the page");
	return read(fd, hold.page, PAGE) == -1;
}

static void userfault_take(struct holder *holder, struct hold *hold)
{
	if (poll_in(holder->tell[0], case_timeout()) != 1 ||
	    read(holder->tell[0], &hold->uffd, sizeof(hold->uffd)) != sizeof(hold->uffd))
		case_end(OUTCOME_HANG, "no word of the holder");
	hold->uffd = pidfd_getfd(holder->job.fd, hold->uffd, 0);
	expect_works("pidfd_getfd", hold->uffd);
}

static void userfault_killed(const void *stop)
{
	struct holder holder = { };
	struct hold hold = { };

	card_init(&holder.card, 1);
	if (pipe2(holder.tell, O_CLOEXEC) || pipe2(holder.hear, O_CLOEXEC))
		case_fail("pipe: %m");
	job_start(&holder.job, userfault_main, &holder);
	userfault_take(&holder, &hold);
	word_tell(holder.hear[1]);
	hold_wait(&hold);
	if (stop) {
		expect_works("SIGSTOP", kill(holder.job.pid, SIGSTOP));
		job_wait_running(&holder.job);
	}
	pull_held(&holder);
	job_kill(&holder.job);
	card_wait_gone(&holder.card);
	close(hold.uffd);
}

CASE_OF(hostile_userfault, userfault_killed, NULL, .name = "hostile-userfault-killed",
	.promise = "K5, K6, K8: a read to a page of userfaultfd that another process serves: the bus is free, the reader is named; killing him ends it",
	.naive = "hang");
CASE_OF(hostile_hooks_userfault, userfault_killed, NULL, .name = "hostile-userfault-killed-hooks",
	.promise = "K5, K6, K8: the same in the hook build",
	.naive = "absent: see hostile-userfault-killed", .hooks = true);

/*
 * Whom a signal is waiting for that does not kill asks for the page again and again: he
 * runs, and his stack says nothing.
 */
CASE(hostile_userfault_stopped, .name = "hostile-userfault-stopped",
     .promise = "K5, K6, K8: the same of a reader who is to be stopped, and so runs: he is named if tracking is on",
     .naive = "hang")
{
	if (!driver->naive)
		expect_equal("errno of tracking", file_write(TRACKING, "1"), 0);
	userfault_killed("stop");
	if (!driver->naive)
		expect_equal("errno of tracking", file_write(TRACKING, "0"), 0);
}

/*
 * Stopped: by a tracer where he enters an operation, or by a signal in the middle of calls
 */
struct stopped {
	struct card card;
	int fd;
	uint8_t *map;
	int ready[2];
	atomic_bool *pulled;	/* shared with the job; its mapper alone */
	struct job job;
};

static void stopped_init(struct stopped *stopped, int (*run)(void *arg))
{
	card_init(&stopped->card, 1);
	stopped->fd = card_open(&stopped->card);
	stopped->map = card_map(stopped->fd, PAGE, 0);
	if (pipe2(stopped->ready, O_CLOEXEC))
		case_fail("pipe: %m");
	job_start(&stopped->job, run, stopped);
}

static int traced_main(void *arg)
{
	struct stopped *stopped = arg;
	uint8_t value;
	char byte;

	touch_read(stopped->map, &value);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	expect_errno("read, entered before the pull", syscall(SYS_read, stopped->fd, &byte, 1),
		     ENODEV);
	expect_signal_bus("the mapping", stopped->map);
	return 0;
}

/* Until it is about to read */
static void trace_to_read(pid_t pid, int fd)
{
	struct __ptrace_syscall_info info;
	int status;

	expect_equal("who stopped", waitpid(pid, &status, 0), pid);
	expect_works("PTRACE_SETOPTIONS",
		     ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD));
	for (;;) {
		expect_works("PTRACE_SYSCALL", ptrace(PTRACE_SYSCALL, pid, NULL, NULL));
		expect_equal("who stopped", waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status))
			case_fail("process %d ended, it was to be traced", pid);
		expect_works("PTRACE_GET_SYSCALL_INFO",
			     ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info));
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_read &&
		    info.entry.args[0] == (uint64_t)fd)
			return;
	}
}

CASE(hostile_traced, .name = "hostile-traced",
     .promise = "K2, K6: a caller whom a tracer stopped where he enters holds nothing, and reaches nothing",
     .naive = "wrong-errno")
{
	struct stopped stopped;

	stopped_init(&stopped, traced_main);
	trace_to_read(stopped.job.pid, stopped.fd);
	card_pull(&stopped.card);
	card_wait_gone(&stopped.card);
	check_bus(1);
	if (!driver->naive)
		expect_errno("the tracer's look at a page",
			     ptrace(PTRACE_PEEKDATA, stopped.job.pid, stopped.map, NULL), EIO);
	expect_works("PTRACE_DETACH", ptrace(PTRACE_DETACH, stopped.job.pid, NULL, NULL));
	expect_equal("who was traced", job_wait(&stopped.job), 0);
	close(stopped.fd);
}

/*
 * Calls as fast as it can, so that the signal comes anywhere. What is mapped after the
 * pull ends it in any case: naive asks a card that it has freed whether it is there.
 */
static int mapper_main(void *arg)
{
	struct stopped *stopped = arg;
	bool told = false, late;
	uint8_t value;
	void *map;

	touch_read(stopped->map, &value);
	for (;;) {
		late = atomic_load(stopped->pulled);
		map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, stopped->fd, 0);
		if (map == MAP_FAILED || touch_read(map, &value))
			break;
		if (late)
			case_end(OUTCOME_STALE_MAP, "a page mapped after the pull was read");
		munmap(map, PAGE);
		if (!told)
			word_tell(stopped->ready[1]);
		told = true;
	}
	expect_signal_bus("the mapping", stopped->map);
	return 0;
}

CASE(hostile_stopped_mapper, .name = "hostile-stopped-mapper",
     .promise = "K2, K3, K6: a stopped process that was mapping holds nothing, and reaches nothing",
     .naive = "stale-map")
{
	struct stopped stopped;

	stopped.pulled = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (stopped.pulled == MAP_FAILED)
		case_fail("mmap: %m");
	stopped_init(&stopped, mapper_main);
	word_hear(stopped.ready[0], "who maps");
	job_stop(&stopped.job);
	card_pull(&stopped.card);
	card_wait_gone(&stopped.card);
	check_bus(1);
	atomic_store(stopped.pulled, true);
	expect_works("SIGCONT", kill(stopped.job.pid, SIGCONT));
	expect_equal("who was stopped", job_wait(&stopped.job), 0);
	expect_untouched(1, "current", 0);
}

static int poller_main(void *arg)
{
	struct pollfd poll_fd = { .fd = *(int *)arg, .events = POLLIN };

	expect_equal("poll", poll(&poll_fd, 1, -1), 1);
	expect_equal("poll", poll_fd.revents, POLLHUP | POLLERR);
	return 0;
}

static int sleeper_load(void)
{
	expect_equal("errno of loading", module_load("unplug-sleeper", ""), 0);
	return expect_works(SLEEPER, open(SLEEPER, O_RDWR | O_CLOEXEC));
}

static void sleeper_unload(void)
{
	module_pull(SLEEPER_PARAMETER "pull");
	log_wait("unplug-sleeper#", "gone after");
	expect_equal("errno of unloading", module_unload_soon("unplug-sleeper"), 0);
}

CASE(hostile_stopped_poller, .name = "hostile-stopped-poller",
     .promise = "K2, K6: a stopped poller holds nothing: the driver can be unloaded, and he is told",
     .naive = "absent: nobody waits in it")
{
	int fd = sleeper_load();
	struct job job;

	job_start(&job, poller_main, &fd);
	job_wait_in(&job, "poll");
	job_stop(&job);
	sleeper_unload();
	expect_works("SIGCONT", kill(job.pid, SIGCONT));
	expect_equal("who was stopped", job_wait(&job), 0);
	close(fd);
}

struct queued {
	int fd;
	const char *path;
};

static int queued_main(void *arg)
{
	struct queued *queued = arg;
	struct pollfd polls[] = {
		{ .fd = queued->fd, .events = POLLIN },
		{ .fd = open(queued->path, O_RDONLY | O_CLOEXEC), .events = POLLPRI },
	};

	expect_works("open", polls[1].fd);
	expect_equal("poll", poll(polls, 2, -1), 1);
	expect_equal("poll", polls[0].revents, POLLHUP | POLLERR);
	return 0;
}

/* He is on the queue of the device all the time, and does not leave it when he is woken. */
CASE(hostile_queued, .name = "hostile-queued",
     .promise = "K2, K6: a poller whom another file's poll keeps on the device's queue holds nothing: the driver is unloaded meanwhile",
     .naive = "absent: nobody waits in it")
{
	struct queued queued;
	struct served served;
	struct job job;

	served_init(&served);
	queued.fd = sleeper_load();
	queued.path = served.path;
	job_start(&job, queued_main, &queued);
	served_wait(&served);
	sleeper_unload();
	if (!job_running(&job))
		case_fail("the poller was not kept");
	served_go(&served);
	expect_equal("who polls", job_wait(&job), 0);
	close(queued.fd);
	served_end(&served);
}
