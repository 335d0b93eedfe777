// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate: see include/unplug/gate.h for the states and the ordering argument;
 * letters in comments refer to it.
 */

#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <unplug/gate.h>

/* With 31 bits a CPU that counts more entries than exits would close itself. */
static_assert(BITS_PER_LONG == 64, "the gate needs a 64 bit processor");

/* Of all gates that are not live. What is counted here means nothing. */
static DEFINE_PER_CPU(long, gates_shut) = UNPLUG_WORD_SHUT;

/**
 * unplug_gate_init() - prepare a gate, closed
 * @gate: memory of the caller, any content
 * @drained: see struct unplug_gate; must not be NULL
 *
 * Ownership: the caller owes unplug_gate_destroy() if it succeeds. @gate
 *	    stays the caller's.
 * Context: Process. May sleep.
 * Return: 0, or -ENOMEM: nothing to destroy then.
 */
int unplug_gate_init(struct unplug_gate *gate,
		     void (*drained)(struct unplug_gate *gate))
{
	long *word;
	int cpu;

	gate->own = alloc_percpu(long);
	gate->left = alloc_percpu(int);
	if (!gate->own || !gate->left) {
		free_percpu(gate->left);
		free_percpu(gate->own);
		return -ENOMEM;
	}
	for_each_possible_cpu(cpu) {
		word = per_cpu_ptr(gate->own, cpu);
		*word = UNPLUG_WORD_OPEN;
	}

	gate->word = &gates_shut;
	gate->state = UNPLUG_GATE_NEW;
	gate->drained = drained;
	atomic_set(&gate->late, 0);
	return 0;
}
EXPORT_SYMBOL_GPL(unplug_gate_init);

/**
 * unplug_gate_destroy() - give back a gate's words
 * @gate: a gate that was never opened, or that is dead: ->drained returned
 *
 * Ownership: the caller may free the memory @gate lies in.
 * Context: Any in which memory may be freed, an RCU callback included.
 */
void unplug_gate_destroy(struct unplug_gate *gate)
{
	WARN_ON(gate->state != UNPLUG_GATE_NEW &&
		gate->state != UNPLUG_GATE_DEAD);
	free_percpu(gate->left);
	free_percpu(gate->own);
	gate->left = NULL;
	gate->own = NULL;
}
EXPORT_SYMBOL_GPL(unplug_gate_destroy);

/* Who sees the one without the other tries again: nobody may do so in between, on this CPU. */
static void gate_let_in(struct unplug_gate *gate)
{
	unsigned long flags;

	local_irq_save(flags);
	WRITE_ONCE(gate->state, UNPLUG_GATE_LIVE);
	smp_store_release(&gate->word, gate->own);	/* F */
	local_irq_restore(flags);
}

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
	gate_let_in(gate);
}
EXPORT_SYMBOL_GPL(unplug_gate_open);

/**
 * unplug_gate_kill() - let no more users in
 * @gate: a live gate
 *
 * Users that are about to enter may still succeed, until unplug_gates_close()
 * returned; whoever begins after one failed does not. ->drained is not called before
 * unplug_gate_fold().
 *
 * Ownership: the caller owes unplug_gates_close() and unplug_gate_fold().
 * Context: Any. The caller serialises open and kill.
 */
void unplug_gate_kill(struct unplug_gate *gate)
{
	WARN_ON(gate->state != UNPLUG_GATE_LIVE);
	WRITE_ONCE(gate->state, UNPLUG_GATE_DYING);
	smp_store_release(&gate->word, &gates_shut);	/* G */
}
EXPORT_SYMBOL_GPL(unplug_gate_kill);

/**
 * struct gate_round - what all CPUs are asked to do
 * @gates: shut your words of these
 * @n: how many gates
 */
struct gate_round {
	struct unplug_gate *const *gates;
	unsigned int n;
};

/*
 * A word may be shut twice, and be found open twice: when its CPU has come online
 * meanwhile and undone the first. What it holds then is the whole count once more,
 * so the note is replaced, not added to.
 */
static void gate_note(struct unplug_gate *gate, int cpu, long word)
{
	if (word > 0)
		WRITE_ONCE(*per_cpu_ptr(gate->left, cpu),
			   word - UNPLUG_WORD_OPEN);
}

/* On each CPU, in an interrupt */
static void gates_close_here(void *arg)
{
	const struct gate_round *round = arg;
	struct unplug_gate *gate;
	unsigned int i;

	for (i = 0; i < round->n; i++) {
		gate = round->gates[i];
		gate_note(gate, smp_processor_id(),
			  this_cpu_xchg(*gate->own, UNPLUG_WORD_SHUT));
	}
}

