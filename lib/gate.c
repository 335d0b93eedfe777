// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The gate: see <libunplug/gate.h> for the states; letters in comments refer to what
 * follows.
 *
 * Counting
 * --------
 *
 * Each CPU has a slot of the gate: how many entered here, and how many left here.
 * get increments the one on the CPU it happens to run on, put the other, in a restartable
 * sequence:
 *
 *	section			the kernel throws out who is preempted, migrated,
 *	  cpu = this CPU	or interrupted by a signal or by membarrier in here
 *	  if cpu >= gate->bound
 *		leave		to the slow path
 *	  slot = gate->slots[cpu]
 *	  slot.in += 1		the commit: one instruction, the last of the section
 *
 * A reference may be put on another CPU: single words mean nothing, only the sum of
 * all in less all out (modulo 2^32) does. Two words, and not one with the difference, as then
 * a get need not wait for the store of the put before it: that is half of the time.
 *
 * gate->bound is the number of CPUs while the gate is LIVE, and 0 otherwise: the look at
 * it both keeps a CPU from a slot that is not there, and says whether the gate is open. Who
 * was thrown out has counted nothing; he goes to the slow path, as those do whom it refused,
 * and those who have no restartable sequences (their cpu is above any bound):
 *
 *	gate->word = flags + UNIT * count
 *
 *	get	if the word is not LIVE, refused; else + UNIT, by compare and exchange
 *	put	if the word is not SHUT, - UNIT, by compare and exchange; else - UNIT,
 *		and if that leaves SHUT, FOLDED and a count of 0: he was the last one
 *
 * TELLING is with SHUT in the word of a gate that has a ->drained, until that has returned:
 * only then the gate is dead for those who wait, or want to thaw it.
 *
 * So the word counts whom the slots do not, and who leaves when the slots are shut. It may
 * be negative until it is folded; if it is later, somebody has put what he had not got. (If others
 * are inside one of them is not waited for, and it is his put that tells.)
 *
 * A gate of zeroes, which nobody has prepared, has neither a bound nor LIVE: it refuses.
 *
 * A gate is shut in three steps:
 *
 *	kill	gate->bound = 0; word: SHUT in the place of LIVE
 *	close	membarrier(PRIVATE_EXPEDITED_RSEQ): interrupts each CPU that runs a
 *		thread of this process, and throws it out of its section
 *	fold	word += UNIT * (sum of slots - base) + FOLDED
 *
 * When close returned, no section is left that has seen the bound before kill, so nobody
 * writes to the slots: their sum stays as it is, and is exact. It is never reset: thaw
 * only remembers it (base) and opens.
 *
 * Order
 * -----
 *
 * A  The bound is looked at inside the section. Outside, close would not find who has
 *    looked and not yet counted: he enters a gate that is shut, or his put is
 *    counted in a slot that has been added up.
 *
 * B  close is the membarrier that restarts sequences, between the store of the bound
 *    and the reading of slots. A section that is over by then is seen in the slots (it is
 *    a full fence on its CPU, and the scheduler is one for who does not run); one that begins
 *    later sees the bound; one in progress is thrown out. Plain membarrier lets
 *    the latter commit after the sum was read.
 *
 * C  word: the decrement of put is a release, and the operation that leaves SHUT, FOLDED and 0,
 *    put's or fold's, an acquire. So ->drained runs, and who waits for it goes on, after
 *    the accesses of all who were inside. Those who put in a slot are seen by B. Likewise who has
 *    called ->drained takes TELLING away by a release, when it has returned: who waits goes on
 *    after it, and no ->drained runs in a gate that was thawed meanwhile.
 *
 * D  open and thaw: the store of the bound is a release, as is the one of the word. Who enters
 *    sees the device as it was set up. (On x86 loads are not reordered, so the section needs no
 *    more than that; a processor that does needs an acquire of the bound there.)
 *
 * E  kill clears the bound before it takes LIVE away; only the latter refuses, and
 *    refusal acquires it. So who is refused, and whoever he tells, finds the bound
 *    at 0 on every CPU, and then no LIVE.
 *
 * F  put looks whom to tell when it has acquired SHUT, and before its decrement: until the gate is
 *    shut its owner may name another descriptor. Who has not seen SHUT is not the last one, if
 *    his decrement finds the word as he has seen it.
 *
 * Memory
 * ------
 *
 * After its commit, or its decrement, neither get nor put touches the gate; what the last put
 * needs it has read before; but while TELLING is set it is its gate, until its ->drained gives it
 * away. A put that is thrown out of its section has not been counted: the
 * gate is there. So it may be freed as soon as anybody has learnt that it is dead,
 * if nobody can come any more to be refused.
 * Only the address of the word is used later, to wake whoever waits for it.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <libunplug/gate.h>
