// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "demo/check.h"
#include "demo/screen.h"
#include "demo/second.h"
#include "demo/summary.h"

#define SECOND_CELL 40

static const char *second_text(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

static json_t *second_scene(json_t *side)
{
	return json_object_get(side, "scene");
}

/* Users of the victim who were there when it went; the one who came later is the last. */
static bool second_is_old(json_t *scene, size_t i)
{
	json_t *users = json_object_get(scene, "users"), *user = json_array_get(users, i);
	bool late = i == 2 * (size_t)summary_number(scene, "cards", NULL) + 2;

	return !late && summary_number(user, "card", NULL) == summary_number(scene, "victim", NULL);
}

static bool second_is_other(json_t *scene, json_t *user)
{
	return summary_number(user, "card", NULL) != summary_number(scene, "victim", NULL);
}

/* What an old user of that kind was told; NULL: nothing yet */
static const char *second_told(json_t *scene, const char *kind)
{
	json_t *user;
	size_t i;

	json_array_foreach(json_object_get(scene, "users"), i, user)
		if (second_is_old(scene, i) && !strcmp(second_text(user, "kind"), kind))
			return json_string_value(json_object_get(user, "ended"));
	return NULL;
}

static bool second_told_right(json_t *scene, const char *kind)
{
	const char *told = second_told(scene, kind);

	return told && !strcmp(told, strcmp(kind, "poll") ? "ENODEV" : "HUP|ERR");
}

static bool second_all_told(json_t *scene)
{
	return second_told_right(scene, "compute") && second_told_right(scene, "move") &&
	       second_told_right(scene, "wait") && second_told_right(scene, "poll");
}

/* How many of the other cards' users there are; or of these, how many went on. */
static int second_others(json_t *scene, bool went_on)
{
	json_t *user;
	int count = 0;
	size_t i;

	json_array_foreach(json_object_get(scene, "users"), i, user)
		if (second_is_other(scene, user))
			count += !went_on || (json_is_true(json_object_get(user, "went_on")) &&
					      json_is_null(json_object_get(user, "ended")));
	return count;
}

/* Nothing that was given back was touched: memory is looked into, where that can be done. */
static bool second_silent(json_t *scene)
{
	json_t *lines = json_object_get(scene, "lines_lost");

	return json_is_integer(lines) && !json_integer_value(lines) &&
	       !summary_number(scene, "freed_bytes", NULL);
}

static bool second_clean(json_t *side)
{
	json_t *machine = json_object_get(side, "machine");

	return !strcmp(second_text(machine, "end"), "exit") &&
	       !strcmp(second_text(machine, "kernel"), "clean") &&
	       !strcmp(second_text(machine, "left"), "none") &&
	       !strcmp(second_text(machine, "stuck"), "none");
}

static void second_add(json_t *checks, const char *name, bool pass, const char *text)
{
	json_array_append_new(checks, json_pack("{s:s, s:s, s:b}", "name", name, "text", text,
						"pass", pass));
}

/**
 * second_check() - judge the second act
 * @checks: list to add to
 * @ours: scene and machine of our driver
 * @naive: of the control
 */
void second_check(json_t *checks, json_t *ours, json_t *naive)
{
	json_t *scene = second_scene(ours), *control = second_scene(naive);

	second_add(checks, "told", second_all_told(scene),
		   "all users of the card that computed were told of its end, those asleep too");
	second_add(checks, "silent", second_silent(scene),
		   "it wrote to no memory that was given back, and no interrupt line was lost");
	second_add(checks, "went-on", second_others(scene, true) > 0 &&
		   second_others(scene, true) == second_others(scene, false),
		   "the users of the other computing cards went on");
	second_add(checks, "served", json_is_true(json_object_get(scene, "fresh")) &&
		   !strcmp(second_text(scene, "unload"), "ok"),
		   "the computing card came back and served; its driver was unloaded under old users");
	second_add(checks, "clean", second_clean(ours),
		   "the kernel log of the second act is clean and no process was left behind");
	second_add(checks, "second-control", summary_number(control, "users", NULL) == 0 &&
		   json_array_size(json_object_get(control, "users")) > 0 &&
		   (!second_silent(control) || !second_all_told(control)),
		   "the same look caught the naive driver of that card");
}

static void second_row(json_t *report, const char *label, bool good,
		       void (*cell)(json_t *side, const char *what, char text[SECOND_CELL]),
		       const char *what)
{
	json_t *second = json_object_get(report, "second");
	char ours[SECOND_CELL], naive[SECOND_CELL];

	cell(json_object_get(second, "ours"), what, ours);
	cell(json_object_get(second, "naive"), what, naive);
	screen_row(label, good, ours, naive);
}

static void second_cell_told(json_t *side, const char *what, char text[SECOND_CELL])
{
	json_t *scene = second_scene(side);

	snprintf(text, SECOND_CELL, "%s",
		 json_is_object(scene) ? second_told(scene, what) ?: "never answered" : "?");
}

static void second_cell_latest(json_t *side, const char *what, char text[SECOND_CELL])
{
	json_t *scene = second_scene(side), *user;
	double latest = -1, ms;
	size_t i;

	json_array_foreach(json_object_get(scene, "users"), i, user) {
		ms = json_is_real(json_object_get(user, what)) ?
			     json_real_value(json_object_get(user, what)) : -1;
		if (second_is_old(scene, i) && ms > latest)
			latest = ms;
	}
	snprintf(text, SECOND_CELL, latest < 0 || !second_all_told(scene) ? "-" : "%.1f", latest);
}

static void second_cell_count(json_t *side, const char *what, char text[SECOND_CELL])
{
	json_t *value = json_object_get(second_scene(side), what);

	if (json_is_integer(value) && json_integer_value(value))
		snprintf(text, SECOND_CELL, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		snprintf(text, SECOND_CELL, json_is_integer(value) ? "none" : "not measured");
}

static void second_cell_others(json_t *side, const char *what, char text[SECOND_CELL])
{
	json_t *scene = second_scene(side);

	(void)what;
	snprintf(text, SECOND_CELL, "%d of %d", second_others(scene, true),
		 second_others(scene, false));
}

static void second_cell_fresh(json_t *side, const char *what, char text[SECOND_CELL])
{
	snprintf(text, SECOND_CELL,
		 json_is_true(json_object_get(second_scene(side), what)) ? "yes" : "no");
}

static void second_cell_unload(json_t *side, const char *what, char text[SECOND_CELL])
{
	json_t *value = json_object_get(second_scene(side), what);

	snprintf(text, SECOND_CELL, "%s", json_string_value(value) ?: "not reached");
}

static void second_cell_kernel(json_t *side, const char *what, char text[SECOND_CELL])
{
	snprintf(text, SECOND_CELL, "%s",
		 json_string_value(json_object_get(json_object_get(side, "machine"), what)) ?: "?");
}

/**
 * second_print() - its part of the screen
 * @report: all of the report
 */
void second_print(json_t *report)
{
	json_t *ours = json_object_get(json_object_get(report, "second"), "ours");
	json_t *scene = second_scene(ours);
	bool told = second_all_told(scene), silent = second_silent(scene);
	bool others = second_others(scene, true) == second_others(scene, false);

	printf("Second act: four cards compute, interrupt, do DMA; card 2 is unbound meanwhile\n");
	second_row(report, "who waits for a slow result", second_told_right(scene, "wait"),
		   second_cell_told, "wait");
	second_row(report, "who polls", second_told_right(scene, "poll"), second_cell_told,
		   "poll");
	second_row(report, "who computes", second_told_right(scene, "compute"), second_cell_told,
		   "compute");
	second_row(report, "who has bytes moved", second_told_right(scene, "move"),
		   second_cell_told, "move");
	second_row(report, "the last was told after (ms)", told, second_cell_latest, "after_ms");
	second_row(report, "bytes of DMA to freed memory", silent, second_cell_count,
		   "freed_bytes");
	second_row(report, "interrupt lines lost", silent, second_cell_count, "lines_lost");
	second_row(report, "the other cards' users went on", others, second_cell_others, "");
	second_row(report, "card 2 is back, and serves",
		   json_is_true(json_object_get(scene, "fresh")), second_cell_fresh, "fresh");
	second_row(report, "driver unloaded, old files open",
		   !strcmp(second_text(scene, "unload"), "ok"), second_cell_unload, "unload");
	second_row(report, "kernel log", second_clean(ours), second_cell_kernel, "kernel");
}
