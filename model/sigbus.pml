// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of the SIGBUS guard of the library: its registry, the patch of a range, and the chain of
 * handlers. The letters are those of the essay in lib/sigbus.c.
 *
 * Mirrors
 *	find		sigbus_find, guard_get		lib/sigbus.c
 *	put		sigbus_put			lib/sigbus.c
 *	register	guard_start			lib/sigbus.c
 *	unregister	unplug_sigbus_unregister	lib/sigbus.c
 *	patch_range	policy_patch, patch_once	lib/sigbus-answer.c
 *	answer		sigbus_answer			lib/sigbus-answer.c
 *	deliver		handle, level_turn, chain	lib/sigbus-handler.c
 *	installer()	install				lib/sigbus-handler.c
 *
 * Scene "registry": two threads access two ranges that are lost, and fault; two owners have a guard
 * of one of them each, one after the other, in the same place. The first one unmaps his range when
 * his guard is unregistered, and somebody else, who does not use the library, has that
 * memory, and loses it, too. The threads may be anywhere in their handlers meanwhile, and
 * nobody waits for them but unregister. The guards' policy is CALL, and its function
 * has the range patched. What a thread reads of a range before it is inside may be old,
 * but of one that it was told of.
 *
 * Scene "chain": we install our handler, somebody installs his, who passes on what is
 * not his, we install ours again, he may install his again, and know that of ours alone; somebody
 * may have been there before. Meanwhile a thread faults, which is ours, or his, or nobody's.
 *
 * Left out: several places (find looks at them one by one, and is inside of no more than
 * two); ranges that overlap, which register refuses under the lock, or which are never patched; chunks (F); guarded copies and recovery points, which belong to one thread; fork.
 *
 * Each of these, defined, makes it wrong. It has to be found, and to break what
 * stands behind the arrow, which is the comment of an assertion below:
 *
 *	BUG_A_LOOK	find looks whether a guard is LIVE, then counts
 *			=> a handler uses a guard that has ended
 *	BUG_A_AGAIN	find does not look at the range again when it is inside
 *			=> a loss is answered by another's guard
 *	BUG_A_ACQUIRE	its count is no acquire
 *			=> a loss is answered by another's guard
 *	BUG_B		register's store of the word is no release
 *			=> a loss is answered by another's guard
 *	BUG_B_FIRST	register makes the place LIVE, then writes the range
 *			=> a loss is answered by another's guard
 *	BUG_C_NO_WAIT	unregister does not wait
 *			=> a handler uses a guard that has ended
 *	BUG_C_LATE	unregister waits until nobody is inside, then takes LIVE away
 *			=> a handler uses a guard that has ended
 *	BUG_C_ACQUIRE	its look at the count is no acquire
 *			=> unregister misses what a handler has done
 *	BUG_C_SLEEP	it looks at the count, then sleeps, whatever became of it
 *			=> waits for ever
 *	BUG_C_OWN	a callback unregisters its own guard
 *			=> waits for ever
 *	BUG_D_RELEASE	put is no release
 *			=> unregister misses what a handler has done
 *	BUG_D_EARLY	a handler puts the guard, then does what its policy says
 *			=> a handler uses a guard that has ended
 *	BUG_D_PATCH	a callback's range is patched when the guard was put
 *			=> the memory of others is patched
 *	BUG_D_WAKE	put wakes nobody
 *			=> waits for ever
 *	BUG_E		unregister gives the place back, then waits
 *			=> a loss is answered by another's guard | waits for ever | a handler uses a guard that has ended
 *	BUG_G_LOOK	who patches looks whether somebody does, then says that he does
 *			=> what was written to a patched range is lost
 *	BUG_G_EARLY	the range is said to be patched, then patched
 *			=> a loss is nobody's, though its range is guarded
 *	BUG_G_LATE	who comes after the patch does not repeat his access
 *			=> a loss is nobody's, though its range is guarded
 *	BUG_G_WAKE	who has patched wakes nobody
 *			=> waits for ever
 *	BUG_G_SIGNAL	other signals are not blocked: the handler of one faults, too
 *			=> waits for ever
 *	BUG_G_OLD	register does not say that its range is whole
 *			=> a loss is nobody's, though its range is guarded
 *	BUG_ONE_ENTRY	we install the same function again
 *			=> a loss is not answered by whose it is
 *	BUG_NO_MARK	a level does not know that it has passed the signal on
 *			=> handlers call each other without end
 *	BUG_BEFORE	we install it, then note who was there before
 *			=> a handler does not know who was there before
 *	BUG_NO_CHAIN	what is not ours kills
 *			=> a loss is not answered by whose it is
 *
 * And these have to hold as well:
 *
 *	OK_MORE		one access more
 *	OK_THREADS	one thread more, one access less
 */

