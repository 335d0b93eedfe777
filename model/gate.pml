// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of the gate: who is inside one device.
 *
 * Mirrors
 *	get		unplug_gate_get_active		include/unplug/gate.h
 *	put		unplug_gate_put_active		include/unplug/gate.h
 *			__unplug_gate_put_late		kernel/gate.c
 *	dead		unplug_gate_dead		kernel/gate.c
 *	drainer()	unplug_gate_kill, unplug_gate_sum,
 *			unplug_gate_fold, unplug_gate_destroy	kernel/gate.c
 *			the grace period between kill and fold: unplug_dev_shut
 *			in kernel/shut.c; the one before destroy: call_rcu in
 *			unplug_dev_release, kernel/device.c
 *
 * A section is what get and put have with preemption off: it stays on its CPU,
 * which runs no other. Between sections a task may be moved. An interrupt may come at
 * any point, in a section or between two, and gets, puts, or both, on the CPU it
 * interrupts. A reference is put by whoever comes first: the task or the interrupt
 * that got it, or any other, on any CPU. A grace period waits for the sections
 * that were under way when it began, and for nobody else; that is all it does.
 *
 * Left out: processors that reorder (order.pml is about that, and about the letters D, E
 * and F of the essay in gate.h; here are A, B and C). Counters do not wrap. Interrupts
 * do not interrupt each other. NEW: a gate that was not opened lets nobody in.
 *
 * Each of these, defined, makes it wrong. It has to be found, and to break what
 * stands behind the arrow, which is the comment of an assertion below:
 *
 *	BUG_GET_SECTION	get looks and counts with preemption on
 *			=> in after the grace period
 *	BUG_PUT_SECTION	put looks and uncounts with preemption on
 *			=> a counter changes after the grace period
 *	BUG_NO_GRACE	fold without a grace period
 *			=> in after the grace period | a counter changes after the grace period
 *	BUG_GET_WORD	a get that sees dying counts itself in the drain word
 *			=> in after the grace period
 *	BUG_ONLINE	the sum misses a CPU
 *			=> somebody is inside the drained gate | waits for ever
 *	BUG_NEGATIVE	a CPU with more puts than gets counts as none
 *			=> waits for ever
 *	BUG_PUT_THERE	put takes its reference from another CPU's counter
 *			=> somebody is inside the drained gate | waits for ever
 *	BUG_INTERRUPT	a count is a load, an addition and a store
 *			=> somebody is inside the drained gate | waits for ever
 *	BUG_PUT_COUNTER	late puts decrement the counters, not the drain word
 *			=> a counter changes after the grace period
 *	BUG_READ_AGAIN	a late put decrements the drain word, then reads it
 *			=> drained twice
 *	BUG_FREE	freed without the second grace period
 *			=> touched after it was freed
 *
 * And this has to hold as well:
 *
 *	OK_THREE_TASKS	one task more, no interrupts
 */

#ifdef OK_THREE_TASKS
#define TASKS		3
#define INTERRUPTS	0
#else
#define TASKS		2
#define INTERRUPTS	2
#endif
#define CPUS		2

mtype = { LIVE, DYING, DEAD };

/* struct unplug_gate */
mtype state = LIVE;
short counter[CPUS];	/* gate->active */
short late;

/* What is true, whatever the gate believes */
byte inside;		/* references nobody has begun to put */
byte drains;		/* calls of gate->drained */
bool shut;		/* the grace period after kill is over */
bool erased;		/* look-ups do not find the gate any more */
bool freed;

bool busy[CPUS];	/* a section is under way there */
bool section[TASKS];	/* preemption is off */
bool awaited[TASKS];	/* a grace period waits for this section */
byte interrupts = INTERRUPTS;

inline touch()
{
	assert(!freed)		/* touched after it was freed */
}

/* Sections are short: whoever finds no CPU waits until one is over. */
inline enter_section()
{
	atomic {
		if
		:: !busy[0] -> cpu = 0
		:: !busy[1] -> cpu = 1
		fi;
		busy[cpu] = true;
		section[me] = true
	}
}

inline leave_section()
{
	atomic {
		touch();		/* up to here, see "Memory" in gate.h */
		busy[cpu] = false;
		cpu = 0;
		section[me] = false;
		awaited[me] = false
	}
}

/* A task that may be moved counts where it happens to be. */
inline move()
{
	if
	:: cpu = 0
	:: cpu = 1
	fi
}

inline came_in()
{
	assert(!shut);		/* in after the grace period */
	inside++
}

inline count(n)
{
	assert(!shut);		/* a counter changes after the grace period */
	counter[cpu] = counter[cpu] + n
}

inline dead()
{
	atomic { touch(); state = DEAD };
	atomic {
		assert(inside == 0);	/* somebody is inside the drained gate */
		drains++;
		assert(drains == 1)	/* drained twice */
	}
}

/* The first half of get (A) and of put (C) */
inline look(seen)
{
	atomic { touch(); seen = state }
}

inline get_counted()
{
	atomic {
		touch();
		came_in();
		count(1)
	}
}

