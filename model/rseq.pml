// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of the gate of the library: restartable sequences, membarrier, and processors that
 * reorder. The letters are those of the essay in lib/gate.c.
 *
 * Mirrors
 *	section		UNPLUG_GATE_COUNT		include/libunplug/gate.h
 *	get_slow	unplug_gate_get_slow		lib/gate.c
 *	put_slow	unplug_gate_put_slow		lib/gate.c
 *	tell		unplug_gate_tell		lib/gate-told.c
 *	membarrier	unplug_slots_sync		lib/slots.c
 *	owner()		unplug_gate_open, unplug_gate_set_eventfd, unplug_gate_kill,
 *			unplug_gates_close, unplug_gate_fold, unplug_gate_wait_drained	lib/gate.c
 *
 * What is called shut here is SHUT in the place of LIVE, which kill and open change in one step.
 *
 * A get counts in one word of its CPU, a put in another, in a section which looks
 * at the bound first. The kernel throws a thread out of its section if it is preempted, moved,
 * interrupted by a signal, or by membarrier: so what a section does last is on the CPU it began
 * on. Between its beginning and its look nothing else happens to it: they are one
 * step. Who was thrown out, or met a bound of zero, counts in the gate's word.
 *
 * What a CPU stores becomes visible when something makes it visible, and not before: that
 * is the worst that can happen. The bound that a CPU loads may be any it had since the CPU's last
 * fence. A switch from one thread to another is a fence, and so is membarrier, on each CPU and for
 * its caller. A release makes a CPU's accesses visible, an acquire ends the use of old values.
 *
 * Two users on any of two CPUs, who enter once; who was refused may tell the other before he
 * begins. The owner of the gate has a CPU of his own. Or the gate is one that was shut, and
 * is drained, to be thawed, with one user. It has a ->drained, and is freed when it is dead, so after
 * that has returned, and those are gone who may be refused.
 *
 * Left out: fork; a membarrier that fails (nothing is folded then); several gates in one round,
 * which have nothing in common but membarrier; overflow: no more than the difference of two
 * words is used.
 *
 * Each of these, defined, makes it wrong. It has to be found, and to break what
 * stands behind the arrow, which is the comment of an assertion below:
 *
 *	BUG_A_GET	get looks at the bound, then begins its section
 *			=> a slot changes after it was added up
 *	BUG_A_PUT	put does
 *			=> a slot changes after it was added up
 *	BUG_A_BLIND	put counts in the slot, whatever the bound
 *			=> a slot changes after it was added up
 *	BUG_A_CPU	a section counts in the slot of a CPU that was looked up before it
 *			=> somebody is inside the drained gate | waits for ever
 *	BUG_B_PLAIN	the membarrier is one that does not restart sequences
 *			=> a slot changes after it was added up
 *	BUG_B_EARLY	it comes before kill
 *			=> a slot changes after it was added up
 *	BUG_B_IN_FIRST	gets are added up, then puts, then comes the membarrier
 *			=> a slot changes after it was added up
 *	BUG_B_OUT_FIRST	puts are, then gets
 *			=> a slot changes after it was added up
 *	BUG_SLOT	a CPU with more puts than gets is taken for one with none
 *			=> waits for ever
 *	BUG_C_PUT	the decrement of a put is no release
 *			=> an access of an operation comes after drained
 *	BUG_C_LAST	nor acquire
 *			=> drained misses what an operation has done
 *	BUG_C_FOLD	the addition in fold is no release
 *			=> drained misses what was done before fold
 *	BUG_C_FOLD_LAST	nor acquire
 *			=> drained misses what an operation has done
 *	BUG_FOLDED	dead is who is shut, with a count of 0, folded or not
 *			=> somebody is inside the drained gate | drained misses what was done before fold | drained twice
 *	BUG_READ_AGAIN	a put decrements the word, then reads it
 *			=> drained twice | ->drained runs in the next life
 *	BUG_TELL_DEAD	the gate is dead before ->drained has returned
 *			=> ->drained runs in the next life | who waits misses what ->drained has done
 *	BUG_TELL_FIRST	TELLING is taken away, then ->drained is called
 *			=> ->drained runs in the next life | who waits misses what ->drained has done
 *	BUG_C_TELL	that is no release
 *			=> who waits misses what ->drained has done
 *	BUG_PUT_AFTER	a put looks at the gate after it was counted in its slot
 *			=> touched after it was freed
 *	BUG_DEAD_LATE	the last put of a gate without ->drained looks after its decrement for whom to tell
 *			=> touched after it was freed
 *	BUG_D_BOUND	open's store of the bound is no release
 *			=> an operation misses what was set up before open
 *	BUG_D_GET	a section's look at it is no acquire
 *			=> an operation misses what was set up before open
 *	BUG_D_WORD	open's store of the word is no release
 *			=> an operation misses what was set up before open
 *	BUG_E		kill sets SHUT, then clears the bound
 *			=> let in after a refusal
 *	BUG_F_EARLY	put looks whom to tell, then whether the gate is shut
 *			=> the owner's descriptor is not told
 *	BUG_F_PUT	its look at SHUT is no acquire
 *			=> the owner's descriptor is not told
 *	BUG_F_KILL	kill's store of SHUT is no release
 *			=> the owner's descriptor is not told
 *	BUG_F_BLIND	put takes one from the word, though it was shut since it looked
 *			=> the owner's descriptor is not told
 *	BUG_THAW_EARLY	thaw does not look whether the gate is dead
 *			=> somebody is inside the drained gate | an access of an operation comes after drained
 *	BUG_THAW_BASE	fold does not remember the sum of the slots
 *			=> somebody is inside the drained gate | waits for ever
 *	BUG_THAW_RESET	thaw opens the gate, then sets its slots to zero
 *			=> somebody is inside the drained gate | waits for ever
 *
 * And these have to hold as well:
 *
 *	OK_ONE_WORD	a slot is one word: puts decrement what gets increment
 *	OK_BOUNDS	a bound per CPU, which are opened and cleared one after another
 *	OK_SIGNAL	one user is the handler of a signal of the other's thread: no
 *			fence comes between them
 *	OK_THAW_TWO	two users of a gate that is thawed
 *	OK_NO_DRAINED	a gate without ->drained: dead as soon as nobody is inside
 *	OK_NO_SECTIONS	the bound is never above zero; no membarrier
 */

