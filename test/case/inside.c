// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unplugging a device from inside: of it, or of another. Without waiting that works from
 * everywhere; who would wait for his own end is told so, the device being shut all the
 * same. The driver is module/inside.c.
 */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "test/case/module/inside-uapi.h"

#define NODE "/dev/unplug-inside"
#define PARAMETER "/sys/module/unplug_inside/parameters/"
#define SAID "is inside an operation"
#define ABSENT "absent: it has no unplug of its own"
#define PAGE 4096

static int node_open(int number)
{
	char path[CARD_PATH];

	snprintf(path, sizeof(path), NODE "%d", number);
	return open(path, O_RDWR | O_CLOEXEC);
}

static void wait_gone(int number)
{
	char name[32];

	snprintf(name, sizeof(name), "unplug-inside%d#", number);
	log_wait(name, "gone after");
}

static void trigger(const char *what)
{
	expect_equal("errno of the trigger", file_write(PARAMETER "trigger", what), 0);
}

/* Ways into the driver of device 0, which @fd is open of */
static void by_open(int fd)
{
	(void)fd;
	close(node_open(0));
}

static void by_ioctl(int fd)
{
	expect_works("ioctl", ioctl(fd, INSIDE_ACT));
}

static void by_poll(int fd)
{
	poll_in(fd, 0);
}

static void by_mapping(int fd)
{
	uint8_t *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0), value;

	if (map == MAP_FAILED)
		return;
	touch_read(map, &value);
	munmap(map, PAGE);
}

static void by_close(int fd)
{
	close(fd);
}

/* A store may succeed or not: the device may have gone under it. */
static void by_attribute(int fd)
{
	(void)fd;
	file_write("/sys/class/unplug/unplug-inside0/act", "1");
}

static void by_work(int fd)
{
	(void)fd;
	trigger("work");
}

static void by_timer(int fd)
{
	(void)fd;
	trigger("timer");
}

/* Of who was pulled by others */
static void by_pull(int fd)
{
	(void)fd;
	expect_equal("errno of the pull", file_write(PARAMETER "unplug", "0"), 0);
}

static void by_param(int fd)
{
	(void)fd;
	trigger("param");
}

static void by_kthread(int fd)
{
	(void)fd;
	trigger("kthread");
}

static void by_worker(int fd)
{
	(void)fd;
	trigger("worker");
}

struct way {
	const char *where;
	void (*enter)(int fd);
	bool atomic;	/* must not wait: only async */
	bool outside;	/* may wait */
};

#define WAY(text, function, ...) { .where = (text), .enter = (function), ##__VA_ARGS__ }

static const struct way in_open = WAY("open", by_open);
static const struct way in_ioctl = WAY("ioctl", by_ioctl);
static const struct way in_poll = WAY("poll", by_poll);
static const struct way in_mmap = WAY("mmap", by_mapping);
static const struct way in_fault = WAY("fault", by_mapping);
static const struct way in_unmap = WAY("unmap", by_mapping);
static const struct way in_release = WAY("release", by_close);
static const struct way in_forced = WAY("release", by_pull);
static const struct way in_gone = WAY("gone", by_pull);
static const struct way in_work = WAY("work", by_work);
static const struct way in_timer = WAY("timer", by_timer, .atomic = true);
static const struct way in_attribute = WAY("attribute", by_attribute);
static const struct way in_param = WAY("param", by_param, .outside = true);
static const struct way in_kthread = WAY("kthread", by_kthread, .outside = true);
static const struct way in_worker = WAY("worker", by_worker, .outside = true);

static void expect_result(const struct way *way, const char *how, int target)
{
	bool async = !strcmp(how, "async"), wait = !strcmp(how, "wait");
	int want = async || way->outside ? 0 : -EDEADLK, got, touchable;
	char text[64], what[64];

	snprintf(what, sizeof(what), "unplug by %s, %s, of %d", way->where, how, target);
	if (file_read(PARAMETER "result", text, sizeof(text)) ||
	    sscanf(text, "%d %d", &got, &touchable) != 2)
		case_fail("%s: no result: '%s'", what, text);
	expect_equal(what, got, want);
	/* A caller that does not wait has no promise of that. */
	if (!async && !wait)
		expect_equal("the hardware can be touched", touchable, false);
}

