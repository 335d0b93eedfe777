// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of a device that is frozen and thawed, for a reset of its card, and may be
 * unplugged at any time meanwhile.
 *
 * Mirrors
 *	freezer()	unplug_dev_freeze, freeze_begin,
 *			unplug_dev_thaw, thaw_end		kernel/freeze.c
 *	ask, settle	unplug_dev_ask, unplug_dev_settle	kernel/state.c
 *	shut, revoke	unplug_devs_shut, unplug_dev_closed,
 *			unplug_dev_revoke			kernel/shut.c
 *	ended		unplug_dev_ended			kernel/shut.c
 *	drained		unplug_dev_gate_drained			kernel/device.c
 *	unplug()	unplug_dev_unplug as called by ->remove of a bus, which gives
 *			the BAR to the next device, and unplug_dev_unplug_async;
 *			unplug_dev_unplug_many does the same for each device
 *	worker()	unplug_dev_gone_work			kernel/shut.c
 *	user()		an operation: its guard, and a hardware section in it
 *	refused		unplug_freeze_refused, of a driver that has newcomers wait
 *	failed		unplug_dev_error			kernel/freeze.c
 *	tell		guard_vm_begin, when it was refused	kernel/guard_vm.c
 *			unplug_freeze_enter, unplug_freeze_leave	kernel/freeze.c
 *
 * A task freezes the device, resets the card, and thaws it, twice. Two users enter, if need be again and again; one uses the card in a hardware
 * section, and may map it, or is about to sleep; the other, too, or stays inside
 * for ever. Unplug may be called: by somebody who does not wait, by the bus, by both.
 *
 * The gates are here what gate.pml shows them to be: between kill and the end of close,
 * and while one is thawed, a get may succeed or fail. The last one out of a folded gate
 * calls drained, a moment later.
 *
 * Left out: how mappings are made, files, memory (unplug.pml; who puts a reference of a
 * gate, or freezes, has one of the device); sleepers (wait.pml: freeze wakes them like
 * unplug); newcomers that do not wait for thaw; callbacks; generations, and files that end
 * with a thaw (file.pml); dummy pages.
 *
 * Each of these, defined, makes it wrong. It has to be found, and to break what
 * stands behind the arrow, which is the comment of an assertion below:
 *
 *	BUG_EARLY	thaw does not wait until nobody is inside
 *			=> somebody is inside a device that is thawed
 *	BUG_ENDS_SET	drained lets thaw go on, then counts; thaw sets the number of ends that are
 *			to come, rather than adding the one that is to come again
 *			=> gone begins before shut | gone begins before drained | a function of the driver runs after gone
 *	BUG_ENDS	thaw does not count on a second drained
 *			=> gone begins before shut | gone begins before drained
 *	BUG_ENDS_EARLY	thaw counts on it before the device is its own
 *			=> waits for ever
 *	BUG_IDLE	thaw leaves it known that nobody is inside
 *			=> somebody is inside a device that is thawed
 *	BUG_HW_DRAINED	thaw leaves it known that hardware sections are over
 *			=> the card is reset under a hardware section | something reaches the card after shut
 *	BUG_HW_WAIT	freeze does not wait for hardware sections
 *			=> the card is reset under a hardware section
 *	BUG_ZAP		freeze leaves mappings alone
 *			=> a mapping reaches a card that is reset
 *	BUG_GATE_FIRST	thaw opens the gate, then that of hardware sections
 *			=> an operation of a thawed device is refused the hardware
 *	BUG_THAW_LOOK	thaw looks whether the device is frozen, then moves the state
 *			=> the hardware is used after shut
 *	BUG_FREEZE_LOOK	freeze looks whether it is live, likewise
 *			=> a gate is closed twice
 *	BUG_FREEZE_MARK	freeze, at its end, does not look whether unplug was called
 *			=> waits for ever
 *	BUG_THAW_MARK	thaw does not
 *			=> waits for ever
 *	BUG_NO_MARK	unplug takes a device over that is being frozen, as a frozen one
 *			=> something reaches the card after shut | a gate is closed twice
 *	BUG_KILL_AGAIN	unplug begins with a frozen device as with a live one
 *			=> a gate is closed twice
 *	BUG_FROZEN_END	shut does not count, if the device was frozen
 *			=> waits for ever
 *	BUG_QUEUE	whoever is the last one inside a frozen device starts gone
 *			=> gone begins before shut
 *	BUG_QUEUE_LATE	who waits for thaw looks at the state, then queues
 *			=> waits for ever
 *	BUG_WAKE_FIRST	thaw wakes, then moves the state
 *			=> waits for ever
 *	BUG_NO_WAKE	unplug does not wake who waits for thaw
 *			=> waits for ever
 *	BUG_TWO_LOOKS	who was refused looks whether the device is frozen, then whether it is live
 *			=> a device that comes back is said to be gone
 *	BUG_NOT_FROZEN	an operation takes what is not frozen for gone
 *			=> a device that comes back is said to be gone
 *	BUG_TELL_FROZEN	nor is the driver told of a mapping then
 *			=> the driver is not told of a mapping
 *	BUG_INSIDE	who is inside may freeze, and waits until nobody is
 *			=> waits for ever
 *	BUG_LOCK	two who thaw do not wait for each other
 *			=> a device that comes back is said to be gone
 *	BUG_TWO_RESETS	two reset the card, and have no lock of theirs against each other: a freeze of
 *			a frozen device does not count, and the first thaw ends it for both
 *			=> the card is reset under a hardware section | a mapping reaches a card that is reset
 *	BUG_TELL_LATE	who tells it puts gone off, even if gone has begun
 *			=> a function of the driver runs after gone
 *
 * And these have to hold as well, with one user:
 *
 *	OK_TWO_RESETS	two reset the card, by a lock of theirs
 *	OK_TWO_THAWS	who has reset it and another, who was told so, both thaw it
 */

