// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * judge: from samples to figures
 *
 *	judge [--part] FOLDER SAMPLES…
 *
 * Prints the tables and the goals, and leaves FOLDER/CASE.json. The exit status is 0 if
 * everything was measured, whatever the values: 1 if something is missing, or if the
 * replay did not execute what the guest does. With --part, what nothing was measured of is
 * left out.
 */

#include "goal.h"
#include "sample.h"
#include "table.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What ran on the host has to be what runs in the guest, to the instruction. */
static int replay_differs(void)
{
	static const char *const variants[] = {
		"flag", "bare", "unplug", "percpu_ref", "percpu_rwsem", "srcu",
		"drm_dev_enter", "rwsem", "shared_atomic",
	};
	const struct figure *guest, *host;
	unsigned int i;
	int differs = 0;

	for (i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		guest = sample_find("get_put", variants[i], "instructions");
		host = sample_find("get_put_replayed", variants[i], "instructions");
		if (!guest || !host || fabs(guest->median - host->median) < .1)
			continue;
		fprintf(stderr, "judge: %s: %.2f instructions in the guest, %.2f replayed\n",
			variants[i], guest->median, host->median);
		differs++;
	}
	return differs;
}

int main(int argc, char **argv)
{
	bool part = argc > 1 && !strcmp(argv[1], "--part");
	int i, missing;

	argc -= part;
	argv += part;
	if (argc < 3) {
		fprintf(stderr, "usage: judge [--part] FOLDER SAMPLES...\n");
		return 2;
	}
	for (i = 2; i < argc; i++)
		sample_read(argv[i]);
	sample_finish();
	missing = table_print(part);
	missing += goal_print(part);
	if (missing)
		fprintf(stderr, "judge: %d figures are missing\n", missing);
	if (sample_write(argv[1]) < 0)
		return 1;
	return replay_differs() || missing;
}
