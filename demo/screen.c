// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "demo/check.h"
#include "demo/screen.h"
#include "demo/second.h"
#include "demo/summary.h"

#define SCREEN_CELL 80		/* cut when printed */
#define SCREEN_NUMBER "%" JSON_INTEGER_FORMAT

typedef void screen_cell(json_t *side, const char *what, char text[SCREEN_CELL]);

/* What does not fit is left out by whole items of a list: "a, b ..". */
static const char *screen_fit(const char *text, size_t width, char fit[SCREEN_CELL])
{
	char *comma;

	snprintf(fit, SCREEN_CELL, "%s", text);
	while (strlen(fit) > width) {
		fit[width - strlen(" ..") + 1] = 0;
		comma = strrchr(fit, ',');
		if (!comma)
			break;
		strcpy(comma, " ..");
	}
	return fit;
}

void screen_row(const char *label, bool good, const char *ours, const char *naive)
{
	char left[SCREEN_CELL], right[SCREEN_CELL];

	printf("  %-33s%c%-17s %s\n", label, good ? ' ' : '!', screen_fit(ours, 17, left),
	       screen_fit(naive, 26, right));
}

static void screen_both(json_t *report, const char *label, bool good,
			screen_cell *cell, const char *what)
{
	char ours[SCREEN_CELL], naive[SCREEN_CELL];

	cell(json_object_get(report, "ours"), what, ours);
	cell(json_object_get(report, "naive"), what, naive);
	screen_row(label, good, ours, naive);
}

/* Did the check of that name pass? */
static bool screen_good(json_t *report, const char *name)
{
	json_t *check;
	size_t i;

	json_array_foreach(json_object_get(report, "checks"), i, check)
		if (!strcmp(json_string_value(json_object_get(check, "name")), name))
			return json_is_true(json_object_get(check, "pass"));
	return false;
}

static json_t *screen_summary(json_t *side)
{
	return json_object_get(side, "summary");
}

/* "ok" of an operation on something that is gone should not look like good news. */
static void screen_results(json_t *side, const char *what, char text[SCREEN_CELL])
{
	char results[SCREEN_CELL / 2];
	bool end = !strcmp(what, "close") || !strcmp(what, "munmap");

	summary_results(screen_summary(side), what, results, sizeof(results));
	if (!end && !strncmp(results, "ok", 2))
		snprintf(text, SCREEN_CELL, "%s%s", results[2] ? "works" : "still works",
			 results + 2);
	else
		snprintf(text, SCREEN_CELL, "%s", results);
}

static void screen_count(char text[SCREEN_CELL], json_int_t count)
{
	if (count)
		snprintf(text, SCREEN_CELL, SCREEN_NUMBER, count);
	else
		snprintf(text, SCREEN_CELL, "none");
}

static void screen_count_in(char text[SCREEN_CELL], json_int_t count, json_int_t rounds)
{
	if (count)
		snprintf(text, SCREEN_CELL, SCREEN_NUMBER " in " SCREEN_NUMBER " rounds",
			 count, rounds);
	else
		snprintf(text, SCREEN_CELL, "none in " SCREEN_NUMBER " rounds", rounds);
}

static void screen_rounds(json_t *side, const char *what, char text[SCREEN_CELL])
{
	(void)what;
	snprintf(text, SCREEN_CELL, SCREEN_NUMBER " of " SCREEN_NUMBER,
		 summary_number(screen_summary(side), "rounds", NULL),
		 summary_number(side, "scene", "planned"));
}

static void screen_fill(json_t *side, const char *what, char text[SCREEN_CELL])
{
	json_t *summary = screen_summary(side);

	screen_count_in(text, summary_number(summary, "fill", what),
			summary_number(summary, "fill", "measured"));
}

static void screen_replug(json_t *side, const char *what, char text[SCREEN_CELL])
{
	json_t *summary = screen_summary(side);

	screen_count_in(text, summary_number(summary, "replug", what),
			summary_number(summary, "replug", "measured"));
}

