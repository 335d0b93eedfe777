// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of those who sleep in a device: inside an operation, and in poll.
 *
 * Mirrors
 *	unplug		unplug_dev_begin, unplug_devs_shut,
 *			unplug_dev_gone_work			kernel/shut.c
 *			unplug_wait_wake			kernel/wait.c
 *			unplug_poll_release			kernel/poll.c
 *	reader		unplug_wait_event_interruptible		include/unplug/wait.h
 *			__unplug_wait_prepare, __unplug_wait_end	kernel/wait.c
 *	waiter		one who waits in a way the core does not know, behind ->cancel
 *	poller		guard_poll				kernel/guard.c
 *			unplug_poll_queue, poll_relay		kernel/poll.c
 *	hardware	a driver that has something to read at some time, or never
 *
 * Gate and drain are what gate.pml shows them to be. A wake-up wakes all who are
 * queued; each queue has a lock, so to queue, to wake and to take oneself off are one
 * step each. A poller may give up, as by a time-out, late: after gone; the queue he takes
 * himself off has to be there still.
 *
 * Left out: signals and time-outs of readers (they only leave earlier); POLLFREE; memory that
 * is short; more than one of each kind (they do not touch each other).
 *
 * Each of these, defined, makes it wrong:
 *
 *	BUG_LOOK_FIRST	a reader looks, then queues
 *			=> waits for ever
 *	BUG_WAKE_FIRST	unplug wakes, then kills the gate
 *			=> waits for ever
 *	BUG_WAKE_EARLY	unplug wakes between kill and close: a straggler polls after that
 *			=> waits for ever
 *	BUG_ONE_QUEUE	a reader queues on the driver's head alone
 *			=> waits for ever
 *	BUG_EDGE	->cancel wakes those who wait; it does not last (complete(), not
 *			complete_all(), for who is on his way)
 *			=> waits for ever
 *	BUG_POLL_LOOK	poll enters the gate, then queues
 *			=> waits for ever
 *	BUG_DIRECT	pollers queue on the driver's heads
 *			=> a queue that was freed is used
 *	BUG_KEEP_RELAY	relays stay until the file is closed
 *			=> a queue that was freed is used
 */

/* The gate: LIVE; killed, stragglers may enter; closed */
mtype = { LIVE, DYING, CLOSED };
mtype gate = LIVE;
byte inside;
bool gone;		/* and what the driver's heads lay in is free */

bool byte_there;	/* something to read: stays */
bool cancelled;		/* a completion: stays */

/* Who is queued where, and who was woken since he queued */
bool reader_by_driver, reader_by_core, reader_woken;
bool waiter_asleep, waiter_woken;
bool poller_queued, poller_woken;
bool relay;		/* on the driver's head */

inline enter(ok)
{
	atomic {
		ok = gate == LIVE;
		if
		:: gate == DYING -> ok = true	/* a straggler */
		:: true
		fi;
		if
		:: ok -> inside++
		:: else
		fi
	}
}

inline leave()
{
	inside--
}

inline wake_pollers()
{
	if
	:: poller_queued -> poller_woken = true
	:: else
	fi
}

inline wake_driver_head()
{
	atomic {
		assert(!gone);			/* a queue that was freed is used */
		if
		:: reader_by_driver -> reader_woken = true
		:: else
		fi;
#ifdef BUG_DIRECT
		wake_pollers();
#else
		if
		:: relay -> wake_pollers()
		:: else
		fi
#endif
	}
}

inline wake_all()
{
	atomic {
		if
		:: reader_by_core -> reader_woken = true
		:: else
		fi;
		wake_pollers()
	};
	atomic {
#ifndef BUG_EDGE
		cancelled = true;
#endif
		if
		:: waiter_asleep -> waiter_woken = true
		:: else
		fi
	}
}

active proctype unplug()
{
#ifdef BUG_WAKE_FIRST
	wake_all();
#endif
	gate = DYING;
#ifdef BUG_WAKE_EARLY
	wake_all();
#endif
	gate = CLOSED;
#if !defined(BUG_WAKE_FIRST) && !defined(BUG_WAKE_EARLY)
	wake_all();
#endif
	inside == 0;			/* drained */
#ifndef BUG_KEEP_RELAY
	relay = false;
#endif
	gone = true
}

active proctype hardware()
{
	bool ok;

	if
	:: skip				/* never */
	:: enter(ok);
	   if
	   :: ok ->
		byte_there = true;
		wake_driver_head();
		leave()
	   :: else
	   fi
	fi
}

inline reader_queue()
{
	reader_woken = false;
#ifndef BUG_ONE_QUEUE
	reader_by_core = true;
#endif
	reader_by_driver = true
}

active proctype reader()
{
	bool ok;

	enter(ok);
	if
	:: !ok -> goto out
	:: else
	fi;
	do
	::
#ifdef BUG_LOOK_FIRST
		if
		:: byte_there || gate != LIVE -> break
		:: else
		fi;
		reader_queue();
#else
		reader_queue();
		if
		:: byte_there || gate != LIVE -> break
		:: else
		fi;
#endif
		reader_woken
	od;
	reader_by_driver = false;
	reader_by_core = false;
	leave();
out:	skip
}

active proctype waiter()
{
	bool ok;

	enter(ok);
	if
	:: !ok -> goto out
	:: else
	fi;
	/* In a completion to look and to queue is one step. */
	atomic {
		if
		:: cancelled -> waiter_woken = true
		:: else -> waiter_asleep = true
		fi
	};
	waiter_woken;
	leave();
out:	skip
}

inline poller_queue()
{
	poller_woken = false;
	poller_queued = true
}

active proctype poller()
{
	bool ok, ready, patient;

	if
	:: patient = true
	:: patient = false
	fi;
	do
	:: ready = false;
#ifndef BUG_POLL_LOOK
	   poller_queue();
#endif
	   enter(ok);
#ifdef BUG_POLL_LOOK
	   poller_queue();
#endif
	   if
	   :: ok ->
#ifndef BUG_DIRECT
		relay = true;
#endif
		ready = byte_there;
		leave()
	   :: else -> ready = true	/* HUP */
	   fi;
	   if
	   :: ready -> break
	   :: else
	   fi;
	   if
	   :: poller_woken
	   :: gone && !patient -> break
	   fi
	od;
	/* Off the queue he goes, and the file is closed. */
	atomic {
#ifdef BUG_DIRECT
		assert(!gone);			/* a queue that was freed is used */
#endif
		poller_queued = false;
		assert(!(relay && gone))	/* a queue that was freed is used */
	}
}
