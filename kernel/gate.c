// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate: see include/unplug/gate.h for the states and the ordering argument;
 * letters in comments refer to it.
 */

#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/smp.h>
#include <unplug/gate.h>

/* With 31 bits a CPU that counts more entries than exits would close itself. */
static_assert(BITS_PER_LONG == 64, "the gate needs a 64 bit processor");

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
	long *word;
	int cpu;

	gate->word = alloc_percpu(long);
	if (!gate->word)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		word = per_cpu_ptr(gate->word, cpu);
		*word = UNPLUG_WORD_SHUT;
	}

	gate->state = UNPLUG_GATE_NEW;
	gate->drained = drained;
	atomic_set(&gate->sum, 0);
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
	free_percpu(gate->word);
	gate->word = NULL;
}
EXPORT_SYMBOL_GPL(unplug_gate_destroy);

/**
 * struct gate_round - what all CPUs are asked to do
 * @gates: with the words of these
 * @n: how many gates
 * @to: UNPLUG_WORD_OPEN or UNPLUG_WORD_SHUT
 */
struct gate_round {
	struct unplug_gate *const *gates;
	unsigned int n;
	long to;
};

static void gate_turned(struct unplug_gate *gate, long from, long to)
{
	if (to == UNPLUG_WORD_SHUT)
		atomic_add(from - UNPLUG_WORD_OPEN, &gate->sum);
}

/* On each CPU, in an interrupt. A non-maskable one may still get and put. */
static void gates_turn_here(void *arg)
{
	const struct gate_round *round = arg;
	unsigned int i;

	for (i = 0; i < round->n; i++)
		gate_turned(round->gates[i],
			    this_cpu_xchg(*round->gates[i]->word, round->to),
			    round->to);
}

/* For a CPU that is offline, and stays so. */
static void gates_turn_there(const struct gate_round *round, int cpu)
{
	unsigned int i;
	long *word;

	for (i = 0; i < round->n; i++) {
		word = per_cpu_ptr(round->gates[i]->word, cpu);
		gate_turned(round->gates[i], *word, round->to);
		*word = round->to;
	}
}

/* B, F */
static void gates_turn(struct unplug_gate *const gates[], unsigned int n,
		       long to)
{
	struct gate_round round = { gates, n, to };
	int cpu;

	cpus_read_lock();
	for_each_possible_cpu(cpu)
		if (!cpu_online(cpu))
			gates_turn_there(&round, cpu);
	on_each_cpu(gates_turn_here, &round, true);
	cpus_read_unlock();
}

/**
 * unplug_gates_open() - let users in
 * @gates: new gates
 * @n: how many
 *
 * Interrupts every CPU, once for all of them.
 *
 * Ownership: the caller owes unplug_gates_close() for each.
 * Context: Process. May sleep. Takes cpus_read_lock(). The caller serialises
 *	    open and close of a gate.
 */
void unplug_gates_open(struct unplug_gate *const gates[], unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		WARN_ON(gates[i]->state != UNPLUG_GATE_NEW);
		WRITE_ONCE(gates[i]->state, UNPLUG_GATE_LIVE);
	}
	gates_turn(gates, n, UNPLUG_WORD_OPEN);
}
EXPORT_SYMBOL_GPL(unplug_gates_open);

/**
 * unplug_gates_close() - let no more users in, for ever
 * @gates: live gates
 * @n: how many
 *
 * Once this returned nobody enters; before, somebody may, even one who was
 * refused already. Waits for no user, but interrupts every CPU, once for all of
 * the gates. ->drained is not called before unplug_gate_fold().
 *
 * Ownership: the caller owes unplug_gate_fold() for each.
 * Context: Process. May sleep. Takes cpus_read_lock(). The caller serialises
 *	    open and close of a gate.
 */
void unplug_gates_close(struct unplug_gate *const gates[], unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		WARN_ON(gates[i]->state != UNPLUG_GATE_LIVE);
		WRITE_ONCE(gates[i]->state, UNPLUG_GATE_DYING);
	}
	gates_turn(gates, n, UNPLUG_WORD_SHUT);
}
EXPORT_SYMBOL_GPL(unplug_gates_close);

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
	if (atomic_add_return(atomic_read(&gate->sum), &gate->late) == 0) /* E */
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

/* What the CPUs that are open have counted */
static unsigned int unplug_gate_open_sum(const struct unplug_gate *gate)
{
	unsigned int sum = 0;
	long word;
	int cpu;

	/* Possible, not online: a CPU leaves its count behind when it goes. */
	for_each_possible_cpu(cpu) {
		word = READ_ONCE(*per_cpu_ptr(gate->word, cpu));
		if (word > 0)
			sum += word - UNPLUG_WORD_OPEN;
	}
	return sum;
}

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
		return unplug_gate_open_sum(gate);
	case UNPLUG_GATE_DYING:
		if (late <= 0)		/* not folded yet */
			late += atomic_read(&gate->sum) +
				unplug_gate_open_sum(gate);
		return late;
	default:
		return 0;
	}
}
EXPORT_SYMBOL_GPL(unplug_gate_inside);