#define USERS	2

#if defined(OK_TWO_RESETS) || defined(BUG_TWO_RESETS)
#define TWO_RESETS
#elif defined(OK_TWO_THAWS) || defined(BUG_LOCK)
#define TWO_THAWS
#endif
#if defined(TWO_RESETS) || defined(TWO_THAWS)
#define FREEZES	1
#else
#define FREEZES	2
#endif

/* One alone needs no lock. */
#if defined(TWO_RESETS) || defined(OK_TWO_THAWS)
#define LOCK(lock)	atomic { !lock -> lock = true }
#define UNLOCK(lock)	lock = false
#else
#define LOCK(lock)	skip
#define UNLOCK(lock)	skip
#endif
#ifdef OK_TWO_RESETS
#define THEIRS(action)	action(their_lock)
#else
#define THEIRS(action)	skip
#endif

/* enum unplug_dev_state */
mtype = { LIVE, FREEZING, FREEZING_PULLED, FROZEN, THAWING, THAWING_PULLED,
	  DYING, SHUT, DRAINED, GONE };
mtype state = LIVE;
bool frozen;		/* dev->frozen */
byte ends = 2;
bool idle;		/* completions */
bool hw_drained;
bool hid;
bool shut_queued;
bool gone_queued;
bool reset_lock;	/* dev->reset */
bool their_lock;	/* of those who reset the card, against each other */

/* The gates. CLOSING, OPENING: a get may still, or already, succeed */
mtype = { OPEN, CLOSING, CLOSED, OPENING };
mtype gate = OPEN;
mtype hw = OPEN;
byte inside;
byte in_hw;
bool live = true;	/* the gate's state is LIVE, is DEAD */
bool dead;
bool folded;
bool hw_folded;

bool mapped;		/* an entry reaches the card */
bool waits[USERS];	/* on dev->thawed */
bool woken[USERS];

/* What is true, whatever the device believes */
byte kills;
bool resetting;		/* the card */
bool was_reset;
bool is_shut;		/* what belongs to the card may go to the next one */
bool stays;		/* nobody unplugs it */
bool stuck;		/* somebody stays inside for ever */

#define dying(s)	(s == DYING || s == SHUT || s == DRAINED || s == GONE)

/* unplug_dev_is_frozen */
#define is_frozen(s)	(s != LIVE && !dying(s))

/* --- drained ------------------------------------------------------------------ */

