// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ck_bytelock of Concurrency Kit: a lock for each gate, with a byte for each of the first
 * threads; the others share a count
 */
#include "peer.h"

#include <ck_bytelock.h>

struct locked {
	_Alignas(CACHE_LINE) ck_bytelock_t lock;
	bool gone;
};

static struct locked *locked;
static __thread unsigned int slot;

static int init(unsigned int gates)
{
	unsigned int i;

	locked = peer_array(gates, sizeof(*locked));
	for (i = 0; i < gates; i++)
		ck_bytelock_init(&locked[i].lock);
	return 0;
}

static void thread_begin(unsigned int number)
{
	slot = number + 1;
}

static inline void put(unsigned int gate)
{
	ck_bytelock_read_unlock(&locked[gate].lock, slot);
}

static inline bool get(unsigned int gate)
{
	ck_bytelock_read_lock(&locked[gate].lock, slot);
	if (!locked[gate].gone)
		return true;
	put(gate);
	return false;
}

PEER_PAIRS(get, put)

static void gate_set(unsigned int gate, bool gone)
{
	ck_bytelock_write_lock(&locked[gate].lock, slot);
	locked[gate].gone = gone;
	ck_bytelock_write_unlock(&locked[gate].lock);
}

static void gate_shut(unsigned int gate)
{
	gate_set(gate, true);
}

static void gate_open(unsigned int gate)
{
	gate_set(gate, false);
}

const struct peer peer_ck_bytelock = {
	.name = "ck_bytelock", .init = init, .thread_begin = thread_begin,
	.pairs = pairs, .get = get, .put = put, .shut = gate_shut, .open = gate_open,
	.bytes = sizeof(ck_bytelock_t),
};
