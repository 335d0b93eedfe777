// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <string.h>

#include "demo/check.h"
#include "demo/summary.h"

/*
 * What an operation on something old may return, and nothing else. Operations
 * that are not listed here fail the check: nothing is let through by omission.
 */
static const struct {
	const char *operation;
	const char *results[2];
	bool mapping;
} check_table[] = {
	{ "read", { "ENODEV" }, false },
	{ "write", { "ENODEV" }, false },
	{ "lseek", { "ENODEV" }, false },
	{ "ioctl", { "ENODEV" }, false },
	{ "mmap", { "ENODEV" }, false },
	{ "poll", { "HUP|ERR" }, false },
	{ "open", { "ENXIO", "ENOENT" }, false },
	{ "close", { "ok" }, false },
	{ "load", { "SIGBUS" }, true },
	{ "store", { "SIGBUS" }, true },
	{ "copy", { "EFAULT" }, true },
	{ "munmap", { "ok" }, true },
};

#define CHECK_TABLE (sizeof(check_table) / sizeof(check_table[0]))

static bool check_allowed(size_t row, const char *result)
{
	int i;

	for (i = 0; i < 2 && check_table[row].results[i]; i++)
		if (!strcmp(check_table[row].results[i], result ?: ""))
			return true;
	return false;
}

/* It was tried, and each result is allowed. */
static bool check_row(json_t *summary, size_t row)
{
	json_t *list, *entry;
	size_t i;

	list = json_object_get(json_object_get(summary, "operations"),
			       check_table[row].operation);
	json_array_foreach(list, i, entry)
		if (!check_allowed(row, json_string_value(json_object_get(entry, "result"))))
			return false;
	return json_array_size(list) > 0;
}

bool check_operation(json_t *summary, const char *operation)
{
	size_t row;

	for (row = 0; row < CHECK_TABLE; row++)
		if (!strcmp(check_table[row].operation, operation))
			return check_row(summary, row);
	return false;
}

static bool check_rows(json_t *summary, bool mapping)
{
	size_t row;

	for (row = 0; row < CHECK_TABLE; row++)
		if (check_table[row].mapping == mapping && !check_row(summary, row))
			return false;
	return true;
}

static bool check_played(json_t *side)
{
	json_t *scene = json_object_get(side, "scene");

	return json_is_true(json_object_get(scene, "finished")) &&
	       json_is_null(json_object_get(scene, "problem")) &&
	       summary_number(json_object_get(side, "summary"), "rounds", NULL) ==
	       summary_number(scene, "planned", NULL);
}

static bool check_events(json_t *summary)
{
	static const char *const events[] = { "shut_us", "drained_us", "gone_us" };
	json_t *times = json_object_get(summary, "times");
	int i;

	for (i = 0; i < 3; i++)
		if (summary_number(times, events[i], "rounds") !=
		    summary_number(summary, "rounds", NULL))
			return false;
	return true;
}

/* All fio on @cards ended the one way. */
static bool check_fio(json_t *summary, const char *cards, const char *end)
{
	json_t *list = json_object_get(json_object_get(summary, "fio"), cards);
	const char *result;

	result = json_string_value(json_object_get(json_array_get(list, 0), "result"));
	return json_array_size(list) == 1 && result && !strcmp(result, end);
}

static bool check_machine(json_t *side, const char *key, const char *value)
{
	json_t *machine = json_object_get(side, "machine");
	const char *is = json_string_value(json_object_get(machine, key));

	return is && !strcmp(is, value);
}

static bool check_unloaded(json_t *side)
{
	json_t *modules = json_object_get(json_object_get(side, "scene"), "unload"), *value;
	const char *module;

	json_object_foreach(modules, module, value)
		if (strcmp(json_string_value(value), "ok"))
			return false;
	return json_object_size(modules) > 0;
}

