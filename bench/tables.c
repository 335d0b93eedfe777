// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of what the core costs */
#include "table.h"

static const struct table tables[] = {
	{
		"get + put: instructions, atomics, other full fences; ns median (p10-p90)",
		{
			{ "instr.", "get_put", "instructions", 7, 0, 0, 0 },
			{ "atom.", "get_put_fences", "atomics", 6, 0, 0, 0 },
			{ "fence", "get_put_fences", "fences", 6, 0, 0, 0 },
			{ "1 thread", "get_put_native", "ns", 18, 1, 0, 0 },
			{ "2 threads", "get_put_native_2", "ns", 19, 1, 1, 0 },
		},
		{ "flag", "bare", "unplug", "percpu_ref", "percpu_rwsem", "srcu",
		  "drm_dev_enter", "rwsem", "shared_atomic" },
		3, "unplug",
	}, {
		"operations, instructions: nothing guards, gates alone, guarded, and that tracked",
		{
			{ "null ioctl", "null_ioctl", "instructions", 14, 0, 0, 0 },
			{ "4 KiB read", "read_4k", "instructions", 14, 0, 0, 0 },
			{ "minor fault", "minor_fault", "instructions", 14, 0, 0, 0 },
		},
		{ "plain", "gates", "guarded", "tracked" },
		-1, NULL,
	}, {
		"so many idle devices by one call of unplug_dev_unplug_many(), instructions",
		{
			{ "1", "many_1", "instructions", 12, 0, 0, 0 },
			{ "64", "many_64", "instructions", 12, 0, 0, 0 },
			{ "1000", "many_1000", "instructions", 12, 0, 0, 0 },
			{ "each further", "many_further", "instructions", 14, 0, 0, 0 },
		},
		{ "shut", "log", "returned" },
		-1, NULL,
	}, {
		"unplug (u µs, m ms, s s): one, 64, one while somebody sleeps in another",
		{
			{ "idle", "unplug_idle", "us", 21, 1, 0, 0 },
			{ "64", "unplug_64", "us", 21, 1, 0, 0 },
			{ "sleeper elsewhere", "unplug_sleeper", "us", 21, 1, 0, 0 },
		},
		{ "unplug", "unplug_dev", "percpu_ref", "percpu_rwsem", "srcu",
		  "srcu_shared" },
		-1, NULL,
	}, {
		"shut, instructions: no entry is left of what one process maps; ratio: 4 KiB",
		{
			{ "4 KiB", "revoke_4k_1", "instructions", 8, 0, 0, 0 },
			{ "1 MiB", "revoke_1m_1", "instructions", 8, 0, 0, 0 },
			{ "16 MiB", "revoke_16m_1", "instructions", 9, 0, 0, 0 },
			{ "256 MiB", "revoke_256m_1", "instructions", 10, 0, 0, 0 },
			{ "1 GiB", "revoke_1g_1", "instructions", 10, 0, 0, 0 },
			{ "eight 1 GiB", "revoke_1g_8", "instructions", 13, 0, 0, 0 },
		},
		{ "zap", "srcu_shared", "unplug", "dummy", "populated" },
		0, "zap",
	}, {
		"the same of many processes, which map 4 KiB each, or 1 MiB; ratio: 200 of 4 KiB",
		{
			{ "8", "revoke_4k_8", "instructions", 8, 0, 0, 0 },
			{ "50", "revoke_4k_50", "instructions", 8, 0, 0, 0 },
			{ "200", "revoke_4k_200", "instructions", 9, 0, 0, 0 },
			{ "8, 1 MiB", "revoke_1m_8", "instructions", 10, 0, 0, 0 },
			{ "50", "revoke_1m_50", "instructions", 9, 0, 0, 0 },
			{ "200", "revoke_1m_200", "instructions", 9, 0, 0, 0 },
		},
		{ "zap", "srcu_shared", "unplug", "dummy", "populated" },
		2, "zap",
	}, {
		"shut, time on two CPUs (u µs, m ms, s s)",
		{
			{ "4 KiB", "revoke_4k_1", "us", 21, 1, 0, 0 },
			{ "200 of 1 MiB", "revoke_1m_200", "us", 21, 1, 0, 0 },
			{ "1 GiB", "revoke_1g_1", "us", 21, 1, 0, 0 },
		},
		{ "zap", "srcu_shared", "unplug", "dummy", "populated" },
		-1, NULL,
	}, {
		"drained, time on two CPUs; of it, shut is above",
		{
			{ "4 KiB", "drained_4k_1", "us", 21, 1, 0, 0 },
			{ "200 of 1 MiB", "drained_1m_200", "us", 21, 1, 0, 0 },
			{ "1 GiB", "drained_1g_1", "us", 21, 1, 0, 0 },
		},
		{ "unplug", "dummy", "populated" },
		-1, NULL,
	}, {
		"steps of unplug: instructions, then µs",
		{
			{ "4 KiB", "steps_4k_1", "instructions", 8, 0, 0, 0 },
			{ "200x 1 MiB", "steps_1m_200", "instructions", 12, 0, 0, 0 },
			{ "1 GiB", "steps_1g_1", "instructions", 10, 0, 0, 0 },
			{ "4 KiB", "steps_4k_1", "us", 10, 0, 0, 0 },
			{ "200x 1 MiB", "steps_1m_200", "us", 12, 0, 0, 0 },
			{ "1 GiB", "steps_1g_1", "us", 8, 0, 0, 0 },
		},
		{ "close", "hw", "zap", "rest", "drained" },
		-1, NULL,
	}, {
		"the first touch afterwards, instructions",
		{
			{ "", "touch", "instructions", 8, 0, 0, 0 },
		},
		{ "bare_sigbus", "unplug_sigbus", "dummy_first", "dummy_again", "anonymous" },
		-1, NULL,
	}, {
		"bytes per device, with this many possible CPUs",
		{
			{ "2", "bytes_2", "bytes", 10, 0, 0, 0 },
			{ "8", "bytes_8", "bytes", 10, 0, 0, 0 },
			{ "64", "bytes_64", "bytes", 10, 0, 0, 0 },
		},
		{ "flag", "unplug", "unplug_dev", "percpu_ref", "percpu_rwsem", "srcu",
		  "drm_dev_enter", "rwsem", "shared_atomic" },
		-1, NULL,
	},
};

/* Measured on request */
static const struct table drm_tables[] = {
	{
		"a DRM card (vkms), instructions: stock, and behind the gate",
		{
			{ "version", "drm_version", "instructions", 14, 0, 0, 0 },
			{ "create, close", "drm_gem", "instructions", 14, 0, 0, 0 },
			{ "mmap, munmap", "drm_mmap", "instructions", 14, 0, 0, 0 },
			{ "minor fault", "drm_fault", "instructions", 14, 0, 0, 0 },
			{ "flip", "drm_flip", "instructions", 14, 0, 0, 0 },
		},
		{ "stock", "guarded" },
		-1, NULL,
	}, {
		"its unplug (u µs, m ms, s s): alone, and while another is held for 2 s",
		{
			{ "alone", "drm_pull_idle", "us", 21, 1, 0, 0 },
			{ "another held", "drm_pull_held", "us", 21, 1, 0, 0 },
		},
		{ "stock", "guarded" },
		-1, NULL,
	},
};

int table_print(bool part)
{
	return tables_print(tables, sizeof(tables) / sizeof(tables[0]), part) +
	       tables_print(drm_tables, sizeof(drm_tables) / sizeof(drm_tables[0]), true);
}
