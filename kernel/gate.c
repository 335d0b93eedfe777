// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate: see include/unplug/gate.h for the states and the ordering argument;
 * letters in comments refer to it.
 */

#include <linux/bug.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <unplug/gate.h>

/**
 * unplug_gate_init() - prepare a gate, closed
 * @gate: memory of the caller, any content
 * @drained: see struct unplug_gate; must not be NULL
 *
 * Ownership: the caller owes unplug_gate_destroy() if it succeeds. @gate
 *	    stays its memory.
 * Context: Process. May sleep.
 * Return: 0, or -ENOMEM: nothing to destroy then.
 */
int unplug_gate_init(struct unplug_gate *gate,
		     void (*drained)(struct unplug_gate *gate))
{
	gate->active = alloc_percpu(unsigned int);
	if (!gate->active)
		return -ENOMEM;

	gate->state = UNPLUG_GATE_NEW;
	gate->drained = drained;
	atomic_set(&gate->late, 0);
	return 0;
}
EXPORT_SYMBOL_GPL(unplug_gate_init);

/**
 * unplug_gate_destroy() - give back a gate's counters
 * @gate: a gate that was never opened, or that is dead and a grace period older
 *	  than its last put
 *
 * Ownership: the caller may free the memory @gate lies in.
 * Context: Any in which memory may be freed, an RCU callback included.
 */
void unplug_gate_destroy(struct unplug_gate *gate)
{
	WARN_ON(gate->state != UNPLUG_GATE_NEW &&
		gate->state != UNPLUG_GATE_DEAD);
	free_percpu(gate->active);
	gate->active = NULL;
}
EXPORT_SYMBOL_GPL(unplug_gate_destroy);

/**
 * unplug_gate_open() - let users in
 * @gate: a new gate
 *
 * Ownership: the caller owes unplug_gate_kill().
 * Context: Any. The caller serialises open and kill.
 */
void unplug_gate_open(struct unplug_gate *gate)
{
	WARN_ON(gate->state != UNPLUG_GATE_NEW);
	smp_store_release(&gate->state, UNPLUG_GATE_LIVE);	/* F */
}
EXPORT_SYMBOL_GPL(unplug_gate_open);

/**
 * unplug_gate_kill() - let no more users in, for ever
 * @gate: a live gate
 *
 * Users that are about to enter on another CPU may still succeed. After the
 * next RCU grace period none does; the caller must wait for one, then call
 * unplug_gate_fold(). ->drained is not called before that.
 *
 * Ownership: the caller owes a grace period and unplug_gate_fold().
 * Context: Any. The caller serialises open and kill.
 */
void unplug_gate_kill(struct unplug_gate *gate)
{
	WARN_ON(gate->state != UNPLUG_GATE_LIVE);
	WRITE_ONCE(gate->state, UNPLUG_GATE_DYING);
}
EXPORT_SYMBOL_GPL(unplug_gate_kill);

static unsigned int unplug_gate_sum(const struct unplug_gate *gate)
{
	unsigned int sum = 0;
	int cpu;

	/* Possible, not online: a CPU takes its count along when it leaves. */
	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(gate->active, cpu));
	return sum;
}

static void unplug_gate_dead(struct unplug_gate *gate)
{
	WRITE_ONCE(gate->state, UNPLUG_GATE_DEAD);
	gate->drained(gate);
}

/**
 * unplug_gate_fold() - begin to wait for those inside
 * @gate: a killed gate, a grace period after the kill (B)
 *
 * Does not wait itself: ->drained is called when the last user leaves; from
 * here if nobody is inside.
 *
 * Ownership: the gate is the last user's until ->drained was called.
 * Context: Any.
 */
void unplug_gate_fold(struct unplug_gate *gate)
{
	if (atomic_add_return(unplug_gate_sum(gate), &gate->late) == 0)	/* E */
		unplug_gate_dead(gate);
}
EXPORT_SYMBOL_GPL(unplug_gate_fold);

/* The other half of unplug_gate_put_active(); preemption is off. */
void __unplug_gate_put_late(struct unplug_gate *gate)
{
	if (atomic_dec_and_test(&gate->late))	/* D, E */
		unplug_gate_dead(gate);
}
EXPORT_SYMBOL_GPL(__unplug_gate_put_late);

/**
 * unplug_gate_inside() - how many users are inside
 * @gate: the gate
 *
 * For messages: while the gate is live, or its grace period under way, the
 * number may be off by those who come and go meanwhile.
 *
 * Ownership: takes and puts nothing.
 * Context: Any.
 * Return: the number of active references.
 */
unsigned int unplug_gate_inside(const struct unplug_gate *gate)
{
	int late = atomic_read(&gate->late);

	switch (READ_ONCE(gate->state)) {
	case UNPLUG_GATE_LIVE:
		return unplug_gate_sum(gate);
	case UNPLUG_GATE_DYING:
		if (late <= 0)		/* not folded yet */
			late += unplug_gate_sum(gate);
		return late;
	default:
		return 0;
	}
}
EXPORT_SYMBOL_GPL(unplug_gate_inside);
