// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of open files: each is released once, by its last close, by unplug, or by a thaw
 * that ends it; what a release waits for, and who waits for releases.
 *
 * Mirrors
 *	open		unplug_front_open			kernel/file.c
 *	operation	unplug_guard_enter_file			kernel/internal.h
 *			unplug_guard_stale			kernel/file_info.c
 *	tell		guard_vm_begin, guard_vm_end		kernel/guard_vm.c
 *			unplug_freeze_enter, unplug_freeze_leave kernel/freeze.c
 *	poll		guard_poll, unplug_poll_queue		kernel/guard.c, kernel/poll.c
 *	fasync		guard_fasync				kernel/guard.c
 *	last_close	__fput of the kernel; unplug_file_close	kernel/file.c
 *	release		file_release, unplug_poll_release	kernel/file.c, kernel/poll.c
 *	release_all	unplug_file_release_all			kernel/file.c
 *	end_all		unplug_file_end_all			kernel/file.c
 *	wait_for, wake	wait_event and wake_up_all of dev->files_wait
 *	freezer()	unplug_dev_freeze, unplug_dev_thaw	kernel/freeze.c
 *	unplug()	unplug_dev_unplug, in ->remove of a bus or in the exit
 *			of the driver's module, which is loaded as long as it is pinned
 *	worker()	unplug_dev_gone_work			kernel/shut.c
 *
 * Two users open a file each. One calls an operation, and has a mapping whose end the driver is
 * told of; the other polls, and has itself sent SIGIO, or not any more. Each closes at any
 * time, or never. The device is frozen and thawed, once, and its files may end with that; and
 * it may be unplugged, by the bus or by the driver's exit, at any time.
 *
 * The gate is here what gate.pml shows it to be, and closes in one step: stragglers are
 * unplug.pml's. Who leaves a folded gate last calls drained, a moment later. What holds
 * files_lock is one step.
 *
 * Left out: who stays inside for ever; hardware sections, mappings, the marks of an unplug
 * that comes while the device is on its way (freeze.pml); opens that fail (unplug.pml); files of front ends,
 * whose releases are not forced; records looked up under RCU.
 *
 * Each of these, defined, makes it wrong. It has to be found, and to break what
 * stands behind the arrow, which is the comment of an assertion below:
 *
 *	BUG_TELL_LOOK	who tells the driver of a mapping looks whether its file has ended, then counts
 *			=> a file is released while the driver is told of its mapping
 *	BUG_TELL_SHUT	thaw, waiting for those, takes an end that shut has counted for one of theirs
 *			=> a file is released while the driver is told of its mapping
 *	BUG_TELL_PAST	thaw does not wait for those
 *			=> a file is released while the driver is told of its mapping
 *	BUG_TELL_WAKE	who has told wakes nobody
 *			=> waits for ever
 *	BUG_END_FIRST	thaw releases files, then says that they have ended
 *			=> a file is released while the driver is told of its mapping
 *	BUG_STALE_OUT	an operation looks whether its file has ended, then enters
 *			=> an operation runs on a file that was released
 *	BUG_STALE_COUNT	the close of any file takes one from the number of those that have ended
 *			=> an operation runs on a file that was released
 *	BUG_OLD_RELEASE	thaw does not wait for releases that are older than the freeze
 *			=> a release that began with the old hardware goes on with the new
 *	BUG_CLAIM	thaw marks no file as claimed: unplug will find it
 *			=> a file is released twice
 *	BUG_CLOSE_PAST	last close does not wait for a release that is running
 *			=> a file is used after it was freed
 *	BUG_WAKE	a release that is done wakes nobody
 *			=> waits for ever
 *	BUG_GONE_PAST	gone does not wait for releases that others have claimed
 *			=> gone comes before a release
 *	BUG_FASYNC_FLAG	a release looks whether the file has SIGIO on
 *			=> the driver sends signals to a file that was released
 *	BUG_FASYNC_OWN	what the core has in its own list is left to the kernel to take out
 *			=> a signal is sent to a file that was freed
 *	BUG_POLL_LATE	the driver releases the file, then its heads are left alone
 *			=> the driver's wait queues go with somebody in them
 *	BUG_PUT_LATE	a release is said to be done, then it lets the module go
 *			=> the module cannot be unloaded when the device is gone
 *	BUG_NO_PIN	unplug does not pin the module
 *			=> the driver runs after it was unloaded
 *	BUG_EXIT	the driver's exit does not wait for gone
 *			=> the driver runs after it was unloaded
 *	BUG_DEV_PUT	who releases a file puts its reference of the device
 *			=> the device is used after it was freed
 */

