// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's log as a source of events; see case.h */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "test/vm/excuse.h"
#include "test/vm/kcsan.h"

static int log_fd = -1;
static char *log_text;		/* all lines so far, without their prefixes */
static size_t log_size;

void log_open(void)
{
	if (log_fd >= 0)
		close(log_fd);
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log_fd < 0 || lseek(log_fd, 0, SEEK_END) < 0)
		case_fail("/dev/kmsg: %m");
	log_size = 0;
}

static void log_append(const char *line, size_t n)
{
	log_text = realloc(log_text, log_size + n + 2);
	if (!log_text)
		abort();
	memcpy(log_text + log_size, line, n);
	log_size += n;
	log_text[log_size++] = '\n';
	log_text[log_size] = '\0';
}

/* Take over what has been logged by now. */
static void log_drain(void)
{
	char record[8192], *text, *end;
	ssize_t n;

	for (;;) {
		n = read(log_fd, record, sizeof(record) - 1);
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;	/* some lines were lost, or a signal came */
		if (n <= 0)
			return;
		record[n] = '\0';
		text = strchr(record, ';');
		if (!text)
			continue;
		text++;
		end = strchrnul(text, '\n');
		log_append(text, end - text);
	}
}

static bool log_search(const char *who, const char *event)
{
	const char *line = log_text, *end;
	char buffer[1024];
	size_t n;

	for (; log_size && *line; line = end + 1) {
		end = strchrnul(line, '\n');
		n = end - line < (long)sizeof(buffer) ? (size_t)(end - line) : sizeof(buffer) - 1;
		memcpy(buffer, line, n);
		buffer[n] = '\0';
		if (strstr(buffer, who) && strstr(buffer, event))
			return true;
		if (!*end)
			break;
	}
	return false;
}

bool log_has(const char *who, const char *event)
{
	log_drain();
	return log_search(who, event);
}

void log_wait(const char *who, const char *event)
{
	long end = now_ms() + case_timeout(), left;

	while (!log_has(who, event)) {
		left = end - now_ms();
		if (left <= 0)
			case_end(OUTCOME_HANG, "the kernel did not log '%s … %s'", who, event);
		poll_in(log_fd, left);
	}
}

void log_wait_complaint(void)
{
	long end = now_ms() + case_timeout(), left;

	while (!log_complaint()) {
		left = end - now_ms();
		if (left <= 0)
			case_end(OUTCOME_HANG, "the kernel does not complain");
		poll_in(log_fd, left);
	}
}

void log_write(const char *fmt, ...)
{
	char line[256];
	va_list args;
	int fd;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, line, strlen(line)) < 0)
		perror("/dev/kmsg");
	close(fd);
}

static bool log_is_complaint(const char *line)
{
	static const char *const marks[] = {
		"BUG:", "BUG kmalloc", "BUG unplug", "Oops", "WARNING:", "general protection",
		"kernel BUG at", "KASAN", "UBSAN", "blocked for more than", "detected stall", "soft lockup",
		"Kernel panic", "Trying to free", "Bad page", "corruption", "Call Trace:",
		"nobody cared",
	};
	size_t i;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strstr(line, marks[i]))
			return true;
	return false;
}

const char *log_complaint(void)
{
	static struct kcsan report;
	static char found[160];
	char *line, *end;
	enum excuse excuse;
	bool excused = false, failing = false;

	log_drain();
	memset(&report, 0, sizeof(report));
	for (line = log_text; log_size && *line; line = end + 1) {
		end = strchrnul(line, '\n');
		snprintf(found, sizeof(found), "%.*s", (int)(end - line), line);
		excuse = excuse_line(&failing, found);
		if (excuse)
			excused |= excuse == EXCUSE_STACK;
		else if (excused && !strcmp(found, "Call Trace:"))
			excused = false;
		else if (!kcsan_line(&report, found) && log_is_complaint(found))
			return found;
		if (report.ours)
			return report.first;
		if (!*end)
			break;
	}
	return NULL;
}
