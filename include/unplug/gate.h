/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_GATE_H
#define _UNPLUG_GATE_H

/**
 * DOC: gate
 *
 * A gate counts who is inside one device. Everybody who wants to work with the
 * device takes an active reference first and puts it when the work is done:
 *
 *	if (!unplug_gate_get_active(gate))
 *		return -ENODEV;
 *	... the device will not go away under this code ...
 *	unplug_gate_put_active(gate);
 *
 * A gate is not a lock: any number of users are inside at once, nobody ever
 * waits to get in, and a reference says nothing about other users. It is not a
 * reference count of memory either: the gate has to be kept alive by other
 * means until the last put returned (see "Memory").
 *
 * States
 * ------
 *
 *	NEW ----open----> LIVE ----close----> DYING ----last one out----> DEAD
 *
 *	state   get     put              who may be inside
 *	NEW     fails   -                nobody
 *	LIVE    enters  per-CPU word     anybody
 *	DYING   fails   drain word       those who entered while LIVE
 *	DEAD    fails   -                nobody, for ever
 *
 * No transition leads back. open and close are each done once; it is the caller
 * (the device) who makes sure of that.
 *
 * Counting
 * --------
 *
 * Each CPU has a word of the gate, which says both whether this CPU admits (is
 * it positive?) and how many entered less how many left here. get increments
 * the word of the CPU it happens to run on and put decrements it: one
 * instruction each, which also yields the sign of the result. Nothing can come
 * between counting and looking, so no section has to be protected: there is no
 * shared cache line, no atomic, no fence, preemption stays on. A reference may be
 * put on another CPU, or in an interrupt: single words mean nothing, only the
 * sum of the counts (modulo 2^32) does.
 *
 * The word is only ever written by its own CPU. open and close interrupt each CPU
 * in turn and have it exchange its word, one round for any number of gates:
 *
 *	word	= OPEN + count		get and put are done with it
 *		= SHUT + anything	get is refused; put goes to the drain word
 *
 *	unplug_gates_close(gates, n)	each CPU's count joins gate->sum
 *	unplug_gate_fold(gate)		gate->sum joins the drain word
 *
 * OPEN and SHUT are so far apart (2^63) that no count closes an open word and
 * nothing opens a closed one. The drain word starts at zero, so before fold it
 * only goes below; fold adds the sum, which makes it the number of those who
 * are still inside. Whoever brings it to zero then, the last put or fold itself,
 * is the only one to do so, and calls gate->drained.
 *
 * While close is under way some CPUs admit and others refuse: a task may be
 * refused here and admitted there. It may even leave on a closed CPU before the
 * one it came in by was asked: the sum and the drain word meet in fold only.
 *
 * Ordering
 * --------
 *
 * A  get counts and looks in one instruction. Matches B: it comes before its
 *    CPU's exchange, then it is part of the count that is taken there, or after
 *    it, then it is refused. As two steps, a user could be moved, or the
 *    interrupt come, in between: in without being counted, use after free.
 *
 * B  the exchange is done by the CPU whose word it is, and close waits until
 *    all have done it; CPUs that are offline cannot come online meanwhile, and
 *    their words are exchanged for them. After it no count changes any more, so
 *    the sum is exact, not a snapshot of moving counters. A CPU's word must not be
 *    written by another one: its increment is no atomic, and would undo that.
 *
 * C  put counts and looks in one instruction, too. Matches B twice: the decrement is
 *    part of the sum, and all accesses of the operation that ends here are
 *    done before the interrupt is answered (or, if its task was moved, before it
 *    ran again), so before whatever follows close. After a put that found its
 *    CPU open the gate is not touched again.
 *
 * D  the drain word's decrement in a late put is fully ordered (a value
 *    returning atomic). Matches E: the operation's accesses happen before the
 *    word can be seen at zero.
 *
 * E  the decrement, or the addition in fold, that reaches zero is fully
 *    ordered too: gate->drained runs after the accesses of all who were inside.
 *
 * F  open, too, has each CPU exchange its own word: who enters does so after
 *    his CPU answered, and sees the device as it was set up before open. By
 *    remote stores, a get that is refused meanwhile could put back a closed word.
 *
 * Each letter is left out, and found missing, by a variant in model/gate.pml or
 * model/order.pml.
 *
 * Memory
 * ------
 *
 * A put that finds its CPU closed has not been taken off the drain word yet: the
 * gate is there. So it may be freed as soon as ->drained was called and returned,
 * if nobody can come any more to be refused: who calls get keeps the gate by
 * other means.
 */

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <unplug/word.h>

enum unplug_gate_state {
	UNPLUG_GATE_NEW,
	UNPLUG_GATE_LIVE,
	UNPLUG_GATE_DYING,
	UNPLUG_GATE_DEAD,
};

/**
 * struct unplug_gate - the active references of one device
 * @word: of each CPU, see unplug/word.h
 * @state: enum unplug_gate_state, for those who want to know; get and put do not
 *	   look at it
 * @sum: what the CPUs had counted when they were closed
 * @late: drain word
 * @drained: called once, when nobody is inside a closed gate any more. Runs in
 *	     the context of the last put, any, up to hard interrupt; or of fold.
 *	     It must not free the gate.
 */
struct unplug_gate {
	long __percpu *word;
	unsigned int state;
	atomic_t sum;
	atomic_t late;
	void (*drained)(struct unplug_gate *gate);
};

int unplug_gate_init(struct unplug_gate *gate,
		     void (*drained)(struct unplug_gate *gate));
void unplug_gate_destroy(struct unplug_gate *gate);

void unplug_gates_open(struct unplug_gate *const gates[], unsigned int n);
void unplug_gates_close(struct unplug_gate *const gates[], unsigned int n);
void unplug_gate_fold(struct unplug_gate *gate);

unsigned int unplug_gate_inside(const struct unplug_gate *gate);
void __unplug_gate_put_late(struct unplug_gate *gate);

/**
 * unplug_gate_get_active() - enter a gate
 * @gate: the gate
 *
 * Never waits. A user who is inside already may enter again, but must be
 * prepared to be refused: the gate may have been closed in between.
 *
 * Ownership: the caller owes unplug_gate_put_active() if it succeeds. The
 *	    gate's memory is kept by other means.
 * Context: Any, up to non-maskable interrupt. Does not sleep, takes no lock.
 * Return: true if the caller is inside and owes unplug_gate_put_active();
 *	   false if the gate is not live.
 */
static __always_inline bool unplug_gate_get_active(struct unplug_gate *gate)
{
	return likely(unplug_word_inc(gate->word));	/* A */
}

/**
 * unplug_gate_put_active() - leave a gate
 * @gate: the gate, entered by unplug_gate_get_active()
 *
 * May be called by another task, on another CPU and in another context than
 * the get it ends. The gate must not be touched afterwards on the strength of
 * that reference.
 *
 * Ownership: the caller is no longer inside.
 * Context: Any, up to hard interrupt. Does not sleep, takes no lock.
 */
static __always_inline void unplug_gate_put_active(struct unplug_gate *gate)
{
	if (unlikely(!unplug_word_dec(gate->word)))	/* C */
		__unplug_gate_put_late(gate);
}

#endif /* _UNPLUG_GATE_H */