#define FILES	2
#define FREEZER	2	/* who waits, beside the users */
#define WORKER	3

/* enum unplug_dev_state, as far as it matters here */
mtype = { LIVE, FROZEN, DYING, SHUT, GONE };
mtype state = LIVE;
bool frozen;
byte ends = 2;
bool idle;
bool queued;		/* gone_work */
byte dev_refs = 1;	/* the driver's */
bool pinned;

/* The gate */
bool is_open = true;
bool folded;
byte inside;

/* Files: enum unplug_file_state, and before and after it */
mtype = { CLOSED_FILE, OPEN_FILE, CLAIMED, RELEASED, FREED };
mtype file[FILES] = CLOSED_FILE;
bool stale[FILES];
byte stales;		/* dev->stale */
byte unreleased;
byte releasing;
bool asleep[4];		/* in dev->files_wait */

/* SIGIO, of the second file: FASYNC, uf->fasync, dev->fasync, the driver's list */
bool flag;
bool noted;
bool listed;
bool driver_listed;
bool relay;		/* on the driver's head, likewise */

bool busy;		/* there is but the second user, who does more than open and close */

/* The driver's module */
byte module;		/* its count */
bool going;		/* it is unloading: cannot be pinned */

/* What is true, whatever the device believes */
byte released[FILES];	/* calls of the driver's release */
bool old[FILES];	/* a release runs that is older than the freeze */
bool kept;		/* it is not unplugged */
bool gone;		/* the driver's ->gone has been called */
bool unloaded;

#define stays	(state == LIVE || state == FROZEN)

inline drive()
{
	assert(!unloaded)	/* the driver runs after it was unloaded */
}

/* --- dev->files_wait ---------------------------------------------------------- */

/* Queues, then looks */
inline wait_for(who, condition)
{
	do
	:: atomic { condition -> break }
	:: atomic { !(condition) -> asleep[who] = true }; !asleep[who]
	od
}

inline wake()
{
	assert(dev_refs > 0);	/* the device is used after it was freed */
	asleep[0] = false; asleep[1] = false;
	asleep[FREEZER] = false; asleep[WORKER] = false
}

/* --- the gate ------------------------------------------------------------------- */

inline ended()
{
	atomic {
		ends--;
		if
		:: ends == 0 -> queued = true
		:: else
		fi
	}
}

inline drained()
{
	ended();
	idle = true
}

inline fold()
{
	atomic { folded = true; last = inside == 0 };
	if_last()
}

inline if_last()
{
	if
	:: atomic { last -> last = false }; drained()
	:: else
	fi
}

inline enter()
{
	atomic {
		in = is_open;
		if :: in -> inside++ :: else fi
	}
}

inline leave()
{
	atomic { in = false; inside--; last = folded && inside == 0 };
	if_last()
}

inline enter_file(f)
{
#ifdef BUG_STALE_OUT
	in = !(stales > 0 && stale[f]);
	if :: in -> enter() :: else fi
#else
	enter();
	if
	:: atomic { in && stales > 0 && stale[f] -> skip }; leave()
	:: else
	fi
#endif
}

/* --- users ------------------------------------------------------------------------ */

/* try_module_get fails when the module is unloading. */
inline open(f)
{
	enter();
	if
	:: atomic { in && !going -> module++ };
		atomic {
			drive();
			file[f] = OPEN_FILE;
			unreleased++;
			dev_refs++
		};
		leave()
	:: atomic { in && going -> skip }; leave(); goto out
	:: else -> goto out
	fi
}

inline operation(f)
{
	enter_file(f);
	if
	:: in ->
		atomic {
			drive();
			assert(released[f] == 0)	/* an operation runs on a file that was released */
		};
		leave()
	:: else
	fi
}

inline freeze_leave()
{
	ended();
#ifndef BUG_TELL_WAKE
	atomic { wake() }
#endif
}

/* Past the gate. Sets past. */
inline freeze_enter(f)
{
	past = stays;
#ifdef BUG_TELL_LOOK
	atomic { past = past && !stale[f] };
#endif
	if
	:: past ->
		atomic {
			past = ends > 0;
			if :: past -> ends++ :: else fi
		};
#ifndef BUG_TELL_LOOK
		if
		:: atomic { past && stale[f] -> past = false }; freeze_leave()
		:: else
		fi
#endif
	:: else
	fi
}

