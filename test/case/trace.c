// SPDX-License-Identifier: GPL-2.0-or-later
/* The tracepoints: each step of an unplug once, in order, in whatever reads them */

#define _GNU_SOURCE
#include "look.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A buffer of its own: whoever else traces does not matter. */
#define INSTANCE "/sys/kernel/tracing/instances/unplug-case"
#define EVENTS INSTANCE "/events/unplug"

#define BTF "/sys/kernel/btf/vmlinux"

#define BPF_STEP(step)								\
	"tracepoint:unplug:unplug_" step " { printf(\" unplug_" step ": %%s#%%llu us=%%lld"	\
	" inside=%%u\\n\", str(args->name), args->generation, args->us, args->inside); } "

static char trace_text[65536];

static void trace_begin(void)
{
	if (mkdir(INSTANCE, 0700) && errno != EEXIST)
		case_fail(INSTANCE ": %m");
	expect_equal("errno of clearing", file_write(INSTANCE "/trace", " "), 0);
	expect_equal("errno of enable", file_write(EVENTS "/enable", "1"), 0);
}

static void trace_read(void)
{
	size_t size = 0;
	ssize_t n;
	int fd;

	fd = expect_works("trace", open(INSTANCE "/trace", O_RDONLY | O_CLOEXEC));
	while ((n = read(fd, trace_text + size, sizeof(trace_text) - 1 - size)) > 0)
		size += n;
	trace_text[size] = '\0';
	close(fd);
}

static void trace_end(void)
{
	expect_equal("errno of enable", file_write(EVENTS "/enable", "0"), 0);
	trace_read();
	rmdir(INSTANCE);
}

#define DRAIN " what=drain "

static int trace_drains(void)
{
	const char *at = trace_text;
	int n = 0;

	trace_read();
	while ((at = strstr(at, DRAIN))) {
		at++;
		n++;
	}
	return n;
}

/* There is no event for an event: look until they are there. */
static void trace_wait_drains(int n)
{
	time_t end = time(NULL) + case_timeout() / 1000 + 1;

	while (trace_drains() < n) {
		if (time(NULL) > end)
			case_end(OUTCOME_HANG, "no %d stalls: %s", n, trace_text);
		sched_yield();
	}
}

/* The next "EVENT: CARD text" from @at on, however many blanks are in between, or NULL */
static const char *trace_next(const char *at, const char *event, const struct card *card,
			      const char *text)
{
	char name[64], want[128];
	size_t n;

	snprintf(name, sizeof(name), " %s:", event);
	n = snprintf(want, sizeof(want), "%.*s %s", (int)strlen(card->id) - 1, card->id, text);
	for (; (at = strstr(at, name)); at++)
		if (!strncmp(at + strlen(name) + strspn(at + strlen(name), " "), want, n))
			break;
	return at;
}

/* It is there exactly once: where. */
static const char *trace_once(const char *event, const struct card *card, const char *text)
{
	const char *at = trace_next(trace_text, event, card, text);

	if (!at || trace_next(at + 1, event, card, text))
		case_fail("%s of %s %s is not there once, but: %s", event, card->id, text,
			  trace_text);
	return at;
}

static long trace_us(const char *at)
{
	const char *us = at ? strstr(at, " us=") : NULL;
	long value;

	if (!us || sscanf(us, " us=%ld", &value) != 1)
		case_fail("no time in: %.80s", at ?: "nothing");
	return value;
}

/* In this order, with rising times */
static void trace_in_order(const struct card *card, unsigned int inside)
{
	static const char *const steps[] = {
		"unplug_revoked", "unplug_shut", "unplug_drained", "unplug_gone",
	};
	const char *at, *last = trace_text;
	char want[32];
	long us = 0;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		at = trace_once(steps[i], card, "us=");
		if (at < last || trace_us(at) < us)
			case_fail("%s comes too early: %s", steps[i], trace_text);
		snprintf(want, sizeof(want), " inside=%u\n", i < 2 ? inside : 0);
		if (strncmp(strstr(at, " inside="), want, strlen(want)))
			case_fail("%s does not say%s: %s", steps[i], want, trace_text);
		last = at;
		us = trace_us(at);
	}
}

