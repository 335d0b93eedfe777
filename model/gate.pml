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
 *	cpu()		gates_close_here, gate_thaw_here	kernel/gate.c
 *	device()	unplug_gate_init, unplug_gate_open, unplug_gate_thaw,
 *			unplug_gate_kill, unplug_gates_close, gates_close_there,
 *			unplug_gate_fold, unplug_gate_destroy	kernel/gate.c
 *
 * A get, and a put, loads the pointer to the words, and counts, any time later, by one
 * instruction in the word of the CPU it happens to run on then. Between two instructions a
 * task may be moved: so it is not written down where a task runs, each instruction is given
 * any CPU. An interrupt of a driver comes between two instructions, stays on its CPU, and
 * gets, puts, or both. A reference is put by whoever comes first, on any CPU. The
 * interrupts of close come to the CPUs in any order, each between two instructions there.
 *
 * CPU 1 goes offline while nobody has switched preemption off, and comes online at any
 * time. An instruction there that may meet close's exchange of that word from elsewhere
 * is a load and a store. The gate is opened, killed, closed, drained, then freed.
 * Who gets keeps the memory until he was let in or refused; who is inside relies on
 * the gate.
 *
 * Or it begins as a gate that was closed and is drained, to be thawed: all words shut, the
 * drain word zero, old notes left, and everybody may be one who loaded the pointer before
 * that. As it ends in that state, too, this stands for any number of freezes and thaws.
 *
 * Left out: processors that reorder (order.pml is about that). Words do not overflow:
 * OPEN stands for 2^62. The words that are always shut, which belong to no gate: who
 * finds the pointer on them is refused, or late. Several gates in one round: they have no
 * word of their own in common.
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
 *	BUG_INIT	the words of a new gate are zero
 *			=> enters a closed gate | somebody is inside the drained gate | waits for ever
 *	BUG_OPEN_FIRST	open switches the pointer, then the words are opened
 *			=> refused by an open gate
 *	BUG_NO_BIAS	an open word starts at zero: it is closed when below
 *			=> refused by an open gate | waits for ever
 *	BUG_NO_KILL	close does without kill: the pointer stays on the gate's own words
 *			=> let in after a refusal
 *	BUG_KILL_LAST	close comes before kill
 *			=> let in after a refusal
 *	BUG_KILL_ONLY	kill does without close: the words stay open
 *			=> enters a closed gate
 *	BUG_REMOTE_CLOSE	close exchanges the words itself, without interrupts
 *			=> enters a closed gate
 *	BUG_OFFLINE	close closes, but does not collect, an offline CPU's word
 *			=> waits for ever
 *	BUG_OFFLINE_OPEN	close leaves an offline CPU's word alone
 *			=> enters a closed gate | somebody is inside the drained gate
 *	BUG_LOOK_FIRST	close looks which CPUs are online before it exchanges the other words
 *			=> enters a closed gate | somebody is inside the drained gate
 *	BUG_PREEMPT	close leaves preemption on
 *			=> enters a closed gate | somebody is inside the drained gate
 *	BUG_TWICE	a word that was collected, and found open once more, is added to that
 *			=> somebody is inside the drained gate | waits for ever
 *	BUG_NO_WAIT	fold does not wait for the interrupts of close
 *			=> enters a closed gate | touched after it was freed
 *	BUG_ANSWER_EARLY	a CPU answers before it has noted its count
 *			=> touched after it was freed | somebody is inside the drained gate
 *	BUG_COLLECT	counts are collected in late, without a sum
 *			=> somebody is inside the drained gate | drained twice | touched after it was freed
 *	BUG_PUT_WORD	late puts uncount in the word only
 *			=> waits for ever
 *	BUG_READ_AGAIN	a late put decrements late, then reads it
 *			=> drained twice
 *	BUG_DEAD_LATE	the state is dead after drained was called
 *			=> touched after it was freed
 *	BUG_FREE	freed when late is zero, before drained was called
 *			=> touched after it was freed
 *
 *	BUG_THAW_REMOTE	thaw opens all words itself, without interrupts
 *			=> refused by an open gate
 *	BUG_THAW_OFFLINE	thaw leaves an offline CPU's word alone
 *			=> refused by an open gate
 *	BUG_THAW_COUNT	the interrupt of thaw opens words that are open already, without their counts
 *			=> somebody is inside the drained gate | waits for ever
 *	BUG_THAW_LOOK	thaw looks which CPUs are online before it opens the other words
 *			=> refused by an open gate
 *	BUG_THAW_PREEMPT	thaw leaves preemption on
 *			=> refused by an open gate
 *	BUG_THAW_NO_WAIT	thaw does not wait for its interrupts
 *			=> refused by an open gate
 *	BUG_THAW_FIRST	thaw switches the pointer, then opens the words
 *			=> refused by an open gate
 *	BUG_THAW_LATE	thaw sets the drain word to zero
 *			=> waits for ever
 *	BUG_THAW_EARLY	thaw does not wait for drained
 *			=> somebody is inside the drained gate | drained twice
 *
 * And these have to hold as well:
 *
 *	OK_LOAD_STORE	an instruction is a load and a store: other CPUs, but not
 *			interrupts, come in between
 *	OK_THREE_GETS	one get more, no interrupts
 *	OK_THREE_TASKS	one task more, no interrupts
 *	OK_THREE_CPUS	one CPU more
 */

