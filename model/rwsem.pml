// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of a guard that waits, against one that fails: the gate beside the textbook's
 * percpu rwsem, and mmap_lock.
 *
 * Mirrors
 *	gate		unplug_guard_enter, unplug_guard_leave	kernel/internal.h
 *			unplug_devs_shut			kernel/shut.c
 *	textbook	percpu_down_read, percpu_up_read around each operation,
 *			percpu_down_write in unplug: what was proposed in 2013;
 *			as in Linux, a writer that waits keeps new readers out
 *	mmap_lock	read by a page fault, written by mmap; fair to writers, too
 *	ioctl		guard_ioctl, and a copy to user memory	kernel/guard.c
 *	mmap		guard_mmap				kernel/guard.c
 *	fault		guard_fault				kernel/guard_vm.c
 *
 * Three scenes, the ones of doc/why-not.md; T1 and T2 are threads of one process:
 *
 *	OWN_MAPPING	T1: ioctl, copies to a mapping of the same device
 *	MMAP_LOCK	T1: ioctl, copies to memory; T2: mmap of the same device
 *	TWO_DEVICES	T1: operation on A uses B; T2: operation on B uses A
 *
 * and unplug of each device at any time. Left out: all that is inside the gate
 * (gate.pml) and what unplug does to mappings and files (unplug.pml). Memory that
 * its user never serves: with that, an operation ends when he wishes.
 *
 * Without a variant it is the gate, in all scenes. These are the textbook, one scene each:
 *
 *	BUG_OWN_MAPPING	=> waits for ever
 *	BUG_MMAP_LOCK	=> waits for ever
 *	BUG_TWO_DEVICES	=> waits for ever
 *
 * These are the textbook, too, and show that it is not the model that is stuck:
 *
 *	OK_PLAIN	operations that neither fault nor use another device
 *	OK_UNFAIR	all scenes, but readers pass a writer who waits. Nobody
 *			is stuck then; but users can put off unplug for ever, which
 *			a check of endless waits in a finite model does not show
 */

#if defined(BUG_OWN_MAPPING) || defined(BUG_MMAP_LOCK) || \
	defined(BUG_TWO_DEVICES) || defined(OK_PLAIN) || defined(OK_UNFAIR)
#define TEXTBOOK
#endif

#define A	0
#define B	1

mtype = { OWN_MAPPING, MMAP_LOCK, TWO_DEVICES, PLAIN };
mtype scene;

/* The textbook's lock, one a device */
byte readers[2];
bool writer[2];		/* waits, or holds it; OK_UNFAIR: holds it */
bool dead[2];

/* The gate: LIVE; its CPUs are closed one after the other; all are */
mtype = { LIVE, DYING, SHUT };
mtype gate[2] = LIVE;
byte inside[2];

/* mmap_lock of the process */
byte faults;
byte mmaps_waiting;
bool mmap_holds;

/* @in: whether the caller is inside, and has to leave */
inline guard_enter(dev, in)
{
#ifdef TEXTBOOK
	atomic { !writer[dev] -> readers[dev]++ };
	if
	:: atomic { !dead[dev] -> in = true }
	:: atomic { dead[dev] -> in = false; readers[dev]-- }
	fi
#else
	atomic {
		if
		:: gate[dev] != SHUT -> inside[dev]++; in = true
		:: gate[dev] != LIVE -> in = false
		fi
	}
#endif
}

inline guard_leave(dev)
{
#ifdef TEXTBOOK
	readers[dev]--
#else
	inside[dev]--
#endif
}

proctype unplug(byte dev)
{
#ifdef TEXTBOOK
#ifdef OK_UNFAIR
	atomic { readers[dev] == 0 -> writer[dev] = true };
#else
	writer[dev] = true;
	readers[dev] == 0;
#endif
	dead[dev] = true;
	writer[dev] = false
#else
	gate[dev] = DYING;
	gate[dev] = SHUT;	/* close has returned */
	inside[dev] == 0	/* drained: not waited for, but it has to come */
#endif
}

inline mmap_read_lock()
{
	atomic { !mmap_holds && mmaps_waiting == 0 -> faults++ }
}

inline mmap_write_lock()
{
	mmaps_waiting++;
	atomic {
		!mmap_holds && faults == 0 -> mmap_holds = true;
		mmaps_waiting--
	}
}

/* What an operation does to user memory, or to another device, while inside */
inline copy_to_memory()
{
	mmap_read_lock();
	faults--
}

inline copy_to_mapping(dev)
{
	mmap_read_lock();
	guard_enter(dev, nested);
	if
	:: atomic { nested -> nested = false }; guard_leave(dev)
	:: else		/* SIGBUS; the copy fails with EFAULT */
	fi;
	faults--
}

inline use(dev)
{
	guard_enter(dev, nested);
	if
	:: atomic { nested -> nested = false }; guard_leave(dev)
	:: else		/* ENODEV */
	fi
}

inline operation(dev, other)
{
	guard_enter(dev, in);
	if
	:: in ->
		if
		:: scene == OWN_MAPPING -> copy_to_mapping(dev)
		:: scene == MMAP_LOCK -> copy_to_memory()
		:: scene == TWO_DEVICES -> use(other)
		:: scene == PLAIN
		fi;
		guard_leave(dev)
	:: else
	fi
}

proctype t1()
{
	bool in, nested;

	operation(A, B)
}

proctype t2()
{
	bool in, nested;

	if
	:: scene == TWO_DEVICES || scene == PLAIN -> operation(B, A)
	:: scene == MMAP_LOCK ->
		mmap_write_lock();
		guard_enter(A, in);
		if
		:: in -> guard_leave(A)
		:: else
		fi;
		mmap_holds = false
	:: scene == OWN_MAPPING -> operation(A, B)	/* two at once */
	fi
}

init {
	atomic {
		if
#if !defined(BUG_MMAP_LOCK) && !defined(BUG_TWO_DEVICES) && !defined(OK_PLAIN)
		:: scene = OWN_MAPPING
#endif
#if !defined(BUG_OWN_MAPPING) && !defined(BUG_TWO_DEVICES) && !defined(OK_PLAIN)
		:: scene = MMAP_LOCK
#endif
#if !defined(BUG_OWN_MAPPING) && !defined(BUG_MMAP_LOCK) && !defined(OK_PLAIN)
		:: scene = TWO_DEVICES
#endif
#if !defined(BUG_OWN_MAPPING) && !defined(BUG_MMAP_LOCK) && !defined(BUG_TWO_DEVICES)
		:: scene = PLAIN
#endif
		fi;
		run t1();
		run t2();
		run unplug(A);
		run unplug(B)
	}
}
