// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The runner: one process per case, one line per result.
 *
 *	case --list			name, build, poison, naive, textbook, hole, promise; by tabs
 *	case --driver NAME CASE…	in the guest
 *
 * It prints "case NAME" and "result NAME OUTCOME TEXT", which test/run compares
 * with what was declared; and ends early, with "stop TEXT", where a case has left
 * the guest in a state in which no other result would mean anything.
 */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "test/vm/host.h"

/* A case waits for several events; each has its own limit, this is the backstop. */
#define CASE_EVENTS 4

extern const struct case_info *const __start_cases[];
extern const struct case_info *const __stop_cases[];

const struct case_info *case_find(const char *name)
{
	const struct case_info *const *at;

	for (at = __start_cases; at < __stop_cases; at++)
		if (!strcmp((*at)->name, name))
			return *at;
	return NULL;
}

static void list_cases(void)
{
	const struct case_info *const *at;

	for (at = __start_cases; at < __stop_cases; at++)
		printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\n", (*at)->name,
		       (*at)->hooks ? "hooks" : (*at)->serial ? "serial" : "shipped",
		       (*at)->poison ? "poison" : "clear", (*at)->naive,
		       (*at)->textbook ?: "absent", (*at)->hole ?: "none",
		       (*at)->promise);
}

static void case_main(void (*run)(void))
{
	const char *error;

	setpgid(0, 0);
	error = world_restore();
	if (error)
		case_fail("before the case: %s", error);
	log_open();
	run();
	_exit(0);
}

/* There is no use in trying to kill what is deadlocked. */
static bool deadlocked(void)
{
	return case_result->claimed && case_result->outcome == OUTCOME_DEADLOCK;
}

/* Reap what a case left; false if some of it cannot be killed. */
static bool reap_group(pid_t group)
{
	int end = CASE_EVENTS * host_timeout() * 1000;
	struct timespec tick = { .tv_nsec = 100 * 1000 * 1000 };
	sigset_t child;
	int waited;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	for (waited = 0; waited < end; waited += 100) {
		kill(-group, SIGKILL);
		/* Orphans become ours: the runner is their reaper. */
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return true;
		sigtimedwait(&child, NULL, &tick);
	}
	return false;
}

static void set_result(enum outcome outcome, const char *text)
{
	case_result->claimed = 1;
	case_result->outcome = outcome;
	snprintf(case_result->text, sizeof(case_result->text), "%s", text);
}

static void judge_status(bool ended, int status, pid_t group)
{
	char text[80];

	/* Somebody had something to say, and was ended from outside before he could. */
	if (case_result->claimed && case_result->outcome == OUTCOME_PASS)
		case_result->outcome = OUTCOME_FAIL;
	if (!ended && !case_result->claimed) {
		set_result(OUTCOME_HANG, "the case did not come to its end");
	} else if (ended && !case_result->claimed && status) {
		snprintf(text, sizeof(text), "the case was ended by %s %d",
			 WIFSIGNALED(status) ? "signal" : "status",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		set_result(OUTCOME_FAIL, text);
	} else if (!case_result->claimed && kill(-group, 0) == 0) {
		set_result(OUTCOME_FAIL, "the case left a process behind");
	}
}

static void say_result(const char *name)
{
	printf("result %s %s %s\n", name, outcome_names[case_result->outcome],
	       case_result->text);
	fflush(stdout);
}

/* A control that was to hang, and has: what comes of it when it is let go is no news. */
static bool hung_as_said(void)
{
	return case_hangs && case_result->claimed && case_result->outcome == OUTCOME_HANG;
}

static bool run_one(const char *name, void (*run)(void))
{
	const char *complaint = NULL;
	bool ended, reaped, said;
	int fd, status = 0;
	pid_t pid;

	memset(case_result, 0, sizeof(*case_result));
	printf("case %s\n", name);
	log_write("case %s", name);
	log_open();

	pid = fork();
	if (!pid)
		case_main(run);
	setpgid(pid, pid);
	fd = pidfd_open(pid, 0);
	ended = poll_in(fd, CASE_EVENTS * host_timeout() * 1000) == 1;
	close(fd);
	if (ended)
		waitpid(pid, &status, 0);
	judge_status(ended, status, pid);
	said = hung_as_said();
	if (said)
		say_result(name);
	hook_go_all();
	reaped = !deadlocked() && reap_group(pid);

	if (!said)
		complaint = log_complaint();
	if (complaint)
		set_result(OUTCOME_OOPS, complaint);
	if (!said)
		say_result(name);
	if (deadlocked())
		printf("stop %s has left a deadlock behind\n", name);
	else if (!reaped)
		printf("stop processes of %s cannot be killed\n", name);
	return reaped;
}

/* Run as a case of its own at the end, where the guest is meant to stay clean. */
static void nothing_left(void)
{
	const char *error = world_unload() ?: leak_check();

	if (error)
		case_fail("%s", error);
}

static bool said_to_hang(const struct case_info *info)
{
	return (driver->naive && !strcmp(info->naive, "hang")) ||
	       (driver->textbook && !strcmp(info->textbook ?: "", "hang"));
}

static int run_cases(char **names)
{
	const struct case_info *info;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
		perror("prctl");
		return 1;
	}
	leak_forget();
	for (; *names; names++) {
		info = case_find(*names);
		if (!info) {
			fprintf(stderr, "case: no case '%s': see --list\n", *names);
			return 2;
		}
		case_hangs = said_to_hang(info);
		if (!run_one(info->name, info->run))
			return 1;
	}
	/* What the controls leave is not judged, and may be waited for in vain. */
	if (!driver->naive && !driver->textbook)
		run_one("nothing-left", nothing_left);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: case --list | case --driver unplug|naive|textbook CASE…\n");
	return 2;
}

int main(int argc, char **argv)
{
	const struct driver *d;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		list_cases();
		return 0;
	}
	if (argc == 5 && !strcmp(argv[1], "--do"))
		return do_main(argv[2], argv[3], argv[4]);
	if (argc < 4 || strcmp(argv[1], "--driver"))
		return usage();

	for (d = drivers; d->name; d++)
		if (!strcmp(d->name, argv[2]))
			driver = d;
	if (!driver)
		return usage();
	case_result = mmap(NULL, sizeof(*case_result), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (case_result == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	return run_cases(argv + 3);
}