inline ended()
{
	atomic {
		ends--;
		if
		:: ends == 0 ->
			assert(is_shut);	/* gone begins before shut */
			assert(dead && inside == 0);	/* gone begins before drained */
			gone_queued = true
		:: else
		fi
	}
}

inline drained()
{
#if defined(BUG_QUEUE)
	ends = 1;
	ended();
	idle = true
#elif defined(BUG_ENDS_SET)
	idle = true;
	ended()
#else
	ended();
	idle = true
#endif
}

/* The last one out of a folded gate: sets last */
inline look_inside()
{
	last = folded && inside == 0;
	if
	:: last -> dead = true
	:: else
	fi
}

inline if_last()
{
	if
	:: atomic { last -> last = false }; drained()
	:: else
	fi
}

/* --- users ---------------------------------------------------------------------- */

/* excused: came so late that the hardware may be closed already */
inline enter()
{
	atomic {
		if
		:: gate != CLOSED ->
			in = true;
			inside++;
			excused = gate == CLOSING;
			when = kills
		:: gate != OPEN -> in = false
		fi
	}
}

inline leave()
{
	atomic {
		in = false;
		inside--;
		excused = false;
		when = 0;
		look_inside()
	};
	if_last()
}

inline hw_enter()
{
	atomic {
		if
		:: hw != CLOSED -> hardware = true; in_hw++
		:: hw != OPEN ->
			assert(excused || when != kills)	/* an operation of a thawed device is refused the hardware */
		fi
	}
}

inline hw_exit()
{
	atomic {
		hardware = false;
		in_hw--;
		if
		:: hw_folded && in_hw == 0 -> hw_drained = true
		:: else
		fi
	}
}

inline use_hardware()
{
	atomic {
		assert(!resetting);	/* the card is reset under a hardware section */
		assert(!is_shut);	/* the hardware is used after shut */
		if
		:: mapped = true
		:: true
		fi
	}
}

inline say_gone()
{
	atomic {
		assert(dying(state));	/* a device that comes back is said to be gone */
		goto out
	}
}

/* The system call begins again, or fails for good. */
inline failed()
{
	atomic {
#ifdef BUG_NOT_FROZEN
		gone = !is_frozen(state);
#else
		gone = dying(state);
#endif
	};
	leave();
	if
	:: gone -> say_gone()
	:: else
	fi
}

inline operation()
{
	hw_enter();
	if
	:: atomic { hardware -> done = true }; use_hardware(); hw_exit(); leave()
	:: else -> failed()
	fi
}

/* Is about to sleep, and does not if the device is not live. */
inline sleep()
{
	if
	:: atomic { live -> done = true }; leave()
	:: !live -> failed()
	fi
}

/* wait_event(dev->thawed): queues, then looks */
inline wait_for_thaw()
{
	do
	::
#ifdef BUG_QUEUE_LATE
		gone = !is_frozen(state);
		atomic { waits[me] = true; woken[me] = false };
#else
		atomic { waits[me] = true; woken[me] = false };
		gone = !is_frozen(state);
#endif
		if
		:: gone -> break
		:: else ->
			if
			:: woken[me]
			:: atomic { stays && stuck && state == FROZEN -> goto out }
			fi
		fi
	od;
	atomic { gone = false; waits[me] = false; woken[me] = false }
}

/* A mapping begins or ends: the driver hears of it until unplug, frozen or not. */
inline tell()
{
	atomic {
#ifdef BUG_TELL_FROZEN
		gone = !is_frozen(state);
#else
		gone = dying(state);
#endif
		assert(!gone || dying(state))	/* the driver is not told of a mapping */
	};
	if
	:: gone -> goto out
	:: else
	fi;
	atomic {
#ifndef BUG_TELL_LATE
		if :: ends == 0 -> goto out :: else fi;
#endif
		ends++
	};
	assert(!gone_queued);	/* a function of the driver runs after gone */
	ended();
	goto out
}

/* To begin again is to enter again. */
inline refused()
{
#ifdef BUG_TWO_LOOKS
	gone = !is_frozen(state);
	if
	:: gone ->
		gone = !live;
		if
		:: gone -> say_gone()
		:: else
		fi
	:: else -> wait_for_thaw()
	fi
#else
	if
	:: atomic { dying(state) -> say_gone() }
	:: atomic { is_frozen(state) -> skip }; wait_for_thaw()
	:: atomic { state == LIVE -> skip }
	fi
#endif
}