/* For a CPU that was not online a moment ago */
static void gates_close_there(const struct gate_round *round, int cpu)
{
	struct unplug_gate *gate;
	unsigned int i;

	for (i = 0; i < round->n; i++) {
		gate = round->gates[i];
		gate_note(gate, cpu, xchg(per_cpu_ptr(gate->own, cpu),
					  UNPLUG_WORD_SHUT));
	}
}

/**
 * unplug_gates_close() - make sure that nobody enters any more
 * @gates: killed gates
 * @n: how many
 *
 * Waits for no user, but for an interrupt on each CPU, one for all of the gates.
 * They are off meanwhile for some instructions per gate.
 *
 * Ownership: the caller owes unplug_gate_fold() for each.
 * Context: Process. May be called with preemption off, not with interrupts off.
 */
void unplug_gates_close(struct unplug_gate *const gates[], unsigned int n)
{
	struct gate_round round = { gates, n };
	int cpu;

	preempt_disable();
	for_each_possible_cpu(cpu)
		if (!cpu_online(cpu))
			gates_close_there(&round, cpu);
	/* In this order, with a fence (xchg) in between: B */
	on_each_cpu(gates_close_here, &round, true);
	preempt_enable();
}
EXPORT_SYMBOL_GPL(unplug_gates_close);

/* On each CPU, in an interrupt */
static void gate_thaw_here(void *arg)
{
	struct unplug_gate *gate = arg;

	/* It may have been opened while this CPU was not online, and have counted since. */
	if (this_cpu_read(*gate->own) < 0)
		this_cpu_write(*gate->own, UNPLUG_WORD_OPEN);
}

/**
 * unplug_gate_thaw() - let users in again
 * @gate: a dead gate: ->drained returned
 *
 * Some may succeed before this returns; all who begin after it do.
 *
 * Ownership: the caller owes unplug_gate_kill().
 * Context: As unplug_gates_close(). The caller serialises it with kill and destroy.
 */
void unplug_gate_thaw(struct unplug_gate *gate)
{
	int cpu;

	WARN_ON(gate->state != UNPLUG_GATE_DEAD);
	preempt_disable();
	smp_mb();	/* H */
	for_each_possible_cpu(cpu)
		if (!cpu_online(cpu))
			xchg(per_cpu_ptr(gate->own, cpu), UNPLUG_WORD_OPEN);
	on_each_cpu(gate_thaw_here, gate, true);	/* H */
	gate_let_in(gate);
	preempt_enable();
}
EXPORT_SYMBOL_GPL(unplug_gate_thaw);

/* What the CPUs have counted, or had when their words were shut */
static int unplug_gate_sum(const struct unplug_gate *gate)
{
	unsigned int sum = 0;
	long word;
	int cpu;

	/* Possible, not online: a CPU leaves its count behind when it goes. */
	for_each_possible_cpu(cpu) {
		word = READ_ONCE(*per_cpu_ptr(gate->own, cpu));
		if (word > 0)
			sum += word - UNPLUG_WORD_OPEN;
		else
			sum += READ_ONCE(*per_cpu_ptr(gate->left, cpu));
	}
	return sum;
}

static void unplug_gate_dead(struct unplug_gate *gate)
{
	WRITE_ONCE(gate->state, UNPLUG_GATE_DEAD);
	gate->drained(gate);
}

/**
 * unplug_gate_fold() - begin to wait for those inside
 * @gate: a closed gate
 *
 * Does not wait itself: ->drained is called when the last user leaves; from
 * here if nobody is inside.
 *
 * Ownership: the gate is the last user's until ->drained was called.
 * Context: Any.
 */
void unplug_gate_fold(struct unplug_gate *gate)
{
	WRITE_ONCE(gate->state, UNPLUG_GATE_DRAINING);
	if (atomic_add_return(unplug_gate_sum(gate), &gate->late) == 0) /* E */
		unplug_gate_dead(gate);
}
EXPORT_SYMBOL_GPL(unplug_gate_fold);

/* The other half of unplug_gate_put_active() */
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
 * For messages: while the gate is live, or being closed, the number may be off by
 * those who come and go meanwhile.
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
	case UNPLUG_GATE_DYING:
		return late + unplug_gate_sum(gate);
	case UNPLUG_GATE_DRAINING:
		return max(late, 0);
	default:
		return 0;
	}
}
EXPORT_SYMBOL_GPL(unplug_gate_inside);