#if defined(BUG_THAW_REMOTE) || defined(BUG_THAW_OFFLINE) ||	\
    defined(BUG_THAW_COUNT) || defined(BUG_THAW_LOOK) ||	\
    defined(BUG_THAW_PREEMPT) || defined(BUG_THAW_NO_WAIT) ||	\
    defined(BUG_THAW_FIRST) || defined(BUG_THAW_LATE) ||	\
    defined(BUG_THAW_EARLY)
#define THAW_ONLY	/* thaw goes wrong, whatever interrupts do */
#elif defined(OK_THREE_TASKS) || defined(OK_THREE_CPUS)
#define OPEN_ONLY	/* so large already */
#endif

#ifdef OK_THREE_CPUS
#define CPUS		3
#else
#define CPUS		2
#endif

#if defined(OK_THREE_GETS) || defined(OPEN_ONLY) || defined(THAW_ONLY)
#define INTERRUPTS	0
#else
#define INTERRUPTS	1
#endif

#ifdef OK_THREE_GETS
#define GETS		3	/* in all, by tasks and interrupts */
#else
#define GETS		2
#endif

#define SHUT		(-8)
#ifdef BUG_NO_BIAS
#define OPEN		0
#define entered(r)	(r >= 0)
#else
#define OPEN		8
#define entered(r)	(r > 0)
#endif

/* struct unplug_gate */
bool own;		/* gate->word points to gate->own */
short word[CPUS];	/* gate->own */
short left[CPUS];	/* what was counted in a word when it was shut */
short late;

/* The machine */
bool ipi[CPUS];		/* sent, and not answered */
bool thawing;		/* by thaw, not by close */
bool online[CPUS];
bool remote[CPUS];	/* close is about to exchange the word from elsewhere */
bool occupied[CPUS];	/* by an interrupt, or in the middle of an instruction */
byte pinned[CPUS];	/* tasks there with preemption off */
bool preempt_off;	/* elsewhere */

/* What is true, whatever the gate believes */
bool frozen;		/* at the beginning */
byte inside;		/* who was let in, and is not uncounted yet */
byte held;		/* of these: references nobody has begun to put */
bool was_open;		/* open has returned */
bool is_open;		/* and kill has not begun */
bool is_shut;		/* close has returned */
bool final;		/* somebody was refused by a gate that had been opened */
bool drains;		/* gate->drained has done what it is for */
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

#ifdef OK_LOAD_STORE
#define two_steps(c)	true
#else
#define two_steps(c)	remote[c]
#endif

/* An instruction as one step; or its first half, the load: then sets half */
inline add(n)
{
	on_a_cpu();
	touch();
	r = word[cpu];
	if
	:: two_steps(cpu) -> half = true; occupied[cpu] = true
	:: else -> r = r + n; word[cpu] = r
	fi
}

/* The other half, the store */
inline add_rest(n)
{
	touch();
	r = r + n;
	word[cpu] = r;
	half = false;
	occupied[cpu] = in_irq
}

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
	assert(!doomed);	/* let in after a refusal */
	inside++;
	held++
}

inline refused()
{
#if !defined(BUG_GET_LOOK) && !defined(BUG_GET_MOVED)	/* they looked earlier */
	assert(!is_open);	/* refused by an open gate */
#endif
	if
	:: was_open -> final = true
	:: else			/* it was new: that says nothing */
	fi
}

inline get_done()
{
	if
	:: entered(r) -> come_in()
	:: else -> refused()
	fi;
	r = 0;
	doomed = false;
	leave_cpu();
	holders--
}

/*
 * Loads the pointer: refused by the words that are always shut, or finds the gate's own,
 * or has found them before the gate was frozen.
 */