/* --- what freeze and unplug have in common ----------------------------------------- */

inline zap()
{
	mapped = false
}

inline kill()
{
	atomic {
		assert(gate == OPEN && hw == OPEN);	/* a gate is closed twice */
		hw = CLOSING;
		gate = CLOSING;
		live = false;
		kills++
	}
}

/* Closed gates stay so. */
inline close()
{
	atomic { hw = CLOSED; gate = CLOSED }
}

inline fold_hw()
{
	atomic {
		hw_folded = true;
		if
		:: in_hw == 0 -> hw_drained = true
		:: else
		fi
	}
}

inline fold_gate()
{
	atomic { folded = true; look_inside() }
}

inline wake()
{
	atomic { woken[0] = waits[0]; woken[1] = waits[1] }
}

/* --- unplug --------------------------------------------------------------------------- */

/* Sets first: has to shut it. Between two of its compare-and-swaps nothing is kept. */
inline ask()
{
	atomic {
		first = false;
		if
		:: state == LIVE || state == FROZEN -> state = DYING; first = true
#ifdef BUG_NO_MARK
		:: state == FREEZING -> state = DYING; frozen = true; first = true
#else
		:: state == FREEZING -> state = FREEZING_PULLED
#endif
		:: state == THAWING -> state = THAWING_PULLED
		:: else
		fi
	};
	if
#ifdef BUG_KILL_AGAIN
	:: atomic { first -> kill() }
#else
	:: atomic { first && !frozen -> kill() }
#endif
	:: else
	fi
}

inline revoke()
{
	atomic {
		state = SHUT;
		is_shut = true;
		assert(!mapped && in_hw == 0)	/* something reaches the card after shut */
	};
	if
	:: atomic { !frozen -> fold_gate() }; if_last()
	:: else
	fi;
#ifdef BUG_FROZEN_END
	if :: !frozen -> ended() :: else fi;
#else
	ended();
#endif
	hid = true
}

inline shut()
{
	close();
#ifndef BUG_NO_WAKE
	wake();
#endif
	if
	:: atomic { !frozen -> fold_hw() }
	:: else
	fi;
	atomic { hw_drained -> zap() };
	revoke()
}

inline unplug_async()
{
	ask();
	if
	:: first -> shut_queued = true
	:: else
	fi
}

/* The bus; before it, perhaps, somebody who does not wait */
proctype unplug()
{
	bool first, last;

	if
	:: unplug_async()
	:: true
	:: atomic { true -> stays = true; goto out }
	fi;
	ask();
	if
	:: first -> shut()
	:: else
	fi;
	hid;
out:
	skip
}

proctype shut_work()
{
	bool last;

end:
	shut_queued;
	shut()
}

proctype worker()
{
	if
	:: gone_queued
	:: stuck || stays -> goto out	/* drained waits for its users, and only that */
	fi;
	zap();
	state = DRAINED;
	state = GONE;
out:
	skip
}

/* --- freeze, thaw ----------------------------------------------------------------------- */

/* A compare-and-swap: sets ok */
inline move(from, to)
{
	atomic {
		ok = state == from;
		if
		:: ok -> state = to
		:: else
		fi
	}
}

/* Sets ok: nobody has asked for unplug meanwhile */
inline settle(from, to)
{
	move(from, to);
	if
	:: ok
	:: else -> state = to; unplug_async()
	fi
}

inline freeze()
{
	LOCK(reset_lock);
#ifdef BUG_FREEZE_LOOK
	ok = state == LIVE;
	if :: ok -> state = FREEZING :: else fi;
#else
	move(LIVE, FREEZING);
#endif
	if
	:: ok ->
		kill();
		close();
		fold_hw();
#ifndef BUG_HW_WAIT
		hw_drained;
#endif
#ifndef BUG_ZAP
		zap();
#endif
		frozen = true;
		fold_gate();
		if_last();
#ifdef BUG_FREEZE_MARK
		state = FROZEN;
#else
		settle(FREEZING, FROZEN);
#endif
		ok = true
	:: else ->
		atomic {
			ok = state == FROZEN;
			assert(ok || dying(state))	/* a device that comes back is said to be gone */
		}
	fi;
	UNLOCK(reset_lock)
}

