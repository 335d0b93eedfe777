// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel calls in a driver beside file operations: work, timers, interrupts,
 * attributes. The driver is module/callback.c; its device is pulled by unbinding it.
 *
 * For unplug-textbook, read: the same driver with work, timers and attributes of the kernel's,
 * which nobody stops.
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
#include <unistd.h>
#include "test/case/module/callback-uapi.h"

#define MODULE "unplug-callback"
#define NODE "/dev/" MODULE
#define DEVICE MODULE "#"
#define PARAMETER "/sys/module/unplug_callback/parameters/"
#define ATTRIBUTE "/sys/class/unplug/" MODULE "/"
#define UNBIND "/sys/bus/platform/drivers/" MODULE "/unbind"
#define ABSENT "absent: it has no callbacks"

static int callback_load(const char *arguments)
{
	/* A case that failed has left it. */
	if (module_loaded(MODULE))
		module_unload_soon(MODULE);
	expect_equal("errno of loading", module_load(MODULE, arguments), 0);
	return expect_works(NODE, open(NODE, O_RDWR | O_CLOEXEC));
}

static int callback_open(void)
{
	return callback_load(driver->textbook ? "textbook=1" : "");
}

static int parameter(const char *name)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), PARAMETER "%s", name);
	expect_equal(path, file_read(path, text, sizeof(text)), 0);
	return atoi(text);
}

static int times_ran(enum callback_kind kind)
{
	char text[64], *at = text;
	int i;

	expect_equal("errno of reading", file_read(PARAMETER "ran", text, sizeof(text)), 0);
	for (i = 0; i < (int)kind; i++)
		at = strchr(at, ',') + 1;
	return atoi(at);
}

static void let_go(void)
{
	expect_equal("errno of letting go", file_write(PARAMETER "let", "1"), 0);
}

static void raise_line(void)
{
	expect_equal("errno of raising", file_write(PARAMETER "raise", "1"), 0);
}

static void unbind_start(struct job *job)
{
	job_do(job, "write", UNBIND, MODULE);
}

static void unbind(void)
{
	struct job job;

	unbind_start(&job);
	expect_equal("errno of unbinding", job_wait(&job), 0);
}

/* Gone, with a descriptor open; nothing is left, and what was left would be met now. */
static void callback_end(int fd)
{
	log_wait(DEVICE, "gone after");
	if (!driver->textbook)
		expect_equal("is anything pending?", parameter("pending"), 0);
	expect_equal("errno of unloading", module_unload_soon(MODULE), 0);
	if (driver->textbook)
		log_wait("", "Oops");
	close(fd);
}

#define CASE_KIND(id, body, kind, what, text, ...)			\
	CASE_OF(id##_##kind, body, kind, .name = text "-" what,		\
		.naive = ABSENT, __VA_ARGS__)

/* A case for each of those that are queued or armed */
#define CASES_QUEUED(id, body, text, ...)				\
	CASE_KIND(id, body, CALLBACK_WORK, "work", text, __VA_ARGS__);	\
	CASE_KIND(id, body, CALLBACK_DELAYED_WORK, "delayed-work", text, __VA_ARGS__); \
	CASE_KIND(id, body, CALLBACK_TIMER, "timer", text, __VA_ARGS__);	\
	CASE_KIND(id, body, CALLBACK_HRTIMER, "hrtimer", text, __VA_ARGS__)

static void callback_runs(enum callback_kind kind)
{
	int fd = callback_open();

	expect_equal("starting it", ioctl(fd, CALLBACK_AGAIN, kind), 1);
	log_wait(MODULE, "ran 10 times");
	unbind();
	callback_end(fd);
}

/* It ran, and ran again; rmmod comes right after gone. */
CASES_QUEUED(again, callback_runs, "callback-again",
	     .promise = "K2: what starts itself again and again has ended when its device is gone",
	     .textbook = "oops");

static void callback_pending(enum callback_kind kind)
{
	int fd = callback_open();

	expect_equal("starting it", ioctl(fd, CALLBACK_PENDING, kind), 1);
	expect_equal("is anything pending?", parameter("pending"), 1);
	unbind();
	log_wait(DEVICE, "gone after");
	expect_equal("is anything pending?", parameter("pending"), 0);
	/* The work item was behind another. */
	let_go();
	expect_equal("times it ran", times_ran(kind), 0);
	callback_end(fd);
}