#define THREADS	3	/* two, but for OK_THREADS */
#if defined(OK_MORE)
#define ACCESSES	4	/* in all */
#elif defined(OK_THREADS)
#define ACCESSES	2
#else
#define ACCESSES	3
#endif

#define NONE	9

mtype = { LOST, PATCHED_MEMORY, UNMAPPED, FOREIGN };
mtype = { WHOLE, PATCHING, PATCHED };

/* The memory of a range, which is a page */
mtype page[2] = LOST;
bool written[2];	/* since it was patched */

/* struct unplug_sigbus, the place. Its word: */
bool live = true;
byte users;
byte range;
byte id;
mtype patch = WHOLE;
bool taken = true;

/* A store of register that is not visible yet; what threads did, likewise; what may be read instead */
byte writing = NONE;
byte old_range[THREADS];
byte doing[THREADS] = NONE;	/* to whose range */

/* Who sleeps in futex */
bool sleeps;
bool patch_sleeps[THREADS];

/* What is true, whatever the registry believes */
bool guarded[2];	/* registered, and unregister has not begun */
bool ended[2];		/* it has returned */
bool did[2];		/* a handler has, to a range */
byte accesses = ACCESSES;

/* --- The handler ------------------------------------------------------------ */

/* Sets hint to the range, or one it was before. */
inline look()
{
	if
	:: hint = range
	:: hint = old_range[me]
	fi;
	old_range[me] = hint
}

inline acquire()
{
#ifdef BUG_A_ACQUIRE
	skip
#else
	old_range[me] = range
#endif
}

inline put()
{
	atomic {				/* D */
#ifndef BUG_D_RELEASE
		doing[me] = NONE;
#endif
		users--;
		last = users == 0 && !live
	};
#ifndef BUG_D_WAKE
	if
	:: atomic { last -> sleeps = false }
	:: else
	fi;
#endif
	last = false
}

/* Sets inside: the guard is entered. */
inline find()
{
	atomic { look(); inside = hint == p; hint = 0 };
#ifdef BUG_A_LOOK
	atomic { inside = inside && live };
	if :: atomic { inside -> users++; acquire() } :: else fi;
#else
	atomic {				/* A */
		inside = inside && live;
		if :: inside -> users++; acquire() :: else fi
	};
#endif
#ifndef BUG_A_AGAIN
	if
	:: atomic { inside -> look(); other = hint != p; hint = 0 };
		if
		:: other -> put(); inside = false; other = false
		:: else
		fi
	:: else
	fi
#endif
}

/* mmap of zeroes. (The range itself is checked before.) */
inline map_zeroes()
{
	atomic {
		assert(page[p] != FOREIGN && page[p] != UNMAPPED);	/* the memory of others is patched */
		assert(!written[p]);	/* what was written to a patched range is lost */
		page[p] = PATCHED_MEMORY
	}
}

inline sleep_patch()
{
	do
	:: atomic { patch == PATCHING -> patch_sleeps[me] = true };
		!patch_sleeps[me]
	:: else -> break
	od
}

inline wake_patch()
{
#ifdef BUG_G_WAKE
	skip
#else
	atomic { patch_sleeps[0] = false; patch_sleeps[1] = false; patch_sleeps[2] = false }
#endif
}

