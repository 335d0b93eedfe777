// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of the gate on processors that reorder: what each letter of the essay in
 * include/unplug/gate.h is needed for.
 *
 * Mirrors
 *	user()		unplug_gate_get_active, an operation,
 *			unplug_gate_put_active		include/unplug/gate.h
 *			__unplug_gate_put_late		kernel/gate.c
 *	closer()	unplug_gate_open, unplug_gate_thaw, unplug_gate_kill,
 *			unplug_gates_close, unplug_gate_fold	kernel/gate.c
 *	close_here	gates_close_here		kernel/gate.c
 *	thaw_here	gate_thaw_here			kernel/gate.c
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
 * Two users, each on any of two CPUs, who enter once; who was refused may tell the other
 * before he begins. The closer has a CPU of its own. What is set up before open
 * stands for the words as well. Or the gate is a frozen one, which is thawed: then there
 * is one user, who may have loaded the pointer before the freeze, and CPU 1 may come online
 * meanwhile, for good, by a full fence. Left out: interrupts that get or put, CPUs that go,
 * and come while a gate is closed (gate.pml has all three); processors on which two CPUs
 * see the stores of a third in different order.
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
 *	BUG_F_OPEN	open's store of the pointer is no release
 *			=> an operation misses what was set up before open
 *	BUG_F_GET	get's load of the pointer is no acquire
 *			=> an operation misses what was set up before open
 *	BUG_G		close comes before kill
 *			=> let in after a refusal
 *	BUG_H_FENCE	thaw has no fence before it looks which CPUs are online
 *			=> an operation misses what was set up before open
 *	BUG_H_REMOTE	thaw opens all words itself, without interrupts
 *			=> an operation misses what was set up before open
 */

#define USERS	2
#define CLOSER	2	/* a CPU, as 0 and 1 are the users' */
#define CPUS	3

#define CLOSED	0	/* what the pointer points to: new; opened; killed */
#define OWN	1
#define KILLED	2

#define SHUT	(-8)
#define OPEN	8

/* Memory, as all see it; a word is seen by its CPU, and the closer's exchange, alone */
byte ptr = CLOSED;	/* gate->word */
short word[2] = OPEN;	/* gate->own */
short left[2];
short late;
bool told;		/* that somebody was refused, when the gate had been open */
bool setup;		/* of the device, before open */
bool done[USERS];	/* what the operation does to the device */
bool marked;		/* what the closer does before fold */

/* Accesses that are not visible yet, of the closer's CPU and of 0 and 1 */
bool setting_up;
bool opening;
bool killing;
bool marking;
bool doing[2 * USERS];	/* cpu * USERS + user */
bool noting[2];		/* what was counted in the word */
short note[2];

/* The oldest values a CPU may still find */
byte old_ptr[CPUS] = CLOSED;
bool old_setup[CPUS];
bool old_marked[CPUS];
bool old_done[CPUS * USERS];
short old_left[2];	/* the closer's */

/* The machine */
bool set_up_first;	/* setup was seen no later than the open pointer */
bool online = true;	/* CPU 1; each look at it finds what is */

bool frozen;		/* at the beginning */
bool leaves;		/* kill or close has begun */

bool entered[USERS];
byte drains;

inline land_done(u)
{
	done[u] = true;
	doing[u] = false;
	doing[USERS + u] = false
}

inline land_left(c)
{
	if
	:: noting[c] -> left[c] = note[c]; noting[c] = false; note[c] = 0
	:: else
	fi
}

inline land_open()
{
	ptr = OWN;
	opening = false;
	set_up_first = setup
}

/* The closer's stores, but for the mark. The pointer's two are never turned round. */
inline land_ptr()
{
	if :: opening -> land_open() :: else fi;
	if :: killing -> ptr = KILLED; killing = false :: else fi
}

inline land(c)
{
	if :: doing[c * USERS] -> land_done(0) :: else fi;
	if :: doing[c * USERS + 1] -> land_done(1) :: else fi;
	land_left(c)
}

inline look_anew(c)
{
	old_ptr[c] = ptr;
	old_setup[c] = setup;
	old_marked[c] = marked;
	old_done[c * USERS] = done[0];
	old_done[c * USERS + 1] = done[1];
	if
	:: c == CLOSER ->
		old_left[0] = left[0];
		old_left[1] = left[1]
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
	:: atomic { noting[0] -> land_left(0) }
	:: atomic { noting[1] -> land_left(1) }
	:: atomic { setting_up -> setup = true; setting_up = false }
	:: atomic { opening -> land_open() }
	:: atomic { killing && !opening -> ptr = KILLED; killing = false }
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
		cpu == 1 || online;
#ifndef BUG_C
		land(cpu);
		look_anew((1 - cpu));
#endif
		cpu = 1 - cpu
	   }
	fi
}

/* Any value from the oldest a CPU may still find: sets seen */
inline load_ptr()
{
	atomic {
		if
		:: seen = old_ptr[cpu]
		:: seen = ptr
		:: old_ptr[cpu] == CLOSED && ptr == KILLED -> seen = OWN
		fi;
		old_ptr[cpu] = seen
	}
}

