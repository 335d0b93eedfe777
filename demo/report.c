// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * judge - the part of the demonstration that adds up and judges:
 *
 *	judge OURS NAIVE SECOND-OURS SECOND-NAIVE REPORT
 *
 * OURS and NAIVE are folders with the results of a run of the virtual machine and
 * the scene.json of the scene in it; the others likewise, with the busy.json of the second act. Writes REPORT (JSON), prints the screen. The
 * exit status is the verdict: 0 or 1; 2 if there was nothing to judge.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo/check.h"
#include "demo/screen.h"
#include "demo/second.h"
#include "demo/summary.h"

/* The lines "key: value" the virtual machine leaves. */
static json_t *report_machine(const char *folder)
{
	char path[4096], line[512], *value;
	json_t *machine = json_object();
	FILE *file;

	snprintf(path, sizeof(path), "%s/verdict", folder);
	file = fopen(path, "re");
	if (!file)
		return machine;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		value = strstr(line, ": ");
		if (!value)
			continue;
		*value = '\0';
		json_object_set_new(machine, line, json_string(value + 2) ?: json_null());
	}
	fclose(file);
	return machine;
}

/* A scene that never got as far as writing something down is null. */
static json_t *report_scene(const char *folder, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return json_load_file(path, 0, NULL) ?: json_null();
}

static json_t *report_side(const char *folder)
{
	json_t *scene = report_scene(folder, "scene.json");

	return json_pack("{s:o, s:o, s:o}", "summary", summary_make(scene),
			 "machine", report_machine(folder), "scene", scene);
}

static json_t *report_second(const char *folder)
{
	return json_pack("{s:o, s:o}", "machine", report_machine(folder),
			 "scene", report_scene(folder, "busy.json"));
}

int main(int argc, char **argv)
{
	json_t *ours, *naive, *second, *checks, *report;
	bool pass;

	if (argc != 6) {
		fprintf(stderr, "usage: judge OURS NAIVE SECOND-OURS SECOND-NAIVE REPORT\n");
		return 2;
	}
	ours = report_side(argv[1]);
	naive = report_side(argv[2]);
	second = json_pack("{s:o, s:o}", "ours", report_second(argv[3]),
			   "naive", report_second(argv[4]));
	checks = check_make(ours, naive);
	second_check(checks, json_object_get(second, "ours"), json_object_get(second, "naive"));
	pass = check_passed(checks);
	report = json_pack("{s:b, s:o, s:o, s:o, s:o}", "pass", pass, "checks", checks,
			   "ours", ours, "naive", naive, "second", second);
	if (!report || json_dump_file(report, argv[5], JSON_INDENT(1) | JSON_REAL_PRECISION(9))) {
		fprintf(stderr, "judge: cannot write %s: %s\n", argv[5], strerror(errno));
		return 2;
	}
	screen_print(report);
	json_decref(report);
	return pass ? EXIT_SUCCESS : EXIT_FAILURE;
}
