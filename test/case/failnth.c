// SPDX-License-Identifier: GPL-2.0-or-later
/* Failing everything in turn; see failnth.h */

#define _GNU_SOURCE
#include "case.h"
#include "failnth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FAULTS "/sys/kernel/debug"

/* More than any operation has; a loop without end would be a bug here. */
#define POINTS_MAX 5000

static void faults_set(const char *kind, const char *name, const char *value)
{
	char path[CARD_PATH];
	int err;

	snprintf(path, sizeof(path), FAULTS "/%s/%s", kind, name);
	err = file_write(path, value);
	if (err)
		case_fail("%s: %s", path, strerror(err));
}

/* All kinds of memory, and nothing in the log that reads like a complaint */
static int faults_open(void)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		case_end(OUTCOME_SKIP, "this kernel has no fault injection (make check-debug)");
	faults_set("failslab", "ignore-gfp-wait", "N");
	faults_set("failslab", "verbose", "0");
	faults_set("fail_page_alloc", "ignore-gfp-wait", "N");
	faults_set("fail_page_alloc", "ignore-gfp-highmem", "N");
	faults_set("fail_page_alloc", "min-order", "0");
	faults_set("fail_page_alloc", "verbose", "0");
	faults_set("fail_usercopy", "verbose", "0");
	return fd;
}

static void faults_arm(int fd, int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(fd, text, length, 0) != length)
		case_fail("fail-nth: %m");
}

/*
 * Did it fail? What is read is how many were left. If that was one, it is the copy of
 * this very answer that fails.
 */
static bool faults_hit(int fd)
{
	char text[16] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	/* This copy may be the one to fail, and then nothing is left to disarm, either. */
	if (n > 0 && strcmp(text, "0\n") && pwrite(fd, "0", 1, 0) < 0 && errno != EFAULT)
		case_fail("fail-nth: %m");
	return n > 0 && !strcmp(text, "0\n");
}

static void attempt_judge(const struct attempt *a, int n, bool hit, long result, int err)
{
	const int *allowed = a->errors;

	if (result != -1)
		return;
	if (!hit)
		case_end(OUTCOME_WRONG_ERRNO, "%s: %s, though nothing failed", a->name,
			 strerrorname_np(err));
	while (*allowed && *allowed != err)
		allowed++;
	if (!*allowed)
		case_end(OUTCOME_WRONG_ERRNO, "%s with failure %d: %s, which is not declared",
			 a->name, n, strerrorname_np(err));
}

void failnth_each(const struct attempt *a)
{
	int fd = faults_open(), n, err, failed = 0;
	bool hit = true;
	long result;

	/* From here on the log may say so: see test/vm/excuse.h. */
	log_write("failing: %s", a->name);
	for (n = 1; hit; n++) {
		if (n == POINTS_MAX)
			case_fail("%s: no end of what can fail", a->name);
		if (a->before)
			a->before();
		faults_arm(fd, n);
		result = a->run();
		err = errno;
		hit = faults_hit(fd);
		failed += result == -1;
		attempt_judge(a, n, hit, result, err);
		if (a->after)
			a->after(result);
	}
	if (n == 2)
		case_fail("%s: nothing in it can fail", a->name);
	log_write("failing: %s: %d points, %d errors", a->name, n - 2, failed);
	close(fd);
}

void failnth_need(void)
{
	close(faults_open());
}
