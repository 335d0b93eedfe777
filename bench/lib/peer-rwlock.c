// SPDX-License-Identifier: GPL-2.0-or-later
/* pthread_rwlock_t: a lock for each gate */
#include "peer.h"

#include <pthread.h>

struct locked {
	_Alignas(CACHE_LINE) pthread_rwlock_t lock;
	bool gone;
};

static struct locked *locked;

static int init(unsigned int gates)
{
	unsigned int i;

	locked = peer_array(gates, sizeof(*locked));
	for (i = 0; i < gates; i++)
		if (pthread_rwlock_init(&locked[i].lock, NULL))
			return -1;
	return 0;
}

static inline void put(unsigned int gate)
{
	pthread_rwlock_unlock(&locked[gate].lock);
}

static inline bool get(unsigned int gate)
{
	if (pthread_rwlock_rdlock(&locked[gate].lock))
		return false;
	if (!locked[gate].gone)
		return true;
	put(gate);
	return false;
}

PEER_PAIRS(get, put)

static void gate_set(unsigned int gate, bool gone)
{
	pthread_rwlock_wrlock(&locked[gate].lock);
	locked[gate].gone = gone;
	pthread_rwlock_unlock(&locked[gate].lock);
}

static void gate_shut(unsigned int gate)
{
	gate_set(gate, true);
}

static void gate_open(unsigned int gate)
{
	gate_set(gate, false);
}

const struct peer peer_rwlock = {
	.name = "pthread_rwlock", .init = init, .pairs = pairs, .get = get, .put = put,
	.shut = gate_shut, .open = gate_open, .bytes = sizeof(pthread_rwlock_t),
};
