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
 *	NEW --open--> LIVE --kill--> DYING --fold--> DRAINING --last one out--> DEAD
 *		       ^						 |
 *		       +---------------------thaw------------------------+
 *
 *	state     get     put              who may be inside
 *	NEW       fails   -                nobody
 *	LIVE      enters  per-CPU word     anybody
 *	DYING     fails   drain word       those who entered while LIVE
 *	DRAINING  fails   drain word       those who entered while LIVE
 *	DEAD      fails   -                nobody
 *
 * Whoever was refused by a gate that had been open is refused until it is thawed, if
 * ever. It is the caller (the device) who serialises open, kill and thaw.
 *
 * Counting
 * --------
 *
 * Each CPU has a word of the gate, which says both whether it is open (is it
 * positive?) and how many entered less how many left here. get increments the
 * word of the CPU it happens to run on and put decrements it: one instruction
 * each, which also yields the sign of the result. Nothing can come between
 * counting and looking, so no section has to be protected: there is no shared
 * cache line, no atomic, no fence, preemption stays on. A reference may be put
 * on another CPU, or in an interrupt: single words mean nothing, only the sum
 * of the counts (modulo 2^32) does.
 *
 *	word	= OPEN + count		get and put are done with it
 *		= SHUT + anything	get is refused; put goes to the drain word
 *
 * OPEN and SHUT are so far apart (2^63) that no count closes an open word and
 * nothing opens a closed one.
 *
 * gate->word points to these words while the gate is LIVE, and otherwise to
 * words that all gates share and that are always shut. So open and kill are
 * one store each. But somebody may have read the pointer before kill, and count
 * much later. Therefore a gate is closed in three steps:
 *
 *	unplug_gate_kill(gate)		no newcomers, from here on
 *	unplug_gates_close(gates, n)	no stragglers either: an interrupt has each
 *					CPU shut its word, and note the count in
 *					gate->left; one for any number of gates
 *	unplug_gate_fold(gate)		the sum of these joins the drain word
 *
 * From kill on, puts decrement the drain word. It is not above zero, so before fold
 * it only goes further below; fold adds the sum, which makes it the number of those who
 * are still inside. Whoever brings it to zero then, the last put or fold itself,
 * is the only one to do so, and calls gate->drained.
 *
 * Ordering
 * --------
 *
 * A  get counts and looks in one instruction. Matches B: it comes before its
 *    CPU's word is shut, then it is part of the count that is taken there, or
 *    after it, then it is refused. As two steps, a user could be moved, or the
 *    interrupt come, in between: in without being counted, use after free.
 *
 * B  a word is shut by the CPU whose word it is, and close waits until all have
 *    done it. After it no count changes any more, so the sum is exact, not a
 *    snapshot of moving counters. Another CPU must not write a word: its owner's
 *    increment is no atomic, and could undo that. But for a CPU that is not
 *    online, on which nobody gets or puts, close does so itself, and then asks
 *    all that are online, one that has just come among them: if such a CPU
 *    undid the store, its increment came after it was marked online, so close
 *    sees it online, and it finds its own word open once more, with the whole
 *    count: this replaces what close had noted for it. None can go offline
 *    meanwhile, as preemption is off.
 *
 * C  put counts and looks in one instruction, too. Matches B twice: the decrement
 *    is part of the sum, and all accesses of the operation that ends here are
 *    done before the interrupt is answered (or, if its task was moved, before it
 *    ran again), so before whatever follows close. After a put that found its
 *    word open the gate is not touched again.
 *
 * D  the drain word's decrement in a late put is fully ordered (a value
 *    returning atomic). Matches E: the operation's accesses happen before the
 *    word can be seen at zero.
 *
 * E  the decrement, or the addition in fold, that reaches zero is fully
 *    ordered too: gate->drained runs after the accesses of all who were inside.
 *
 * F  open is a store-release of the pointer, and get's look at it a load-acquire:
 *    who enters sees the device as it was set up before it, and its words open.
 *
 * G  kill comes before close: who is refused by a word that was shut has seen
 *    an interrupt that was sent after kill. So he, and whoever he tells, is refused
 *    on every other CPU too, though that one may not have been asked yet.
 *
 * H  thaw has each CPU open its own word, for the reason that B says: again only those
 *    of CPUs that are not online are opened for them. One that has come online since
 *    may have counted already, so who finds his word open leaves it alone. The
 *    pointer comes last, as in open. Who read it before kill, and counts only now, enters
 *    earlier than all others. He has not read it anew, so it is not F that shows him
 *    the device as it was set up, but the interrupt, in which his CPU opened its word;
 *    or the fence, if it was not online when thaw looked. If he puts on a CPU whose
 *    word is still shut, or while the pointer is away, the drain word goes below zero, by as
 *    much as the words have too much: it is never reset, and the next fold adds them up.
 *
 * Each letter is left out, and found missing, by a variant in model/gate.pml or
 * model/order.pml.
 *
 * Memory
 * ------
 *
 * A put that finds a word shut has not been taken off the drain word yet: the
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
	UNPLUG_GATE_DRAINING,
	UNPLUG_GATE_DEAD,
};

/**
 * struct unplug_gate - the active references of one device
 * @word: what get and put count in: @own, or the words that are always shut
 * @own: a word of each CPU, see unplug/word.h
 * @state: enum unplug_gate_state, for those who want to know; get and put do not
 *	   look at it
 * @left: what each CPU had counted when its word was shut
 * @late: drain word
 * @drained: called once each time the gate was closed, when nobody is inside any more. Runs in
 *	     the context of the last put, any, up to hard interrupt; or of fold.
 *	     It must not free the gate.
 */
struct unplug_gate {
	long __percpu *word;
	long __percpu *own;
	int __percpu *left;
	unsigned int state;
	atomic_t late;
	void (*drained)(struct unplug_gate *gate);
};

int unplug_gate_init(struct unplug_gate *gate,
		     void (*drained)(struct unplug_gate *gate));
void unplug_gate_destroy(struct unplug_gate *gate);

void unplug_gate_open(struct unplug_gate *gate);
void unplug_gate_kill(struct unplug_gate *gate);
void unplug_gates_close(struct unplug_gate *const gates[], unsigned int n);
void unplug_gate_fold(struct unplug_gate *gate);
void unplug_gate_thaw(struct unplug_gate *gate);

unsigned int unplug_gate_inside(const struct unplug_gate *gate);
void __unplug_gate_put_late(struct unplug_gate *gate);

/**
 * unplug_gate_get_active() - enter a gate
 * @gate: the gate
 *
 * Never waits. A user who is inside already may enter again, but must be
 * prepared to be refused: the gate may have been killed in between.
 *
 * Ownership: the caller owes unplug_gate_put_active() if it succeeds. The
 *	    gate's memory is kept by other means.
 * Context: Any, up to hard interrupt. Does not sleep, takes no lock.
 * Return: true if the caller is inside and owes unplug_gate_put_active();
 *	   false if the gate is not live.
 */
static __always_inline bool unplug_gate_get_active(struct unplug_gate *gate)
{
	return likely(unplug_word_inc(smp_load_acquire(&gate->word))); /* A, F */
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
	if (unlikely(!unplug_word_dec(READ_ONCE(gate->word))))	/* C */
		__unplug_gate_put_late(gate);
}

#endif /* _UNPLUG_GATE_H */
