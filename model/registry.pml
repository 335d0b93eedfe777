// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of what the library gives, takes back and gives to the next one without asking who may
 * still look: numbers of devices, and words of gates. The letters are those of the essays in
 * lib/registry.c (A, B) and lib/slots.c (here SB).
 *
 * Mirrors
 *	reserve		registry_pick, unplug_minor_reserve	lib/registry.c
 *	find		unplug_registry_find			lib/registry.c
 *	put		unplug_dev_put				lib/device.c
 *			unplug_minor_free			lib/registry.c
 *	take		unplug_slots_alloc, slots_take		lib/slots.c
 *	give		unplug_slots_free			lib/slots.c
 *
 * Scene "numbers": there is one, which an owner's device has, and another's is to have, as
 * soon as it is free; each owner puts his reference, at any time, and the memory of a
 * device is freed with the last one. Three threads look the number up, and put what they got.
 *
 * Scene "words": two gates have the two slots of a chunk, and end; two owners want slots for
 * theirs, one after the other under the lock, or make a new chunk if they find none free.
 *
 * Processors reorder: a plain store becomes visible at any later time, a load may find what was
 * there before; a release makes the stores of its thread visible, an acquire, by a thread
 * that has read what was released, ends the use of old values. Atomic instructions act on what
 * is there. The lock is both.
 *
 * Left out: several chunks; the registry's end; a count that is full.
 *
 * Each of these, defined, makes it wrong. It has to be found, and to break what
 * stands behind the arrow, which is the comment of an assertion below:
 *
 *	BUG_A_RESERVE	reserve's store of the count is no release
 *			=> a look-up gets a device that it has no reference of
 *	BUG_A_FIND	the look-up's count is no acquire
 *			=> a look-up gets a device that it has no reference of
 *	BUG_A_FIRST	reserve writes the count, then the device
 *			=> a look-up gets a device that it has no reference of
 *	BUG_A_DEV	a look-up reads the device, then counts
 *			=> a look-up gets a device that it has no reference of
 *	BUG_A_ADD	a look-up counts, whether or not the last reference is gone
 *			=> a look-up gets a device that it has no reference of | a device is used after it was freed
 *	BUG_B_EARLY	the last put takes the device out of its slot, then counts
 *			=> a look-up gets a device that it has no reference of | a device is used after it was freed
 *	BUG_B_PICK	reserve takes a slot that has no references
 *			=> a device loses its number to another
 *	BUG_B_LATE	the last put calls ->gone, then frees the number
 *			=> a device is used after it was freed
 *	BUG_INSIDE	the count is in the device
 *			=> a device is used after it was freed
 *	BUG_SB_FIRST	who gives a slot back adds it to the free ones, then clears its bit
 *			=> a slot is said to be free, and there is none
 *	BUG_SB_GIVE	his addition is no release
 *			=> a slot is said to be free, and there is none
 *	BUG_SB_TAKE	who takes one does not acquire what is free
 *			=> a slot is said to be free, and there is none
 *	BUG_SB_BIT	he clears the bit without a release, who takes it reads it without an acquire
 *			=> a gate begins with words that still change
 *	BUG_SB_SET	the word of bits is stored, not changed by an atomic instruction
 *			=> a slot is said to be free, and there is none
 *	BUG_SB_LOCK	slots are taken without the lock
 *			=> two gates have one slot
 */

#define NONE	9
#define THREADS	3	/* who look a number up */
#define SLOTS	2

/* --- Numbers ---------------------------------------------------------------- */

/* struct registry_slot: as all see it; a store of reserve that is not visible yet */
byte dev = 0;
byte refs = 1;
byte writing = NONE;
byte old_dev[THREADS];	/* what may be read instead */

/* What is true, whatever the registry believes */
byte counted = 0;	/* whose references refs is about */
bool freed[2];

inline use(what)
{
	assert(!freed[what])	/* a device is used after it was freed */
}

inline land_dev()
{
	if
	:: writing != NONE -> dev = writing; writing = NONE
	:: else
	fi
}

/* Sets got. */
inline look()
{
	atomic {
		if
		:: got = dev
		:: got = old_dev[me]
		fi;
		old_dev[me] = got
	}
}

inline acquire()
{
#ifndef BUG_A_FIND
	old_dev[me] = dev
#else
	skip
#endif
}

/* Sets mine: whose reference it is, or NONE. What is read first may be an old 0. */
inline count()
{
	atomic {
		if
#ifdef BUG_A_ADD
		:: true ->
#else
		:: mine = NONE
		:: refs > 0 ->
#endif
			refs++; mine = counted; acquire()
		fi
	}
}

/* The count would be that of the device which is found: it has to be there. */
inline count_inside()
{
	atomic {
		use(got);
		if
		:: refs > 0 -> refs++; mine = counted; acquire()
		:: else -> mine = NONE
		fi
	}
}

