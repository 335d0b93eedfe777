// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hot reset: a device that is frozen, reset and thawed under its users. The driver is
 * module/freeze.c, whose hardware is a page that a reset fills anew.
 *
 * For unplug-textbook: the same driver, reset as if nobody were there.
 */

#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "test/case/module/freeze-uapi.h"

#define NODE "/dev/unplug-freeze"
#define PARAMETER "/sys/module/unplug_freeze/parameters/"
#define ABSENT "absent: nobody resets it"

static int freeze_open(void)
{
	return open(NODE, O_RDWR | O_CLOEXEC);
}

static int freeze_load(bool waits)
{
	char arguments[32];

	snprintf(arguments, sizeof(arguments), "waits=%d textbook=%d", waits, driver->textbook);
	expect_equal("errno of loading unplug-freeze", module_load("unplug-freeze", arguments), 0);
	return expect_works(NODE, freeze_open());
}

/* By another process: a shared memory map hides races. */
static int freeze_do(const char *what)
{
	struct job job;

	job_do(&job, "write", PARAMETER "do", what);
	return job_wait(&job);
}

/* Who is inside leaves, but nobody says when: not within 100 ms on a machine that is busy. */
static void freeze_must(const char *what)
{
	drain_patiently(true);
	expect_equal(what, freeze_do(what), 0);
	drain_patiently(false);
}

static int freeze_count(const char *what)
{
	char path[CARD_PATH], text[16] = "";

	snprintf(path, sizeof(path), PARAMETER "%s", what);
	expect_equal(path, file_read(path, text, sizeof(text)), 0);
	return atoi(text);
}

static void freeze_end(int fd)
{
	close(fd);
	expect_equal("errno of unloading", module_unload_soon("unplug-freeze"), 0);
}

static long read_byte(void *arg)
{
	unsigned char byte;
	long n = read(*(int *)arg, &byte, 1);

	return n == 1 ? byte : n;
}

static long open_node(void *arg)
{
	(void)arg;
	return freeze_open();
}

static void set_nonblock(int fd, bool on)
{
	expect_works("F_SETFL", fcntl(fd, F_SETFL, on ? O_NONBLOCK : 0));
}

static void *map_page(int fd)
{
	void *page = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED)
		case_fail("mmap: %m");
	return page;
}

static long generation(int fd)
{
	return expect_works("FREEZE_IOC_GENERATION", ioctl(fd, FREEZE_IOC_GENERATION));
}

static void expect_events(const char *what, int fd, int events)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	expect_works(what, poll(&p, 1, 0));
	expect_equal(what, p.revents, events);
}

CASE(freeze_refused, .name = "freeze-refused",
     .promise = "K12: while a device is frozen newcomers fail with EAGAIN; thawed, all goes on, in a new generation",
     .naive = ABSENT, .textbook = "wrong-errno")
{
	int fd = freeze_load(false);
	char state[16];
	long before = generation(fd);

	freeze_must("freeze");
	expect_errno("ioctl, frozen", ioctl(fd, FREEZE_IOC_GENERATION), EAGAIN);
	expect_errno("read, frozen", read_byte(&fd), EAGAIN);
	expect_errno("write, frozen", write(fd, "", 1), EAGAIN);
	expect_errno("open, frozen", freeze_open(), EAGAIN);
	expect_errno("mmap, frozen",
		     (long)mmap(NULL, getpagesize(), PROT_READ, MAP_SHARED, fd, 0), EAGAIN);
	expect_events("poll, frozen", fd, 0);
	expect_equal("errno of reading the state",
		     file_read("/sys/class/unplug/unplug-freeze/state", state, sizeof(state)), 0);
	expect_equal("state is frozen", strcmp(state, "frozen"), 0);
	expect_equal("errno of a second freeze", freeze_do("freeze"), 0);
	freeze_must("reset");
	freeze_must("thaw");
	expect_equal("errno of a second thaw", freeze_do("thaw"), EINVAL);
	freeze_must("feed");
	expect_equal("read, thawed", read_byte(&fd), FREEZE_AFTER);
	if (generation(fd) <= before)
		case_fail("generation %ld after %ld", generation(fd), before);
	freeze_end(fd);
}