/* Gone, by number; the node may last a little longer. */
static void check_away(int number)
{
	expect_equal("open", node_open(number), -1);
	if (errno != ENOENT)
		expect_errno("open", -1, ENXIO);
}

/* The other one is as it was. */
static void check_devices(int target, bool both, int fd)
{
	int other;

	check_away(target);
	if (both) {
		check_away(!target);
	} else {
		other = expect_works("open of the other node", node_open(!target));
		expect_works("ioctl on the other device", ioctl(other, INSIDE_ACT));
		close(other);
	}
	if (!target && fcntl(fd, F_GETFD) >= 0)
		expect_errno("ioctl", ioctl(fd, INSIDE_ACT), ENODEV);
}

static void unplug_by(const struct way *way, const char *how, int target)
{
	bool many = !strcmp(how, "many"), pulled = way->enter == by_pull;
	char arm[64];
	int fd;

	log_open();
	/* Who waits for gone from outside is to see it, however long the worker takes. */
	drain_patiently(true);
	expect_equal("errno of loading", module_load("unplug-inside", ""), 0);
	fd = expect_works("open", node_open(0));
	snprintf(arm, sizeof(arm), "%s %s %d", way->where, how, target);
	expect_equal("errno of arming", file_write(PARAMETER "arm", arm), 0);
	way->enter(fd);
	expect_result(way, how, target);
	wait_gone(target);
	if (many)
		wait_gone(!target);
	if (pulled)
		wait_gone(0);
	check_devices(target, many || (pulled && target), fd);
	if (log_has("unplug-inside", SAID) != (strcmp(how, "async") && !way->outside))
		case_fail("by %s, %s, of %d: the log %s '" SAID "'", way->where, how, target,
			  way->outside ? "says" : "does not say");
	close(fd);
	drain_patiently(false);
	expect_equal("errno of unloading", module_unload_soon("unplug-inside"), 0);
}

static void unplug_by_all(const void *arg)
{
	static const char *const hows[] = { "async", "sync", "many", "wait" };
	const struct way *way = arg;
	size_t i;
	int target;

	for (i = 0; i < (way->atomic ? 1 : sizeof(hows) / sizeof(hows[0])); i++)
		for (target = 0; target < 2; target++)
			unplug_by(way, hows[i], target);
}

#define INSIDE(id, text)							\
	CASE_OF(inside_##id, unplug_by_all, &in_##id, .name = "inside-" text,	\
		.promise = "K7: unplug, of this device or another, inside " text ": async works, and who would wait for himself gets EDEADLK", \
		.naive = ABSENT)

INSIDE(open, "open");
INSIDE(ioctl, "ioctl");
INSIDE(poll, "poll");
INSIDE(mmap, "mmap");
INSIDE(fault, "fault");
INSIDE(unmap, "unmap");
INSIDE(release, "release");
INSIDE(forced, "forced-release");
INSIDE(gone, "gone");
INSIDE(work, "work");
INSIDE(timer, "timer");
INSIDE(attribute, "attribute");

#define OUTSIDE(id, text)							\
	CASE_OF(outside_##id, unplug_by_all, &in_##id, .name = "outside-" text,	\
		.promise = "K7: unplug by a " text " is not taken for one from inside", \
		.naive = ABSENT)

OUTSIDE(param, "parameter");
OUTSIDE(kthread, "kthread");
OUTSIDE(worker, "worker");

static long ioctl_meet(void *arg)
{
	return ioctl(*(int *)arg, INSIDE_MEET);
}

CASE(inside_crossed, .name = "inside-crossed",
     .promise = "K7: two operations that unplug each other's device at once both return",
     .naive = ABSENT)
{
	struct task tasks[2];
	int fds[2], i;

	expect_equal("errno of loading", module_load("unplug-inside", ""), 0);
	for (i = 0; i < 2; i++)
		fds[i] = expect_works("open", node_open(i));
	for (i = 0; i < 2; i++)
		task_start(&tasks[i], ioctl_meet, &fds[i]);
	for (i = 0; i < 2; i++)
		expect_errno("unplug of the other's device", task_wait(&tasks[i]), EDEADLK);
	for (i = 0; i < 2; i++) {
		wait_gone(i);
		close(fds[i]);
	}
	expect_equal("errno of unloading", module_unload_soon("unplug-inside"), 0);
}

