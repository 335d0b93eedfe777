// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of the gate: who is inside one device.
 *
 * Mirrors
 *	get		unplug_gate_get_active		include/unplug/gate.h
 *			unplug_word_inc			include/unplug/word.h
 *	put		unplug_gate_put_active		include/unplug/gate.h
 *			unplug_word_dec			include/unplug/word.h
 *			__unplug_gate_put_late		kernel/gate.c
 *	dead		unplug_gate_dead		kernel/gate.c
 *	cpu()		gates_turn_here			kernel/gate.c
 *	device()	unplug_gate_init, unplug_gates_open, unplug_gates_close,
 *			gates_turn, gates_turn_there, unplug_gate_fold,
 *			unplug_gate_destroy		kernel/gate.c
 *
 * A get, and a put that is not late, is one instruction on a word of the CPU it happens to
 * run on. Between two instructions a task may be moved: so it is not written
 * down where a task runs, each instruction is given any CPU. An interrupt of a driver
 * comes between two instructions, stays on its CPU, and gets, puts, or both. A
 * reference is put by whoever comes first, on any CPU. The interrupts of open and close come
 * to the CPUs in any order, each between two instructions there.
 *
 * CPU 1 goes offline and comes online while nobody has cpus_read_lock. The gate is opened,
 * closed, drained, then all that once again (which the code does not do yet), then
 * freed. Who gets keeps the memory until he was let in or refused; who is inside
 * relies on the gate.
 *
 * Left out: processors that reorder (order.pml is about that). Words do not overflow:
 * OPEN stands for 2^62. Several gates in one round: they have no word in common.
 *
 * Each of these, defined, makes it wrong. It has to be found, and to break what
 * stands behind the arrow, which is the comment of an assertion below:
 *
 *	BUG_GET_LOOK	get looks at the word, then counts, with preemption off
 *			=> enters a closed gate | somebody is inside the drained gate
 *	BUG_GET_MOVED	get looks at the word, then counts, with preemption on
 *			=> enters a closed gate | somebody is inside the drained gate
 *	BUG_SIGN_MOVED	get counts, then looks at the word, with preemption on
 *			=> enters a closed gate | refused by an open gate | somebody is inside the drained gate
 *	BUG_PUT_LOOK	put looks at the word, then uncounts, with preemption off
 *			=> waits for ever
 *	BUG_REMOTE_CLOSE	close exchanges the words itself, without interrupts
 *			=> enters a closed gate
 *	BUG_REMOTE_OPEN	open stores the words itself, without interrupts
 *			=> refused by an open gate
 *	BUG_INIT	the words of a new gate are zero
 *			=> enters a closed gate | somebody is inside the drained gate
 *	BUG_NO_BIAS	an open word starts at zero: it is closed when below
 *			=> refused by an open gate | waits for ever
 *	BUG_OFFLINE	close closes, but does not collect, an offline CPU's word
 *			=> waits for ever
 *	BUG_OFFLINE_OPEN	close leaves an offline CPU's word alone
 *			=> enters a closed gate | somebody is inside the drained gate
 *	BUG_HOTPLUG_CLOSE	close does without cpus_read_lock
 *			=> enters a closed gate | somebody is inside the drained gate
 *	BUG_HOTPLUG_OPEN	open does without cpus_read_lock
 *			=> refused by an open gate | somebody is inside the drained gate
 *	BUG_NO_WAIT	fold does not wait for the interrupts of close
 *			=> enters a closed gate | touched after it was freed
 *	BUG_ANSWER_EARLY	a CPU answers before it has added its count
 *			=> touched after it was freed | somebody is inside the drained gate
 *	BUG_COLLECT	counts are collected in late, without a sum
 *			=> somebody is inside the drained gate | drained twice
 *	BUG_PUT_WORD	late puts uncount in the word only
 *			=> waits for ever
 *	BUG_READ_AGAIN	a late put decrements late, then reads it
 *			=> drained twice
 *	BUG_DEAD_LATE	the state is dead after drained was called
 *			=> touched after it was freed
 *	BUG_FREE	freed when late is zero, before drained was called
 *			=> touched after it was freed
 *	BUG_OPEN_ADD	open adds to a word what it lacks, refused gets stay in it
 *			=> waits for ever
 *	BUG_OPEN_SUM	the sum of the first close stays
 *			=> waits for ever
 *	BUG_OPEN_LATE	open sets late to zero when all CPUs are open
 *			=> waits for ever
 *	BUG_TRUST	who was refused once counts on being refused again
 *			=> let in after a refusal
 *
 * And these have to hold as well:
 *
 *	OK_LOAD_STORE	an instruction is a load and a store: other CPUs, but not
 *			interrupts, come in between
 *	OK_THREE_TASKS	one task more, no interrupts
 *	OK_THREE_CPUS	one CPU more
 */

