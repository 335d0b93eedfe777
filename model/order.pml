// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of the gate on processors that reorder: what each letter of the essay in
 * include/unplug/gate.h is needed for.
 *
 * Mirrors
 *	user()		unplug_gate_get_active, an operation,
 *			unplug_gate_put_active		include/unplug/gate.h
 *			__unplug_gate_put_late		kernel/gate.c
 *	closer()	unplug_gates_open, unplug_gates_close, gates_turn,
 *			unplug_gate_fold		kernel/gate.c
 *	open_here, close_here	gates_turn_here		kernel/gate.c
 *
 * What a CPU stores becomes visible at any later time and in any order, but for two
 * stores to one place; what it loads may be any value the place had since the CPU's
 * last fence, but never one older than what it has seen there. land() makes a CPU's
 * accesses visible, look_anew() ends the use of old values; a release is
 * the first, an acquire the second, a full fence both. An addition by an atomic
 * instruction that is no release may land late, too, but is never lost.
 *
 * A CPU does to its own word what its program says, in that order, an interrupt included: the
 * words are plain memory here. Sending an interrupt is a release, taking it an acquire;
 * that it was answered is a release by the CPU, and the wait for that an acquire: no more is
 * assumed of on_each_cpu. Moving a task to another CPU is a full fence.
 *
 * Two users, each on any of two CPUs, who enter once; the closer has a CPU of its own. Left
 * out: interrupts that get or put, offline CPUs (gate.pml has both); processors on
 * which two CPUs see the stores of a third in different order.
 *
 * Each of these, defined, makes it wrong. It has to be found, and to break what
 * stands behind the arrow, which is the comment of an assertion below:
 *
 *	BUG_A		a get looks at the word, then counts: an interrupt comes in between
 *			=> an access of an operation comes after drained
 *	BUG_B_ANSWER	a CPU's answer to close is no release
 *			=> an access of an operation comes after drained | waits for ever
 *	BUG_B_WAIT	close's wait for the answers is no acquire
 *			=> an access of an operation comes after drained | waits for ever
 *	BUG_B_REMOTE	close exchanges the words itself, with full fences on its own CPU
 *			=> an access of an operation comes after drained
 *	BUG_C		a task is moved without a fence
 *			=> an access of an operation comes after drained
 *	BUG_D_PUT	the late decrement is no release
 *			=> an access of an operation comes after drained
 *	BUG_D_FOLD	the addition in fold is no release
 *			=> drained misses what was done before fold
 *	BUG_E_PUT	the late decrement is no acquire
 *			=> drained misses what an operation has done
 *	BUG_E_FOLD	the addition in fold is no acquire
 *			=> drained misses what an operation has done
 *	BUG_F_SEND	sending the interrupt of open is no release
 *			=> an operation misses what was set up before open
 *	BUG_F_TAKE	taking it is no acquire
 *			=> an operation misses what was set up before open
 *	BUG_F_REMOTE	open stores the words itself, with a release
 *			=> an operation misses what was set up before open
 */

#define USERS	2
#define CLOSER	2	/* a CPU, as 0 and 1 are the users' */
#define CPUS	3

#define SHUT	(-8)
#define OPEN	8

/* Memory, as all see it; a word is seen by its CPU alone */
short word[2] = SHUT;
short sum;
short late;
bool setup;		/* of the device, before open */
bool done[USERS];	/* what the operation does to the device */
bool marked;		/* what the closer does before fold */

/* Accesses that are not visible yet, of the closer's CPU and of 0 and 1 */
bool setting_up;
bool marking;
bool doing[2 * USERS];	/* cpu * USERS + user */
short adding[2];	/* to the sum */

/* The oldest values a CPU may still find */
bool old_setup[CPUS];
bool old_marked[CPUS];
bool old_done[CPUS * USERS];
short old_sum;		/* the closer's */

bool entered[USERS];
byte drains;

inline land_done(u)
{
	done[u] = true;
	doing[u] = false;
	doing[USERS + u] = false
}

inline land_sum(c)
{
	sum = sum + adding[c];
	adding[c] = 0
}

inline land(c)
{
	if :: doing[c * USERS] -> land_done(0) :: else fi;
	if :: doing[c * USERS + 1] -> land_done(1) :: else fi;
	land_sum(c)
}

