// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of an unplug: shut, zap, drained, zap, gone, against opens, operations,
 * faults, fork, last closes, and a second caller.
 *
 * Mirrors
 *	unplug()	unplug_dev_begin, unplug_devs_shut, unplug_devs_wait_hw,
 *			unplug_dev_zap, unplug_dev_hide		kernel/shut.c
 *			as unplug_dev_unplug called by ->remove of a bus, which
 *			gives the BAR to the next device, and as
 *			unplug_dev_unplug_async			kernel/shut.c
 *	worker()	unplug_dev_gone_work			kernel/shut.c
 *	release_all	unplug_file_release_all, file_claim_one	kernel/file.c
 *	open		unplug_front_open			kernel/file.c
 *	last_close	unplug_file_close, file_claim		kernel/file.c
 *	release		file_release				kernel/file.c
 *	operation	guard_call				kernel/guard.c
 *	mmap		guard_mmap				kernel/guard.c
 *			unplug_guard_mapping, mapping_make	kernel/guard_vm.c
 *			unplug_populate_record			kernel/populate.c
 *	fault		guard_fault, guard_fault_live		kernel/guard_vm.c
 *			unplug_populate_insert			kernel/populate.c
 *			iomem_insert				kernel/iomem.c
 *	fork, exit	the kernel's: dup_mmap, mmap_region (a mapping is
 *			linked after ->mmap), exit_mmap, fput
 *
 * A process opens a file and maps it. The driver's kind of mapping is chosen freely:
 * the core's helper, populated by ->mmap, or by a fault handler of the driver's
 * own, which may insert its own memory outside of hardware sections. The process may
 * fork; both touch what they have mapped, any number of times; each exits at last, or
 * never. Another opens a second file, uses the hardware, and may stay inside for
 * ever. Meanwhile the device is unplugged by two callers.
 *
 * The gates are here what gate.pml shows them to be: a get fails once close has returned,
 * either way from kill until then, here even for one who was refused before; and whoever
 * is the last one out of a folded gate starts the rest. What holds files_lock is one step, and so is each
 * change of a page table entry.
 *
 * Left out: more than one page of a mapping, split and mremap; the dummy page (an
 * entry that does not reach the device is none here); failures of the driver's
 * functions; registration; the module's count (gone stands for the driver's memory and
 * text); front ends, whose releases are not forced; waking of sleepers; names and nodes.
 *
 * Each of these, defined, makes it wrong. It has to be found, and to break what
 * stands behind the arrow, which is the comment of an assertion below:
 *
 *	BUG_NO_CLOSE	shut does not wait until all CPUs are closed
 *			=> somebody enters after shut
 *	BUG_ZAP_FIRST	zaps before the hardware sections are over
 *			=> an entry for the card is left after shut
 *	BUG_NO_HW	shut does not wait for hardware sections
 *			=> an entry for the card is made after shut | the hardware is used after shut
 *	BUG_NO_ZAP	no zap at shut: the one at drained will do
 *			=> an entry for the card is left after shut
 *	BUG_OWN_BAR	a handler of the driver's maps the card outside of hardware sections
 *			=> an entry for the card is made after shut
 *	BUG_ONE_ZAP	no second zap
 *			=> an entry is left after drained
 *	BUG_RETURN_PAGE	what a handler returns is mapped, by the kernel, after the guard
 *			=> an entry is made after drained | an entry is left after drained
 *	BUG_POPULATE	what ->mmap populates is left there, in a mapping not yet linked
 *			=> an entry is left after drained
 *	BUG_MMAP_SECTION what ->mmap populates is taken out, but not in a hardware section:
 *			other threads can use it from the moment it is there
 *			=> an entry for the card is made after shut
 *	BUG_FORK_LINK	the child's mapping is linked after its entries were copied
 *			=> an entry for the card is made after shut | an entry for the card is left after shut | an entry is left after drained | an entry is made after drained
 *	BUG_FORK_ORDER	the walk meets the child's mapping before its parent's
 *			=> an entry for the card is left after shut | an entry is left after drained
 *	BUG_FLAG	a flag keeps newcomers out; nobody waits for those inside
 *			=> an operation runs after drained | a release runs after gone
 *	BUG_WAIT	the bus waits until nobody is inside
 *			=> waits for ever
 *	BUG_NO_FORCE	gone waits for the last close
 *			=> waits for ever
 *	BUG_CLAIM	who releases a file looks, then marks it
 *			=> a file is released twice | a release runs after gone
 *	BUG_LIST_LATE	open adds the file to the list when it has left
 *			=> a file is forgotten at gone | a release runs after gone
 *	BUG_GONE_EARLY	gone does not wait for the releases of last closes
 *			=> a release runs after gone
 *	BUG_MARK_EARLY	a file is marked as released, then released
 *			=> a file is used after it was freed | a release runs after gone
 *	BUG_BEGIN	who begins looks at the state, then changes it
 *			=> the gates are closed twice
 *	BUG_SECOND	the second caller does not wait for the first
 *			=> the next device is reached
 */