CASES_QUEUED(pending, callback_pending, "callback-pending",
	     .promise = "K2: what is pending when its device goes never runs, nor is waited for");

struct call {
	int fd;
	unsigned long how;
	enum callback_kind kind;
};

static long call(void *arg)
{
	struct call *call = arg;

	return ioctl(call->fd, call->how, call->kind);
}

static void callback_late(enum callback_kind kind)
{
	struct call late = { callback_open(), CALLBACK_LATE, kind };
	struct task task;

	task_start(&task, call, &late);
	log_wait(MODULE, "ioctl held");
	unbind();
	log_wait(DEVICE, "shut after");
	let_go();
	expect_equal("starting it from inside, after shut", task_wait(&task), 0);
	log_wait(DEVICE, "gone after");
	expect_equal("times it ran", times_ran(kind), 0);
	callback_end(late.fd);
}

CASES_QUEUED(late, callback_late, "callback-late",
	     .promise = "K2: who is inside starts nothing more once his device is shut");

static void callback_held(enum callback_kind kind)
{
	int fd = callback_open();

	expect_equal("starting it", ioctl(fd, CALLBACK_HOLD, kind), 1);
	log_wait(MODULE, "callback held");
	unbind();
	log_wait(DEVICE, "shut after");
	expect_equal("drained, with one inside?", log_has(DEVICE, "drained after"), 0);
	let_go();
	log_wait(DEVICE, "gone after");
	expect_equal("did it start itself again?", parameter("late"), 0);
	expect_equal("times it ran", times_ran(kind), 1);
	callback_end(fd);
}

CASE_KIND(held, callback_held, CALLBACK_WORK, "work", "callback-held",
	  .promise = "K2, K5: drained waits for a work item that runs, shut does not");
CASE_KIND(held, callback_held, CALLBACK_DELAYED_WORK, "delayed-work", "callback-held",
	  .promise = "K2, K5: drained waits for delayed work that runs, shut does not");

/* Where it is run, and only it: who is held in an interrupt holds a processor. */
static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	expect_works("sched_setaffinity", sched_setaffinity(0, sizeof(set), &set));
}

/* An idle processor's timers may be run by others. */
static bool may_idle;

static long call_busily(void *arg)
{
	long ret;

	pin(0);
	ret = call(arg);
	while (!__atomic_load_n(&may_idle, __ATOMIC_RELAXED))
		;
	return ret;
}

static void callback_spins(enum callback_kind kind)
{
	struct call hold = { callback_open(), CALLBACK_HOLD, kind };
	struct task task;

	pin(1);
	task_start(&task, call_busily, &hold);
	log_wait(MODULE, "callback held");
	unbind();
	__atomic_store_n(&may_idle, true, __ATOMIC_RELAXED);
	expect_equal("starting it", task_wait(&task), 1);
	log_wait(DEVICE, "gone after");
	expect_equal("not shut?", log_has(MODULE, "not shut while a timer runs"), 0);
	expect_equal("did it start itself again?", parameter("late"), 0);
	expect_equal("times it ran", times_ran(kind), 1);
	callback_end(hold.fd);
}

/* These stay until their device is shut. */
CASE_KIND(held, callback_spins, CALLBACK_TIMER, "timer", "callback-held",
	  .promise = "K2, K5: shut does not wait for a timer that runs, drained does");
CASE_KIND(held, callback_spins, CALLBACK_HRTIMER, "hrtimer", "callback-held",
	  .promise = "K2, K5: shut does not wait for a hrtimer that runs, drained does");

static void callback_pulls(enum callback_kind kind)
{
	int fd = callback_load(kind == CALLBACK_THREAD ? "thread=1" : "");

	expect_equal("starting it", ioctl(fd, CALLBACK_PULL, kind), 1);
	log_wait(DEVICE, "gone after");
	/* An interrupt comes again in quiesce. */
	if (kind < CALLBACK_HANDLER) {
		expect_equal("did it start itself again?", parameter("late"), 0);
		expect_equal("times it ran", times_ran(kind), 1);
	}
	callback_end(fd);
}

CASES_QUEUED(pulls, callback_pulls, "callback-pulls",
	     .promise = "K7: a callback may unplug its device, and then starts nothing more");