#include "internal.h"

/* What the CPUs have counted, since ever */
static uint32_t gate_sum(const struct unplug_gate *gate)
{
	const struct unplug_slot *slot;
	uint32_t sum = 0, cpu;

	for (cpu = 0; cpu < gate->cpus; cpu++) {
		slot = (const struct unplug_slot *)
			(gate->slots + (size_t)cpu * UNPLUG_SLOTS_STRIDE);
		sum += __atomic_load_n(&slot->in, __ATOMIC_RELAXED);
		sum -= __atomic_load_n(&slot->out, __ATOMIC_RELAXED);
	}
	return sum;
}

/**
 * unplug_gate_init() - prepare a gate, closed
 * @gate: memory of the caller, any content; not shared with other processes
 * @drained: optional; called once each time the gate was shut, when nobody is inside any
 *	     more: by the last unplug_gate_put_active(), wherever that is, or by
 *	     unplug_gate_fold(). Returns true: then the gate is dead, and who waits is told. Or
 *	     false: it has destroyed the gate, opened it, or let others do so; nobody is told,
 *	     and the gate is not touched any more. Does not wait for the gate, nor thaw it
 *
 * The first gate of a process decides whether restartable sequences are used, which may
 * take some milliseconds.
 *
 * Ownership: the caller owes unplug_gate_destroy() if it succeeds. @gate
 *	    stays the caller's.
 * Context: Any thread; not a signal handler.
 * Return: 0, or -ENOMEM, or -EINVAL for NULL: nothing to destroy then.
 */
int unplug_gate_init(struct unplug_gate *gate,
		     bool (*drained)(struct unplug_gate *gate))
{
	int err = gate ? unplug_lib_init() : -EINVAL;

	if (err)
		return err;
	memset(gate, 0, sizeof(*gate));
	gate->slots = unplug_slots_alloc(&gate->cpus);
	if (!gate->slots && gate->cpus)
		return -ENOMEM;
	gate->base = gate_sum(gate);
	gate->word = GATE_NEW;
	gate->drained = drained;
	gate->eventfd = -1;
	return 0;
}

/**
 * unplug_gate_destroy() - give back a gate's slots
 * @gate: a gate that was never opened, or that is dead, or whose ->drained was called; NULL
 *	  does nothing, nor does one of zeroes. Aborts, with a line on stderr, if somebody may be
 *	  inside, if more was put than got, or if another copy of the library has prepared it
 *
 * Ownership: the caller may free the memory @gate lies in.
 * Context: Any.
 */
void unplug_gate_destroy(struct unplug_gate *gate)
{
	uint64_t word;

	if (!gate_is_ready(gate))
		return;
	word = __atomic_load_n(&gate->word, __ATOMIC_ACQUIRE);
	if (!(word & GATE_NEW) && !gate_word_over(word))
		unplug_gate_fatal_busy(gate, word);
	unplug_slots_free(gate->slots);
	gate->slots = NULL;
	/* Who waits for one that was never opened is not told by anybody else. */
	if (__atomic_exchange_n(&gate->word, 0, __ATOMIC_RELAXED) & GATE_WAITED)
		unplug_gate_wake(gate);
}

