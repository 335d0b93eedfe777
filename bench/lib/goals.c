// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The goals are those the library was given. A missed one is said so, with the reason
 * and the floor; it is not a failure of the run. Times are compared by their ratios to one
 * peer's in the same round.
 */
#include "../goal.h"

#define RATIO(name, variant) { name "-ratio", variant, "ratio" }
#define COUNTS "a count per CPU, however wrong, and a look at a flag:"
#define LOCK "this processor's locks are fast; a look at a flag alone:"

static const struct goal goals[] = {
	{ "1 thread, 1 gate: unplug / urcu-memb", GOAL_RATIO,
	  RATIO("1t-1gate", "unplug"), RATIO("1t-1gate", "urcu-memb"), 2,
	  COUNTS, RATIO("1t-1gate", "bare") },
	{ "1 thread, 64 gates: unplug / urcu-memb", GOAL_RATIO,
	  RATIO("1t-64gates", "unplug"), RATIO("1t-64gates", "urcu-memb"), 1.25,
	  COUNTS, RATIO("1t-64gates", "bare") },
	{ "2 threads, 1 gate: unplug / urcu-memb", GOAL_RATIO,
	  RATIO("2t-1gate", "unplug"), RATIO("2t-1gate", "urcu-memb"), 1.4,
	  COUNTS, RATIO("2t-1gate", "bare") },
	{ "1 thread, 1 gate: unplug / pthread_rwlock", GOAL_RATIO,
	  RATIO("1t-1gate", "unplug"), RATIO("1t-1gate", "pthread_rwlock"), 1. / 7,
	  LOCK, RATIO("1t-1gate", "flag") },
	{ "2 threads, 1 gate: unplug / pthread_rwlock", GOAL_RATIO,
	  RATIO("2t-1gate", "unplug"), RATIO("2t-1gate", "pthread_rwlock"), 1. / 50,
	  LOCK, RATIO("2t-1gate", "flag") },
	{ "work, 1 thread, 1 gate: unplug / none", GOAL_RATIO,
	  RATIO("1t-1gate-work", "unplug"), RATIO("1t-1gate-work", "none"), 1.01,
	  NULL, { } },
	{ "work, 1 thread, 64 gates: unplug / none", GOAL_RATIO,
	  RATIO("1t-64gates-work", "unplug"), RATIO("1t-64gates-work", "none"), 1.01,
	  NULL, { } },
	{ "work, 2 threads, 1 gate: unplug / none", GOAL_RATIO,
	  RATIO("2t-1gate-work", "unplug"), RATIO("2t-1gate-work", "none"), 1.01,
	  NULL, { } },
	{ "drain: asleep in another / outside", GOAL_RATIO,
	  { "drain_sleeper_in", "unplug", "us" }, { "drain_sleeper_out", "unplug", "us" }, 2,
	  NULL, { } },
	{ "bytes per gate and CPU", GOAL_SUM,
	  { "bytes_each", "unplug", "bytes" }, { "bytes_each", "none", "bytes" }, 16,
	  NULL, { } },
};

int goal_print(bool part)
{
	goals_title();
	return goals_print(goals, sizeof(goals) / sizeof(goals[0]), part);
}