#ifdef OK_THREE_CPUS
#define CPUS		3
#else
#define CPUS		2
#endif

#if defined(OK_THREE_TASKS) || defined(OK_THREE_CPUS)
#define INTERRUPTS	0
#else
#define INTERRUPTS	1
#endif

#if defined(OK_LOAD_STORE) || defined(OK_THREE_CPUS) || defined(BUG_HOTPLUG_OPEN)
#define GETS		2	/* in all, by tasks and interrupts */
#else
#define GETS		3
#endif

#define ROUNDS		2	/* open, close, drained: so often */

#define SHUT		(-8)
#ifdef BUG_NO_BIAS
#define OPEN		0
#define entered(r)	(r >= 0)
#else
#define OPEN		8
#define entered(r)	(r > 0)
#endif

#if defined(OK_LOAD_STORE) || defined(BUG_REMOTE_CLOSE) || defined(BUG_REMOTE_OPEN)
#define LOAD_STORE
#endif

/* struct unplug_gate */
short word[CPUS];	/* gate->word */
short sum;
short late;

/* The machine */
mtype = { NONE, OPENING, CLOSING };
mtype ipi[CPUS] = NONE;
bool online[CPUS];
bool occupied[CPUS];	/* by an interrupt, or in the middle of an instruction */
byte pinned[CPUS];	/* tasks there with preemption off */
byte readers;		/* of cpus_read_lock */

/* What is true, whatever the gate believes */
byte inside;		/* who was let in, and is not uncounted yet */
byte held;		/* of these: references nobody has begun to put */
bool is_open;		/* open has returned */
bool is_shut = true;	/* close has returned */
bool closing;		/* close is under way */
byte round;
byte drains;		/* gate->drained has done what it is for */
bool erased;		/* look-ups do not find the gate any more */
byte holders;		/* found it before, and keep the memory */
bool freed;

byte gets = GETS;
byte interrupts = INTERRUPTS;
byte plugs = 2;		/* CPU 1 comes or goes, so often */

#define free_cpu(c)	(online[c] && !occupied[c])

inline touch()
{
	assert(!freed)		/* touched after it was freed */
}

/* A task's instruction runs anywhere; an interrupt's on its CPU. */
inline on_a_cpu()
{
	if
	:: in_irq
	:: !in_irq && free_cpu(0) -> cpu = 0
	:: !in_irq && free_cpu(1) -> cpu = 1
#ifdef OK_THREE_CPUS
	:: !in_irq && free_cpu(2) -> cpu = 2
#endif
	fi
}

/* With preemption off between two instructions the second runs where the first did. */
inline on_this_cpu()
{
	in_irq || !occupied[cpu]
}

inline leave_cpu()
{
	if
	:: in_irq
	:: else -> cpu = 0
	fi
}

/* --- get and put ------------------------------------------------------------ */

#ifdef LOAD_STORE

inline load()
{
	on_a_cpu();
	touch();
	r = word[cpu];
	occupied[cpu] = true
}

inline add(n)
{
	touch();
	r = r + n;
	word[cpu] = r;
	occupied[cpu] = in_irq
}

#else

inline add(n)
{
	on_a_cpu();
	touch();
	word[cpu] = word[cpu] + n;
	r = word[cpu]
}

#endif

/* The first half of a get or put that takes two steps; it stays on its CPU. */
inline look()
{
	on_a_cpu();
	touch();
	r = word[cpu];
	pinned[cpu]++
}

inline add_looked(n)
{
	on_this_cpu();
	touch();
	word[cpu] = word[cpu] + n;
	pinned[cpu]--
}

