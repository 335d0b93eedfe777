// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of mappings on their way: made, moved, split, inherited, ended, and shown a dummy page,
 * while the device is unplugged, or thawed.
 *
 * Mirrors
 *	mmap		guard_mmap				kernel/guard.c
 *			unplug_guard_mapping, mapping_make	kernel/mapping.c
 *			unplug_populate_record			kernel/populate.c
 *			unplug_fops_mmap, of ->mmap_prepare	kernel/compat.h
 *	fault		guard_fault, guard_fault_populated,
 *			guard_map_pages, guard_huge_fault,
 *			guard_revoked				kernel/guard_vm.c
 *			iomem_insert				kernel/iomem.c
 *			unplug_populate_insert			kernel/populate.c
 *			unplug_dummy_fault			kernel/dummy.c
 *	access		guard_access, iomem_access		kernel/guard_vm.c, kernel/iomem.c
 *	vma_open	guard_open, unplug_populate_get,
 *			unplug_dummy_inherit			kernel/guard_vm.c
 *	vma_close	guard_close, unplug_populate_put	kernel/guard_vm.c
 *	importer()	a mapping of a file of unplug_dev_adopt_file	kernel/inode.c
 *	shut, drain	unplug_dev_revoke, unplug_populate_shut,
 *			unplug_dev_gone_work			kernel/shut.c
 *	thaw()		thaw_end				kernel/freeze.c
 *	move, fork, split  the kernel's: move_vma, dup_mmap, __split_vma, and
 *	zap		unmap_mapping_range
 *
 * Scene "pull": a process maps two pages: by the core's helper, populated by ->mmap (or
 * ->mmap_prepare, which is the same here), or by a handler that inserts memory outside of hardware
 * sections; or it is refused when it has populated. Another thread touches the pages, one or both at once,
 * also by ptrace. The process may move the first page (which may fail, so that it is moved back),
 * have it inherited by a child, which touches it, too, or split the second one off and unmap it; and ends
 * its mappings, or not. Somebody maps the card through a dma-buf. The device is unplugged meanwhile.
 *
 * Scene "thaw": the device is frozen, and its revoked mappings show a dummy page. The process
 * touches the first page, and forks, while the device is thawed.
 *
 * The walk of a zap meets mappings in the order of the tree, and holds its lock, so none is
 * put in or taken out meanwhile; but entries are made, copied, moved and taken out, one by one.
 * Faults keep their mapping from being changed. Gates are closed in one step: what stragglers do is
 * unplug.pml's, as is who stays inside.
 *
 * Left out: files, and who enters past the gate to tell the driver of a mapping (file.pml);
 * mprotect and what makes an entry writable (the kernel looks at the entry again); pins and
 * merging, which the kernel refuses.
 *
 * Each of these, defined, makes it wrong. It has to be found, and to break what
 * stands behind the arrow, which is the comment of an assertion below:
 *
 *	BUG_LIST	zaps go by a list of mappings, which ->mmap, ->open and ->close keep
 *			=> an entry for the card is left after shut | there is an entry after drained | an entry for the card is made after shut
 *	BUG_MOVE_ORDER	the walk meets the place that an entry moves to before the one it comes from
 *			=> an entry for the card is left after shut | there is an entry after drained
 *	BUG_MOVE_BACK	a move that fails is undone without the tree's lock
 *			=> an entry for the card is left after shut | there is an entry after drained
 *	BUG_PREPARE	what ->mmap_prepare asks for is done by the kernel, when the mapping is linked
 *			=> an entry for the card is made after shut
 *	BUG_REFUSED	a mapping that is refused leaves its entries to the kernel to take out
 *			=> an entry for the card is left after shut | there is an entry after drained
 *	BUG_CLEAR_LATE	what ->mmap has populated is taken out after the hardware section
 *			=> an entry for the card is left after shut
 *	BUG_AROUND	what faults for several pages at once has no guard
 *			=> an entry for the card is made after shut
 *	BUG_RETURN	a page that a handler returns is mapped by the kernel, after the guard
 *			=> there is an entry after drained
 *	BUG_ACCESS	->access looks for the entry, then uses the hardware in no section
 *			=> the hardware is used after shut
 *	BUG_ADOPT	the dma-buf's file keeps an address space of its own
 *			=> an entry for the card is left after shut
 *	BUG_ADOPT_OPEN	faults of the dma-buf are in no section
 *			=> an entry for the card is made after shut
 *	BUG_PRIVATE	private mappings are made; a zap leaves copies of pages alone
 *			=> there is an entry after drained
 *	BUG_GET		->open does not count a part of a populated mapping
 *			=> a record is used after it was freed
 *	BUG_ERASE_LATE	the record is freed, then taken out of the list
 *			=> a record is used after it was freed
 *	BUG_RESERVE_LOOK who gives a memory type back looks whether it was, then notes that it is
 *			=> a memory type is given back twice
 *	BUG_RESERVE_OUT	a mapping that ends notes that it gives its memory type back, then does it, in no lock
 *			=> a memory type is reserved after shut
 *	BUG_DUMMY_FORK	->open leaves what was copied to a child
 *			=> a process has another's dummy page
 *	BUG_DUMMY_LATE	who was refused, and brings a dummy page, does not look once more
 *			=> a mapping of a thawed device shows a dummy page
 *	BUG_THAW_ZAP	thaw leaves mappings alone
 *			=> a mapping of a thawed device shows a dummy page
 *	BUG_THAW_FIRST	thaw zaps, then opens the gates
 *			=> a mapping of a thawed device shows a dummy page
 */