CASE(freeze_waits, .name = "freeze-waits",
     .promise = "K12: if the driver has chosen so, read, write, ioctl and open wait for the thaw, without O_NONBLOCK",
     .naive = ABSENT)
{
	int fd = freeze_load(true), other;
	struct task reader, opener;

	freeze_must("freeze");
	set_nonblock(fd, true);
	expect_errno("read with O_NONBLOCK, frozen", read_byte(&fd), EAGAIN);
	set_nonblock(fd, false);
	task_start(&reader, read_byte, &fd);
	task_wait_asleep(&reader);
	task_start(&opener, open_node, NULL);
	task_wait_asleep(&opener);
	freeze_must("reset");
	freeze_must("thaw");
	other = expect_works("open, that has waited", task_wait(&opener));
	freeze_must("feed");
	expect_equal("read, that has waited", task_wait(&reader), FREEZE_AFTER);
	close(other);
	freeze_end(fd);
}

static void on_signal(int signal)
{
	(void)signal;
}

CASE(freeze_signalled, .name = "freeze-signalled",
     .promise = "K12: who waits for a thaw can be interrupted",
     .naive = ABSENT)
{
	struct sigaction action = { .sa_handler = on_signal };
	int fd = freeze_load(true);
	struct task reader;

	sigaction(SIGUSR1, &action, NULL);
	freeze_must("freeze");
	task_start(&reader, read_byte, &fd);
	task_wait_asleep(&reader);
	pthread_kill((pthread_t)reader.thread, SIGUSR1);
	expect_errno("read, interrupted", task_wait(&reader), EINTR);
	freeze_must("thaw");
	freeze_end(fd);
}

/* A sleeper is sent away by freeze, or it would not be drained, and begins again. */
CASE(freeze_asleep, .name = "freeze-asleep",
     .promise = "K12: who sleeps inside when the device is frozen leaves, and begins again after the thaw",
     .naive = ABSENT)
{
	int fd = freeze_load(true);
	struct task reader;

	task_start(&reader, read_byte, &fd);
	task_wait_asleep(&reader);
	freeze_must("freeze");
	freeze_must("reset");
	freeze_must("feed");
	expect_equal("the reader waits", task_running(&reader), true);
	freeze_must("thaw");
	expect_equal("read, begun before", task_wait(&reader), FREEZE_AFTER);
	freeze_end(fd);
}

CASE(freeze_asleep_refused, .name = "freeze-asleep-refused",
     .promise = "K12: who sleeps inside when the device is frozen fails with EAGAIN where newcomers do",
     .naive = ABSENT)
{
	int fd = freeze_load(false);
	struct task reader;

	task_start(&reader, read_byte, &fd);
	task_wait_asleep(&reader);
	freeze_must("freeze");
	expect_errno("read, asleep when frozen", task_wait(&reader), EAGAIN);
	freeze_must("thaw");
	freeze_end(fd);
}

CASE(freeze_map, .name = "freeze-map",
     .promise = "K12, K3: mappings of a frozen device are revoked; thawed, they show it as it is then",
     .naive = ABSENT, .textbook = "stale-map")
{
	int fd = freeze_load(false);
	volatile uint8_t *page = map_page(fd);

	expect_byte("before", page, FREEZE_BEFORE);
	freeze_must("freeze");
	expect_signal_bus("frozen", page);
	freeze_must("reset");
	expect_signal_bus("frozen, reset", page);
	freeze_must("thaw");
	expect_byte("thawed", page, FREEZE_AFTER);
	munmap((void *)page, getpagesize());
	freeze_end(fd);
}

CASE(freeze_dummy, .name = "freeze-dummy",
     .promise = "K12, K4: what was written to a dummy page while the device was frozen is not seen in it thawed, nor the dummy",
     .naive = ABSENT)
{
	int fd = freeze_load(false);
	volatile uint8_t *page = map_page(fd);

	expect_works("FREEZE_IOC_DUMMY", ioctl(fd, FREEZE_IOC_DUMMY, 1));
	expect_byte("before", page, FREEZE_BEFORE);
	freeze_must("freeze");
	expect_byte("frozen", page, 0);
	expect_equal("signal of writing", touch_write(page, 1), 0);
	expect_byte("frozen, written", page, 1);
	freeze_must("thaw");
	expect_byte("thawed", page, FREEZE_BEFORE);
	munmap((void *)page, getpagesize());
	freeze_end(fd);
}