inline told(f)
{
	atomic {
		drive();
		assert(released[f] == 0)	/* a file is released while the driver is told of its mapping */
	}
}

/* A mapping of the file ends: it holds the file open. The driver takes its time. */
inline tell(f)
{
	enter_file(f);
	if
	:: in
	:: else -> freeze_enter(f)
	fi;
	if
	:: in || past ->
		told(f);
		told(f);
		if
		:: in -> leave()
		:: else -> past = false; freeze_leave()
		fi
	:: else
	fi
}

/* Relays are put on the driver's heads inside; there may be some already. */
inline poll(f)
{
	enter_file(f);
	if
	:: in -> relay = true; leave()
	:: else
	fi
}

/* fasync_helper: the flag is the kernel's and the core's, whoever calls it. */
inline fasync_on(f)
{
	atomic { listed = true; flag = true };
	noted = true;
	enter_file(f);
	if
	:: in -> atomic { drive(); driver_listed = true; flag = true }; leave()
	:: else -> atomic { listed = false; flag = false }
	fi
}

/* Who is refused as the device is frozen leaves it on. */
inline fasync_off(f)
{
	enter_file(f);
	if
	:: in ->
		atomic { drive(); driver_listed = false; flag = false };
		leave();
		atomic { listed = false; flag = false }
	:: else ->
		if
		:: atomic { stays && !stale[f] -> skip }
		:: atomic { else -> listed = false; flag = false }
		fi
	fi
}

/* --- release ------------------------------------------------------------------------ */

/* Sets claimed. */
inline claim(f)
{
	atomic {
		claimed = file[f] == OPEN_FILE;
		if
#ifdef BUG_CLAIM
		:: claimed && by == FREEZER -> releasing++
#endif
		:: claimed -> file[f] = CLAIMED; releasing++; old[f] = state == LIVE
		:: else
		fi
	}
}

inline leave_heads(f)
{
	if :: f == 1 -> relay = false :: else fi
}

inline driver_release(f)
{
	atomic {
		drive();
		assert(!gone);			/* gone comes before a release */
		assert(file[f] != FREED);	/* a file is used after it was freed */
		if
		:: f == 1 ->
			assert(!relay);		/* the driver's wait queues go with somebody in them */
			assert(!driver_listed)	/* the driver sends signals to a file that was released */
		:: else
		fi
	}
}

inline mark_released(f)
{
	atomic {
		file[f] = RELEASED;
		claimed = false;
		old[f] = false;
		releasing--;
		unreleased--;
#ifdef BUG_DEV_PUT
		dev_refs--;
#endif
#ifndef BUG_WAKE
		wake()
#endif
	}
}

inline release(f)
{
	atomic {
		released[f]++;
		assert(released[f] == 1);	/* a file is released twice */
#ifndef BUG_POLL_LATE
		leave_heads(f)
#endif
	};
	atomic {
		if
#ifdef BUG_FASYNC_FLAG
		:: f == 1 && flag ->
#else
		:: f == 1 && (noted || flag) ->
#endif
			drive(); driver_listed = false; flag = false
		:: else
		fi
	};
	driver_release(f);
	leave_heads(f);
#ifdef BUG_PUT_LATE
	mark_released(f);
	module--
#else
	module--;
	mark_released(f)
#endif
}

inline last_close(f)
{
	if
	:: atomic { f == 1 && flag -> skip }; fasync_off(f)	/* by the kernel */
	:: else
	fi;
	claim(f);
	if
	:: claimed -> release(f)
#ifndef BUG_CLOSE_PAST
	:: else -> wait_for(f, file[f] == RELEASED)
#else
	:: else
#endif
	fi;
	atomic {
		file[f] = FREED;
#ifdef BUG_STALE_COUNT
		if :: stales > 0 -> stales-- :: else fi;
#else
		if :: stale[f] -> stales-- :: else fi;
#endif
#ifndef BUG_FASYNC_OWN
		if :: f == 1 -> listed = false :: else fi;
#endif
		assert(f != 1 || !listed);	/* a signal is sent to a file that was freed */
#ifndef BUG_DEV_PUT
		dev_refs--
#endif
	}
}