#define MAPS	2	/* of one file: the parent's, the child's */
#define FILES	2
#define PARENT	0
#define CHILD	1

/* What is known of the device: enum unplug_dev_state */
mtype = { LIVE, DYING, SHUT, DRAINED, GONE };
mtype state = LIVE;
bool node_gone;
bool queued;		/* gone_work */

/* The gates. CLOSING: a get may still succeed */
mtype = { OPEN, CLOSING, CLOSED };
mtype gate = OPEN;
mtype hw = OPEN;
byte inside;
byte in_hw;
bool folded;

/* Mappings. An entry reaches the card, or memory of the driver, or nothing. */
mtype = { HELPER, POPULATED, OWN };
mtype kind;
mtype = { NOTHING, CARD, MEMORY };
mtype entry[MAPS] = NOTHING;
bool linked[MAPS];
bool forked;

/* Files: enum unplug_file_state, and before and after it */
mtype = { CLOSED_FILE, OPEN_FILE, CLAIMED, RELEASED, FREED };
mtype file[FILES] = CLOSED_FILE;
bool opened[FILES];	/* the driver's open was called */
byte released[FILES];	/* calls of the driver's release */
byte unreleased;
byte users;		/* processes that have the first file */

/* What is true, whatever the device believes */
bool given;		/* the BAR belongs to the next device */
bool gone;		/* no driver, none of its memory */
bool stuck;		/* somebody stays inside for ever */

#define after_shut	(state == SHUT || state == DRAINED || state == GONE)
#define after_drained	(state == DRAINED || state == GONE)

/* --- the gates ------------------------------------------------------------ */

inline enter(in)
{
	atomic {
		if
		:: gate != CLOSED ->
			assert(!after_shut);	/* somebody enters after shut */
			inside++;
			in = true
		:: gate != OPEN -> in = false
		fi
	}
}

/*
 * Up to here the driver's code has run and used what its structure points to: what
 * holds now has held before. The last one out of a folded gate starts the
 * rest: unplug_dev_gate_drained.
 */
inline leave()
{
	atomic {
		assert(!after_drained);	/* an operation runs after drained */
		in = false;
		inside--;
		if
		:: folded && inside == 0 -> queued = true
		:: else
		fi
	}
}

inline hw_enter(in)
{
	atomic {
		if
		:: hw != CLOSED -> in_hw++; in = true
		:: hw != OPEN -> in = false
		fi
	}
}

inline hw_exit()
{
	atomic { hardware = false; in_hw-- }
}

inline use_hardware()
{
	atomic {
		assert(!after_shut);	/* the hardware is used after shut */
		assert(!given)		/* the next device is reached */
	}
}

/* --- mappings --------------------------------------------------------------- */

/* The first one stays, as with vmf_insert_pfn(). */
inline insert(map, what)
{
	atomic {
		assert(what != CARD || !after_shut);	/* an entry for the card is made after shut */
		assert(what != CARD || !given);		/* the next device is reached */
		assert(!after_drained);			/* an entry is made after drained */
		if
		:: entry[map] == NOTHING -> entry[map] = what
		:: else
		fi
	}
}