#if defined(BUG_D_BOUND) || defined(BUG_D_GET) || defined(BUG_D_WORD) ||	\
    defined(BUG_THAW_EARLY) || defined(BUG_THAW_BASE) ||	\
    defined(BUG_THAW_RESET) || defined(OK_THAW_TWO)
#define THAW_ONLY	/* a new gate shows nothing of it */
#endif

#if defined(OK_NO_DRAINED) || defined(BUG_DEAD_LATE)
#define HAS_DRAINED	false
#else
#define HAS_DRAINED	true
#endif

#define USERS	2
#define OWNER	2	/* a CPU, as 0 and 1 are the users' */
#define CPUS	3
#define NOBODY	2	/* runs there */

/* A bound, by its history: zero if odd */
#define FROZEN	1
#define LIVE	2
#define KILLED	3

/* struct unplug_gate. The slots as the CPU sees them who counts there, and as all do */
byte bound[2] = LIVE;	/* one; or one per CPU */
short ins[2];
short outs[2];
short all_ins[2];
short all_outs[2];
short base;
bool shut;		/* word */
bool folded;
bool telling;
short count;

/* The device: what is done to it, and is visible */
bool setup;		/* before open */
bool done[USERS];	/* in operations */
bool marked;		/* before fold */
bool named;		/* the descriptor: while the gate was live */
bool told;		/* somebody was refused */
bool cleaned;		/* in ->drained */

