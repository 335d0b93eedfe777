// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoints of trace.h; and whom a gate has turned away. */

#include "internal.h"
#define CREATE_TRACE_POINTS
#include "trace.h"

/**
 * unplug_guard_refused() - trace a refusal
 * @dev: the device
 * @op: what was refused; a literal of the core
 *
 * Context: Any, up to hard interrupt; by unplug_cold_call().
 */
void unplug_guard_refused(struct unplug_dev *dev, const char *op)
{
	trace_unplug_refused(dev, op);
}
