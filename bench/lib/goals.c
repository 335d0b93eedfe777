// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The goals are those the library was given. A missed one is said so, with the reason
 * and the floor; it is not a failure of the run.
 */
#include "../goal.h"

#define COUNTS "a count per CPU, however wrong, and a look at a flag:"
#define LOCK "this processor's locks are fast; a look at a flag alone:"

static const struct goal goals[] = {
	{ "1 thread, 1 gate: unplug / urcu-memb", GOAL_RATIO,
	  { "1t-1gate", "unplug", "ns" }, { "1t-1gate", "urcu-memb", "ns" }, 2,
	  COUNTS, { "1t-1gate", "bare", "ns" } },
	{ "1 thread, 64 gates: unplug / urcu-memb", GOAL_RATIO,
	  { "1t-64gates", "unplug", "ns" }, { "1t-64gates", "urcu-memb", "ns" }, 1.25,
	  COUNTS, { "1t-64gates", "bare", "ns" } },
	{ "2 threads, 1 gate: unplug / urcu-memb", GOAL_RATIO,
	  { "2t-1gate", "unplug", "ns" }, { "2t-1gate", "urcu-memb", "ns" }, 1.4,
	  COUNTS, { "2t-1gate", "bare", "ns" } },
	{ "1 thread, 1 gate: unplug / pthread_rwlock", GOAL_RATIO,
	  { "1t-1gate", "unplug", "ns" }, { "1t-1gate", "pthread_rwlock", "ns" }, 1. / 7,
	  LOCK, { "1t-1gate", "flag", "ns" } },
	{ "2 threads, 1 gate: unplug / pthread_rwlock", GOAL_RATIO,
	  { "2t-1gate", "unplug", "ns" }, { "2t-1gate", "pthread_rwlock", "ns" }, 1. / 50,
	  LOCK, { "2t-1gate", "flag", "ns" } },
	{ "work, 1 thread, 1 gate: unplug / none", GOAL_RATIO,
	  { "1t-1gate-work", "unplug", "ns" }, { "1t-1gate-work", "none", "ns" }, 1.01,
	  NULL, { } },
	{ "work, 1 thread, 64 gates: unplug / none", GOAL_RATIO,
	  { "1t-64gates-work", "unplug", "ns" }, { "1t-64gates-work", "none", "ns" }, 1.01,
	  NULL, { } },
	{ "work, 2 threads, 1 gate: unplug / none", GOAL_RATIO,
	  { "2t-1gate-work", "unplug", "ns" }, { "2t-1gate-work", "none", "ns" }, 1.01,
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