CASE_KIND(pulls, callback_pulls, CALLBACK_HANDLER, "handler", "callback-pulls",
	  .promise = "K7: a hard interrupt may unplug its device");
CASE_KIND(pulls, callback_pulls, CALLBACK_THREAD, "thread", "callback-pulls",
	  .promise = "K7: the thread of an interrupt may unplug its device");

/* The driver says what happens, in this order. */
CASE(irq_order, .name = "irq-order",
     .promise = "K2: quiet hardware first, then no handler runs, then ->remove goes on",
     .naive = ABSENT)
{
	int fd = callback_open();

	raise_line();
	expect_equal("answers to an interrupt", times_ran(CALLBACK_HANDLER), 1);
	expect_equal("is the line in use?", parameter("line"), 1);
	unbind();
	log_wait(MODULE, "quiesce: 0 sections, 1 answers");
	log_wait(MODULE, "remove: 0 answers");
	expect_equal("is the line in use?", parameter("line"), 0);
	callback_end(fd);
}

CASE(irq_section, .name = "irq-section",
     .promise = "K2: who waits for an interrupt in a hardware section gets it, and shut waits",
     .naive = ABSENT)
{
	struct call section = { callback_open(), CALLBACK_SECTION, 0 };
	struct task task;
	struct job job;

	task_start(&task, call, &section);
	log_wait(MODULE, "section waits");
	task_wait_asleep_deaf(&task);
	unbind_start(&job);
	job_wait_in(&job, "unplug_dev");
	expect_errno("ioctl, while it is dying", ioctl(section.fd, CALLBACK_ONCE, 0), ENODEV);
	expect_equal("quiesce, with a section?", log_has(MODULE, "quiesce"), 0);
	raise_line();
	expect_equal("the section", task_wait(&task), 0);
	expect_equal("errno of unbinding", job_wait(&job), 0);
	log_wait(MODULE, "quiesce: 0 sections, 1 answers");
	callback_end(section.fd);
}

CASE(irq_thread_held, .name = "irq-thread-held",
     .promise = "K2: shut waits for the thread of an interrupt", .naive = ABSENT)
{
	int fd = callback_load("thread=1");
	struct job job;

	expect_equal("starting it", ioctl(fd, CALLBACK_HOLD, CALLBACK_THREAD), 1);
	log_wait(MODULE, "callback held");
	unbind_start(&job);
	log_wait(MODULE, "quiesce");
	/* Asleep, in whatever free_irq() calls */
	job_wait_in(&job, "_");
	expect_equal("shut, with a thread?", log_has(DEVICE, "shut after"), 0);
	let_go();
	expect_equal("errno of unbinding", job_wait(&job), 0);
	callback_end(fd);
}

CASE(irq_probe_fails, .name = "irq-probe-fails",
     .promise = "K10: a probe that fails gives its interrupt back", .naive = ABSENT)
{
	expect_equal("errno of loading", module_load(MODULE, "fail=1"), 0);
	expect_equal("is the line in use?", parameter("line"), 0);
	raise_line();
	expect_equal("errno of unloading", module_unload_soon(MODULE), 0);
}

/* A timer may be at it still. */
static void set_frozen(const char *frozen)
{
	drain_patiently(true);
	expect_equal("errno of freezing, or thawing", file_write(PARAMETER "frozen", frozen), 0);
	drain_patiently(false);
}

static long attribute_read(const char *path)
{
	char text[32] = "";
	long n, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n;
}

CASE(attr_works, .name = "attr-works",
     .promise = "K1: attributes work, fail with ENODEV when their device goes, and are gone then",
     .naive = ABSENT)
{
	int fd = callback_open(), attr;
	char text[8];

	expect_equal("errno of writing", file_write(ATTRIBUTE "speed", "42\n"), 0);
	expect_equal("errno of nonsense", file_write(ATTRIBUTE "speed", "fast"), EINVAL);
	expect_equal("errno of reading", file_read(ATTRIBUTE "speed", text, sizeof(text)), 0);
	expect_equal("what was written", atoi(text), 42);
	expect_errno("opening one that is read-only", open(ATTRIBUTE "slow", O_WRONLY), EACCES);
	attr = expect_works("open", open(ATTRIBUTE "speed", O_RDWR | O_CLOEXEC));
	unbind();
	log_wait(DEVICE, "gone after");
	expect_errno("read, after", read(attr, text, sizeof(text)), ENODEV);
	expect_errno("write, after", write(attr, "1", 1), ENODEV);
	expect_errno("open, after", open(ATTRIBUTE "speed", O_RDWR), ENOENT);
	callback_end(fd);
	expect_errno("read, after rmmod", pread(attr, text, sizeof(text), 0), ENODEV);
	close(attr);
}