static bool check_by_name(json_t *scene)
{
	const char *result;
	json_t *round;
	size_t i;

	json_array_foreach(json_object_get(scene, "rounds"), i, round) {
		result = json_string_value(json_object_get(round, "open_by_name")) ?: "";
		if (strcmp(result, "ENOENT") && strcmp(result, "ENXIO"))
			return false;
	}
	return true;
}

static void check_add(json_t *checks, const char *name, bool pass, const char *text)
{
	json_array_append_new(checks, json_pack("{s:s, s:s, s:b}", "name", name,
						"text", text, "pass", pass));
}

static void check_old(json_t *checks, json_t *side)
{
	json_t *summary = json_object_get(side, "summary");

	check_add(checks, "descriptors", check_rows(summary, false) &&
		  check_by_name(json_object_get(side, "scene")),
		  "every operation on an old descriptor was refused, and in the promised way");
	check_add(checks, "mappings", check_rows(summary, true),
		  "every access to an old mapping raised SIGBUS, or failed with EFAULT in the kernel");
	check_add(checks, "resurrection", !summary_number(summary, "old", "worked") &&
		  !summary_number(summary, "old", "revived") &&
		  !json_array_size(json_object_get(json_object_get(summary, "old"), "killed")),
		  "nothing old worked again, before or after the replug");
	check_add(checks, "fill", summary_number(summary, "fill", "measured") > 0 &&
		  !summary_number(summary, "fill", "changed"),
		  "no byte of an unbound or removed card changed after the host had filled it");
	check_add(checks, "replug", summary_number(summary, "replug", "measured") > 0 &&
		  !summary_number(summary, "replug", "mapped") &&
		  !summary_number(summary, "replug", "written") &&
		  !summary_number(summary, "rebound", "mapped") &&
		  !summary_number(summary, "rebound", "written"),
		  "nothing an old client stores was found on the card that came back");
}

static void check_new(json_t *checks, json_t *side)
{
	json_t *summary = json_object_get(side, "summary");

	check_add(checks, "events", check_events(summary),
		  "every unplug was shut, drained and gone, descriptors and mappings still open");
	check_add(checks, "neighbours", summary_number(summary, "others", "least") > 0 &&
		  !summary_number(summary, "others", "failed") &&
		  check_fio(summary, "others", "ok"),
		  "the other cards went on in every round, without an error in client or fio");
	check_add(checks, "fio", check_fio(summary, "pulled", "ENODEV"),
		  "fio on the pulled card ended with ENODEV, each time");
	check_add(checks, "fresh", !summary_number(summary, "fresh", "failed") &&
		  summary_number(summary, "fresh", "rounds") ==
		  summary_number(summary, "rounds", NULL),
		  "the card that came back worked for a new client and a new fio");
	check_add(checks, "kernel", check_machine(side, "end", "exit") &&
		  check_machine(side, "kernel", "clean") &&
		  check_machine(side, "left", "none") && check_machine(side, "stuck", "none"),
		  "the kernel log is clean and no process was left behind");
	check_add(checks, "unload", check_unloaded(side),
		  "all modules could be unloaded at the end: nothing leaked");
}

/**
 * check_make() - judge
 * @ours: scene, summary and machine of our driver
 * @naive: of the control
 *
 * Return: a new list of checks.
 */
json_t *check_make(json_t *ours, json_t *naive)
{
	json_t *checks = json_array();

	check_add(checks, "played", check_played(ours), "all rounds were played to the end");
	check_old(checks, ours);
	check_new(checks, ours);
	check_add(checks, "control",
		  summary_number(json_object_get(naive, "summary"), "fill", "changed") > 0,
		  "the same measurement caught the naive driver writing to a card it had given up");
	return checks;
}

bool check_passed(json_t *checks)
{
	json_t *check;
	size_t i;

	json_array_foreach(checks, i, check)
		if (!json_is_true(json_object_get(check, "pass")))
			return false;
	return true;
}