inline patch_once()
{
#ifdef BUG_G_LOOK
	first = patch == WHOLE;
	if :: first -> patch = PATCHING :: else fi;
#else
	atomic {				/* G */
		first = patch == WHOLE;
		if :: first -> patch = PATCHING :: else fi
	};
#endif
	if
	:: first ->
		first = false;
#ifdef BUG_G_SIGNAL
		if :: true :: sleep_patch() fi;
#endif
#ifdef BUG_G_EARLY
		patch = PATCHED;
		wake_patch();
		map_zeroes()
#else
		map_zeroes();
		patch = PATCHED;		/* G */
		wake_patch()
#endif
	:: else -> sleep_patch()
	fi
}

/* Sets answered. */
inline patch_range()
{
	if
	:: atomic { patch == PATCHED ->
		/* Who has faulted before the patch repeats; once is enough. */
#ifndef BUG_G_LATE
		answered = !(stale_id == id && stale_page == p);
#endif
		stale_id = id;
		stale_page = p
	   }
	:: atomic { patch != PATCHED -> answered = true }; patch_once()
	fi
}

inline call_lost()
{
	atomic {
		assert(id == p && range == p && old_range[me] == p);	/* a loss is answered by another's guard */
		assert(!ended[p]);	/* a handler uses a guard that has ended */
		doing[me] = p;
		did[p] = true
	};
#ifdef BUG_C_OWN
	unregister();
#endif
#ifndef BUG_D_PATCH
	patch_range()
#endif
}

inline answer()
{
	answered = false;
	find();
	if
	:: inside ->
#ifdef BUG_D_EARLY
		put();
		call_lost();
#else
		call_lost();
		put();
#endif
#ifdef BUG_D_PATCH
		patch_range();
#endif
		inside = false
	:: else
	fi
}

inline wait_users()
{
	do
#ifdef BUG_C_SLEEP
	:: users != 0 -> sleeps = true; !sleeps
#else
	:: atomic { users != 0 -> sleeps = true }; !sleeps
#endif
	:: atomic { users == 0 -> break }
	od
}

inline unregister()
{
#ifdef BUG_C_LATE
	wait_users();
	live = false;
#else
	live = false;				/* C */
#ifdef BUG_E
	taken = false;
#endif
#ifndef BUG_C_NO_WAIT
	wait_users();				/* C */
#endif
#endif
#ifndef BUG_E
	taken = false				/* E */
#endif
}

proctype thread(byte me)
{
	byte p, hint, stale_id, stale_page;
	bool was_guarded, inside, other, last, first, answered;

	atomic { stale_id = NONE; stale_page = NONE };
	do
	:: atomic {
		/* In a range that is guarded, as somebody told him; or in that of others */
		accesses > 0 -> accesses--;
		if
		:: guarded[0] -> p = 0; old_range[me] = range
		:: guarded[1] -> p = 1; old_range[me] = range
		:: page[0] == FOREIGN -> p = 0
		fi
	   };
	   do
	   :: atomic { page[p] == PATCHED_MEMORY -> written[p] = true; break }
	   :: atomic { page[p] == UNMAPPED -> break }	/* his owner's mistake */
	   :: atomic { page[p] == LOST || page[p] == FOREIGN -> was_guarded = guarded[p] && page[p] == LOST };
		answer();
		if
		:: answered
		:: atomic { else ->
			assert(!was_guarded || !guarded[p]);	/* a loss is nobody's, though its range is guarded */
			was_guarded = false;
			break
		   }
		fi;
		atomic { answered = false; was_guarded = false }
	   od;
	   p = 0
	:: atomic { accesses == 0 -> break }
	:: atomic { ended[1] -> break }
	od
}

/* --- The owners ------------------------------------------------------------- */