static long ioctl_hold(void *arg)
{
	return ioctl(*(int *)arg, INSIDE_HOLD);
}

/* Somebody is inside, but it is not the one who unplugs. */
CASE(outside_held, .name = "outside-held",
     .promise = "K5, K7: who unplugs from outside under an insider is not taken for one",
     .naive = ABSENT)
{
	struct task task;
	struct card card;
	char text[64];
	int fd;

	expect_equal("errno of loading", module_load("unplug-inside", ""), 0);
	fd = expect_works("open", node_open(0));
	task_start(&task, ioctl_hold, &fd);
	task_wait_asleep_deaf(&task);
	expect_equal("errno of arming", file_write(PARAMETER "arm", "kthread sync 0"), 0);
	trigger("kthread");
	if (file_read(PARAMETER "result", text, sizeof(text)))
		case_fail("no result");
	expect_equal("unplug by a kthread, with somebody inside", atoi(text), -EINPROGRESS);
	card_init(&card, 1);
	card_unplug(&card);
	if (log_has("", SAID))
		case_fail("the log says '" SAID "'");
	expect_equal("errno of letting go", file_write(PARAMETER "let", "1"), 0);
	expect_works("the ioctl that was held", task_wait(&task));
	wait_gone(0);
	close(fd);
	expect_equal("errno of unloading", module_unload_soon("unplug-inside"), 0);
}

#define CLOSERS 4
#define CLOSER_FILES 200

struct closer {
	int ready[2];
	int go[2];
	struct job job;
};

static int closer_main(void *arg)
{
	struct closer *closer = arg;
	int fds[CLOSER_FILES], i;

	for (i = 0; i < CLOSER_FILES; i++)
		fds[i] = expect_works("open", node_open(0));
	word_tell(closer->ready[1]);
	word_hear(closer->go[0], "who unplugs");
	for (i = 0; i < CLOSER_FILES / 2; i++)
		close(fds[i]);
	word_hear(closer->go[0], "who unplugs");
	for (; i < CLOSER_FILES; i++)
		close(fds[i]);
	return 0;
}

static long count(const char *what)
{
	char path[CARD_PATH], text[32];

	snprintf(path, sizeof(path), PARAMETER "%s", what);
	if (file_read(path, text, sizeof(text)))
		case_fail("%s: %m", path);
	return atol(text);
}

static void closers_tell(struct closer *closers)
{
	int i;

	for (i = 0; i < CLOSERS; i++)
		word_tell(closers[i].go[1]);
}

/* Half of the last closes are under way when all releases are forced, half come later. */
CASE(release_once, .name = "release-once",
     .promise = "K6: each of many files is released once, by its last close or by unplug",
     .naive = ABSENT, .hooks = true)
{
	struct closer closers[CLOSERS];
	struct job job;
	int i;

	expect_equal("errno of loading", module_load("unplug-inside", ""), 0);
	for (i = 0; i < CLOSERS; i++) {
		if (pipe2(closers[i].ready, O_CLOEXEC) || pipe2(closers[i].go, O_CLOEXEC))
			case_fail("pipe: %m");
		job_start(&closers[i].job, closer_main, &closers[i]);
	}
	for (i = 0; i < CLOSERS; i++)
		word_hear(closers[i].ready[0], "who opens");
	hook_stop("drained");
	job_do(&job, "write", PARAMETER "unplug", "0");
	hook_wait("drained");
	closers_tell(closers);
	while (!count("released"))
		sched_yield();
	hook_go("drained");
	expect_equal("errno of the pull", job_wait(&job), 0);
	wait_gone(0);
	if (count("forced") < CLOSERS * CLOSER_FILES / 2)
		case_fail("%ld releases were forced", count("forced"));
	closers_tell(closers);
	for (i = 0; i < CLOSERS; i++)
		expect_equal("who closes", job_wait(&closers[i].job), 0);
	expect_equal("opened", count("opened"), CLOSERS * CLOSER_FILES);
	expect_equal("released", count("released"), CLOSERS * CLOSER_FILES);
	expect_equal("released twice", count("twice"), 0);
	expect_equal("errno of unloading", module_unload_soon("unplug-inside"), 0);
}