/* Places for an entry, in the order of the tree: two pages, the first one's copy, the dma-buf's */
#define FIRST	0
#define SECOND	1
#define COPY	2
#define BUFFER	3
#define PLACES	4

/* Processes */
#define PARENT	0
#define CHILD	1

mtype = { OPEN, CLOSED };
mtype gate = OPEN;
mtype hw = OPEN;
byte inside;
byte in_hw;
bool is_shut;
bool is_drained;
bool dummies;		/* the policy; in scene "thaw" */
bool thawed;		/* the thaw is done */

mtype = { HELPER, POPULATED, OWN };
mtype kind;
mtype = { NOTHING, CARD, MEMORY, PARENT_DUMMY, CHILD_DUMMY };
mtype entry[PLACES] = NOTHING;
bool linked[PLACES];
bool listed[PLACES];	/* by the core, for BUG_LIST */
bool walking;		/* the tree's lock */
bool locked;		/* the parent's mappings are being changed */
byte faulting;		/* its faults */

/* struct unplug_populated of the one mapping: its lock is xa_lock. */
bool recorded;
byte parts;
bool reserved;

/* What is true, whatever the record says */
bool record_freed;
bool type_reserved;

#define is_dummy(what)	(what == PARENT_DUMMY || what == CHILD_DUMMY)

/* --- gates ------------------------------------------------------------------ */

inline enter()
{
	atomic {
		in = gate == OPEN;
		if :: in -> inside++ :: else fi
	}
}

inline leave()
{
	atomic { in = false; inside-- }
}

inline hw_enter()
{
	atomic {
		hardware = hw == OPEN;
		if :: hardware -> in_hw++ :: else fi
	}
}

inline hw_exit()
{
	atomic { hardware = false; in_hw-- }
}

/* --- entries ---------------------------------------------------------------- */

/* The first one stays. */
inline insert(place, what)
{
	atomic {
		assert(what != CARD || !is_shut);	/* an entry for the card is made after shut */
		assert(is_dummy(what) || !is_drained);	/* there is an entry after drained */
		if
		:: entry[place] == NOTHING -> entry[place] = what
		:: else
		fi
	}
}

#ifdef BUG_LIST
#define found	listed
#else
#define found	linked
#endif

inline zap_one(place)
{
	atomic {
		if
#ifdef BUG_PRIVATE
		:: found[place] && entry[place] != MEMORY -> entry[place] = NOTHING
#else
		:: found[place] -> entry[place] = NOTHING
#endif
		:: else
		fi
	}
}

inline zap()
{
	walking = true;
#ifdef BUG_MOVE_ORDER
	zap_one(COPY);
	zap_one(FIRST);
	zap_one(SECOND);
#else
	zap_one(FIRST);
	zap_one(SECOND);
	zap_one(COPY);
#endif
#ifndef BUG_ADOPT
	zap_one(BUFFER);
#endif
	walking = false
}

inline link(place)
{
	atomic { !walking -> linked[place] = true }
}

inline unlink(place)
{
	atomic { !walking -> linked[place] = false; entry[place] = NOTHING }
}

/* --- the record ------------------------------------------------------------- */

inline use_record()
{
	assert(!record_freed)	/* a record is used after it was freed */
}

inline give_back()
{
	atomic {
		assert(type_reserved);	/* a memory type is given back twice */
		type_reserved = false
	}
}

inline unreserve()
{
#if defined(BUG_RESERVE_LOOK)
	if
	:: reserved -> give_back(); reserved = false
	:: else
	fi
#elif defined(BUG_RESERVE_OUT)
	if
	:: atomic { reserved -> reserved = false }; give_back()
	:: atomic { !reserved -> skip }
	fi
#else
	atomic {
		if
		:: reserved -> reserved = false; give_back()
		:: else
		fi
	}
#endif
}

