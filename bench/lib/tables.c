// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of what the library costs */
#include "../table.h"
#include "drain.h"

#define FLOORS "flag", "bare", "flag-call"
#define OURS "unplug", "unplug-pic", "unplug-word"
#define PEERS "urcu-memb", "urcu-memb-call", "rte_rcu_qsbr", "ck_epoch", "ck_brlock", \
	"ck_bytelock", "c11-atomic", "pthread_rwlock"

static const struct table tables[] = {
	{
		"get + put, ns median (p10-p90)",
		{
			{ "1t-1gate", "1t-1gate", "ns", 19, 1, 0, 0 },
			{ "1t-64gates", "1t-64gates", "ns", 19, 1, 0, 0 },
			{ "1t-10kgates", "1t-10kgates", "ns", 19, 1, 0, 0 },
		},
		{ FLOORS, OURS, PEERS },
		-1, NULL,
	}, {
		"two threads at once: the time of one of them, ns",
		{
			{ "2t-1gate", "2t-1gate", "ns", 19, 1, 1, 0 },
			{ "2t-64gates", "2t-64gates", "ns", 19, 1, 1, 0 },
			{ "2t-64gates-work", "2t-64gates-work", "ns", 19, 1, 1, 0 },
		},
		{ "none", FLOORS, OURS, PEERS },
		-1, NULL,
	}, {
		"get + put, ratio to urcu-memb in the same round",
		{
			{ "1t-1gate", "1t-1gate-ratio", "ratio", 19, 1, 0, 0 },
			{ "1t-64gates", "1t-64gates-ratio", "ratio", 19, 1, 0, 0 },
			{ "2t-1gate", "2t-1gate-ratio", "ratio", 19, 1, 1, 0 },
		},
		{ FLOORS, OURS, PEERS },
		-1, NULL,
	}, {
		"with 16 ns of work inside, ns; ratio: one thread, one gate",
		{
			{ "1t-1gate-work", "1t-1gate-work", "ns", 19, 1, 0, 0 },
			{ "1t-64gates-work", "1t-64gates-work", "ns", 19, 1, 0, 0 },
			{ "2t-1gate-work", "2t-1gate-work", "ns", 19, 1, 1, 0 },
		},
		{ "none", FLOORS, OURS, PEERS },
		0, "none",
	}, {
		"shut, until drained (u µs, m ms, s s)",
		{
			{ "idle", "drain_idle", "us", 21, 1, 0, 0 },
			{ "one spins", "drain_spinning", "us", 21, 1, 1, 0 },
			{ "400 asleep", "drain_sleeping_400", "us", 21, 1, 0, 0 },
		},
		{ "unplug", PEERS },
		-1, NULL,
	}, {
		"the same: one sleeps 20 ms, outside or in another; 300 in and out of this",
		{
			{ "asleep outside", "drain_sleeper_out", "us", 21, 1, 0, 0 },
			{ "asleep in another", "drain_sleeper_in", "us", 21, 1, 0, 0 },
			{ "300 busy", "drain_busy_300", "us", 21, 1, 1, DRAIN_BUSY_ROUNDS },
		},
		{ "unplug", PEERS },
		-1, NULL,
	}, {
		"memory taken back from one process (u µs, m ms); ratio: 4 KiB",
		{
			{ "4 KiB", "revoke_4k_1", "us", 20, 1, 0, 0 },
			{ "1 MiB", "revoke_1m_1", "us", 20, 1, 0, 0 },
			{ "1 GiB", "revoke_1g_1", "us", 20, 1, 0, 0 },
		},
		{ "ftruncate", "unplug" },
		0, "ftruncate",
	}, {
		"from many, which map 4 KiB, or 1 MiB; ratio: 200 of 4 KiB",
		{
			{ "8", "revoke_4k_8", "us", 20, 1, 0, 0 },
			{ "200", "revoke_4k_200", "us", 20, 1, 0, 0 },
			{ "200, 1 MiB", "revoke_1m_200", "us", 20, 1, 0, 0 },
		},
		{ "ftruncate", "unplug" },
		1, "ftruncate",
	}, {
		"SIGBUS: an access to what was lost, until it goes on; ratio: zeroes",
		{
			{ "with zeroes", "loss_patch", "us", 20, 1, 0, 0 },
			{ "elsewhere", "loss_jump", "us", 20, 1, 0, 0 },
			{ "ends a copy", "loss_copy", "us", 20, 1, 0, 0 },
		},
		{ "bare", "unplug" },
		0, "bare",
	}, {
		"to be prepared for it, ns",
		{
			{ "point", "arm", "ns", 20, 1, 1, 0 },
			{ "copy 4 KiB", "copy_4k", "ns", 20, 1, 1, 0 },
		},
		{ "builtin_setjmp", "sigsetjmp", "sigsetjmp_mask", "memcpy", "unplug" },
		-1, NULL,
	}, {
		"bytes per gate, with this many CPUs, or threads; bytes of each",
		{
			{ "2", "bytes_2", "bytes", 10, 0, 0, 0 },
			{ "8", "bytes_8", "bytes", 10, 0, 0, 0 },
			{ "64", "bytes_64", "bytes", 10, 0, 0, 0 },
			{ "of each", "bytes_each", "bytes", 10, 0, 0, 0 },
		},
		{ "flag", "bare", "unplug", PEERS },
		-1, NULL,
	},
};

int table_print(bool part)
{
	return tables_print(tables, sizeof(tables) / sizeof(tables[0]), part);
}
