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
 *	NEW ----open----> LIVE ----kill----> DYING ----last one out----> DEAD
 *
 *	state   get     put               who may be inside
 *	NEW     fails   -                 nobody
 *	LIVE    enters  per-CPU counter   anybody
 *	DYING   fails   drain word        those who entered while LIVE
 *	DEAD    fails   -                 nobody, for ever
 *
 * No transition leads back. kill is done once; it is the caller (the device)
 * who makes sure of that.
 *
 * Counting
 * --------
 *
 * While the gate is LIVE, get increments and put decrements a counter of the
 * CPU it happens to run on. No CPU writes another one's counter, so there is
 * neither a shared cache line nor an atomic instruction. A reference may be put
 * on another CPU, or in an interrupt: single counters mean nothing, only their
 * sum (modulo 2^32) does.
 *
 * Closing takes three steps, the second of which the caller provides, so that
 * any number of gates can share one grace period:
 *
 *	unplug_gate_kill(gate);		state = DYING
 *	synchronize_rcu_expedited();
 *	unplug_gate_fold(gate);		sum of the counters joins the drain word
 *
 * From kill on, put decrements the drain word instead. It starts at zero, so
 * before fold it only goes below; fold adds the sum, which makes it the number
 * of those who are still inside. Whoever brings it to zero then, the last put or
 * fold itself, is the only one to do so, and calls gate->drained.
 *
 * Ordering
 * --------
 *
 * get and put are each one section with preemption off, which the grace period
 * waits for like for any RCU reader. A section either began before the grace
 * period, then all of it, and all its CPU did earlier, happens before the
 * period's end; or it began later, then it sees what preceded the period: the
 * state DYING. Hence:
 *
 * A  state is LIVE in get; the increment follows in the same section.
 *    Matches B. A get that saw LIVE is counted before the period ends, a get
 *    that comes later fails. Without it (preemption on between look and count)
 *    a user could enter after the sum was taken: use after free.
 *
 * B  the grace period between kill and fold. After it no counter changes any
 *    more: gets fail (A), puts go to the drain word (C). The sum fold takes is
 *    therefore exact, not a snapshot of moving counters.
 *
 * C  state is LIVE in put; the decrement follows in the same section.
 *    Matches B twice: the decrement is part of the sum, and all accesses of the
 *    operation that ends here happen before the period's end, so before
 *    whatever the drained device does next. put must look BEFORE it decrements:
 *    the other way round a weakly ordered CPU shows zero to the drainer while
 *    the operation's last stores are still under way.
 *
 * D  the drain word's decrement in a late put is fully ordered (a value
 *    returning atomic). Matches E: the operation's accesses happen before the
 *    word can be seen at zero.
 *
 * E  the decrement, or the addition in fold, that reaches zero is fully
 *    ordered too: gate->drained runs after the accesses of all who were inside.
 *
 * F  state = LIVE in unplug_gate_open is a store-release and get's look a
 *    load-acquire: who enters sees the device as it was set up before it.
 *
 * Each letter is left out, and found missing, by a variant in model/gate.pml or
 * model/order.pml.
 *
 * Memory
 * ------
 *
 * The last touch of the gate by a put lies in its preemption-off section. The
 * gate may be freed after ->drained was called AND a further grace period has
 * passed (kfree_rcu, call_rcu). unplug_gate_destroy() wants both.
 */

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/types.h>
#include <unplug/hook.h>

enum unplug_gate_state {
	UNPLUG_GATE_NEW,
	UNPLUG_GATE_LIVE,
	UNPLUG_GATE_DYING,
	UNPLUG_GATE_DEAD,
};

/**
 * struct unplug_gate - the active references of one device
 * @active: users who entered minus users who left, per CPU; frozen once a
 *	    grace period followed kill
 * @state: enum unplug_gate_state; written by open, kill and the last one out
 * @late: drain word; meaningful from kill on
 * @drained: called once, when nobody is inside a killed gate any more. Runs in
 *	     the context of the last put: any, up to hard interrupt, preemption
 *	     off. It must not free the gate.
 */
struct unplug_gate {
	unsigned int __percpu *active;
	unsigned int state;
	atomic_t late;
	void (*drained)(struct unplug_gate *gate);
};

int unplug_gate_init(struct unplug_gate *gate,
		     void (*drained)(struct unplug_gate *gate));
void unplug_gate_destroy(struct unplug_gate *gate);

void unplug_gate_open(struct unplug_gate *gate);
void unplug_gate_kill(struct unplug_gate *gate);
void unplug_gate_fold(struct unplug_gate *gate);

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
	bool live;

	preempt_disable();
	live = smp_load_acquire(&gate->state) == UNPLUG_GATE_LIVE; /* A, F */
	if (likely(live)) {
		unplug_hook_spin(UNPLUG_HOOK_GATE_GET);
		this_cpu_inc(*gate->active);
	}
	preempt_enable();

	return live;
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
	preempt_disable();
	if (likely(READ_ONCE(gate->state) == UNPLUG_GATE_LIVE)) { /* C */
		unplug_hook_spin(UNPLUG_HOOK_GATE_PUT);
		this_cpu_dec(*gate->active);
	} else {
		__unplug_gate_put_late(gate);
	}
	preempt_enable();
}

#endif /* _UNPLUG_GATE_H */