/* All but the last step under the lock */
inline record_put()
{
	atomic { parts--; last = parts == 0 };
	if
	:: last ->
		last = false;
		unreserve();
#ifdef BUG_ERASE_LATE
		record_freed = true;
		recorded = false
#else
		recorded = false;
		record_freed = true
#endif
	:: else
	fi
}

inline record_get()
{
#ifndef BUG_GET
	atomic { use_record(); parts++ }
#else
	skip
#endif
}

/* Under the lock */
inline populate_shut()
{
	if
	:: atomic { recorded -> use_record() }; unreserve()
	:: else
	fi
}

/* --- mappings --------------------------------------------------------------- */

/* The guards' ->open and ->close; the driver's own functions are not of interest here. */
inline vma_open(place)
{
	listed[place] = true;
	if
	:: kind == POPULATED -> record_get()
	:: else
	fi
}

inline vma_close(place)
{
	listed[place] = false;
	if
	:: kind == POPULATED -> record_put()
	:: else
	fi
}

inline clear()
{
	entry[FIRST] = NOTHING;
	entry[SECOND] = NOTHING
}

/* ->mmap: the driver's and, in the same section, what the core does with it. Sets refused. */
inline populate()
{
	hw_enter();
	if :: hardware :: else -> leave(); goto unmapped fi;
	insert(FIRST, CARD);
	insert(SECOND, CARD);
	if
	:: refused = true
	:: recorded = true;
		atomic { parts = 1; reserved = true; type_reserved = true }
	fi;
#if defined(BUG_CLEAR_LATE)
	hw_exit();
	clear()
#elif defined(BUG_REFUSED)
	if :: refused :: else -> clear() fi;
	hw_exit()
#else
	clear();
	hw_exit()
#endif
}

inline mmap()
{
	enter();
	if
	:: in ->
		if
		:: kind = HELPER
		:: kind = OWN
		:: kind = POPULATED;
#ifndef BUG_PREPARE
			populate()
#endif
		fi;
		leave()
	:: else -> goto unmapped
	fi;
	if
	:: refused -> clear(); goto unmapped	/* by the kernel, if anything is left */
	:: else
	fi;
	atomic { listed[FIRST] = true; listed[SECOND] = true };
	atomic { !walking -> linked[FIRST] = true; linked[SECOND] = true };
#ifdef BUG_PREPARE
	if
	:: kind == POPULATED -> insert(FIRST, CARD); parts = 1
	:: else
	fi
#endif
}

/* What a revoked mapping shows */
inline revoked(place, dummy)
{
	if
	:: dummies ->
		insert(place, dummy);
#ifndef BUG_DUMMY_LATE
		if
		:: gate == OPEN -> entry[place] = NOTHING
		:: else
		fi
#endif
	:: else		/* SIGBUS */
	fi
}

/* Several pages at once: a second guard, which answers nothing when it is refused */
inline fault_around()
{
#ifdef BUG_AROUND
	insert(FIRST, CARD);
	insert(SECOND, CARD)
#else
	enter();
	if
	:: in ->
		hw_enter();
		if
		:: hardware ->
			insert(FIRST, CARD);
			insert(SECOND, CARD);
			hw_exit()
		:: else
		fi;
		leave()
	:: else
	fi
#endif
}

inline fault(place, dummy)
{
	enter();
	if
	:: atomic { in && kind == OWN -> skip };
#ifdef BUG_RETURN
		leave();
		insert(place, MEMORY)
#else
		insert(place, MEMORY);
		leave()
#endif
	:: atomic { in && kind != OWN -> skip };
		if :: kind == POPULATED -> use_record() :: else fi;
		hw_enter();
		if
		:: hardware -> insert(place, CARD); hw_exit(); leave()
		:: else -> leave(); revoked(place, dummy)
		fi
	:: else -> revoked(place, dummy)
	fi
}

/* By ptrace: the page is made to be there, then read past the page table */
inline access(place)
{
	enter();
	if
	:: atomic { in && kind != OWN -> skip };
		hw_enter();
		if :: hardware -> insert(place, CARD); hw_exit() :: else fi;
#ifndef BUG_ACCESS
		hw_enter();
		if
		:: hardware -> use_hardware(); hw_exit()
		:: else
		fi;
#else
		if :: entry[place] == CARD -> use_hardware() :: else fi;
#endif
		leave()
	:: atomic { in && kind == OWN -> skip }; leave()
	:: else
	fi
}

inline use_hardware()
{
	assert(!is_shut)	/* the hardware is used after shut */
}

inline settled(place)
{
	assert(!thawed || !is_dummy(entry[place]))	/* a mapping of a thawed device shows a dummy page */
}

/* --- what the kernel does to mappings ----------------------------------------- */