/* What is not visible yet */
bool setting_up;
bool marking;
bool naming;
bool cleaning[CPUS];
bool doing[2 * USERS];	/* cpu * USERS + user */

/* The oldest values a CPU may still find */
byte old_bound[2] = LIVE;
bool old_setup[CPUS];
bool old_marked[CPUS];
bool old_named[CPUS];
bool old_done[CPUS * USERS];

/* The machine */
byte runs[2] = NOBODY;	/* the thread on a CPU */
byte at[USERS];		/* the CPU of a thread, if it runs there */
bool section[USERS];	/* it is in one, and was not thrown out */
bool handles;		/* a signal */

/* What is true, whatever the gate believes */
bool frozen;		/* at the beginning */
bool bound_late;	/* the bound was opened after setup was visible */
bool word_late;		/* so was the word */
bool opened = true;	/* was the word, and refuses for good when it is shut */
bool entered[USERS];
byte inside;
bool added;		/* the slots were added up */
byte drains;
bool erased;		/* look-ups do not find the gate any more */
byte holders;		/* found it before, and keep the memory */
bool freed;

#ifdef BUG_FOLDED
#define over	(shut && count == 0)
#else
#define over	(shut && folded && count == 0)
#endif
#ifdef BUG_TELL_DEAD
#define dead	over
#else
#define dead	(over && !telling)
#endif

inline touch()
{
	assert(!freed)		/* touched after it was freed */
}

inline land_done(u)
{
	done[u] = true;
	doing[u] = false;
	doing[USERS + u] = false
}

inline land(c)
{
	if :: doing[c * USERS] -> land_done(0) :: else fi;
	if :: doing[c * USERS + 1] -> land_done(1) :: else fi;
	if :: cleaning[c] -> cleaned = true; cleaning[c] = false :: else fi;
	all_ins[c] = ins[c];
	all_outs[c] = outs[c]
}

inline look_anew(c)
{
	if :: c != OWNER -> old_bound[c] = bound[c] :: else fi;
	old_setup[c] = setup;
	old_marked[c] = marked;
	old_named[c] = named;
	old_done[c * USERS] = done[0];
	old_done[c * USERS + 1] = done[1]
}

inline land_owner()
{
	if :: setting_up -> setup = true; setting_up = false :: else fi;
	if :: marking -> marked = true; marking = false :: else fi;
	if :: naming -> named = true; naming = false :: else fi
}

/* --- The scheduler ---------------------------------------------------------- */

inline switch_to(c)
{
	if
	:: runs[c] != NOBODY -> section[runs[c]] = false
	:: else
	fi;
	land(c);
	look_anew(c);
	if
	:: runs[1 - c] == thread ->
		runs[1 - c] = NOBODY;
		land((1 - c));
		look_anew((1 - c))
	:: else
	fi;
	section[thread] = false;
	runs[c] = thread;
	at[thread] = c
}

/* Before each instruction of a thread: it goes on, or has been away, or moved. */
inline go_on()
{
	handles == handler;
	if
	:: runs[at[thread]] == thread
	:: runs[0] != thread -> switch_to(0)
	:: runs[1] != thread -> switch_to(1)
	fi;
	cpu = at[thread]
}

/* --- get and put ------------------------------------------------------------ */

/* Any value from the oldest the CPU may still find: sets open */
inline look()
{
	touch();
	if
	:: seen = old_bound[cpu]
	:: seen = bound[cpu]
	:: old_bound[cpu] == FROZEN && bound[cpu] == KILLED -> seen = LIVE
	fi;
	old_bound[cpu] = seen;
#ifndef BUG_D_GET
	if				/* D */
	:: seen == LIVE && bound_late -> old_setup[cpu] = true
	:: else
	fi;
#endif
	open = seen == LIVE;
	seen = 0
}