/**
 * unplug_gate_open() - let users in
 * @gate: a new gate, or a dead one, or one whose ->drained was called, and returns false. Aborts,
 *	  with a line on stderr, if it is another, or was not prepared
 *
 * Ownership: the caller owes unplug_gate_shut().
 * Context: Any. The caller serialises open, shut and thaw.
 */
void unplug_gate_open(struct unplug_gate *gate)
{
	uint64_t word;

	unplug_gate_need(gate, "unplug_gate_open");
	word = __atomic_load_n(&gate->word, __ATOMIC_RELAXED);
	do {
		if (!(word & GATE_NEW) && !gate_word_over(word))
			unplug_fatal("unplug_gate_open(gate %p): it is neither new nor dead: wait until it is drained",
				     (void *)gate);
		/* Who waits already, or begins to, goes on waiting. */
	} while (!__atomic_compare_exchange_n(&gate->word, &word,
					      (word & GATE_WAITED) | GATE_LIVE, true,
					      __ATOMIC_RELEASE, /* D */
					      __ATOMIC_RELAXED));
	__atomic_store_n(&gate->bound, gate->cpus, __ATOMIC_RELEASE);	/* D */
}

/**
 * unplug_gate_kill() - let no more users in
 * @gate: a live gate, or a new one, which nobody is inside of; on one that is further it does
 *	  nothing. Aborts, with a line on stderr, if it was not prepared
 *
 * Users that are about to enter may still succeed, until unplug_gates_close()
 * returned; whoever begins after one failed does not. ->drained is not called before
 * unplug_gate_fold().
 *
 * Ownership: the caller owes unplug_gates_close() and unplug_gate_fold().
 * Context: Any. The caller serialises open, shut and thaw.
 */
void unplug_gate_kill(struct unplug_gate *gate)
{
	uint64_t word, flags = GATE_SHUT;

	unplug_gate_need(gate, "unplug_gate_kill");
	if (gate->drained)
		flags |= GATE_TELLING;
	word = __atomic_load_n(&gate->word, __ATOMIC_RELAXED);
	if (word & GATE_SHUT)
		return;
	__atomic_store_n(&gate->bound, 0, __ATOMIC_RELAXED);
	do {
		if (word & GATE_SHUT)
			return;
	} while (!__atomic_compare_exchange_n(&gate->word, &word,
					      (word & ~(GATE_LIVE | GATE_NEW)) | flags, true,
					      __ATOMIC_ACQ_REL, /* E, F */
					      __ATOMIC_RELAXED));
}

static int gates_check(struct unplug_gate *const gates[], unsigned int n)
{
	unsigned int i;

	if (n && !gates)
		return -EINVAL;
	for (i = 0; i < n; i++)
		if (!gate_is_ready(gates[i]))
			return -EINVAL;
	return 0;
}

/**
 * unplug_gates_close() - make sure that nobody enters any more
 * @gates: killed gates
 * @n: how many
 *
 * Waits for no user, but for an interrupt on each CPU that runs this process, one for
 * all of the gates.
 *
 * Ownership: the caller owes unplug_gate_fold() for each if it succeeds.
 * Context: Any.
 * Return: 0; -EPERM or another error of membarrier(2): a filter of system calls
 *	   forbids it. Then users may still be about to enter, nothing may be
 *	   folded, and the call may be repeated. -EINVAL: one of them was not prepared.
 */
int unplug_gates_close(struct unplug_gate *const gates[], unsigned int n)
{
	int err = gates_check(gates, n);
	unsigned int i;

	if (err)
		return err;
	for (i = 0; i < n; i++)
		if (gates[i]->cpus)
			return unplug_slots_sync();	/* B */
	return 0;
}

/**
 * unplug_gate_thaw() - let users in again
 * @gate: a dead gate
 *
 * Some may succeed before this returns; all who begin after it do.
 *
 * Ownership: the caller owes unplug_gate_shut().
 * Context: Any. The caller serialises open, shut and thaw.
 * Return: 0; -EBUSY: somebody is inside, or ->drained has not returned, or it is not shut;
 *	   -EINVAL: it was not prepared.
 */