static long read_path(void *arg)
{
	return attribute_read(arg);
}

/* kernfs waits for who is in an attribute, and so would the bus. */
CASE(attr_held, .name = "attr-held",
     .promise = "K5, K8: removing an attribute does not wait for who is in it, gone does",
     .naive = ABSENT, .textbook = "hang")
{
	int fd = callback_open();
	struct task task;
	struct job job;

	task_start(&task, read_path,
		   driver->textbook ? "/sys/bus/platform/devices/" MODULE "/slow" :
				      ATTRIBUTE "slow");
	log_wait(MODULE, "attribute held");
	unbind_start(&job);
	if (driver->textbook) {
		job_wait_in(&job, "kernfs");
		case_end(OUTCOME_HANG, "the bus waits for who is in the attribute");
	}
	log_wait(DEVICE, "shut after");
	expect_equal("errno of unbinding", job_wait(&job), 0);
	expect_errno("open, after", open(ATTRIBUTE "slow", O_RDONLY), ENOENT);
	expect_equal("drained, with one inside?", log_has(DEVICE, "drained after"), 0);
	let_go();
	expect_equal("what was read", task_wait(&task), 5);
	callback_end(fd);
}

static long write_path(void *arg)
{
	return file_write(arg, "1");
}

CASE(attr_pulls, .name = "attr-pulls",
     .promise = "K7: an attribute may unplug its own device", .naive = ABSENT)
{
	int fd = callback_open();
	struct task task;

	task_start(&task, write_path, ATTRIBUTE "pull");
	log_wait(MODULE, "attribute held");
	log_wait(DEVICE, "shut after");
	node_wait(NODE, false);
	expect_equal("drained, with one inside?", log_has(DEVICE, "drained after"), 0);
	let_go();
	expect_equal("errno of writing", task_wait(&task), 0);
	callback_end(fd);
}

/*
 * What was pending is dropped, what comes meanwhile is not heard; afterwards all is as ever.
 * The interrupt is switched off, or, if others share its line, not answered.
 */
static void callback_frozen(bool shared)
{
	int fd = callback_load(shared ? "shared=1" : ""), before;

	raise_line();
	expect_equal("times the handler ran", times_ran(CALLBACK_HANDLER), 1);
	expect_equal("arming a timer", ioctl(fd, CALLBACK_PENDING, CALLBACK_TIMER), 1);
	set_frozen("1");
	/* The driver's quiesce has raised it, too. */
	before = times_ran(CALLBACK_HANDLER);
	raise_line();
	expect_equal("times the handler ran, frozen", times_ran(CALLBACK_HANDLER), before);
	expect_errno("reading an attribute, frozen", attribute_read(ATTRIBUTE "speed"), EAGAIN);
	set_frozen("0");
	log_wait(DEVICE, "thawed");
	expect_equal("is anything pending, thawed?", parameter("pending"), 0);
	expect_works("reading an attribute, thawed", attribute_read(ATTRIBUTE "speed"));
	before = times_ran(CALLBACK_HANDLER);
	raise_line();
	expect_equal("times the handler ran, thawed", times_ran(CALLBACK_HANDLER), before + 1);
	expect_equal("arming the timer, thawed", ioctl(fd, CALLBACK_ONCE, CALLBACK_TIMER), 1);
	log_wait(MODULE, "quiesce: 0 sections");
	let_go();
	set_frozen("1");
	unbind();
	callback_end(fd);
}

CASE(freeze_callbacks, .name = "freeze-callbacks",
     .promise = "K12: no handler, timer or attribute of a frozen device runs; thawed, all do; frozen again, it can be unplugged",
     .naive = ABSENT)
{
	callback_frozen(false);
}

CASE(freeze_line_shared, .name = "freeze-line-shared",
     .promise = "K12: the same, if others share its interrupt",
     .naive = ABSENT)
{
	callback_frozen(true);
}