/* A section up to its last instruction. Open stays false if there is nothing to count in. */
inline begin()
{
#ifdef BUG_A_CPU
	atomic { go_on(); slot = cpu };
#endif
	atomic {
		go_on();
#ifndef BUG_A_CPU
		slot = cpu;
#endif
		section[thread] = true;
		look()			/* A */
	}
}

inline begin_late()
{
	atomic { go_on(); look() };
	atomic { go_on(); slot = cpu; section[thread] = true }
}

/* Its last instruction: open stays true if it counts. */
inline commit()
{
	go_on();
	open = open && section[thread];
	section[thread] = false;
	if
	:: open ->
		touch();
		assert(!added);		/* a slot changes after it was added up */
	:: else
	fi
}

inline come_in()
{
	assert(!doomed);	/* let in after a refusal */
	inside++
}

/* One CPU's words in another's hands: what was visible of them, and one more */
inline count_in()
{
	if
	:: slot == cpu -> ins[slot]++
	:: else -> all_ins[slot]++; ins[slot] = all_ins[slot]
	fi
}

inline count_out()
{
#ifdef OK_ONE_WORD
	ins[slot]--
#else
	outs[slot]++
#endif
}

inline get_slow()
{
	go_on();
	touch();
	look_anew(cpu);
	old_setup[cpu] = word_late || old_setup[cpu];	/* D */
	if
	:: !shut -> count++; come_in(); open = true
	:: else -> final = opened
	fi
}

/* ->drained, or who waits if there is none: finds old values, perhaps */
inline drained(c)
{
	drains++;
	assert(inside == 0);	/* somebody is inside the drained gate */
	assert(drains == 1);	/* drained twice */
	assert(!erased);	/* ->drained runs in the next life */
	assert(!(entered[0] && !done[0]) && !(entered[1] && !done[1]));	/* an access of an operation comes after drained */
	assert(old_done[c * USERS] == done[0]);	/* drained misses what an operation has done */
	assert(old_done[c * USERS + 1] == done[1]);	/* drained misses what an operation has done */
	assert(c == OWNER || old_marked[c])	/* drained misses what was done before fold */
}

/* The first look at the word: without SHUT he is not the last one, and takes his from it. */
inline put_look()
{
	go_on();
	touch();
#ifndef BUG_F_PUT
	if				/* F */
	:: shut -> look_anew(cpu)
	:: else
	fi;
#endif
#ifndef BUG_F_EARLY
	knows = old_named[cpu];
#endif
	if
	:: shut -> late = true
	:: else
#ifndef BUG_F_BLIND
		-> land(cpu); count--; inside--
#endif
	fi
}

/* By the last put. What it knows besides it has looked up before. */
inline tell()
{
#ifdef BUG_TELL_FIRST
	atomic { go_on(); telling = false };
#endif
	atomic {
		go_on();
		drained(cpu);
		touch();
		cleaning[cpu] = true
	};
	atomic {
		go_on();
		touch();
#ifndef BUG_C_TELL
		land(cpu);		/* C */
#endif
		telling = false
	}
}

inline put_slow()
{
#ifdef BUG_F_EARLY
	atomic { go_on(); touch(); knows = old_named[cpu] };
#endif
	atomic { put_look() };
#ifndef BUG_F_BLIND
	if
	:: atomic { !late -> knows = false; goto out }
	:: late
	fi;
#endif
	atomic {
		go_on();
		touch();
#ifndef BUG_C_PUT
		land(cpu);		/* C */
#endif
#ifndef BUG_C_LAST
		look_anew(cpu);		/* C */
#endif
		count--;
		inside--;
#ifdef BUG_READ_AGAIN
	};
	atomic {
		go_on();
		touch();
#endif
		if
		:: over ->
			assert(knows);	/* the owner's descriptor is not told */
			last = true;
			if :: !HAS_DRAINED -> drained(cpu) :: else fi
		:: else
		fi
	};
#ifdef BUG_DEAD_LATE
	if :: last -> touch() :: else fi;
#endif
	if :: last && HAS_DRAINED -> tell() :: else fi;
	last = false;
	late = false;
	knows = false;
out:	skip
}

