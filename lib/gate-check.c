// SPDX-License-Identifier: LGPL-2.1-or-later
/* What callers do wrong with a gate, and are told where no error can be returned. */

#include <libunplug/device.h>
#include "internal.h"

/* For those who need one that was prepared */
void unplug_gate_need(const struct unplug_gate *gate, const char *function)
{
	if (!gate_is_ready(gate))
		unplug_fatal("%s(gate %p): it was not prepared: call unplug_gate_init() first",
			     function, (const void *)gate);
}

/* Its count is below zero, though all are counted. */
void unplug_gate_fatal_below(const struct unplug_gate *gate)
{
	const struct unplug_dev *dev = unplug_dev_of_gate(gate);

	if (dev)
		unplug_fatal("device %s %u, %p: more was put than got: look for an unplug_dev_put_active() too many",
			     dev->drv->name, dev->minor, (const void *)dev);
	unplug_fatal("gate %p: more was put than got: look for an unplug_gate_put_active() too many",
		     (const void *)gate);
}

/* It is put, and nobody can have got it: it is new, of zeroes, or destroyed. */
void unplug_gate_fatal_closed(const struct unplug_gate *gate)
{
	unplug_fatal("gate %p: put by somebody who cannot have got it, as it is not open: look for an unplug_gate_put_active() too many, or after a get that was refused",
		     (const void *)gate);
}

/* It is to be destroyed, and not dead. */
void unplug_gate_fatal_busy(const struct unplug_gate *gate, uint64_t word)
{
	unplug_fatal("unplug_gate_destroy(gate %p): it %s, %u inside: shut it, and wait until it is drained",
		     (const void *)gate, word & GATE_SHUT ? "is not drained" : "was not shut",
		     unplug_gate_inside(gate));
}