CASE(trace_steps, .name = "trace-steps",
     .promise = "K8: each step of an unplug is traced once, in order, and who came too late",
     .naive = "absent: it has no tracepoints")
{
	struct card card, fresh;
	struct inside inside;
	char byte;
	int fd;

	card_init(&card, 1);
	card_init(&fresh, 1);
	fd = card_open(&card);
	inside_begin(&inside, &op_write, &card);
	look_stall(0);
	trace_begin();
	card_unbind(&card);
	expect_errno("read", read(fd, &byte, 1), ENODEV);
	inside_end(&inside);
	card_wait_gone(&card);
	close(fd);
	card_bind(&fresh);
	trace_end();
	look_stall(10000);

	trace_in_order(&card, 1);
	trace_once("unplug_refused", &card, "op=read\n");
	if (strstr(trace_text, "op=flush"))
		case_fail("close was not refused: %s", trace_text);
	trace_once("unplug_registered", &fresh, "minor=");
	if (strstr(trace_text, "unplug_stall:"))
		case_fail("nothing was to take long: %s", trace_text);
}

#define STALL 10		/* ms */
#define STALLS 7

/* The last of them */
static const char *trace_last_drain(void)
{
	const char *at, *last = NULL;

	for (at = trace_text; (at = strstr(at, DRAIN)); at++)
		last = at;
	return last;
}

CASE(trace_slow, .name = "trace-slow",
     .promise = "K8: an unplug that takes long is traced, at growing distances",
     .naive = "absent: it has no tracepoints")
{
	struct inside inside;
	struct card card;

	card_init(&card, 1);
	inside_begin(&inside, &op_write, &card);
	look_stall(STALL);
	trace_begin();
	card_unbind(&card);
	trace_wait_drains(STALLS);
	inside_end(&inside);
	card_wait_gone(&card);
	trace_end();
	look_stall(10000);

	if (strncmp(strstr(strstr(trace_text, DRAIN), " inside="), " inside=1\n", 10))
		case_fail("not one is inside: %s", trace_text);
	/*
	 * After 10 ms, 20 more, 40 more, …: the seventh after 1.27 s. Each may be late by any time, so
	 * no two are compared; early it is by what the kernel's tick is behind, which is little to
	 * this. At equal distances it would come after 0.07 s.
	 */
	if (trace_us(trace_last_drain()) < 4 * STALLS * STALL * 1000)
		case_fail("the distances do not grow: %s", trace_text);
}

/*
 * A program of Debian's that traces while it runs the command that unplugs card 1, which waits
 * for gone: what it prints has all steps in order.
 */
static void traced_by(const char *program, const char *fmt)
{
	char command[1024], unbind[256];
	struct card card;
	FILE *out;

	if (access(program, X_OK))
		case_end(OUTCOME_SKIP, "%s is not installed", program);
	card_init(&card, 1);
	drain_patiently(true);
	snprintf(unbind, sizeof(unbind), "/usr/bin/tee /sys/bus/pci/drivers/%s/unbind",
		 driver->pci);
	snprintf(command, sizeof(command), fmt, card.address, unbind);
	out = popen(command, "re");
	if (!out)
		case_fail("%s: %m", program);
	trace_text[fread(trace_text, 1, sizeof(trace_text) - 1, out)] = '\0';
	pclose(out);
	drain_patiently(false);
	card_wait_gone(&card);
	trace_in_order(&card, 0);
}

CASE(trace_cmd, .name = "trace-cmd",
     .promise = "K8: the steps of an unplug can be recorded by trace-cmd",
     .naive = "absent: it has no tracepoints")
{
	traced_by("/usr/bin/trace-cmd",
		  "cd /tmp; echo %s | trace-cmd record -q -e unplug %s >/dev/null;"
		  " trace-cmd report; rm trace.dat");
}

CASE(trace_bpftrace, .name = "trace-bpftrace",
     .promise = "K8: the steps of an unplug can be seen by bpftrace",
     .naive = "absent: it has no tracepoints")
{
	if (access(BTF, F_OK))
		case_end(OUTCOME_SKIP, "this kernel does not have " BTF ", which tells types");
	traced_by("/usr/bin/bpftrace",
		  "echo %s | bpftrace -c '%s' -e '" BPF_STEP("revoked") BPF_STEP("shut")
		  BPF_STEP("drained") BPF_STEP("gone") "'");
}