proctype user(byte me; byte thread; bool handler)
{
	byte cpu, seen, slot;
	bool open, doomed, final, last, late, knows;

	/* A signal comes between any two instructions. */
	if
	:: handler -> atomic { handles = true; section[thread] = false }
	:: !handler
	fi;
	atomic {
		go_on();
		if
		:: entered[me] -> goto is_inside
		:: !entered[me] && erased -> goto away
		:: !entered[me] && !erased -> holders++
		fi;
		/* Somebody has told him, or not. */
		if
		:: told -> doomed = true; look_anew(cpu)
		:: true
		fi
	};

	/* get */
#ifndef BUG_A_GET
	begin();
#else
	begin_late();
#endif
	atomic {
		commit();
		if :: open -> count_in(); come_in() :: else fi;
		slot = 0
	};
	if
	:: open
	:: atomic { !open -> get_slow() }
	fi;
	atomic {
		holders--;
		doomed = false;
		if
		:: open -> open = false
		:: !open && !final -> goto away
		:: !open && final ->	/* tells: a release */
			go_on();
			land(cpu);
			told = true;
			final = false;
			goto away
		fi
	};
	atomic {
		go_on();
		assert(!frozen || old_setup[cpu]);	/* an operation misses what was set up before open */
		entered[me] = true;
		doing[cpu * USERS + me] = true
	};

is_inside:
	/* put */
#ifndef BUG_A_PUT
	begin();
#else
	begin_late();
#endif
#ifdef BUG_A_BLIND
	open = true;
#endif
	atomic {
		commit();
		if :: open -> count_out(); inside-- :: else fi;
		slot = 0
	};
	if
	:: open
#ifdef BUG_PUT_AFTER
		-> touch()
#endif
	:: !open -> put_slow()
	fi;
	open = false;
away:
	if
	:: handler -> handles = false
	:: else
	fi
}

/* --- open, kill, close, fold ------------------------------------------------ */

inline open_word()
{
	atomic {
#ifndef BUG_D_WORD
		land_owner();			/* D */
#endif
		word_late = setup;
		shut = false;
		telling = false;
		opened = true;
		folded = false
	}
}

#if defined(OK_BOUNDS)
#define set_bound(v)	bound[0] = v; bound[1] = v
#elif defined(OK_NO_SECTIONS)
#define set_bound(v)	skip
#else
#define set_bound(v)	atomic { bound[0] = v; bound[1] = v }
#endif

inline open_bound()
{
	atomic {
#ifndef BUG_D_BOUND
		land_owner();			/* D */
#endif
		bound_late = setup
	};
	set_bound(LIVE)
}

inline reset()
{
	atomic {
		ins[0] = 0; ins[1] = 0; all_ins[0] = 0; all_ins[1] = 0;
		outs[0] = 0; outs[1] = 0; all_outs[0] = 0; all_outs[1] = 0;
		base = 0
	}
}

inline gate_thaw()
{
#ifndef BUG_THAW_EARLY
	dead;
#endif
	setting_up = true;			/* plain stores, then open */
#ifdef BUG_D_BOUND
	open_bound();
	open_word();
#else
	open_word();
	open_bound();
#endif
	atomic { drains = 0; land_owner() };
#ifdef BUG_THAW_RESET
	reset()
#endif
}

inline kill_word()
{
	atomic {
#ifndef BUG_F_KILL
		land_owner();			/* F */
#endif
		telling = HAS_DRAINED;
		shut = true
	}
}

inline kill()
{
#ifdef BUG_E
	kill_word();
	set_bound(KILLED)
#else
	set_bound(KILLED);			/* E */
	kill_word()
#endif
}

