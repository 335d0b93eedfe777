/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cycle: the proof of a deadlock, by state, not by waiting for it to end
 *
 * A cycle is a list of facts that have to hold all at one moment: what the record of
 * unplug-textbook says (see textbook.h there), and who sleeps in which lock, deaf to
 * signals or all but. Where each party waits for the next one, and nobody else can wake
 * it, no event can follow any more; the case that builds the cycle says why nobody can.
 */
#ifndef UNPLUG_TEST_CYCLE_H
#define UNPLUG_TEST_CYCLE_H

#include "case.h"

#define TEXTBOOK_CONTROL "/dev/textbook-control"

#define CYCLE_LINES 8
#define CYCLE_SLEEPERS 4

/*
 * Part of the name of the function somebody sleeps in. The lock of unplug-textbook:
 * percpu_rwsem_wait(), or, where the kernel leaves that out as one of the scheduler's,
 * its caller, rwsem_enter() or rwsem_unplug(). A fault that begins:
 * lock_mm_and_find_vma().
 */
#define CYCLE_IN_RWSEM "rwsem"
#define CYCLE_IN_MMAP_LOCK "lock_mm"

/**
 * struct cycle - the facts
 * @line: what the record says
 * @lines: how many of these
 * @asleep: threads that sleep uninterruptibly
 * @where: the functions they sleep in
 * @sleepers: how many of these
 */
struct cycle {
	char line[CYCLE_LINES][80];
	int lines;
	pid_t asleep[CYCLE_SLEEPERS];
	const char *where[CYCLE_SLEEPERS];
	int sleepers;
};

/* Thread @tid is inside device @name, with errand @what. */
void cycle_inside(struct cycle *cycle, const char *name, const char *what, pid_t tid);

/* It sleeps in @where. */
void cycle_asleep(struct cycle *cycle, pid_t tid, const char *where);

/* It asked to be let in, and sleeps in the device's lock. */
void cycle_waits(struct cycle *cycle, const char *name, const char *what, pid_t tid);

/* Unplug, in thread @tid, has closed device @name and sleeps until all have left. */
void cycle_unplug(struct cycle *cycle, const char *name, pid_t tid);

/* Until all of it holds, or, which is a failure, process @victims ended. */
void cycle_wait(const struct cycle *cycle, const struct job *victims);

#endif