static void screen_old(json_t *side, const char *what, char text[SCREEN_CELL])
{
	screen_count(text, summary_number(screen_summary(side), "old", what));
}

static void screen_killed(json_t *side, const char *what, char text[SCREEN_CELL])
{
	json_t *old = json_object_get(screen_summary(side), "old");

	screen_count(text, json_array_size(json_object_get(old, what)));
}

static void screen_time(json_t *side, const char *what, char text[SCREEN_CELL])
{
	json_t *time = json_object_get(json_object_get(screen_summary(side), "times"), what);

	if (!json_is_object(time))
		snprintf(text, SCREEN_CELL, "no such event");
	else
		snprintf(text, SCREEN_CELL, strstr(what, "_us") ? "%.0f / %.0f" : "%.1f / %.1f",
			 json_real_value(json_object_get(time, "median")),
			 json_real_value(json_object_get(time, "max")));
}

static void screen_others(json_t *side, const char *what, char text[SCREEN_CELL])
{
	json_t *summary = screen_summary(side);

	(void)what;
	snprintf(text, SCREEN_CELL, SCREEN_NUMBER " / " SCREEN_NUMBER,
		 summary_number(summary, "others", "client"),
		 summary_number(summary, "others", "fio"));
}

static void screen_others_failed(json_t *side, const char *what, char text[SCREEN_CELL])
{
	screen_count(text, summary_number(screen_summary(side), "others", what));
}

static void screen_longest(json_t *side, const char *what, char text[SCREEN_CELL])
{
	json_t *others = json_object_get(screen_summary(side), "others");

	snprintf(text, SCREEN_CELL, "%.1f", json_real_value(json_object_get(others, what)));
}

static void screen_fresh(json_t *side, const char *what, char text[SCREEN_CELL])
{
	json_t *summary = screen_summary(side);

	(void)what;
	snprintf(text, SCREEN_CELL, SCREEN_NUMBER " of " SCREEN_NUMBER,
		 summary_number(summary, "fresh", "rounds"),
		 summary_number(summary, "rounds", NULL));
}

static void screen_fio(json_t *side, const char *what, char text[SCREEN_CELL])
{
	json_t *list, *entry;
	size_t length = 0, i;

	list = json_object_get(json_object_get(screen_summary(side), "fio"), what);
	snprintf(text, SCREEN_CELL, "-");
	json_array_foreach(list, i, entry)
		if (length < SCREEN_CELL)
			length += snprintf(text + length, SCREEN_CELL - length,
					   "%s%s " SCREEN_NUMBER "x", i ? ", " : "",
					   json_string_value(json_object_get(entry, "result")),
					   summary_number(entry, "count", NULL));
}

static void screen_machine(json_t *side, const char *what, char text[SCREEN_CELL])
{
	json_t *machine = json_object_get(side, "machine");

	snprintf(text, SCREEN_CELL, "%s",
		 json_string_value(json_object_get(machine, what)) ?: "?");
	text[strcspn(text, ",")] = '\0';
}

static void screen_head(json_t *report)
{
	json_t *scene = json_object_get(json_object_get(report, "ours"), "scene");
	json_t *machine = json_object_get(json_object_get(report, "ours"), "machine");

	printf("\nCard " SCREEN_NUMBER " of " SCREEN_NUMBER
	       " taken out and brought back under load (Linux %s, %s)\n\n",
	       summary_number(scene, "victim", NULL), summary_number(scene, "cards", NULL),
	       json_string_value(json_object_get(scene, "kernel")) ?: "?",
	       json_string_value(json_object_get(machine, "accel")) ?: "?");
	printf("%-36s%-18s%s\n", "", "unplug", "naive (the control)");
	screen_both(report, "rounds played", screen_good(report, "played"), screen_rounds, "");
}