inline find()
{
#if defined(BUG_INSIDE)
	look();
	if :: got == NONE -> goto out :: else -> count_inside() fi;
#elif defined(BUG_A_DEV)
	look();
	count();
#else
	count();
	if :: mine != NONE -> look() :: else fi;
#endif
	if :: mine == NONE -> goto out :: else fi;
	assert(got == mine)	/* a look-up gets a device that it has no reference of */
}

inline free_number(d)
{
	atomic {
		use(d);
		assert(dev == d);	/* a device loses its number to another */
		dev = NONE		/* B */
	}
}

inline gone(d)
{
	atomic {
		use(d);
		freed[d] = true
	}
}

inline put(d)
{
#ifdef BUG_B_EARLY
	if :: d == 0 && me == NONE -> dev = NONE :: else fi;
#endif
	atomic {
		use(d);
		if :: d == 1 && me == NONE -> land_dev() :: else fi;	/* a release */
		refs--;
		last = refs == 0
	};
	if
	:: last ->
#if defined(BUG_B_LATE)
		gone(d);
		free_number(d)
#elif defined(BUG_B_EARLY)
		gone(d)
#else
		free_number(d);
		gone(d)
#endif
	:: else
	fi
}

proctype thread(byte me)
{
	bool last;
	byte got = NONE, mine = NONE;

	find();
	use(got);
	put(got);
out:
	skip
}

proctype old_owner()
{
	bool last;
	byte me = NONE;

	put(0)
}

inline reserve(d)
{
#ifdef BUG_B_PICK
	refs == 0;
#else
	dev == NONE;			/* B */
#endif
#if defined(BUG_A_FIRST)
	atomic { refs = 1; counted = d };
	dev = d
#elif defined(BUG_A_RESERVE)
	writing = d;
	atomic { refs = 1; counted = d }
#else
	writing = d;
	atomic { land_dev(); refs = 1; counted = d }	/* A */
#endif
}

proctype new_owner()
{
	bool last;
	byte me = NONE;

	reserve(1);
	put(1)
}

/* --- Words of gates --------------------------------------------------------- */

/* struct slots_chunk, as all see it */
bool used[SLOTS] = true;
byte free;

/* Stores that are not visible yet: of a word's last count; the end of a bit */
bool counting[SLOTS] = true;
bool clearing[SLOTS];
bool locked;

/* What is true: whose gate is there */
bool busy[SLOTS] = true;

inline land_word(i)
{
	counting[i] = false
}

inline land_bit(i)
{
	if
	:: clearing[i] -> used[i] = false; clearing[i] = false
	:: else
	fi
}

/* One instruction */
inline clear_bit(i)
{
	atomic {
		busy[i] = false;
#ifndef BUG_SB_BIT
		land_word(i);		/* SB */
#endif
		clearing[i] = true
	}
}

/* Both bits are in one word. */
inline clear_bit_store(i)
{
	busy[i] = false;
	other = used[1 - i];
	atomic { used[i] = false; used[1 - i] = other; land_word(i) }
}

inline add_free(i)
{
	atomic {
#ifndef BUG_SB_GIVE
		land_word(i);
		land_bit(i);		/* SB */
#endif
		free++
	}
}

proctype giver(byte i)
{
#if defined(BUG_SB_FIRST)
	add_free(i);
	clear_bit(i)
#elif defined(BUG_SB_SET)
	bool other;

	clear_bit_store(i);
	add_free(i)
#else
	clear_bit(i);
	add_free(i)
#endif
}

/* Under the lock. Without an acquire the bits may be old ones. */
inline take()
{
	if
	:: !used[0] -> used[0] = true; i = 0
	:: used[0] && !used[1] -> used[1] = true; i = 1
#ifdef BUG_SB_TAKE
	:: i = NONE
#endif
	:: used[0] && used[1] -> i = NONE
	fi;
	atomic {
		assert(i != NONE);	/* a slot is said to be free, and there is none */
		assert(!busy[i]);	/* two gates have one slot */
		assert(!counting[i]);	/* a gate begins with words that still change */
		busy[i] = true
	}
}

proctype taker()
{
	byte i;

#ifndef BUG_SB_LOCK
	atomic { !locked -> locked = true };
#endif
	if
	:: atomic { free > 0 -> free-- }; take()
	:: true			/* a new chunk */
	fi;
	locked = false
}

/* Visible sooner or later, whatever the threads do meanwhile */
proctype memory()
{
end:
	do
	:: atomic { writing != NONE -> land_dev() }
	:: atomic { clearing[0] -> land_bit(0) }
	:: atomic { clearing[1] -> land_bit(1) }
	:: atomic { counting[0] -> land_word(0) }
	:: atomic { counting[1] -> land_word(1) }
	od
}

init {
	atomic {
		run memory();
		if
		:: run thread(0);
			run thread(1);
			run thread(2);
			run old_owner();
			run new_owner()
		:: run giver(0);
			run giver(1);
			run taker();
			run taker()
		fi
	}
}
