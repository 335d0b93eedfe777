// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How the end of a gate is told, and waited for. Letters are those of gate.c.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <libunplug/gate.h>
#include "internal.h"

/* A futex has 32 bits: the half with the flags */
static uint32_t *gate_futex(struct unplug_gate *gate)
{
	return (uint32_t *)&gate->word +
		(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

/* Who waits looks again. */
void unplug_gate_wake(struct unplug_gate *gate)
{
	unplug_futex_wake(gate_futex(gate));
}

/*
 * unplug_gate_tell() - what the last one to leave does
 * @gate: the gate
 * @word: its word as he has left it
 * @fd: its eventfd, as it was before
 *
 * The gate is freed by whoever is told first.
 */
void unplug_gate_tell(struct unplug_gate *gate, uint64_t word, int fd)
{
	uint64_t one = 1;
	int err = errno;

	if (word & GATE_TELLING) {
		if (!gate->drained(gate))
			goto out;
		word = __atomic_and_fetch(&gate->word, ~GATE_TELLING,
					  __ATOMIC_RELEASE);	/* C */
	}
	if (word & GATE_WAITED)
		unplug_futex_wake(gate_futex(gate)); /* its address alone */
	if (fd >= 0)
		/* Not write(), in which a thread may be cancelled. */
		while (syscall(SYS_write, fd, &one, sizeof(one)) < 0 && errno == EINTR)
			;
out:
	errno = err;
}

/**
 * unplug_gate_wait_drained() - wait until a gate is dead
 * @gate: the gate, which may yet have to be shut
 * @timeout: in milliseconds; 0 looks and does not wait, -1 waits for ever
 *
 * Not by somebody who is inside.
 *
 * Ownership: when it returned 0, the gate is the caller's again: ->drained, if it has one, has
 *	    returned. Where that returns false, nobody is to wait.
 * Context: May sleep. Not a signal handler.
 * Return: 0; -ETIMEDOUT: somebody is inside still, or in ->drained, or it was not shut;
 *	   -EINVAL: it was not prepared.
 */
int unplug_gate_wait_drained(struct unplug_gate *gate, int timeout)
{
	struct timespec deadline = unplug_deadline(timeout);
	uint64_t word;
	int err = 0;

	if (!gate_is_ready(gate))
		return -EINVAL;
	for (;;) {
		word = __atomic_load_n(&gate->word, __ATOMIC_ACQUIRE);	/* C */
		/* Zero: another one was told before, and has destroyed it. */
		if (gate_word_dead(word) || !word)
			return 0;
		if (!timeout || err)
			return err ? err : -ETIMEDOUT;
		if (!(word & GATE_WAITED)) {
			/* Who has seen it asleep without the flag would not wake it. */
			if (!__atomic_compare_exchange_n(&gate->word, &word,
							 word | GATE_WAITED,
							 false,
							 __ATOMIC_RELAXED,
							 __ATOMIC_RELAXED))
				continue;
			word |= GATE_WAITED;
		}
		err = unplug_futex_wait(gate_futex(gate), (uint32_t)word,
					timeout < 0 ? NULL : &deadline);
	}
}

/**
 * unplug_gate_set_eventfd() - be told by a descriptor
 * @gate: a gate that is new, live or dead. Aborts, with a line on stderr, if it was not prepared
 * @fd: an eventfd of the caller, or -1: 1 is added each time the gate is dead
 *
 * Who waits in the other way may be told first, and 1 be added when the gate is live again.
 *
 * Ownership: @fd stays the caller's, who closes it after it was written, or after the gate
 *	    was destroyed without having been opened.
 * Context: Any. The caller serialises it with shut.
 */
void unplug_gate_set_eventfd(struct unplug_gate *gate, int fd)
{
	unplug_gate_need(gate, "unplug_gate_set_eventfd");
	gate->eventfd = fd;	/* F */
}