/* The child's mapping begins while the driver cannot be entered. */
CASE(freeze_fork, .name = "freeze-fork",
     .promise = "K12: the driver is told of each mapping that begins or ends, frozen or not",
     .naive = ABSENT)
{
	int fd = freeze_load(false), status;
	void *page = map_page(fd);
	int words[2];
	pid_t child;

	expect_works("pipe", pipe(words));
	freeze_must("freeze");
	child = expect_works("fork", fork());
	if (!child) {
		word_hear(words[0], "the parent");
		_exit(0);
	}
	expect_equal("mappings, forked while frozen", freeze_count("mappings"), 2);
	freeze_must("thaw");
	word_tell(words[1]);
	expect_works("waitpid", waitpid(child, &status, 0));
	expect_equal("mappings, when the child has ended", freeze_count("mappings"), 1);
	freeze_must("freeze");
	munmap(page, getpagesize());
	expect_equal("mappings, unmapped while frozen", freeze_count("mappings"), 0);
	freeze_must("thaw");
	freeze_end(fd);
}

CASE(freeze_ended, .name = "freeze-ended",
     .promise = "K12, K9: a file that thaw has ended answers ENODEV, its mappings SIGBUS, and it was released once; who opens anew has the device",
     .naive = ABSENT)
{
	int fd = freeze_load(false), other;
	volatile uint8_t *page = map_page(fd), *fresh;

	expect_byte("before", page, FREEZE_BEFORE);
	freeze_must("freeze");
	freeze_must("reset");
	freeze_must("end");
	expect_equal("releases", freeze_count("releases"), 1);
	expect_errno("ioctl of the old file", ioctl(fd, FREEZE_IOC_GENERATION), ENODEV);
	expect_errno("read of the old file", read_byte(&fd), ENODEV);
	expect_errno("mmap of the old file",
		     (long)mmap(NULL, getpagesize(), PROT_READ, MAP_SHARED, fd, 0), ENODEV);
	expect_events("poll of the old file", fd, POLLHUP | POLLERR);
	expect_signal_bus("the old mapping", page);
	other = expect_works("open", freeze_open());
	fresh = map_page(other);
	expect_byte("the new mapping", fresh, FREEZE_AFTER);
	expect_signal_bus("the old mapping, again", page);
	freeze_must("feed");
	expect_equal("read of the new file", read_byte(&other), FREEZE_AFTER);
	munmap((void *)page, getpagesize());
	close(fd);
	expect_equal("releases, after close of the old file", freeze_count("releases"), 1);
	expect_equal("read of a fed byte, with no old file", freeze_do("feed") ?: read_byte(&other),
		     FREEZE_AFTER);
	munmap((void *)fresh, getpagesize());
	freeze_end(other);
}

CASE(freeze_ended_twice, .name = "freeze-ended-twice",
     .promise = "K12: each thaw ends those files that are open by then, released once each; older ones stay ended",
     .naive = ABSENT)
{
	int first = freeze_load(false), second;

	freeze_must("freeze");
	freeze_must("end");
	second = expect_works("open", freeze_open());
	freeze_must("freeze");
	freeze_must("end");
	expect_equal("releases", freeze_count("releases"), 2);
	expect_errno("ioctl of the first file", ioctl(first, FREEZE_IOC_GENERATION), ENODEV);
	expect_errno("ioctl of the second file", ioctl(second, FREEZE_IOC_GENERATION), ENODEV);
	close(first);
	expect_errno("ioctl of the second file, the last one that was ended",
		     ioctl(second, FREEZE_IOC_GENERATION), ENODEV);
	close(second);
	second = expect_works("open", freeze_open());
	expect_works("ioctl of a file that was not ended", ioctl(second, FREEZE_IOC_GENERATION));
	expect_equal("releases of files that were ended", freeze_count("releases"), 2);
	freeze_end(second);
}

static void poll_begin(struct pollfd *p, int fd, int *epoll)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	p->fd = fd;
	p->events = POLLIN;
	*epoll = expect_works("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
	expect_works("EPOLL_CTL_ADD", epoll_ctl(*epoll, EPOLL_CTL_ADD, fd, &event));
}

static long poll_sleep(void *arg)
{
	/* Without an end: who is not woken must not be saved by it. */
	return poll(arg, 1, -1);
}

static void epoll_expect(const char *what, int epoll, unsigned int events)
{
	struct epoll_event event = { 0 };

	expect_equal(what, epoll_wait(epoll, &event, 1, case_timeout()), 1);
	expect_equal(what, event.events, events);
}