inline come_in()
{
	assert(!is_shut);	/* enters a closed gate */
#ifdef BUG_TRUST
	assert(refused_in != round);	/* let in after a refusal */
#endif
	inside++;
	held++
}

inline refused()
{
#if !defined(BUG_GET_LOOK) && !defined(BUG_GET_MOVED)	/* they looked earlier */
	assert(!is_open);	/* refused by an open gate */
#endif
#ifdef BUG_TRUST
	refused_in = (closing -> round : 0);
#endif
	skip
}

inline get_done()
{
	if
	:: entered(r) -> come_in()
	:: else -> refused()
	fi;
	r = 0;
	leave_cpu();
	holders--
}

inline get()
{
#if defined(BUG_GET_LOOK)
	atomic { look() };
	atomic { add_looked(1); get_done() }
#elif defined(BUG_GET_MOVED)
	atomic { on_a_cpu(); touch(); r = word[cpu]; leave_cpu() };
	atomic { on_a_cpu(); touch(); word[cpu] = word[cpu] + 1; get_done() }
#elif defined(BUG_SIGN_MOVED)
	atomic { add(1); leave_cpu() };
	atomic { on_a_cpu(); touch(); r = word[cpu]; get_done() }
#else
#ifdef LOAD_STORE
	atomic { load() };
#endif
	atomic { add(1); get_done() }	/* A */
#endif
}

/* state = DEAD, and drained: its last step is what lets others go on */
inline dead()
{
	atomic {
		touch();
		assert(inside == 0);	/* somebody is inside the drained gate */
		drains++;
		assert(drains == round)	/* drained twice */
	};
#ifdef BUG_DEAD_LATE
	touch()
#endif
}

inline put_late()
{
#ifdef BUG_READ_AGAIN
	atomic { touch(); late--; inside-- };
	atomic { touch(); zero = late == 0 };
#elif defined(BUG_PUT_WORD)
	inside--;
#else
	atomic {			/* D, E */
		touch();
		late--;
		inside--;
		zero = late == 0
	};
#endif
	if
	:: atomic { zero -> zero = false }; dead()
	:: else
	fi
}

/* An early put does not touch the gate after its instruction. */
inline put_done()
{
	if
	:: entered(r) -> inside--
	:: else -> too_late = true
	fi;
	r = 0;
	leave_cpu()
}

inline put()
{
#if defined(BUG_PUT_LOOK)
	atomic { held > 0 -> held--; look() };
	atomic { add_looked(-1); put_done() };
#elif defined(LOAD_STORE)
	atomic { held > 0 -> held--; load() };
	atomic { add(-1); put_done() };
#else
	atomic { held > 0 -> held--; add(-1); put_done() };	/* C */
#endif
	if
	:: atomic { too_late -> too_late = false }; put_late()
	:: else
	fi
}

proctype task()
{
	byte cpu;
	bool in_irq, too_late, zero;
	short r;
#ifdef BUG_TRUST
	byte refused_in;
#endif

	do
	:: atomic { gets > 0 && !erased -> gets--; holders++ }; get()
	:: put()
	:: atomic { erased && held == 0 -> break }
	od
}

/* The driver's interrupt handler, on any CPU */
proctype interrupt()
{
	byte cpu;
	bool in_irq, too_late, zero;
	short r;
#ifdef BUG_TRUST
	byte refused_in;
#endif

	do
	:: atomic {
		interrupts > 0 -> interrupts--;
		on_a_cpu();
		in_irq = true;
		occupied[cpu] = true
	   };
	   if
	   :: atomic { gets > 0 && !erased -> gets--; holders++ }; get()
	   :: true
	   fi;
	   if
	   :: put()
	   :: true
	   fi;
	   atomic { occupied[cpu] = false; in_irq = false; cpu = 0 }
	:: break
	od
}

/* --- open, close, fold ------------------------------------------------------ */

/* The interrupts of open and close */
proctype cpu(byte me)
{
	short old;

end:
	do
	:: atomic {
		ipi[me] == OPENING && !occupied[me] ->
		touch();
#ifdef BUG_OPEN_ADD
		word[me] = word[me] + OPEN - SHUT;
#else
		word[me] = OPEN;		/* F */
#endif
		ipi[me] = NONE
	   }
	:: atomic {
		ipi[me] == CLOSING && !occupied[me] ->
		touch();
		occupied[me] = true;
		old = word[me];
		word[me] = SHUT
	   };
#ifdef BUG_ANSWER_EARLY
	   ipi[me] = NONE;
#endif
	   atomic {
		touch();
#ifdef BUG_COLLECT
		late = late + old - OPEN;
#else
		sum = sum + old - OPEN;
#endif
		old = 0
	   };
	   atomic { occupied[me] = false; ipi[me] = NONE }	/* B */
	od
}