inline register(r)
{
	atomic { !taken -> taken = true; id = r };
#ifdef BUG_B_FIRST
	atomic { live = true; users = 0 };
	range = r;
#else
	writing = r;
#ifndef BUG_B
	atomic { range = writing; writing = NONE };
#endif
#endif
#ifndef BUG_G_OLD
	patch = WHOLE;
#endif
#ifndef BUG_B_FIRST
	atomic { live = true; users = 0 };	/* B */
#endif
	atomic {			/* others are told: a release */
		if
		:: writing != NONE -> range = writing; writing = NONE
		:: else
		fi;
		guarded[r] = true
	}
}

proctype owner(byte r)
{
	bool acquired;

	/* The first one's range is guarded at the beginning. */
	if
	:: r == 1 -> register(1)
	:: r == 0
	fi;
	guarded[r] = false;
	unregister();
	atomic {
#ifndef BUG_C_ACQUIRE
		acquired = true;		/* C */
#endif
		ended[r] = true;
		assert(doing[0] != r && doing[1] != r && doing[2] != r);	/* unregister misses what a handler has done */
		assert(acquired || !did[r]);	/* unregister misses what a handler has done */
		page[r] = UNMAPPED
	};
	if
	:: r == 0 -> page[0] = FOREIGN
	:: r == 1
	fi
}

/* --- The chain -------------------------------------------------------------- */

#define DEFAULT		0
#define EARLIER		1	/* was there before us */
#define OURS		2	/* entries[0] */
#define LATER		3	/* was installed after that */
#ifdef BUG_ONE_ENTRY
#define OURS_AGAIN	2
#else
#define OURS_AGAIN	4	/* entries[1] */
#endif
#define UNKNOWN		9
#define HANDLERS	5

byte handler;			/* the process's */
byte before[HANDLERS] = UNKNOWN;	/* whom each calls for what is not his */
bool ready[HANDLERS];		/* is installed: he may have losses */

inline install(entry)
{
	was = handler;
#ifdef BUG_BEFORE
	handler = entry;
	before[entry] = was;
#else
	before[entry] = was;
	handler = entry;
#endif
	ready[entry] = true
}

proctype installer()
{
	byte was;

	install(OURS);
	install(LATER);
	install(OURS_AGAIN);
	if
	:: install(LATER)
	:: true
	fi
}

/* To who was there before; a level that has done so leaves it to the next older one. */
inline pass_on()
{
	atomic {
#ifndef BUG_NO_MARK
		if
		:: now == OURS_AGAIN && passed[OURS_AGAIN] -> now = OURS
		:: else
		fi;
		if
		:: now == OURS && passed[OURS] -> now = DEFAULT
		:: else -> passed[now] = true; now = before[now]
		fi
#else
		now = before[now]
#endif
	}
}

/* A fault of a thread, to be answered by one of them, or by nobody: it kills. */
proctype deliver()
{
	byte whose, now, calls;
	bool passed[HANDLERS];

	atomic {
		if
		:: ready[EARLIER] -> whose = EARLIER
		:: ready[OURS] -> whose = OURS
		:: ready[LATER] -> whose = LATER
		:: whose = DEFAULT
		fi
	};
	now = handler;
	do
	:: atomic { now != DEFAULT ->
		assert(now != UNKNOWN);	/* a handler does not know who was there before */
		assert(calls < 2 * HANDLERS);	/* handlers call each other without end */
		calls++
	   };
		if
		:: now == whose || (now == OURS_AGAIN && whose == OURS) -> break
		:: else
		fi;
#ifdef BUG_NO_CHAIN
		if :: now == OURS || now == OURS_AGAIN -> now = DEFAULT :: else -> now = before[now] fi
#else
		pass_on()
#endif
	:: atomic { now == DEFAULT ->
		assert(whose == DEFAULT);	/* a loss is not answered by whose it is */
		break
	   }
	od
}

init {
	atomic {
		if
		:: if
			:: true
			:: handler = EARLIER; before[EARLIER] = DEFAULT; ready[EARLIER] = true
			fi;
			run installer();
			run deliver()
		:: guarded[0] = true;
			run thread(0);
			run thread(1);
#ifdef OK_THREADS
			run thread(2);
#endif
			run owner(0);
			run owner(1)
		fi
	}
}