/* Begun while it is frozen, when the driver cannot be asked, and asleep across the thaw */
CASE(freeze_poll, .name = "freeze-poll",
     .promise = "K12: poll and epoll are told nothing of a freeze, and what comes after it",
     .naive = ABSENT)
{
	int fd = freeze_load(false), epoll;
	struct epoll_event event;
	struct pollfd p;
	struct task task;

	freeze_must("freeze");
	poll_begin(&p, fd, &epoll);
	task_start(&task, poll_sleep, &p);
	task_wait_asleep(&task);
	freeze_must("thaw");
	/* Both have looked again, found nothing, and are to be woken by the driver. */
	task_wait_asleep(&task);
	expect_works("epoll_wait", epoll_wait(epoll, &event, 1, 0));
	freeze_must("feed");
	expect_equal("poll", task_wait(&task), 1);
	expect_equal("events", p.revents, POLLIN);
	epoll_expect("epoll, fed", epoll, EPOLLIN);
	expect_equal("read", read_byte(&fd), FREEZE_BEFORE);
	task_start(&task, poll_sleep, &p);
	task_wait_asleep(&task);
	freeze_must("freeze");
	freeze_must("end");
	expect_equal("poll", task_wait(&task), 1);
	expect_equal("events of a file that was ended", p.revents, POLLHUP | POLLERR);
	epoll_expect("epoll of a file that was ended", epoll, EPOLLHUP | EPOLLERR);
	close(epoll);
	freeze_end(fd);
}

struct held_write {
	int fd;
	struct hold hold;
};

static long write_held(void *arg)
{
	struct held_write *held = arg;

	return write(held->fd, held->hold.page, 1);
}

static void hold_inside(struct held_write *held, struct task *task)
{
	hold_init(&held->hold, getpagesize());
	task_start(task, write_held, held);
	hold_wait(&held->hold);
}

CASE(freeze_held, .name = "freeze-held",
     .promise = "K12: who stays inside does not hold up the freeze, but the thaw, until he has left",
     .naive = ABSENT)
{
	struct held_write held = { .fd = freeze_load(false) };
	struct task task;

	hold_inside(&held, &task);
	expect_equal("errno of the freeze", freeze_do("freeze"), EINPROGRESS);
	expect_equal("errno of the thaw", freeze_do("thaw"), EBUSY);
	expect_errno("read, still frozen", read_byte(&held.fd), EAGAIN);
	hold_go(&held.hold, 0);
	expect_equal("the insider's write", task_wait(&task), 1);
	expect_equal("errno of the freeze, again", freeze_do("freeze"), 0);
	freeze_must("thaw");
	expect_works("ioctl, thawed", ioctl(held.fd, FREEZE_IOC_GENERATION));
	freeze_end(held.fd);
}

struct unmapping {
	void *page;
	int word;
};

static int unmap_when_told(void *arg)
{
	struct unmapping *unmapping = arg;

	word_hear(unmapping->word, "the case");
	return munmap(unmapping->page, getpagesize()) ? errno : 0;
}

/*
 * The thaw waits for who is there, and is woken by the release of another file when the pull has
 * counted one of those it waits for.
 */
CASE(freeze_ended_pulled, .name = "freeze-ended-pulled", .hooks = true,
     .promise = "K12, K7: pulled while a thaw ends its files, a device releases none that the driver is being told of",
     .naive = ABSENT)
{
	int fd = freeze_load(false), other, words[2];
	struct unmapping unmapping = { .page = map_page(fd) };
	struct job unmapper, ender, puller;

	expect_works("pipe", pipe(words));
	unmapping.word = words[0];
	job_start(&unmapper, unmap_when_told, &unmapping);
	other = expect_works("open", freeze_open());	/* and nobody else has it */
	freeze_must("freeze");
	hook_stop("tell");
	word_tell(words[1]);
	hook_wait("tell");
	job_do(&ender, "write", PARAMETER "do", "end");
	job_wait_in(&ender, "unplug_file_end_all");
	job_do(&puller, "write", "/sys/kernel/debug/unplug-freeze-pull", "1");
	expect_equal("errno of the pull", job_wait(&puller), 0);
	log_wait("unplug-freeze#", "shut after");
	close(other);
	expect_equal("errno of the thaw", job_wait(&ender), ENODEV);
	expect_equal("releases: the other file's alone", freeze_count("releases"), 1);
	hook_go("tell");
	expect_equal("errno of the unmapping", job_wait(&unmapper), 0);
	log_wait("unplug-freeze#", "gone after");
	expect_equal("releases", freeze_count("releases"), 2);
	munmap(unmapping.page, getpagesize());
	freeze_end(fd);
}

