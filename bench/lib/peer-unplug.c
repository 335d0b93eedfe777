// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gate of the library: in a program, and, compiled for that, in a shared object, which
 * might be unloaded
 */
#include "peer.h"

#include <libunplug/gate.h>

#define SLOT 8			/* bytes, of each CPU and gate */

struct gate {
	_Alignas(CACHE_LINE) struct unplug_gate gate;
};

static struct gate *gates;

static int init(unsigned int n)
{
	unsigned int i;

	gates = peer_array(n, sizeof(*gates));
	for (i = 0; i < n; i++) {
		if (unplug_gate_init(&gates[i].gate, NULL))
			return -1;
		unplug_gate_open(&gates[i].gate);
	}
	/* What is said of its memory is to be true. */
	if (n > 1 && gates[0].gate.cpus && gates[1].gate.slots - gates[0].gate.slots != SLOT)
		return -1;
	return 0;
}

static inline bool get(unsigned int gate)
{
	return unplug_gate_get_active(&gates[gate].gate);
}

static inline void put(unsigned int gate)
{
	unplug_gate_put_active(&gates[gate].gate);
}

PEER_PAIRS(get, put)

static void gate_shut(unsigned int gate)
{
	if (unplug_gate_shut(&gates[gate].gate) ||
	    unplug_gate_wait_drained(&gates[gate].gate, -1))
		abort();
}

static void gate_open(unsigned int gate)
{
	unplug_gate_thaw(&gates[gate].gate);
}

#if defined(__PIC__) && !defined(__PIE__)
#define PEER peer_unplug_pic
#define PEER_NAME "unplug-pic"
#else
#define PEER peer_unplug
#define PEER_NAME "unplug"
#endif

const struct peer PEER = {
	.name = PEER_NAME, .init = init, .pairs = pairs, .get = get, .put = put,
	.shut = gate_shut, .open = gate_open, .bytes = sizeof(struct unplug_gate),
	.bytes_each = SLOT,
};
