// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostile [NAME…]: all acts, or these. TAP; ends with "N passed, M failed, K skipped".
 */

#include "hostile.h"

static const char *const results[] = { "ok", "not ok", "ok" };

static bool wanted(const char *name, char **names)
{
	bool any = *names;

	for (; *names; names++) {
		if (!strcmp(name, *names))
			return true;
	}
	return !any;
}

int main(int argc, char **argv)
{
	const struct {
		const struct act *acts;
		size_t n;
	} groups[] = {
		{ acts_map, n_acts_map },
		{ acts_file, n_acts_file },
		{ acts_stall, n_acts_stall },
	};
	unsigned int counts[3] = { 0 }, n = 0;
	const struct act *act;
	enum outcome outcome;
	size_t i;

	(void)argc;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		for (act = groups[i].acts; act < groups[i].acts + groups[i].n; act++) {
			if (!wanted(act->name, argv + 1))
				continue;
			outcome = act_play(act);
			counts[outcome]++;
			printf("%s %u - %s%s\n", results[outcome], ++n, act->name,
			       outcome == SKIPPED ? " # SKIP see above" : "");
		}
	}
	if (!n) {
		fprintf(stderr, "hostile: no act of that name\n");
		return 2;
	}
	printf("1..%u\n", n);
	printf("# %u passed, %u failed, %u skipped\n", counts[PASSED], counts[FAILED],
	       counts[SKIPPED]);
	return counts[FAILED] != 0;
}