inline interrupt(c)
{
	atomic {
		!asked[c] -> asked[c] = true;
		land(c);
		look_anew(c);
#ifndef BUG_B_PLAIN
		if
		:: runs[c] != NOBODY -> section[runs[c]] = false
		:: else
		fi
#endif
	}
}

inline membarrier()
{
	do
	:: interrupt(0)
	:: interrupt(1)
	:: atomic { asked[0] && asked[1] -> break }
	od;
	atomic { asked[0] = false; asked[1] = false; look_anew(OWNER) }
}

inline add_in(c)
{
	sum = sum + all_ins[c]
}

inline add_out(c)
{
	sum = sum - all_outs[c]
}

inline add_up()
{
	added = true;
#if defined(BUG_SLOT)
	atomic { if :: all_ins[0] > all_outs[0] -> add_in(0); add_out(0) :: else fi };
	atomic { if :: all_ins[1] > all_outs[1] -> add_in(1); add_out(1) :: else fi };
#elif defined(BUG_B_OUT_FIRST)
	add_out(0); add_out(1); add_in(0); add_in(1)
#else
	add_in(0); add_in(1); add_out(0); add_out(1)
#endif
}

inline fold()
{
	atomic {
#ifndef BUG_C_FOLD
		land_owner();			/* C */
#endif
#ifndef BUG_C_FOLD_LAST
		look_anew(OWNER);		/* C */
#endif
		count = count + sum - base;
		base = sum;
		sum = 0;
		folded = true;
		if
		:: over -> drained(OWNER); cleaned = true; telling = false
		:: else
		fi
	}
}

proctype owner()
{
	bool asked[2];
	short sum;

	if
	:: frozen -> gate_thaw()
	:: !frozen
	fi;
	naming = true;				/* set_eventfd: a plain store, then kill */
#if defined(BUG_B_EARLY)
	membarrier();
	kill();
	marking = true;
	add_up();
#elif defined(BUG_B_IN_FIRST) || defined(BUG_B_OUT_FIRST)
	kill();
	add_up();
	membarrier();
	marking = true;
#elif defined(OK_NO_SECTIONS)
	kill();
	marking = true;
#else
	kill();
	membarrier();				/* B */
	marking = true;				/* plain stores, then fold */
	add_up();
#endif
	fold();
	atomic {
		dead ->				/* wait_drained */
		assert(cleaned || !drains || !HAS_DRAINED);	/* who waits misses what ->drained has done */
		erased = true
	};
	holders == 0;
#ifndef BUG_READ_AGAIN			/* whatever comes of it */
	freed = true
#endif
}

/* As all freezes end */
inline freeze()
{
	frozen = true;
	opened = false;
	shut = true;
	folded = true;
	bound[0] = FROZEN;
	bound[1] = FROZEN;
	old_bound[0] = FROZEN;
	old_bound[1] = FROZEN;
	ins[0] = 2;
	all_ins[0] = 2;
	outs[1] = 1;
	all_outs[1] = 1;
#if defined(BUG_SLOT)
	base = 2;
#elif !defined(BUG_THAW_BASE) && !defined(OK_NO_SECTIONS)
	base = 1;
#endif
#ifdef BUG_THAW_EARLY
	count = 1;		/* is still inside */
	telling = HAS_DRAINED;
	inside = 1;
	entered[0] = true
#endif
}

init {
	atomic {
		if
		:: freeze()
#ifndef THAW_ONLY
		:: true
#endif
		fi;
#ifdef OK_NO_SECTIONS
		old_bound[0] = FROZEN;
		old_bound[1] = FROZEN;
		bound[0] = FROZEN;
		bound[1] = FROZEN;
#endif
		run user(0, 0, false);
#if defined(OK_SIGNAL)
		run user(1, 0, true);
#else
		if
		:: !frozen -> run user(1, 1, false)
		:: frozen	/* one is enough to miss something */
#ifdef OK_THAW_TWO
			-> run user(1, 1, false)
#endif
		fi;
#endif
		run owner()
	}
}
