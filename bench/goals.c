// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The goals are those the project was given. A missed one is said so, with the reason
 * and the floor; it is not a failure of the run.
 */
#include "goal.h"

static const struct goal goals[] = {
	{ "get + put, ns: unplug / drm_dev_enter", GOAL_RATIO,
	  { "get_put_native", "unplug", "ns" }, { "get_put_native", "drm_dev_enter", "ns" }, .20,
	  "a counter per CPU that nobody looks at:",
	  { "get_put_native", "bare", "ns" } },
	{ "get + put, ns: unplug / percpu_ref", GOAL_RATIO,
	  { "get_put_native", "unplug", "ns" }, { "get_put_native", "percpu_ref", "ns" }, .5,
	  NULL, { } },
	{ "get + put: atomics and fences", GOAL_SUM,
	  { "get_put_fences", "unplug", "atomics" }, { "get_put_fences", "unplug", "fences" }, 0,
	  NULL, { } },
	{ "null ioctl: more instructions", GOAL_MORE,
	  { "null_ioctl", "guarded", "instructions" }, { "null_ioctl", "plain", "instructions" },
	  40, NULL, { } },
	{ "4 KiB read: guarded / plain", GOAL_RATIO,
	  { "read_4k", "guarded", "instructions" }, { "read_4k", "plain", "instructions" },
	  1.03, NULL, { } },
	{ "minor fault: guarded / plain", GOAL_RATIO,
	  { "minor_fault", "guarded", "instructions" },
	  { "minor_fault", "plain", "instructions" }, 1.03,
	  "two gates, and the guard before the driver's handler; gates alone:",
	  { "minor_fault", "gates", "instructions" } },
	{ "kill + drain, idle: unplug / percpu_ref", GOAL_RATIO,
	  { "unplug_idle", "unplug", "us" }, { "unplug_idle", "percpu_ref", "us" }, .05,
	  NULL, { } },
	{ "shut, 4 KiB: more instructions than zap", GOAL_MORE,
	  { "revoke_4k_1", "unplug", "instructions" },
	  { "revoke_4k_1", "zap", "instructions" }, 1000, NULL, { } },
	{ "shut, 1 GiB: unplug / zap", GOAL_RATIO,
	  { "revoke_1g_1", "unplug", "instructions" },
	  { "revoke_1g_1", "zap", "instructions" }, 1.01, NULL, { } },
	{ "shut, 200 of 1 MiB: unplug / zap", GOAL_RATIO,
	  { "revoke_1m_200", "unplug", "instructions" },
	  { "revoke_1m_200", "zap", "instructions" }, 1.01, NULL, { } },
	{ "shut, 200 of 1 MiB: populated / zap", GOAL_RATIO,
	  { "revoke_1m_200", "populated", "instructions" },
	  { "revoke_1m_200", "zap", "instructions" }, 1.1,
	  "each mapping has a memory type to give back", { } },
	{ "drained, 1 GiB: unplug / zap", GOAL_RATIO,
	  { "drained_1g_1", "unplug", "instructions" },
	  { "revoke_1g_1", "zap", "instructions" }, 1.25,
	  "zapped again when drained", { } },
	{ "touched after: SIGBUS, unplug / bare", GOAL_RATIO,
	  { "touch", "unplug_sigbus", "instructions" },
	  { "touch", "bare_sigbus", "instructions" }, 1.03, NULL, { } },
	{ "touched after: first of dummy / anonymous", GOAL_RATIO,
	  { "touch", "dummy_first", "instructions" },
	  { "touch", "anonymous", "instructions" }, 1.1, NULL, { } },
	{ "beside a sleeper: median / p90 of idle", GOAL_WITHIN,
	  { "unplug_sleeper", "unplug", "us" }, { "unplug_idle", "unplug", "us" }, 1,
	  "the host was busier then: compare with the spread", { } },
};

/* Measured on request */
static const struct goal drm_goals[] = {
	{ "DRM version: more instructions", GOAL_MORE,
	  { "drm_version", "guarded", "instructions" },
	  { "drm_version", "stock", "instructions" }, 40, NULL, { } },
	{ "DRM minor fault: guarded / stock", GOAL_RATIO,
	  { "drm_fault", "guarded", "instructions" },
	  { "drm_fault", "stock", "instructions" }, 1.03,
	  "two gates, and the guard before the driver's handler", { } },
	{ "DRM flip: guarded / stock", GOAL_RATIO,
	  { "drm_flip", "guarded", "instructions" },
	  { "drm_flip", "stock", "instructions" }, 1.03, NULL, { } },
	{ "DRM unplug: another held / p90 of alone", GOAL_WITHIN,
	  { "drm_pull_held", "guarded", "us" }, { "drm_pull_idle", "guarded", "us" }, 1,
	  "the host was busier then: compare with the spread", { } },
};

int goal_print(bool part)
{
	goals_title();
	return goals_print(goals, sizeof(goals) / sizeof(goals[0]), part) +
	       goals_print(drm_goals, sizeof(drm_goals) / sizeof(drm_goals[0]), true);
}
