// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of the gate: include/unplug/gate.h and kernel/gate.c.
 *
 *	user()		unplug_gate_get_active, an operation, unplug_gate_put_active
 *	drainer()	unplug_gate_kill, synchronize_rcu_expedited,
 *			unplug_gate_fold; another grace period; unplug_gate_destroy
 *	drained()	gate->drained
 *
 * A user may be moved to another CPU between get and put, and, where it is not
 * in a section, between any two steps. A grace period waits for those who were in
 * a section when it began, and for nobody else; that is all it does.
 *
 * Interleavings only, so letters A, B and C of the essay; what D, E and F say
 * about processors that reorder is outside of what this checker sees.
 *
 * Asserted: nobody is inside when the gate drains; it drains exactly once, and
 * always; nobody touches it after it was freed.
 *
 * Each of these, defined, makes it wrong, and has to be found:
 *
 *	BUG_GET_SECTION	get looks and counts with preemption on
 *	BUG_PUT_SECTION	put looks and uncounts with preemption on
 *	BUG_NO_GRACE	fold without a grace period
 *	BUG_GET_WORD	a get that sees dying counts itself in the drain word
 *	BUG_ONLINE	the sum misses a CPU
 *	BUG_PUT_COUNTER	late puts decrement the counters, not the drain word
 *	BUG_FREE	freed without the second grace period
 */

#define USERS	3
#define CPUS	2
#define NOT_IN	255

mtype = { LIVE, DYING, DEAD };

mtype state = LIVE;
short count[CPUS];
short late;

byte inside;		/* users between get and put: what the gate protects */
byte drains;
bool erased;		/* erased from the list of devices */
bool freed;
bool section[USERS];	/* preemption is off */
byte epoch[USERS];	/* tells a section from the next one */

#define TOUCH		assert(!freed)
#define ENTER_SECTION	section[me] = true
#define LEAVE_SECTION	atomic { section[me] = false; epoch[me]++ }

inline drained()
{
	assert(inside == 0);
	drains++;
	assert(drains == 1);
	state = DEAD
}

inline choose_cpu()
{
	if
	:: cpu = 0
	:: cpu = 1
	fi
}

proctype user(byte me)
{
	mtype seen;
	byte cpu;

	/* get; an erased gate is not found by look-ups any more */
	if
	:: atomic { !erased ->
#ifndef BUG_GET_SECTION
			ENTER_SECTION; choose_cpu();
#endif
			skip
		}
	:: atomic { erased -> goto out }
	fi;
	atomic { TOUCH; seen = state };			/* A */
	if
	:: seen == LIVE ->
		atomic {
#ifdef BUG_GET_SECTION
			choose_cpu();
#endif
			TOUCH;
			count[cpu]++;
			inside++;
		}
#ifndef BUG_GET_WORD
	:: else
#else
	:: else ->
		atomic {
			TOUCH;
			late++;
			inside++
		};
		seen = LIVE	/* got in */
#endif
	fi;
#ifndef BUG_GET_SECTION
	LEAVE_SECTION;
#endif
	if
	:: seen != LIVE -> goto out
	:: else
	fi;

	/* the operation; then put, perhaps elsewhere */
#ifndef BUG_PUT_SECTION
	atomic { inside--; ENTER_SECTION; choose_cpu() }
#else
	inside--;
#endif
	atomic { TOUCH; seen = state };			/* C */
	if
	:: seen == LIVE ->
		atomic {
#ifdef BUG_PUT_SECTION
			choose_cpu();
#endif
			TOUCH;
			count[cpu]--
		}
	:: else ->
		atomic {				/* D, E */
			TOUCH;
#ifdef BUG_PUT_COUNTER
			count[cpu]--;
#else
			late--;
			if
			:: late == 0 -> drained()
			:: else
			fi
#endif
		}
	fi;
#ifdef BUG_FREE
	/* any last look, such as the return from ->drained */
	TOUCH;
#endif
#ifndef BUG_PUT_SECTION
	LEAVE_SECTION;
#endif
out:
	skip
}

byte old[USERS];
byte i;

inline grace_period()
{
	atomic {
		i = 0;
		do
		:: i < USERS ->
			if
			:: section[i] -> old[i] = epoch[i]
			:: else -> old[i] = NOT_IN
			fi;
			i++
		:: else -> break
		od
	}
	atomic {
		(old[0] == NOT_IN || epoch[0] != old[0]) &&
		(old[1] == NOT_IN || epoch[1] != old[1]) &&
		(old[2] == NOT_IN || epoch[2] != old[2]) -> skip
	}
}

proctype drainer()
{
	short sum = 0;

	state = DYING;
#ifndef BUG_NO_GRACE
	grace_period();					/* B */
#endif
	sum = sum + count[0];		/* one CPU after the other */
#ifndef BUG_ONLINE
	sum = sum + count[1];
#endif
	atomic {					/* E */
		late = late + sum;
		if
		:: late == 0 -> drained()
		:: else
		fi
	}

	drains == 1;			/* always: else an invalid end state */
	erased = true;
#ifndef BUG_FREE
	grace_period();
#endif
	freed = true
}

init {
	atomic {
		run user(0);
		run user(1);
		run user(2);
		run drainer()
	}
}