inline look_anew(c)
{
	old_setup[c] = setup;
	old_marked[c] = marked;
	old_done[c * USERS] = done[0];
	old_done[c * USERS + 1] = done[1];
	if
	:: c == CLOSER -> old_sum = sum
	:: else
	fi
}

/* Visible sooner or later, whatever the CPUs do meanwhile */
proctype memory()
{
end:
	do
	:: atomic { doing[0] || doing[USERS] -> land_done(0) }
	:: atomic { doing[1] || doing[USERS + 1] -> land_done(1) }
	:: atomic { adding[0] != 0 -> land_sum(0) }
	:: atomic { adding[1] != 0 -> land_sum(1) }
	:: atomic { setting_up -> setup = true; setting_up = false }
	:: atomic { marking -> marked = true; marking = false }
	od
}

/* gate->drained, and what the device does next: may find old values, too */
inline drained(c)
{
	atomic {
		drains++;
		assert(!(entered[0] && !done[0]) && !(entered[1] && !done[1]));	/* an access of an operation comes after drained */
		assert(old_done[c * USERS] == done[0]);	/* drained misses what an operation has done */
		assert(old_done[c * USERS + 1] == done[1]);	/* drained misses what an operation has done */
		assert(c == CLOSER || old_marked[c])	/* drained misses what was done before fold */
	}
}

/* The scheduler may move a task between any two instructions. */
inline move()
{
	if
	:: true
	:: atomic {
#ifndef BUG_C
		land(cpu);
		look_anew(1 - cpu);
#endif
		cpu = 1 - cpu
	   }
	fi
}

proctype user(byte me)
{
	byte cpu = me;
	bool in, zero;

	/* get: old values are of no use for one instruction on the CPU's own word */
#ifdef BUG_A
	in = word[cpu] > 0;
	atomic {
		word[cpu]++;
#else
	atomic {				/* A */
		word[cpu]++;
		in = word[cpu] > 0;
#endif
		entered[me] = in
	};
	if
	:: !in -> goto out
	:: else
	fi;
	move();

	/* The operation */
	assert(setup && old_setup[cpu]);	/* an operation misses what was set up before open */
	doing[cpu * USERS + me] = true;
	move();					/* C */

	/* put */
	atomic {
		word[cpu]--;
		in = word[cpu] > 0
	};
	if
	:: in -> goto out			/* early */
	:: else
	fi;
	move();
	atomic {				/* D, E */
#ifndef BUG_D_PUT
		land(cpu);
#endif
#ifndef BUG_E_PUT
		look_anew(cpu);
#endif
		late--;
		zero = late == 0
	};
	if
	:: zero -> drained(cpu)
	:: else
	fi;
out:
	skip
}

inline open_here(c)
{
	atomic {
		!answered[c] -> answered[c] = true;
#if !defined(BUG_F_TAKE) && !defined(BUG_F_REMOTE)
		look_anew(c);
#endif
		word[c] = OPEN		/* F */
	}
}

inline close_here(c)
{
	atomic {
		!answered[c] -> answered[c] = true;
		adding[c] = word[c] - OPEN;
		word[c] = SHUT;
#if defined(BUG_B_REMOTE)
		land_sum(c)
#elif !defined(BUG_B_ANSWER)
		land(c)			/* B */
#endif
	}
}

inline all_answered()
{
	atomic {
		answered[0] && answered[1] -> answered[0] = false;
		answered[1] = false
	}
}

proctype closer()
{
	bool answered[2];
	bool zero;
	short n;

	setting_up = true;			/* plain stores, then open */
#ifndef BUG_F_SEND
	atomic { setup = true; setting_up = false };
#endif
	do					/* F */
	:: open_here(0)
	:: open_here(1)
	:: all_answered(); break
	od;

	do
	:: close_here(0)
	:: close_here(1)
	:: all_answered(); break
	od;
#ifndef BUG_B_WAIT
	look_anew(CLOSER);			/* B */
#endif
	marking = true;				/* plain stores, then fold */

	if
	:: n = old_sum
	:: n = sum
	fi;
	atomic {				/* D, E */
#ifndef BUG_D_FOLD
		if :: marking -> marked = true; marking = false :: else fi;
#endif
#ifndef BUG_E_FOLD
		look_anew(CLOSER);
#endif
		late = late + n;
		zero = late == 0
	};
	if
	:: zero -> drained(CLOSER)
	:: else
	fi;
	drains == 1
}

init {
	atomic {
		run memory();
		run user(0);
		run user(1);
		run closer()
	}
}
