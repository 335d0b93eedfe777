// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What test-unload loads and unloads: code that has inlined get and put, or has left the like
 * Promises: none
 */

#include <stddef.h>
#include <stdint.h>
#include <libunplug/gate.h>

int plugin_visit(struct unplug_gate *gate);
void plugin_leave_stale(void);

int plugin_visit(struct unplug_gate *gate)
{
	if (!unplug_gate_get_active(gate))
		return 0;
	unplug_gate_put_active(gate);
	return 1;
}

/* A sequence as if it was over, whose descriptor was not taken back */
void plugin_leave_stale(void)
{
#ifdef UNPLUG_GATE_RSEQ
	static struct rseq_cs stale;
	uint64_t *cs = (uint64_t *)((char *)__builtin_thread_pointer() +
				    __rseq_offset +
				    offsetof(struct rseq, rseq_cs));

	stale.start_ip = (uintptr_t)plugin_visit;
	stale.post_commit_offset = 1;
	stale.abort_ip = (uintptr_t)plugin_visit;
	__atomic_store_n(cs, (uintptr_t)&stale, __ATOMIC_RELAXED);
#endif
}
