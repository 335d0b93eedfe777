// SPDX-License-Identifier: GPL-2.0-or-later
/* The facts that make a deadlock, looked for until they hold; see cycle.h */

#define _GNU_SOURCE
#include "cycle.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK 10		/* milliseconds between two looks: nothing tells who goes to sleep */
#define RECORD 4096

__attribute__((format(printf, 2, 3)))
static void cycle_line(struct cycle *cycle, const char *fmt, ...)
{
	va_list args;

	if (cycle->lines == CYCLE_LINES)
		abort();
	va_start(args, fmt);
	vsnprintf(cycle->line[cycle->lines++], sizeof(cycle->line[0]), fmt, args);
	va_end(args);
}

void cycle_inside(struct cycle *cycle, const char *name, const char *what, pid_t tid)
{
	cycle_line(cycle, "%s %s %d inside\n", name, what, tid);
}

void cycle_asleep(struct cycle *cycle, pid_t tid, const char *where)
{
	if (cycle->sleepers == CYCLE_SLEEPERS)
		abort();
	cycle->asleep[cycle->sleepers] = tid;
	cycle->where[cycle->sleepers++] = where;
}

void cycle_waits(struct cycle *cycle, const char *name, const char *what, pid_t tid)
{
	cycle_line(cycle, "%s %s %d waits\n", name, what, tid);
	cycle_asleep(cycle, tid, CYCLE_IN_RWSEM);
}

void cycle_unplug(struct cycle *cycle, const char *name, pid_t tid)
{
	cycle_waits(cycle, name, "unplug", tid);
	cycle_line(cycle, "%s closed\n", name);
}

/* All visits, from one moment: one read, of a file opened anew */
static void record_read(char text[RECORD])
{
	ssize_t n = -1;
	int fd;

	fd = open(TEXTBOOK_CONTROL, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, text, RECORD - 1);
	if (n < 0)
		case_fail("reading " TEXTBOOK_CONTROL ": %m");
	text[n] = '\0';
	close(fd);
}

/* Killable waits count: the kernel shows them as D, too. */
static bool sleeps_in(pid_t tid, const char *function)
{
	char path[64], stat[512], where[128];

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (file_read(path, stat, sizeof(stat)) ||
	    strncmp(strrchr(stat, ')') ?: stat, ") D", 3))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/wchan", tid);
	return !file_read(path, where, sizeof(where)) && strstr(where, function);
}

static bool cycle_holds(const struct cycle *cycle)
{
	char text[RECORD];
	int i;

	record_read(text);
	for (i = 0; i < cycle->lines; i++)
		if (!strstr(text, cycle->line[i]))
			return false;
	for (i = 0; i < cycle->sleepers; i++)
		if (!sleeps_in(cycle->asleep[i], cycle->where[i]))
			return false;
	return true;
}

/* For whoever reads the kernel's log afterwards */
static void cycle_log(const struct cycle *cycle)
{
	char path[64], where[128];
	int i;

	for (i = 0; i < cycle->lines; i++)
		log_write("textbook: %.*s", (int)strcspn(cycle->line[i], "\n"), cycle->line[i]);
	for (i = 0; i < cycle->sleepers; i++) {
		snprintf(path, sizeof(path), "/proc/%d/wchan", cycle->asleep[i]);
		file_read(path, where, sizeof(where));
		log_write("textbook: %d sleeps in %s()", cycle->asleep[i], where);
	}
}

void cycle_wait(const struct cycle *cycle, const struct job *victims)
{
	int waited;

	for (waited = 0; !cycle_holds(cycle); waited += TICK) {
		if (waited >= case_timeout())
			case_end(OUTCOME_HANG, "the parties came to no state that is known");
		if (poll_in(victims->fd, TICK) == 1)
			case_fail("the victims came back: no deadlock");
	}
	cycle_log(cycle);
}
