// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rte_rcu_qsbr of DPDK: one for all gates, and a flag for each. Threads that may sleep are
 * online inside alone.
 */
#include "peer.h"

#include <rte_config.h>
#include <rte_rcu_qsbr.h>

static struct rte_rcu_qsbr *qsbr;
static struct flag *flags;
static __thread unsigned int self;

static int init(unsigned int gates)
{
	flags = peer_array(gates, sizeof(*flags));
	qsbr = peer_array(1, rte_rcu_qsbr_get_memsize(THREADS_MAX));
	return rte_rcu_qsbr_init(qsbr, THREADS_MAX) ? -1 : 0;
}

static void thread_begin(unsigned int number)
{
	self = number;
	rte_rcu_qsbr_thread_register(qsbr, self);
}

static void thread_end(void)
{
	rte_rcu_qsbr_thread_unregister(qsbr, self);
}

static inline void put(unsigned int gate)
{
	(void)gate;
	rte_rcu_qsbr_thread_offline(qsbr, self);
}

static inline bool get(unsigned int gate)
{
	rte_rcu_qsbr_thread_online(qsbr, self);
	if (!flag_get(&flags[gate]))
		return true;
	put(gate);
	return false;
}

PEER_PAIRS(get, put)

static void gate_shut(unsigned int gate)
{
	flag_set(&flags[gate], true);
	rte_rcu_qsbr_synchronize(qsbr, RTE_QSBR_THRID_INVALID);
}

static void gate_open(unsigned int gate)
{
	flag_set(&flags[gate], false);
}

const struct peer peer_qsbr = {
	.name = "rte_rcu_qsbr", .init = init, .thread_begin = thread_begin,
	.thread_end = thread_end, .pairs = pairs, .get = get, .put = put,
	.shut = gate_shut, .open = gate_open, .bytes = 1,
};