inline zap_one(map)
{
	atomic {
		if
		:: linked[map] -> entry[map] = NOTHING
		:: else
		fi
	}
}

/* unmap_mapping_range: one mapping after the other, those that are linked */
inline zap()
{
#ifdef BUG_FORK_ORDER
	zap_one(CHILD);
	zap_one(PARENT)
#else
	zap_one(PARENT);
	zap_one(CHILD)
#endif
}

/* mmap: linked by the kernel when ->mmap has returned */
inline mmap()
{
	enter(in);
	if
	:: in ->
#ifndef BUG_MMAP_SECTION
		hw_enter(hardware);
		if :: hardware :: else -> leave(); goto unmapped fi;
#endif
		if
		:: kind = HELPER
		:: kind = OWN
		:: kind = POPULATED;
#ifdef BUG_POPULATE
			insert(PARENT, MEMORY)		/* by the driver */
#else
			insert(PARENT, CARD);
			entry[PARENT] = NOTHING		/* by the core */
#endif
		fi;
#ifndef BUG_MMAP_SECTION
		hw_exit();
#endif
		leave();
		linked[PARENT] = true
	:: else
	fi
}

inline fault(map)
{
	enter(in);
	if
	:: atomic { in && kind != OWN -> skip };
		hw_enter(hardware);
		if
		:: hardware ->
			insert(map, CARD);
			hw_exit()
		:: else		/* SIGBUS */
		fi;
		leave()
	:: atomic { in && kind == OWN -> skip };
#if defined(BUG_OWN_BAR)
		insert(map, CARD);
		leave()
#elif defined(BUG_RETURN_PAGE)
		leave();
		insert(map, MEMORY)
#else
		insert(map, MEMORY);
		leave()
#endif
	:: else			/* SIGBUS */
	fi
}

/* The copy of an entry is made under the locks of both page tables. */
inline copy_entry()
{
	atomic {
		if
		:: entry[PARENT] != NOTHING -> insert(CHILD, entry[PARENT])
		:: else
		fi
	}
}

inline fork()
{
#ifdef BUG_FORK_LINK
	copy_entry();
	linked[CHILD] = true;
#else
	linked[CHILD] = true;
	copy_entry();
#endif
	atomic {
		forked = true;
		users++;
		run child()
	}
}

/* --- files ------------------------------------------------------------------ */

#define forgotten(f)	\
	(opened[f] && (file[f] == CLOSED_FILE || file[f] == OPEN_FILE))

inline add(f)
{
	atomic { file[f] = OPEN_FILE; unreleased++ }
}

inline open(f)
{
	enter(in);
	if
	:: in ->
		opened[f] = true;
#ifdef BUG_LIST_LATE
		leave();
		add(f)
#else
		add(f);
		leave()
#endif
	:: else
	fi
}

/* Sets claimed, if the file was to be claimed. */
inline claim(f)
{
#ifdef BUG_CLAIM
	claimed = file[f] == OPEN_FILE;
	if :: claimed -> file[f] = CLAIMED :: else fi
#else
	atomic {
		claimed = file[f] == OPEN_FILE;
		if :: claimed -> file[f] = CLAIMED :: else fi
	}
#endif
}

inline mark(f)
{
	atomic { file[f] = RELEASED; unreleased-- }
}

/* The driver's release takes its time; up to its end it has the file and the driver. */
inline release(f)
{
#ifdef BUG_MARK_EARLY
	mark(f);
#endif
	atomic {
		released[f]++;
		assert(released[f] == 1)	/* a file is released twice */
	};
	atomic {
		assert(!gone);			/* a release runs after gone */
		assert(file[f] != FREED);	/* a file is used after it was freed */
#ifndef BUG_MARK_EARLY
		mark(f);
#endif
		claimed = false
	}
}

inline last_close(f)
{
	claim(f);
	if
	:: claimed -> release(f)
	:: else -> file[f] == RELEASED		/* waits for a forced release */
	fi;
	file[f] = FREED
}

