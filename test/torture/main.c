// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs in the guest: torture SEED SECONDS FILE… plays the scenarios, each for SECONDS, or
 * for its own if that is 0. What it prints is for run:
 *
 *	begin NAME
 *	broken NAME PROMISE MILLISECONDS PULLS TEXT
 *	note TEXT
 *	actor NAME KIND NUMBER: OPERATION COUNT/REFUSED …
 *	ran NAME PULLS FREEZES SECONDS clean|dirty
 *
 * After a dirty one it stops: modules cannot be unloaded, or a task cannot be killed.
 * torture --list FILE… prints what is in them, a line each: scenario_print().
 * torture --choices SEED FILE prints what each actor would do first.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "scenario.h"
#include "world.h"

static int list(int n, char **paths)
{
	struct scenario scenario;
	int i;

	for (i = 0; i < n; i++) {
		if (scenario_read(&scenario, paths[i]) < 0)
			return 2;
		scenario_print(&scenario);
	}
	return 0;
}

static int choices(const char *seed, const char *path)
{
	struct scenario scenario;

	if (scenario_read(&scenario, path) < 0)
		return 2;
	stage_choices(&scenario, strtoull(seed, NULL, 0));
	return 0;
}

int main(int argc, char **argv)
{
	struct scenario scenario;
	uint64_t seed;
	double seconds;
	int i;

	if (argc > 2 && !strcmp(argv[1], "--list"))
		return list(argc - 2, argv + 2);
	if (argc == 4 && !strcmp(argv[1], "--choices"))
		return choices(argv[2], argv[3]);
	if (argc < 4) {
		fprintf(stderr, "usage: torture SEED SECONDS FILE… | --list FILE… | --choices SEED FILE\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 0);
	seconds = strtod(argv[2], NULL);
	for (i = 3; i < argc; i++) {
		if (scenario_read(&scenario, argv[i]) < 0)
			return 2;
		if (!stage_play(&scenario, seed, seconds ? seconds : scenario.seconds))
			break;
	}
	return 0;
}
