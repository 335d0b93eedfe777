// SPDX-License-Identifier: GPL-2.0-or-later
/* A count that every user writes. Who shuts looks at it until it is zero. */
#include "peer.h"

#include <sched.h>

/* Beside the flag of its gate */
struct counted {
	_Alignas(CACHE_LINE) unsigned int count;
	bool gone;
};

static struct counted *counted;

static int init(unsigned int gates)
{
	counted = peer_array(gates, sizeof(*counted));
	return 0;
}

static inline void put(unsigned int gate)
{
	__atomic_sub_fetch(&counted[gate].count, 1, __ATOMIC_SEQ_CST);
}

static inline bool get(unsigned int gate)
{
	__atomic_add_fetch(&counted[gate].count, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&counted[gate].gone, __ATOMIC_SEQ_CST))
		return true;
	put(gate);
	return false;
}

PEER_PAIRS(get, put)

static void gate_shut(unsigned int gate)
{
	__atomic_store_n(&counted[gate].gone, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&counted[gate].count, __ATOMIC_SEQ_CST))
		sched_yield();
}

static void gate_open(unsigned int gate)
{
	__atomic_store_n(&counted[gate].gone, false, __ATOMIC_SEQ_CST);
}

const struct peer peer_atomic = {
	.name = "c11-atomic", .init = init, .pairs = pairs, .get = get, .put = put,
	.shut = gate_shut, .open = gate_open, .bytes = 4,
};
