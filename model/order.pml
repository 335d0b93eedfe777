// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of the gate on processors that reorder: what each letter of the essay in
 * include/unplug/gate.h is needed for.
 *
 * Mirrors
 *	user()		unplug_gate_get_active, an operation,
 *			unplug_gate_put_active		include/unplug/gate.h
 *			__unplug_gate_put_late		kernel/gate.c
 *	drainer()	unplug_gate_open, unplug_gate_kill,
 *			unplug_gate_fold		kernel/gate.c
 *			the grace period: unplug_dev_shut in kernel/shut.c
 *
 * What a CPU stores becomes visible at any later time and in any order, but for two
 * stores to one place; what it loads may be any value the place had since the CPU's
 * last fence, but never one older than what it has seen there. land() makes a CPU's
 * accesses visible, look_anew() ends the use of old values; a release is
 * the first, an acquire the second, a full fence both. A grace period has a full fence on
 * each CPU while it is not in a section: no more is assumed of RCU.
 *
 * One user a CPU, who enters once. Left out: migration, in which the scheduler has full
 * fences; interrupts (gate.pml has both); processors on which two CPUs see the stores
 * of a third in different order.
 *
 * Each of these, defined, makes it wrong. It has to be found, and to break what
 * stands behind the arrow, which is the comment of an assertion below:
 *
 *	BUG_B		the grace period waits for sections, without fences
 *			=> an access of an operation comes after drained | waits for ever
 *	BUG_C		late puts decrement the counters, like others, and the
 *			drainer adds them up until it finds zero
 *			=> an access of an operation comes after drained
 *	BUG_D		the late decrement is no release
 *			=> an access of an operation comes after drained
 *	BUG_E_PUT	the late decrement is no acquire
 *			=> drained misses what an operation has done
 *	BUG_E_FOLD	the addition in fold is no acquire
 *			=> drained misses what an operation has done
 *	BUG_F_OPEN	open is no release
 *			=> an operation misses what was set up before open
 *	BUG_F_GET	the look in get is no acquire
 *			=> an operation misses what was set up before open
 */

#define USERS	2
#define DRAINER	2	/* a CPU, as 0 and 1 are the users' */
#define CPUS	3

#define NEW	0	/* enum unplug_gate_state; numbers: it only grows */
#define LIVE	1
#define DYING	2
#define DEAD	3

/* Memory, as all see it */
byte state = NEW;
bool setup;		/* of the device, before open */
short count[USERS];
short late;
bool done[USERS];	/* what the operation does to the device */

/* Accesses of a CPU that are not visible yet */
bool count_up[USERS];
bool count_down[USERS];
bool doing[USERS];
bool setting_up;

/* The oldest values a CPU may still find */
byte old_state[USERS];
bool old_setup[USERS];
bool old_done[CPUS * USERS];

bool section[USERS];
bool entered[USERS];
byte drains;

inline land_count_up(u)
{
	if
	:: count_up[u] -> count[u]++; count_up[u] = false
	:: else
	fi
}

inline land_count_down(u)
{
	land_count_up(u);
	if
	:: count_down[u] -> count[u]--; count_down[u] = false
	:: else
	fi
}

inline land_done(u)
{
	if
	:: doing[u] -> done[u] = true; doing[u] = false
	:: else
	fi
}

inline land(u)
{
	land_count_down(u);
	land_done(u)
}

inline look_anew(cpu)
{
	old_done[cpu * USERS] = done[0];
	old_done[cpu * USERS + 1] = done[1];
	if
	:: cpu != DRAINER -> old_state[cpu] = state; old_setup[cpu] = setup
	:: else
	fi
}

/* Visible sooner or later, whatever the CPUs do meanwhile */
proctype memory()
{
end:
	do
	:: atomic { count_up[0] -> land_count_up(0) }
	:: atomic { count_up[1] -> land_count_up(1) }
	:: atomic { count_down[0] -> land_count_down(0) }
	:: atomic { count_down[1] -> land_count_down(1) }
	:: atomic { doing[0] -> land_done(0) }
	:: atomic { doing[1] -> land_done(1) }
	:: atomic { setting_up -> setup = true; setting_up = false }
	od
}

/* gate->drained, and what the device does next: may find old values, too */
inline drained(cpu)
{
	atomic {
		drains++;
		assert(!(entered[0] && !done[0]) && !(entered[1] && !done[1]));	/* an access of an operation comes after drained */
		assert(old_done[cpu * USERS] == done[0]);	/* drained misses what an operation has done */
		assert(old_done[cpu * USERS + 1] == done[1]);	/* drained misses what an operation has done */
		state = DEAD
	}
}

/* Any value since the last fence, but none older than one seen already */
inline look()
{
	atomic {
		seen = old_state[me];
		do
		:: seen < state -> seen++
		:: break
		od;
		old_state[me] = seen
	}
}

proctype user(byte me)
{
	byte seen;
	bool zero;

	section[me] = true;
	look();					/* A, F */
#ifndef BUG_F_GET
	/* An acquire: what is loaded after the look was not there before it. */
	atomic {
		if
		:: seen == LIVE -> old_setup[me] = setup
		:: else
		fi
	};
#endif
	if
	:: atomic { seen == LIVE -> count_up[me] = true; entered[me] = true }
	:: else
	fi;
	section[me] = false;
	if
	:: seen != LIVE -> goto out
	:: else
	fi;

	/* The operation */
	assert(setup && old_setup[me]);	/* an operation misses what was set up before open */
	doing[me] = true;

	section[me] = true;
#ifdef BUG_C
	count_down[me] = true;
#else
	look();					/* C */
	if
	:: seen == LIVE -> count_down[me] = true
	:: else ->
		atomic {			/* D, E */
#ifndef BUG_D
			land(me);
#endif
#ifndef BUG_E_PUT
			look_anew(me);
#endif
			late--;
			zero = late == 0
		};
		if
		:: zero -> drained(me)
		:: else
		fi
	fi;
#endif
	section[me] = false;
out:
	skip
}

inline quiesce(u)
{
#ifdef BUG_B
	atomic { !section[u] && !passed[u] -> passed[u] = true }
#else
	atomic {
		!section[u] && !passed[u] -> passed[u] = true;
		land(u);
		look_anew(u)
	}
#endif
}

proctype drainer()
{
	bool passed[USERS];
	bool zero;
	short sum;

	setting_up = true;			/* plain stores, then open */
#ifndef BUG_F_OPEN
	atomic { setup = true; setting_up = false };
#endif
	state = LIVE;				/* F */
	state = DYING;				/* kill */
	do					/* B */
	:: quiesce(0)
	:: quiesce(1)
	:: passed[0] && passed[1] -> break
	od;
	look_anew(DRAINER);
#ifdef BUG_C
	atomic { count[0] + count[1] == 0 -> look_anew(DRAINER) };
	drained(DRAINER);
#else
	sum = count[0];
	sum = sum + count[1];
	atomic {				/* E */
#ifndef BUG_E_FOLD
		look_anew(DRAINER);
#endif
		late = late + sum;
		zero = late == 0
	};
	if
	:: zero -> drained(DRAINER)
	:: else
	fi;
#endif
	drains == 1
}

init {
	atomic {
		run memory();
		run user(0);
		run user(1);
		run drainer()
	}
}