inline release_all()
{
#ifndef BUG_NO_FORCE
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
#endif
#ifndef BUG_GONE_EARLY
	unreleased == 0
#endif
}

/* --- processes ---------------------------------------------------------------- */

inline exit(map)
{
	entry[map] = NOTHING;
	linked[map] = false;
	atomic { users--; last = users == 0 };
	if
	:: atomic { last -> last = false }; last_close(0)
	:: else
	fi
}

proctype child()
{
	bool in, hardware, last, claimed;

	do
	:: atomic { entry[CHILD] == NOTHING -> skip }; fault(CHILD)
	:: exit(CHILD); break
	:: break	/* never */
	od
}

proctype parent()
{
	bool in, hardware, last, claimed;

	open(0);
	if
	:: atomic { file[0] == CLOSED_FILE -> goto out }
	:: atomic { else -> users++ }
	fi;
	mmap();
unmapped:
	do
	:: atomic { linked[PARENT] && entry[PARENT] == NOTHING -> skip };
		fault(PARENT)
	:: atomic { linked[PARENT] && !forked -> skip }; fork()
	:: exit(PARENT); break
	:: break
	od;
out:
	skip
}

/* Another process, with a file of its own */
proctype other()
{
	bool in, hardware, claimed;

	open(1);
	if
	:: atomic { file[1] == CLOSED_FILE -> goto out }
	:: else
	fi;
	enter(in);			/* an operation */
	if
	:: in ->
		hw_enter(hardware);
		if
		:: hardware -> use_hardware(); hw_exit()
		:: else
		fi;
		if
		:: stuck = true; goto out
		:: true
		fi;
		leave()
	:: else
	fi;
	last_close(1);
out:
	skip
}

/* --- unplug ------------------------------------------------------------------- */

inline begin()
{
#ifdef BUG_BEGIN
	first = state == LIVE;
	if :: first -> state = DYING :: else fi
#else
	atomic {
		first = state == LIVE;
		if :: first -> state = DYING :: else fi
	}
#endif
}

inline wait_hw()
{
#ifndef BUG_NO_HW
	in_hw == 0
#else
	skip
#endif
}

inline fold()
{
	atomic {
		folded = true;
		if
#ifdef BUG_FLAG
		:: queued = true
#else
		:: inside == 0 -> queued = true
		:: else
#endif
		fi
	}
}

inline shut()
{
	atomic {
		assert(hw == OPEN);	/* the gates are closed twice */
		hw = CLOSING;
		gate = CLOSING
	};
#ifndef BUG_NO_CLOSE
	atomic { hw = CLOSED; gate = CLOSED };
#endif
#ifdef BUG_ZAP_FIRST
	zap();
#endif
	wait_hw();
#if !defined(BUG_ZAP_FIRST) && !defined(BUG_NO_ZAP)
	zap();
#endif
	atomic {
		state = SHUT;
		assert(entry[0] != CARD && entry[1] != CARD)	/* an entry for the card is left after shut */
	};
	fold();
#ifdef BUG_WAIT
	inside == 0;
#endif
	node_gone = true
}

proctype unplug(bool of_bus)
{
	bool first;

	begin();
	if
	:: first -> shut()
	:: else
	fi;
	if
	:: !of_bus
	:: of_bus ->
#ifndef BUG_SECOND
		node_gone;
#endif
		given = true	/* the driver's ->remove has returned */
	fi
}

proctype worker()
{
	bool claimed;
	byte f;

	if
	:: queued
	:: stuck -> goto out	/* drained waits for its users, and only that */
	fi;
#ifndef BUG_ONE_ZAP
	zap();
#endif
	atomic {
		state = DRAINED;
		assert(entry[0] == NOTHING && entry[1] == NOTHING)	/* an entry is left after drained */
	};
	release_all();
	atomic {
		gone = true;
		assert(!forgotten(0) && !forgotten(1))	/* a file is forgotten at gone */
	};
	state = GONE;
out:
	skip
}

init {
	atomic {
		run parent();
		run other();
		run unplug(true);
		run unplug(false);
		run worker()
	}
}