/* mremap. The old place may stay the mapping's, if the driver wants it so. */
inline move()
{
	vma_open(COPY);
	link(COPY);
	atomic { entry[COPY] = entry[FIRST]; entry[FIRST] = NOTHING };
	if
	:: vma_close(FIRST);
		unlink(FIRST)
	:: true;
#ifdef BUG_MOVE_BACK
		atomic { entry[FIRST] = entry[COPY]; entry[COPY] = NOTHING };
#else
		atomic { !walking -> entry[FIRST] = entry[COPY]; entry[COPY] = NOTHING };
#endif
		vma_close(COPY);
		unlink(COPY)
	fi
}

/* The copy is made under the locks of both page tables. No child runs yet. */
inline fork()
{
	link(COPY);
	atomic {
		if
		:: entry[FIRST] != NOTHING -> insert(COPY, entry[FIRST])
		:: else
		fi
	};
	vma_open(COPY);
#ifndef BUG_DUMMY_FORK
	if
	:: dummies -> entry[COPY] = NOTHING
	:: else
	fi;
#endif
	run child()
}

/* The second page becomes a mapping of its own, which ends. */
inline split()
{
	vma_open(SECOND);
	vma_close(SECOND);
	unlink(SECOND)
}

inline lock()
{
	atomic { !locked && faulting == 0 -> locked = true }
}

/* --- processes ---------------------------------------------------------------- */

proctype child()
{
	bool in, hardware;

	assert(entry[COPY] != PARENT_DUMMY);	/* a process has another's dummy page */
	if
	:: entry[COPY] == NOTHING -> fault(COPY, CHILD_DUMMY); settled(COPY)
	:: true
	fi
}

proctype parent()
{
	bool in, hardware, last, refused;

	if
	:: dummies -> kind = HELPER; listed[FIRST] = true; link(FIRST)
	:: else -> mmap()
	fi;
	run toucher();
	lock();
	if
	:: fork()
	:: atomic { !dummies -> skip }; move()
	:: atomic { !dummies -> skip }; split()
	:: atomic { !dummies -> skip }
	fi;
	if
	:: atomic { linked[FIRST] && !dummies -> skip };
		vma_close(FIRST);
		unlink(FIRST)
	:: true
	fi;
	locked = false;
unmapped:
	skip
}

/* Another thread, twice */
proctype toucher()
{
	bool in, hardware;
	byte touches;

	do
	:: atomic { touches < 2 && !locked -> touches++; faulting++ };
		if
		:: atomic { linked[FIRST] && entry[FIRST] == NOTHING -> skip };
			fault(FIRST, PARENT_DUMMY);
			settled(FIRST)
		:: atomic { linked[FIRST] && linked[SECOND] && kind == HELPER -> skip };
			fault_around()
		:: atomic { linked[FIRST] && !dummies -> skip };
			access(FIRST)
#ifdef BUG_PRIVATE
		:: atomic { entry[FIRST] == CARD -> entry[FIRST] = MEMORY }
#endif
		:: true
		fi;
		faulting--
	:: break
	od
}

proctype importer()
{
	bool hardware;

	listed[BUFFER] = true;
	link(BUFFER);
#ifdef BUG_ADOPT_OPEN
	insert(BUFFER, CARD)
#else
	hw_enter();
	if
	:: hardware -> insert(BUFFER, CARD); hw_exit()
	:: else
	fi
#endif
}

/* --- unplug, thaw --------------------------------------------------------------- */

proctype unplug()
{
	atomic { gate = CLOSED; hw = CLOSED };
	in_hw == 0;
	zap();
	populate_shut();
	atomic {
		is_shut = true;
		assert(entry[FIRST] != CARD && entry[SECOND] != CARD);	/* an entry for the card is left after shut */
		assert(entry[COPY] != CARD && entry[BUFFER] != CARD);	/* an entry for the card is left after shut */
		assert(!type_reserved)	/* a memory type is reserved after shut */
	};
	inside == 0;
	zap();
	atomic {
		is_drained = true;
		assert(entry[FIRST] == NOTHING && entry[SECOND] == NOTHING && entry[COPY] == NOTHING)	/* there is an entry after drained */
	}
}

proctype thaw()
{
#ifdef BUG_THAW_FIRST
	zap();
#endif
	hw = OPEN;
	gate = OPEN;
#if !defined(BUG_THAW_FIRST) && !defined(BUG_THAW_ZAP)
	zap();
#endif
	atomic {
		thawed = true;
		if
		:: faulting == 0 -> settled(FIRST)
		:: else
		fi
	}
}

init {
	atomic {
		run parent();
		if
		:: dummies = true;
			hw = CLOSED;
			gate = CLOSED;
			run thaw()
		:: run importer();
			run unplug()
		fi
	}
}