inline on_each_cpu(what)
{
	atomic {
		do
		:: i < CPUS && online[i] -> ipi[i] = what; i++
		:: i < CPUS && !online[i] -> i++
		:: else -> i = 0; break
		od
	}
}

#define answered	(ipi[0] == NONE && ipi[1] == NONE && ipi[CPUS - 1] == NONE)

inline gate_open()
{
	atomic {
		is_shut = false;
		round++;
#ifndef BUG_HOTPLUG_OPEN
		readers++;
#endif
#ifndef BUG_OPEN_SUM
		sum = 0
#endif
	};
	atomic {	/* nobody else has an offline word */
		do
#ifdef BUG_REMOTE_OPEN
		:: i < CPUS -> word[i] = OPEN; i++
#else
		:: i < CPUS && !online[i] -> word[i] = OPEN; i++
		:: i < CPUS && online[i] -> i++
#endif
		:: else -> i = 0; break
		od
	};
#ifndef BUG_REMOTE_OPEN
	on_each_cpu(OPENING);
	answered;
#endif
#ifdef BUG_OPEN_LATE
	late = 0;
#endif
	atomic {
#ifndef BUG_HOTPLUG_OPEN
		readers--;
#endif
		is_open = true
	}
}

inline collect()
{
	touch();
#ifdef BUG_COLLECT
	late = late + word[i] - OPEN;
#endif
#if !defined(BUG_COLLECT) && !defined(BUG_OFFLINE)
	sum = sum + word[i] - OPEN;
#endif
	word[i] = SHUT;
	i++
}

inline gate_close()
{
	atomic {
		is_open = false;
		closing = true;
#ifndef BUG_HOTPLUG_CLOSE
		readers++
#endif
	};
	atomic {
		do
#if defined(BUG_REMOTE_CLOSE)
		:: i < CPUS -> collect()
#elif defined(BUG_OFFLINE_OPEN)
		:: i < CPUS -> i++
#else
		:: i < CPUS && !online[i] -> collect()
		:: i < CPUS && online[i] -> i++
#endif
		:: else -> i = 0; break
		od
	};
#ifndef BUG_REMOTE_CLOSE
	on_each_cpu(CLOSING);
#ifndef BUG_NO_WAIT
	answered;		/* B */
#endif
#endif
	atomic {
#ifndef BUG_HOTPLUG_CLOSE
		readers--;
#endif
		closing = false;
		is_shut = true
	}
}

inline fold()
{
	atomic {				/* E */
		touch();
		late = late + sum;
		zero = late == 0
	};
	if
	:: atomic { zero -> zero = false }; dead()
	:: else
	fi
}

proctype device()
{
	byte i;
	bool zero;

	do
	:: atomic { round < ROUNDS -> skip };
		gate_open();
		gate_close();
		fold();
#ifdef BUG_FREE
		late == 0;
		if
		:: round == ROUNDS
		:: else -> drains == round
		fi
#else
		drains == round
#endif
	:: atomic { else -> break }
	od;
	erased = true;
	holders == 0;
	freed = true
}

/* Under cpus_write_lock */
proctype hotplug()
{
	do
	:: atomic {
		plugs > 0 && readers == 0 && !occupied[1] && pinned[1] == 0 ->
		online[1] = !online[1];
		plugs--
	   }
	:: break
	od
}

init {
	byte i;

	atomic {
		do
		:: i < CPUS ->
#ifdef BUG_INIT
			word[i] = 0;
#else
			word[i] = SHUT;
#endif
			online[i] = true;
			run cpu(i);
			i++
		:: else -> i = 0; break
		od;
		if
		:: online[1] = false
		:: true
		fi;
		run task();
		run task();
#ifdef OK_THREE_TASKS
		run task();
#endif
		run interrupt();
		run hotplug();
		run device()
	}
}