int unplug_gate_thaw(struct unplug_gate *gate)
{
	if (!gate_is_ready(gate))
		return -EINVAL;
	if (unplug_gate_state(gate) != UNPLUG_GATE_DEAD)
		return -EBUSY;
	unplug_gate_open(gate);
	return 0;
}

/**
 * unplug_gate_fold() - begin to wait for those inside
 * @gate: a closed gate; on one that is folded it does nothing. Aborts, with a line on stderr, if
 *	  more was put than got, or if it was not killed, or not prepared
 *
 * Does not wait itself: ->drained is called when the last user leaves; from
 * here if nobody is inside.
 *
 * Ownership: the gate is the last user's until one was told that it is dead.
 * Context: Any.
 */
void unplug_gate_fold(struct unplug_gate *gate)
{
	uint32_t sum, inside;
	uint64_t add, word;
	int fd;

	unplug_gate_need(gate, "unplug_gate_fold");
	fd = gate->eventfd;
	word = __atomic_load_n(&gate->word, __ATOMIC_RELAXED);
	if (word & GATE_FOLDED)
		return;
	if (!(word & GATE_SHUT))
		unplug_fatal("unplug_gate_fold(gate %p): it is not closed: call unplug_gate_kill() and unplug_gates_close() first",
			     (void *)gate);
	sum = gate_sum(gate);
	inside = sum - gate->base;
	/* For unplug_gate_inside(), which may be looking */
	__atomic_store_n(&gate->base, sum, __ATOMIC_RELAXED);
	add = (uint64_t)(int32_t)inside * GATE_UNIT + GATE_FOLDED;
	word = __atomic_add_fetch(&gate->word, add, __ATOMIC_ACQ_REL);	/* C */
	if (gate_word_over(word))
		unplug_gate_tell(gate, word, fd);
	else if (gate_word_below(word))
		unplug_gate_fatal_below(gate);
}

/**
 * unplug_gates_shut() - kill, close and fold gates
 * @gates: live gates, each named once, or new ones; those that are further already are left as
 *	   they are
 * @n: how many
 *
 * Returns at once, whoever is inside; with one membarrier for all. One that was new is dead then,
 * as if it had been open: ->drained is called, and it may be opened later.
 *
 * Ownership: each gate is the last user's until one was told that it is dead.
 * Context: Any. The caller serialises open, shut and thaw.
 * Return: 0; -EPERM or another error of membarrier(2): no user is let in, or hardly any, but
 *	   nobody will be told that the gates are dead, until the call is repeated and succeeds.
 *	   -EINVAL: one of them was not prepared; nothing was done.
 */
int unplug_gates_shut(struct unplug_gate *const gates[], unsigned int n)
{
	int err = gates_check(gates, n);
	unsigned int i;

	if (err)
		return err;
	for (i = 0; i < n; i++)
		unplug_gate_kill(gates[i]);
	err = unplug_gates_close(gates, n);
	if (err)
		return err;
	for (i = 0; i < n; i++)
		unplug_gate_fold(gates[i]);
	return 0;
}

/**
 * unplug_gate_shut() - kill, close and fold a gate
 * @gate: a live gate, or a new one; one that is further already is left as it is
 *
 * Ownership: as unplug_gates_shut().
 * Context: as unplug_gates_shut().
 * Return: as unplug_gates_shut().
 */
int unplug_gate_shut(struct unplug_gate *gate)
{
	return unplug_gates_shut(&gate, 1);
}

/**
 * unplug_gate_get_slow() - the other half of unplug_gate_get_active()
 * @gate: the gate
 *
 * Ownership: as unplug_gate_get_active().
 * Context: as unplug_gate_get_active().
 * Return: as unplug_gate_get_active().
 */
bool unplug_gate_get_slow(struct unplug_gate *gate)
{
	uint64_t word = __atomic_load_n(&gate->word, __ATOMIC_ACQUIRE);

	unplug_slots_leave();
	do {
		if (!(word & GATE_LIVE))
			return false;	/* E */
	} while (!__atomic_compare_exchange_n(&gate->word, &word,
					      word + GATE_UNIT, true,
					      __ATOMIC_ACQUIRE,
					      __ATOMIC_ACQUIRE));
	return true;
}