static void screen_operations(json_t *report)
{
	static const struct {
		const char *head, *label, *operation;
	} rows[] = {
		{ "Old descriptor, after the pull", "read", "read" },
		{ NULL, "write", "write" },
		{ NULL, "lseek", "lseek" },
		{ NULL, "ioctl", "ioctl" },
		{ NULL, "mmap", "mmap" },
		{ NULL, "poll", "poll" },
		{ NULL, "open, of the old node", "open" },
		{ NULL, "close", "close" },
		{ "Old mapping, after the pull", "load", "load" },
		{ NULL, "store", "store" },
		{ NULL, "write(2) out of it", "copy" },
		{ NULL, "munmap", "munmap" },
	};
	json_t *ours = screen_summary(json_object_get(report, "ours"));
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].head)
			printf("%s\n", rows[i].head);
		screen_both(report, rows[i].label, check_operation(ours, rows[i].operation),
			    screen_results, rows[i].operation);
	}
}

/* These are marked one by one, several make up a check. */
static void screen_stale(json_t *report)
{
	json_t *ours = screen_summary(json_object_get(report, "ours"));
	json_t *old = json_object_get(ours, "old");

	printf("Did anything old reach a card? (seen by the host)\n");
	screen_both(report, "bytes changed on the unbound card", screen_good(report, "fill"),
		    screen_fill, "bytes");
	screen_both(report, "old mappings' stores on new card",
		    !summary_number(ours, "replug", "mapped"), screen_replug, "mapped");
	screen_both(report, "old descriptors' writes on it",
		    !summary_number(ours, "replug", "written"), screen_replug, "written");
	screen_both(report, "old operations that worked",
		    !summary_number(old, "worked", NULL), screen_old, "worked");
	screen_both(report, "of these after the replug",
		    !summary_number(old, "worked_back", NULL), screen_old, "worked_back");
	screen_both(report, "old clients killed by the kernel",
		    !json_array_size(json_object_get(old, "killed")), screen_killed, "killed");
}

static void screen_new(json_t *report)
{
	bool events = screen_good(report, "events"), others = screen_good(report, "neighbours");

	printf("Time from the pull, median / max\n");
	screen_both(report, "shut (us)", events, screen_time, "shut_us");
	screen_both(report, "drained (us)", events, screen_time, "drained_us");
	screen_both(report, "gone (us)", events, screen_time, "gone_us");
	screen_both(report, "unbind, remove returned (ms)", true, screen_time, "sysfs_ms");
	screen_both(report, "device_del done (ms)", true, screen_time, "pull_ms");
	printf("The other cards meanwhile\n");
	screen_both(report, "operations, client / fio", others, screen_others, "");
	screen_both(report, "that failed", others, screen_others_failed, "failed");
	screen_both(report, "slowest one (ms, not judged)", true, screen_longest, "longest_ms");
	printf("Afterwards\n");
	screen_both(report, "new client and fio work", screen_good(report, "fresh"),
		    screen_fresh, "");
	screen_both(report, "fio on the pulled card ended", screen_good(report, "fio"),
		    screen_fio, "pulled");
	screen_both(report, "fio on the other cards ended", others, screen_fio, "others");
	screen_both(report, "kernel log", screen_good(report, "kernel"), screen_machine, "kernel");
}

/* All but those of the controls, of which each act has one. */
static void screen_verdict(json_t *report)
{
	json_t *checks = json_object_get(report, "checks"), *check;
	size_t i;

	putchar('\n');
	if (check_passed(checks)) {
		printf("PASS: all %zu checks hold for unplug, and the naive drivers were caught.\n",
		       json_array_size(checks) - 2);
		return;
	}
	json_array_foreach(checks, i, check)
		if (!json_is_true(json_object_get(check, "pass")))
			printf("FAILED %s: it is not true that\n  %s\n",
			       json_string_value(json_object_get(check, "name")),
			       json_string_value(json_object_get(check, "text")));
}

/**
 * screen_print() - print the screen
 * @report: all of the report
 */
void screen_print(json_t *report)
{
	screen_head(report);
	screen_operations(report);
	screen_stale(report);
	screen_new(report);
	second_print(report);
	screen_verdict(report);
}