/* By thaw, and by gone: sets by */
inline release_all(who)
{
	by = who;
	do
	:: atomic { f < FILES && file[f] == OPEN_FILE -> skip };
		claim(f);
		if
		:: claimed -> release(f)
		:: else
		fi
	:: atomic { f < FILES && file[f] != OPEN_FILE -> f++ }
	:: atomic { f == FILES -> f = 0; break }
	od;
#ifdef BUG_GONE_PAST
	if :: who == FREEZER -> wait_for(who, unreleased == 0) :: else fi
#else
	wait_for(who, unreleased == 0)
#endif
}

proctype mapper()
{
	bool in, past, last, claimed;
	byte by;

	open(0);
	if
	:: operation(0)
	:: tell(0)
	fi;
	if
	:: last_close(0)
	:: true		/* never */
	fi;
out:
	skip
}

proctype poller()
{
	bool in, last, claimed;
	byte by;

	open(1);
	if
	:: busy -> poll(1)
	:: busy -> fasync_on(1);
		if
		:: flag -> fasync_off(1)
		:: true
		fi
	:: !busy
	fi;
	if
	:: last_close(1)
	:: true
	fi;
out:
	skip
}

/* --- freeze, thaw ------------------------------------------------------------------- */

#define is_file(f)	(file[f] == OPEN_FILE || file[f] == CLAIMED || file[f] == RELEASED)

inline mark_stale()
{
	atomic {
		if :: is_file(0) -> stale[0] = true; stales++ :: else fi;
		if :: is_file(1) -> stale[1] = true; stales++ :: else fi
	}
}

inline end_all()
{
#ifdef BUG_END_FIRST
	release_all(FREEZER);
	mark_stale();
#endif
	mark_stale();
#ifndef BUG_TELL_PAST
	wait_for(FREEZER, ends <= 1);
#endif
	/* If the device is being unplugged, shut may have counted, and gone releases them. */
	if
	:: state == FROZEN -> release_all(FREEZER)
#ifdef BUG_TELL_SHUT
	:: state != FROZEN -> release_all(FREEZER)
#else
	:: state != FROZEN
#endif
	fi
}

inline thaw()
{
	idle;
#ifndef BUG_OLD_RELEASE
	wait_for(FREEZER, releasing == 0);
#endif
	if
	:: end_all()
	:: true		/* UNPLUG_THAW_KEEP */
	fi;
	atomic {
		if
		:: state == FROZEN ->
			assert(!old[0] && !old[1]);	/* a release that began with the old hardware goes on with the new */
			state = LIVE;
			idle = false;
			ends++;
			frozen = false;
			folded = false;
			is_open = true
		:: else
		fi
	}
}

proctype freezer()
{
	bool last, claimed;
	byte by, f;

	if
	:: atomic { state == LIVE -> state = FROZEN; is_open = false; frozen = true };
		fold();
		thaw()
	:: state != LIVE
	fi
}

/* --- unplug --------------------------------------------------------------------------- */

/* A device has no users yet, or its driver's module is in use: then no exit. */
inline begin()
{
	if
	:: atomic { module == 0 -> going = true }
	:: true
	fi;
	atomic {
		state = DYING;
		dev_refs++;
#ifndef BUG_NO_PIN
		pinned = !going;
		if :: pinned -> module++ :: else fi;
#endif
		is_open = false
	}
}

proctype unplug()
{
	bool last;

	if
	:: begin()
	:: atomic { true -> kept = true; goto out }
	fi;
	state = SHUT;
	if
	:: atomic { !frozen -> skip }; fold()
	:: else
	fi;
	ended();
#ifndef BUG_EXIT
	if
	:: going -> state == GONE
	:: else
	fi;
#endif
	dev_refs--;	/* the driver's own */
	atomic { module == 0 -> unloaded = true };
out:
	skip
}

proctype worker()
{
	bool claimed, pin;
	byte by, f;

	if
	:: queued
	:: kept -> goto out
	fi;
	release_all(WORKER);
	atomic {
		drive();
		gone = true;
		assert(file[0] != CLAIMED && file[1] != CLAIMED)	/* gone comes before a release */
	};
	atomic {
		if :: pinned -> module-- :: else fi;
		assert(module == 0);	/* the module cannot be unloaded when the device is gone */
		state = GONE
	};
	atomic {
		assert(dev_refs > 0);	/* the device is used after it was freed */
		dev_refs--
	};
out:
	skip
}

init {
	atomic {
		if :: busy = true :: run mapper() fi;
		run poller();
		run freezer();
		run unplug();
		run worker()
	}
}