CASE(freeze_pulled, .name = "freeze-pulled",
     .promise = "K12, K7: a frozen device can be unplugged, with somebody inside and somebody waiting for the thaw",
     .naive = ABSENT)
{
	struct held_write held = { .fd = freeze_load(true) };
	struct task task, reader;

	hold_inside(&held, &task);
	expect_equal("errno of the freeze", freeze_do("freeze"), EINPROGRESS);
	task_start(&reader, read_byte, &held.fd);
	task_wait_asleep(&reader);
	expect_equal("errno of the pull", freeze_do("pull"), 0);
	expect_errno("read, that has waited for the thaw", task_wait(&reader), ENODEV);
	expect_equal("errno of the thaw", freeze_do("thaw"), ENODEV);
	expect_equal("is it drained?", log_has("unplug-freeze#", "drained after"), false);
	hold_go(&held.hold, 0);
	expect_equal("the insider's write", task_wait(&task), 1);
	log_wait("unplug-freeze#", "gone after");
	expect_equal("releases", freeze_count("releases"), 1);
	freeze_end(held.fd);
}

CASE(freeze_pulled_idle, .name = "freeze-pulled-idle",
     .promise = "K12, K7: a frozen device that is drained can be unplugged",
     .naive = ABSENT)
{
	int fd = freeze_load(false);
	volatile uint8_t *page = map_page(fd);

	freeze_must("freeze");
	freeze_must("pull");
	log_wait("unplug-freeze#", "gone after");
	expect_errno("read", read_byte(&fd), ENODEV);
	expect_signal_bus("the mapping", page);
	munmap((void *)page, getpagesize());
	freeze_end(fd);
}

/* Who asks while the other is at it leaves a mark. */
static void pulled_at(const char *point, const char *what)
{
	int fd = freeze_load(false);
	struct job freezer, puller;

	if (strcmp(what, "freeze"))
		freeze_must("freeze");
	hook_stop(point);
	job_do(&freezer, "write", PARAMETER "do", what);
	hook_wait(point);
	job_do(&puller, "write", "/sys/kernel/debug/unplug-freeze-pull", "1");
	expect_equal("errno of the pull", job_wait(&puller), 0);
	hook_go(point);
	expect_equal("errno of what was pulled in the middle", job_wait(&freezer), ENODEV);
	log_wait("unplug-freeze#", "gone after");
	expect_errno("read", read_byte(&fd), ENODEV);
	freeze_end(fd);
}

CASE(freeze_pulled_freezing, .name = "freeze-pulled-freezing", .hooks = true,
     .promise = "K12, K7: unplugged while it is being frozen, a device goes when that is done",
     .naive = ABSENT)
{
	pulled_at("closed", "freeze");
}

CASE(freeze_pulled_thawing, .name = "freeze-pulled-thawing", .hooks = true,
     .promise = "K12, K7: unplugged while it is being thawed, a device goes when that is done",
     .naive = ABSENT)
{
	pulled_at("thawed", "thaw");
}

CASE(freeze_inside, .name = "freeze-inside",
     .promise = "K12, K7: to freeze a device from inside is refused",
     .naive = ABSENT)
{
	int fd = freeze_load(false);

	expect_errno("FREEZE_IOC_FREEZE", ioctl(fd, FREEZE_IOC_FREEZE), EDEADLK);
	expect_works("ioctl, after", ioctl(fd, FREEZE_IOC_GENERATION));
	freeze_end(fd);
}

/* Touches and asks until it is told to end; whatever it sees has to be one of these. */
static int user_main(void *arg)
{
	int fd = *(int *)arg;
	volatile uint8_t *page = map_page(fd);
	uint8_t byte;
	long got;

	for (;;) {
		got = ioctl(fd, FREEZE_IOC_GENERATION);
		if (got < 0 && errno == ENODEV)
			return 0;
		if (got < 0 && errno != EAGAIN)
			case_fail("ioctl: %m");
		if (touch_read(page, &byte) == 0 && byte != FREEZE_BEFORE && byte != FREEZE_AFTER)
			case_fail("byte %#x", byte);
	}
}

#define USERS 3
#define STORM 100

CASE(freeze_storm, .name = "freeze-storm",
     .promise = "K12, K2: frozen and thawed a hundred times under users, each time drained, at last pulled",
     .naive = ABSENT)
{
	int fd = freeze_load(false), i;
	struct job users[USERS];

	for (i = 0; i < USERS; i++)
		job_start(&users[i], user_main, &fd);
	for (i = 0; i < STORM; i++) {
		freeze_must("freeze");
		freeze_must("reset");
		freeze_must("thaw");
	}
	freeze_must("pull");
	for (i = 0; i < USERS; i++)
		expect_equal("a user's end", job_wait(&users[i]), 0);
	log_wait("unplug-freeze#", "gone after");
	freeze_end(fd);
}
