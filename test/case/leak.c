// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * K10: kmemleak, on kernels that have it (script/debug-kernel)
 *
 * It reports only what is some seconds old, and says nowhere when it has looked at
 * everything. So at the end something is leaked on purpose (test/debug/module): once
 * that is in the report, so is all that leaked before it.
 */

#define _GNU_SOURCE
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KMEMLEAK "/sys/kernel/debug/kmemleak"
#define MAKE "/sys/module/unplug_detect/parameters/make"
#define CANARY "detect_leak"
#define HEAD "unreferenced object"

/* What the kernel itself lost until here is not held against us. */
void leak_forget(void)
{
	if (access(KMEMLEAK, F_OK))
		return;
	file_write(KMEMLEAK, "scan");
	file_write(KMEMLEAK, "clear");
}

/* The whole report; the caller frees it. */
static char *leak_report(void)
{
	FILE *file = fopen(KMEMLEAK, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file || getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = NULL;
	}
	if (file)
		fclose(file);
	return text;
}

/*
 * Neither the one made on purpose, nor the kernel's own: 6.1 forgets a class's name when the
 * class cannot be added to sysfs (__class_register(), where kset_register() fails).
 */
static bool leak_is_ours(const char *entry)
{
	if (strstr(entry, CANARY))
		return false;
	return !strstr(entry, "kobject_set_name") || !strstr(entry, "__class_register");
}

static char *leak_wait(void)
{
	time_t end = time(NULL) + case_timeout() / 1000;
	char *text;

	for (;;) {
		file_write(KMEMLEAK, "scan");
		text = leak_report();
		if (text && strstr(text, CANARY))
			return text;
		free(text);
		if (time(NULL) > end)
			case_end(OUTCOME_HANG, "kmemleak does not find what was leaked for it");
	}
}

/* Into the kernel's log, where the host finds it. Returns the first line of the first. */
static const char *leak_show(char *text)
{
	static char first[160];
	char *entry, *next, *line;

	first[0] = '\0';
	for (entry = strstr(text, HEAD); entry; entry = next) {
		next = strstr(entry + 1, "\n" HEAD);
		if (next)
			*next++ = '\0';
		if (!leak_is_ours(entry))
			continue;
		if (!first[0])
			snprintf(first, sizeof(first), "leaked: %.*s",
				 (int)strcspn(entry, "\n"), entry);
		for (line = strtok(entry, "\n"); line; line = strtok(NULL, "\n"))
			log_write("%s", line);
	}
	return first[0] ? first : NULL;
}

const char *leak_check(void)
{
	const char *leak;
	struct job job;
	char *text;

	if (access(KMEMLEAK, F_OK) || module_load("unplug-detect", ""))
		return NULL;
	/* By another process: no trace of the address may be left on a stack here. */
	job_do(&job, "write", MAKE, "leak");
	expect_equal("errno of leaking on purpose", job_wait(&job), 0);
	text = leak_wait();
	leak = leak_show(text);
	free(text);
	file_write(KMEMLEAK, "clear");
	module_unload("unplug-detect");
	return leak;
}