/* One instruction in the CPU's own word: old values are of no use for it */
inline add(n)
{
	atomic { word[cpu] = word[cpu] + n; r = word[cpu] }
}

proctype user(byte me)
{
	byte cpu, seen;
	bool in, zero, doomed, final;
	short r;

	/* Somebody has told him, or not. */
	atomic {
		if
		:: cpu = 0
		:: online -> cpu = 1
		fi
	};
	atomic {
		if
		:: told -> doomed = true; look_anew(cpu)
		:: true
		fi
	};

	/* get */
	if
	:: atomic {
		load_ptr();
#ifndef BUG_F_GET
		if			/* F */
		:: seen == OWN && set_up_first -> old_setup[cpu] = true
		:: else
		fi;
#endif
		if
		:: seen != OWN -> final = seen == KILLED; goto refused
		:: else -> seen = CLOSED
		fi
	   }
	:: atomic { frozen && !doomed -> skip }	/* has done so, before */
	fi;
	move();
#ifdef BUG_A
	in = word[cpu] > 0;
	atomic { word[cpu]++; entered[me] = in };
#else
	atomic { add(1); final = leaves };	/* A */
	atomic { in = r > 0; entered[me] = in; r = 0 };
#endif
	atomic {
		if
		:: !in -> goto refused
		:: else -> final = false
		fi;
		assert(!doomed);	/* let in after a refusal */
		doomed = false
	};
	move();

	/* The operation */
	assert(setup && old_setup[cpu]);	/* an operation misses what was set up before open */
	doing[cpu * USERS + me] = true;
	move();					/* C */

	/* put */
	atomic { load_ptr(); in = seen == OWN; seen = CLOSED };
	if
	:: in ->
		move();
		add(-1);
		atomic { in = r > 0; r = 0 }
	:: else
	fi;
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
	goto out;
refused:
	/* Tells the world, but for one who came too early: a release */
	atomic {
		if
		:: final -> land(cpu); told = true
		:: else
		fi
	};
out:
	skip
}

/* On CPU c, between two instructions */
inline close_here(c)
{
	atomic {
		asked[c] -> asked[c] = false;
		look_anew(c);
		if
		:: word[c] > 0 -> noting[c] = true; note[c] = word[c] - OPEN
		:: else
		fi;
		word[c] = SHUT;
#if defined(BUG_B_REMOTE)
		land_left(c)
#elif !defined(BUG_B_ANSWER)
		land(c)			/* B */
#endif
	}
}

inline gates_close()
{
	atomic {				/* sent: a release */
		land_ptr();
		asked[0] = true;
		asked[1] = true
	};
	do
	:: close_here(0)
	:: close_here(1)
	:: atomic { !asked[0] && !asked[1] -> break }
	od;
#ifndef BUG_B_WAIT
	look_anew(CLOSER)			/* B */
#endif
}

inline set_up()
{
	atomic {
		if
		:: setting_up -> setup = true; setting_up = false
		:: else
		fi
	}
}

/* An exchange is a full fence. */
inline thaw_there(c)
{
	atomic { set_up(); look_anew(CLOSER); word[c] = OPEN }
}

/* On CPU c, between two instructions */
inline thaw_here(c)
{
	atomic {
		asked[c] -> asked[c] = false;
		look_anew(c);
		if
		:: word[c] < 0 -> word[c] = OPEN
		:: else
		fi;
		land(c)
	}
}

inline gate_thaw()
{
#ifndef BUG_H_FENCE
	set_up();				/* H */
#endif
#ifdef BUG_H_REMOTE
	thaw_there(0);
	thaw_there(1);
#else
	if
	:: !online -> thaw_there(1)
	:: online
	fi;
	atomic {				/* sent: a release */
		set_up();
		asked[0] = true;
		asked[1] = online
	};
	do
	:: thaw_here(0)
	:: thaw_here(1)
	:: atomic { !asked[0] && !asked[1] -> break }
	od;
	look_anew(CLOSER);			/* H */
#endif
}

proctype closer()
{
	bool asked[2];
	bool zero;
	short n;

	setting_up = true;			/* plain stores, then open or thaw */
	if
	:: frozen -> gate_thaw()
	:: !frozen
	fi;
#ifndef BUG_F_OPEN
	set_up();
#endif
	opening = true;				/* F */
	atomic { online -> leaves = true };
#ifdef BUG_G
	gates_close();
	killing = true;
#else
	killing = true;				/* G */
	gates_close();
#endif
	marking = true;				/* plain stores, then fold */

	n = 0;
	if
	:: n = old_left[0]
	:: n = left[0]
	fi;
	if
	:: n = n + old_left[1]
	:: n = n + left[1]
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

proctype hotplug()
{
	atomic { !online -> online = true; look_anew(1) }
}

init {
	atomic {
		if
		:: true
		:: frozen = true;
			word[0] = SHUT;
			word[1] = SHUT;
			if
			:: true
			:: online = false; run hotplug()
			fi
		fi;
		run memory();
		run user(0);
		if
		:: !frozen -> run user(1)
		:: frozen		/* one is enough to miss something */
		fi;
		run closer()
	}
}