inline reset()
{
	atomic {
		assert(in_hw == 0);	/* the card is reset under a hardware section */
		assert(!mapped);	/* a mapping reaches a card that is reset */
		resetting = true
	};
	resetting = false
}

inline thaw_hw()
{
	atomic { hw_folded = false; hw = OPENING };
	hw = OPEN
}

inline thaw_gate()
{
	atomic { folded = false; gate = OPENING };
	atomic { dead = false; live = true };
	gate = OPEN
}

inline thaw_end()
{
	atomic {
		assert(inside == 0);	/* somebody is inside a device that is thawed */
#ifndef BUG_HW_DRAINED
		hw_drained = false;
#endif
#ifndef BUG_IDLE
		idle = false;
#endif
#if defined(BUG_ENDS_SET)
		ends = 2;
#elif !defined(BUG_ENDS) && !defined(BUG_ENDS_EARLY)
		ends++;
#endif
		frozen = false
	};
#ifdef BUG_GATE_FIRST
	thaw_gate();
	thaw_hw();
#else
	thaw_hw();
	thaw_gate();
#endif
#ifdef BUG_WAKE_FIRST
	wake();
#endif
#ifdef BUG_THAW_MARK
	state = LIVE;
#else
	settle(THAWING, LIVE);
#endif
#ifndef BUG_WAKE_FIRST
	if
	:: atomic { ok -> wake() }
	:: else
	fi
#endif
}

/*
 * Waits while the device is frozen, so that unplug need not. Who gives up because it takes too
 * long, and asks again, goes on waiting.
 */
inline thaw()
{
	LOCK(reset_lock);
	ok = state == FROZEN;
#ifndef BUG_EARLY
	if
	:: ok ->
		if
		:: idle
		:: stuck -> ok = false
		fi
	:: else
	fi;
#endif
	if
	:: ok ->
#ifdef BUG_ENDS_EARLY
		ends++;
#endif
#ifdef BUG_THAW_LOOK
		state = THAWING;
#else
		move(FROZEN, THAWING);
		assert(ok || dying(state));	/* a device that comes back is said to be gone */
#endif
		if
		:: ok -> thaw_end()
		:: else
		fi
	:: else
	fi;
	UNLOCK(reset_lock)
}

proctype user(byte me)
{
	bool in, hardware, last, excused, gone, done;
#ifdef BUG_INSIDE
	bool ok, first;
#endif
	byte when;

	do
	:: enter();
		if
		:: atomic { in -> skip }; operation()
		:: atomic { in && me == 0 -> skip }; sleep()
		:: atomic { in && me == 1 -> stuck = true; goto out }
#ifdef BUG_INSIDE
		:: atomic { in && me == 0 -> skip }; freeze(); idle; leave()
#endif
		:: atomic { !in -> skip }; refused()
		:: atomic { !in && me == 1 -> skip }; tell()
		fi;
		if
		:: done -> break
		:: else
		fi
	od;
out:
	skip
}

proctype freezer()
{
	bool first, last, ok;
	byte freezes;

	do
	:: freezes < FREEZES ->
		THEIRS(LOCK);
		freeze();
		if
		:: ok -> reset(); was_reset = true; thaw()
		:: else
		fi;
		THEIRS(UNLOCK);
		if
		:: ok -> freezes++
		:: else -> break
		fi
	:: else -> break
	od
}

/* Was told that the device has been reset, too */
proctype thawer()
{
	bool first, last, ok;

	if
	:: was_reset -> thaw()
	:: dying(state)
	fi
}

init {
	atomic {
		run user(0);
#if !defined(TWO_RESETS) && !defined(TWO_THAWS)
		run user(1);
#endif
		run freezer();
#ifdef TWO_RESETS
		run freezer();
#endif
#ifdef TWO_THAWS
		run thawer();
#endif
		run unplug();
		run shut_work();
		run worker()
	}
}
