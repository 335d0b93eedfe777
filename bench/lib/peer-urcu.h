/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * liburcu, the flavour that has the kernel run barriers on other CPUs: one for all gates, and
 * a flag for each. Who includes this says first whether its functions are to be inline, by
 * _LGPL_SOURCE, and how the peer is called. Both are of one library, which one of them tells
 * of threads: PEER_REGISTERS.
 */
#include "peer.h"

#include <urcu/urcu-memb.h>

static struct flag *flags;

static int init(unsigned int gates)
{
	flags = peer_array(gates, sizeof(*flags));
	return 0;
}

#ifdef PEER_REGISTERS
static void thread_begin(unsigned int number)
{
	(void)number;
	urcu_memb_register_thread();
}

static void thread_end(void)
{
	urcu_memb_unregister_thread();
}
#endif

static inline void put(unsigned int gate)
{
	(void)gate;
	urcu_memb_read_unlock();
}

static inline bool get(unsigned int gate)
{
	urcu_memb_read_lock();
	if (!flag_get(&flags[gate]))
		return true;
	urcu_memb_read_unlock();
	return false;
}

PEER_PAIRS(get, put)

static void gate_shut(unsigned int gate)
{
	flag_set(&flags[gate], true);
	urcu_memb_synchronize_rcu();
}

static void gate_open(unsigned int gate)
{
	flag_set(&flags[gate], false);
}

const struct peer PEER = {
#ifdef PEER_REGISTERS
	.thread_begin = thread_begin, .thread_end = thread_end,
#endif
	.name = PEER_NAME, .init = init, .pairs = pairs, .get = get, .put = put, .shut = gate_shut, .open = gate_open,
	.bytes = 1,
};
