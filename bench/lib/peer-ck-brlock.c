// SPDX-License-Identifier: GPL-2.0-or-later
/* ck_brlock of Concurrency Kit: a lock for each gate, a word of each thread in it */
#include "peer.h"

#include <ck_brlock.h>

struct locked {
	_Alignas(CACHE_LINE) ck_brlock_t lock;
	bool gone;
};

struct reader {
	_Alignas(CACHE_LINE) ck_brlock_reader_t reader;
};

static struct locked *locked;
static unsigned int locked_n;
static __thread struct reader *readers;

static int init(unsigned int gates)
{
	unsigned int i;

	locked_n = gates;
	locked = peer_array(gates, sizeof(*locked));
	for (i = 0; i < gates; i++)
		ck_brlock_init(&locked[i].lock);
	return 0;
}

static void thread_begin(unsigned int number)
{
	unsigned int i;

	(void)number;
	readers = peer_array(locked_n, sizeof(*readers));
	for (i = 0; i < locked_n; i++)
		ck_brlock_read_register(&locked[i].lock, &readers[i].reader);
}

static void thread_end(void)
{
	unsigned int i;

	for (i = 0; i < locked_n; i++)
		ck_brlock_read_unregister(&locked[i].lock, &readers[i].reader);
	free(readers);
}

static inline void put(unsigned int gate)
{
	ck_brlock_read_unlock(&readers[gate].reader);
}

static inline bool get(unsigned int gate)
{
	ck_brlock_read_lock(&locked[gate].lock, &readers[gate].reader);
	if (!locked[gate].gone)
		return true;
	put(gate);
	return false;
}

PEER_PAIRS(get, put)

static void gate_set(unsigned int gate, bool gone)
{
	ck_brlock_write_lock(&locked[gate].lock);
	locked[gate].gone = gone;
	ck_brlock_write_unlock(&locked[gate].lock);
}

static void gate_shut(unsigned int gate)
{
	gate_set(gate, true);
}

static void gate_open(unsigned int gate)
{
	gate_set(gate, false);
}

const struct peer peer_ck_brlock = {
	.name = "ck_brlock", .init = init, .thread_begin = thread_begin, .thread_end = thread_end,
	.pairs = pairs, .get = get, .put = put, .shut = gate_shut, .open = gate_open,
	.bytes = sizeof(ck_brlock_t), .bytes_each = sizeof(ck_brlock_reader_t),
};