/**
 * unplug_gate_put_slow() - the other half of unplug_gate_put_active()
 * @gate: the gate
 *
 * Ownership: as unplug_gate_put_active().
 * Context: as unplug_gate_put_active().
 */
void unplug_gate_put_slow(struct unplug_gate *gate)
{
	uint64_t word = __atomic_load_n(&gate->word, __ATOMIC_ACQUIRE);	/* F */
	int fd;

	unplug_slots_leave();
	while (!(word & GATE_SHUT)) {
		if (!(word & GATE_LIVE))
			unplug_gate_fatal_closed(gate);
		if (__atomic_compare_exchange_n(&gate->word, &word,
						word - GATE_UNIT, true,
						__ATOMIC_ACQ_REL,	/* C */
						__ATOMIC_ACQUIRE))	/* F */
			return;
	}
	fd = gate->eventfd;
	word = __atomic_sub_fetch(&gate->word, GATE_UNIT, __ATOMIC_ACQ_REL); /* C */
	if (gate_word_over(word))
		unplug_gate_tell(gate, word, fd);
	else if (word & GATE_FOLDED && gate_word_below(word))
		unplug_gate_fatal_below(gate);
}

/**
 * unplug_gate_forked() - say who is inside, in the child of a fork
 * @gate: a gate of the parent's, in the child's memory; none whose ->drained returned false
 * @inside: how many references the child has taken over. Those of other threads are not among
 *	    them: these are not there
 *
 * Not from ->drained. The parent's gate stays as it is. A gate that is shut and has nobody inside is dead: this
 * is told as ever (and an eventfd is the parent's, too, unless it was replaced). If another thread
 * was in ->drained, that is called again. A gate that was being shut by another thread has to be
 * shut again.
 *
 * Ownership: the caller owes a put for each of @inside.
 * Context: The child of a fork that has one thread only, before it uses the gate.
 */
void unplug_gate_forked(struct unplug_gate *gate, unsigned int inside)
{
	uint64_t flags;
	bool was_dead;

	unplug_gate_need(gate, "unplug_gate_forked");
	flags = gate->word & (GATE_FLAGS & ~GATE_WAITED);
	was_dead = gate_word_dead(gate->word);
	gate->base = gate_sum(gate);
	gate->word = flags + inside * GATE_UNIT;
	if (!was_dead && gate_word_over(gate->word))
		unplug_gate_tell(gate, gate->word, gate->eventfd);
}

/**
 * unplug_gate_state() - how far a gate is
 * @gate: the gate
 *
 * Ownership: takes and puts nothing.
 * Context: Any.
 * Return: what it was a moment ago (DRAINING until ->drained has returned; NEW of zeroes, or NULL);
 *	   UNPLUG_GATE_DEAD and UNPLUG_GATE_NEW are for good, as far as others are concerned.
 */
enum unplug_gate_state unplug_gate_state(const struct unplug_gate *gate)
{
	uint64_t word = gate ? __atomic_load_n(&gate->word, __ATOMIC_ACQUIRE) : 0;

	if (!(word & (GATE_LIVE | GATE_SHUT)))
		return UNPLUG_GATE_NEW;
	if (word & GATE_LIVE)
		return UNPLUG_GATE_LIVE;
	if (!(word & GATE_FOLDED))
		return UNPLUG_GATE_DYING;
	return gate_word_dead(word) ? UNPLUG_GATE_DEAD : UNPLUG_GATE_DRAINING;
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
	uint64_t word = gate ? __atomic_load_n(&gate->word, __ATOMIC_ACQUIRE) : 0;
	int64_t count = (int64_t)(word & ~GATE_FLAGS) / (int64_t)GATE_UNIT;

	if (!word)
		return 0;
	if (!(word & GATE_FOLDED))
		count += (int32_t)(gate_sum(gate) -
				   __atomic_load_n(&gate->base, __ATOMIC_RELAXED));
	return count > 0 ? (unsigned int)count : 0;
}