inline get()
{
	if
	:: atomic { own || frozen -> touch(); doomed = own && final };	/* F */
#if defined(BUG_GET_LOOK)
		atomic { look() };
		atomic { add_looked(1); get_done() }
#elif defined(BUG_GET_MOVED)
		atomic { on_a_cpu(); touch(); r = word[cpu]; leave_cpu() };
		atomic { on_a_cpu(); touch(); word[cpu] = word[cpu] + 1; get_done() }
#elif defined(BUG_SIGN_MOVED)
		atomic { on_a_cpu(); touch(); word[cpu] = word[cpu] + 1; leave_cpu() };
		atomic { on_a_cpu(); touch(); r = word[cpu]; get_done() }
#else
		atomic { add(1); if :: !half -> get_done() :: else fi };	/* A */
		if
		:: atomic { half -> add_rest(1); get_done() }
		:: else
		fi
#endif
	:: atomic { !own -> touch(); refused(); holders-- }
	fi
}

/* state = DEAD, and drained: its last step is what lets others go on */
inline dead()
{
	atomic {
		touch();
		assert(inside == 0);	/* somebody is inside the drained gate */
		assert(!drains);	/* drained twice */
		drains = true
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
	if
	:: atomic { held > 0 && own -> held--; touch() };
#if defined(BUG_PUT_LOOK)
		atomic { look() };
		atomic { add_looked(-1); put_done() }
#else
		atomic { add(-1); if :: !half -> put_done() :: else fi };	/* C */
		if
		:: atomic { half -> add_rest(-1); put_done() }
		:: else
		fi
#endif
	:: atomic { held > 0 && !own -> held--; touch(); too_late = true }
	fi;
	if
	:: atomic { too_late -> too_late = false }; put_late()
	:: else
	fi
}

proctype task()
{
	byte cpu;
	bool in_irq, half, doomed, too_late, zero;
	short r;

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
	bool in_irq, half, doomed, too_late, zero;
	short r;

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

/* --- open, kill, close, fold ------------------------------------------------ */

/* What is noted of a word that was shut, in gates_close_here and gates_close_there */
inline note(c, old)
{
#ifdef BUG_COLLECT
	if :: entered(old) -> late = late + old - OPEN :: else fi
#elif defined(BUG_TWICE)
	if :: entered(old) -> left[c] = left[c] + old - OPEN :: else fi
#else
	if :: entered(old) -> left[c] = old - OPEN :: else fi
#endif
}

inline open_here(c)
{
#ifdef BUG_THAW_COUNT
	word[c] = OPEN
#else
	if :: word[c] < 0 -> word[c] = OPEN :: else fi
#endif
}

/* The interrupt of close, or thaw */
proctype cpu(byte me)
{
	short was;

end:
	do
	:: atomic {
		ipi[me] && !occupied[me] ->
		touch();
		occupied[me] = true;
		if
		:: thawing -> open_here(me)
		:: else -> was = word[me]; word[me] = SHUT
		fi
	   };
#ifdef BUG_ANSWER_EARLY
	   ipi[me] = false;
#endif
	   atomic {
		touch();
		if :: !thawing -> note(me, was) :: else fi;
		was = 0;
		occupied[me] = false;
		ipi[me] = false		/* B */
	   }
	od
}

#define answered	(!ipi[0] && !ipi[1] && !ipi[CPUS - 1])

inline open_words()
{
	atomic {
		do
		:: i < CPUS -> word[i] = OPEN; i++
		:: else -> i = 0; break
		od
	}
}

inline gate_open()
{
#ifdef BUG_OPEN_FIRST
	atomic { own = true; is_open = true; was_open = true };
	open_words()
#else
	atomic { own = true; is_open = true; was_open = true }		/* F */
#endif
}

inline gate_kill()
{
	atomic { own = false; is_open = false }				/* G */
}

/* A CPU that is not online: it may be before its word is exchanged. */
inline open_there()
{
	remote[i] = true;
	atomic { touch(); remote[i] = false; word[i] = OPEN; i++ }
}

inline close_there()
{
	remote[i] = true;
	atomic {
		touch();
		remote[i] = false;
#ifndef BUG_OFFLINE
		note(i, word[i]);
#endif
		word[i] = SHUT;
		i++
	}
}

#if defined(BUG_LOOK_FIRST)
#define asked(c)	seen[c]
#elif defined(BUG_THAW_LOOK)
#define asked(c)	(was_open -> online[c] : seen[c])
#else
#define asked(c)	online[c]
#endif

inline on_each_cpu()
{
	atomic {
		do
		:: i < CPUS -> ipi[i] = asked(i); i++
		:: else -> i = 0; break
		od
	}
}

inline gate_close()
{
#ifdef BUG_LOOK_FIRST
	atomic { seen[0] = true; seen[1] = online[1] };
#endif
#ifndef BUG_PREEMPT
	preempt_off = true;
#endif
	do
#if defined(BUG_REMOTE_CLOSE)
	:: atomic { i < CPUS -> skip }; close_there()
#elif defined(BUG_OFFLINE_OPEN)
	:: i < CPUS -> i++
#else
	:: atomic { i < CPUS && !asked(i) -> skip }; close_there()
	:: atomic { i < CPUS && asked(i) -> i++ }
#endif
	:: atomic { else -> i = 0; break }
	od;
#ifndef BUG_REMOTE_CLOSE
	on_each_cpu();
#ifndef BUG_NO_WAIT
	answered;		/* B */
#endif
#endif
	atomic { preempt_off = false; is_open = false; is_shut = true }
}

inline thaw_words()
{
#ifdef BUG_THAW_LOOK
	atomic { seen[0] = true; seen[1] = online[1] };
#endif
#ifndef BUG_THAW_PREEMPT
	preempt_off = true;
#endif
	do
#if defined(BUG_THAW_REMOTE)
	:: atomic { i < CPUS -> skip }; open_there()
#elif defined(BUG_THAW_OFFLINE)
	:: i < CPUS -> i++
#else
	:: atomic { i < CPUS && !asked(i) -> skip }; open_there()
	:: atomic { i < CPUS && asked(i) -> i++ }
#endif
	:: atomic { else -> i = 0; break }
	od;
#ifndef BUG_THAW_REMOTE
	atomic { thawing = true; on_each_cpu() };
#ifndef BUG_THAW_NO_WAIT
	answered;
#endif
#endif
	thawing = false;
	preempt_off = false
}

/* Nobody is inside, but somebody may come who has loaded the pointer before the freeze. */
inline gate_thaw()
{
	is_shut = false;
#ifdef BUG_THAW_FIRST
	gate_open();
#endif
	thaw_words();
#ifdef BUG_THAW_LATE
	late = 0;
#endif
	gate_open()
}

inline fold()
{
	atomic {				/* E */
		touch();
		late = late + left[0] + left[1];
#ifdef OK_THREE_CPUS
		late = late + left[2];
#endif
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
#if defined(BUG_LOOK_FIRST) || defined(BUG_THAW_LOOK)
	bool seen[CPUS];
#endif

	if
	:: !frozen -> gate_open()
	:: frozen -> gate_thaw()
	fi;
#if defined(BUG_NO_KILL)
	is_open = false;
	gate_close();
#elif defined(BUG_KILL_LAST)
	is_open = false;
	gate_close();
	gate_kill();
#elif defined(BUG_KILL_ONLY)
	gate_kill();
	is_shut = true;
#else
	gate_kill();
	gate_close();
#endif
	fold();
#ifdef BUG_FREE
	late == 0;
#else
	drains;
#endif
	erased = true;
	holders == 0;
#ifndef BUG_READ_AGAIN			/* whatever comes of it */
	freed = true
#endif
}

/* A CPU goes when all have left the sections with preemption off: stop_machine. */
proctype hotplug()
{
	do
	:: atomic {
		plugs > 0 && online[1] && !preempt_off && !occupied[1] &&
		pinned[1] == 0 && !ipi[1] ->
		online[1] = false;
		plugs--
	   }
	:: atomic { plugs > 0 && !online[1] -> online[1] = true; plugs-- }
	:: break
	od
}

/* As all freezes end */
inline freeze()
{
	frozen = true;
	is_shut = true;
	do
	:: i < CPUS -> word[i] = SHUT; left[i] = 2; i++
	:: else -> i = 0; break
	od;
#ifdef BUG_THAW_EARLY
	inside = 1;		/* has been counted, by fold */
	held = 1;
	late = 1
#endif
}

init {
	byte i;

	atomic {
		do
		:: i < CPUS ->
#if defined(BUG_INIT)
			word[i] = 0;
#elif defined(BUG_OPEN_FIRST)
			word[i] = SHUT;
#else
			word[i] = OPEN;
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
		if
#ifndef THAW_ONLY
		:: true
#endif
#ifndef OPEN_ONLY
		:: freeze()
#endif
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