inline get_refused()
{
#ifdef BUG_GET_WORD
	atomic { touch(); late++; came_in() }
#else
	skip
#endif
}

inline put_counted()
{
#ifdef BUG_PUT_THERE
	there = counter[1 - cpu];
	atomic {
		counter[1 - cpu] = there - 1;
		there = 0
	}
#else
	atomic { touch(); count(-1) }
#endif
}

inline put_late()
{
#ifdef BUG_PUT_COUNTER
	atomic { touch(); count(-1) }
#else
#ifdef BUG_READ_AGAIN
	atomic { touch(); late-- };
	atomic { touch(); zero = late == 0 };
#else
	atomic {			/* D, E */
		touch();
		late--;
		zero = late == 0
	};
#endif
	if
	:: atomic { zero -> zero = false }; dead()
	:: else
	fi
#endif
}

inline put_rest(seen)
{
	if
	:: atomic { seen == LIVE -> seen = 0 }; put_counted()
	:: atomic { else -> seen = 0 }; put_late()
	fi
}

/*
 * The driver's interrupt handler. It gets, or puts what somebody got, or both. As long
 * as it can come the gate is there; and if it comes in a section, by that.
 */
inline handler()
{
	if
	:: look(iseen);
	   if
	   :: atomic { iseen == LIVE -> iseen = 0 }; get_counted()
	   :: atomic { else -> iseen = 0 }; get_refused()
	   fi
	:: true
	fi;
	if
	:: atomic { inside > 0 -> inside-- };
	   look(iseen);
	   put_rest(iseen)
	:: true
	fi
}

inline interrupt()
{
	if
	:: atomic { interrupts > 0 && section[me] -> interrupts-- };
	   handler()
	:: atomic {
		interrupts > 0 && !section[me] && !erased &&
		!(busy[0] && busy[1]) -> interrupts--;
		enter_section()
	   };
	   handler();
	   leave_section()
	:: true
	fi
}

inline get()
{
#ifdef BUG_INTERRUPT
	number = counter[cpu];
	interrupt();
	atomic {
		touch();
		counter[cpu] = number + 1;
		number = 0;
		came_in()
	}
#else
#ifdef BUG_GET_SECTION
	atomic { move(); get_counted(); cpu = 0 }
#else
	get_counted()
#endif
#endif
}

proctype task(byte me)
{
	mtype seen, iseen;
	byte cpu;
	bool zero;
#ifdef BUG_PUT_THERE
	short there;
#endif
#ifdef BUG_INTERRUPT
	short number;
#endif

	/* get; its caller has looked the gate up, or holds it by other means */
	if
	:: atomic { erased -> goto out }
#ifdef BUG_GET_SECTION
	:: !erased
#else
	:: atomic { !erased && !(busy[0] && busy[1]) -> enter_section() }
#endif
	fi;
	interrupt();
	look(seen);
	interrupt();
	if
	:: atomic { seen == LIVE -> seen = 0 }; get()
	:: atomic { else -> seen = 0 }; get_refused()
	fi;
	interrupt();
#ifndef BUG_GET_SECTION
	leave_section();
#endif

	/* The operation, perhaps on another CPU; then put */
	do
	:: atomic { inside > 0 -> inside-- };
#ifdef BUG_PUT_SECTION
	   look(seen);
	   interrupt();
	   atomic { move(); put_rest(seen); cpu = 0 }
#else
	   enter_section();
	   look(seen);
	   interrupt();
	   put_rest(seen);
	   interrupt();
	   leave_section()
#endif
	:: atomic { inside == 0 -> break }
	od;
out:
	skip
}

/* Waits for the sections there are, not for those to come. */
inline grace_period()
{
	atomic {
		i = 0;
		do
		:: i < TASKS -> awaited[i] = section[i]; i++
		:: else -> i = 0; break
		od
	};
	atomic {
		!awaited[0] && !awaited[1] && !awaited[TASKS - 1] -> skip
	}
}

proctype drainer()
{
	byte i;
	bool zero;
	short sum, number;

	state = DYING;				/* kill */
#ifndef BUG_NO_GRACE
	grace_period();				/* B */
#endif
	shut = true;

	do					/* fold */
	:: i < CPUS ->
		number = counter[i];
#ifdef BUG_ONLINE
		if :: i == 1 -> number = 0 :: else fi;
#endif
#ifdef BUG_NEGATIVE
		if :: number < 0 -> number = 0 :: else fi;
#endif
		atomic { sum = sum + number; number = 0; i++ }
	:: atomic { else -> i = 0; break }
	od;
	atomic {				/* E */
		late = late + sum;
		sum = 0;
		zero = late == 0
	};
	if
	:: atomic { zero -> zero = false }; dead()
	:: else
	fi;

	drains == 1;	/* the last reference is put some time after this */
#ifndef BUG_GET_SECTION		/* there the callers of get keep the memory */
	erased = true;
#ifndef BUG_FREE
	grace_period();
#endif
	freed = true
#endif
}

init {
	atomic {
		run task(0);
		run task(1);
#ifdef OK_THREE_TASKS
		run task(2);
#endif
		run drainer()
	}
}
