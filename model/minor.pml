// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model of numbers, names and generations of devices: given, looked up without a lock, given
 * back, and given to the next one.
 *
 * Mirrors
 *	reserve		unplug_minor_reserve, minor_name_taken	kernel/minor.c
 *			unplug_dev_reserve			kernel/device.c
 *	renew		unplug_minor_renew			kernel/minor.c
 *	register	unplug_dev_register, unplug_dev_add	kernel/device.c
 *	hide		unplug_dev_hide				kernel/shut.c
 *			unplug_minor_free_name			kernel/minor.c
 *	find		unplug_minor_find, unplug_minor_next	kernel/minor.c
 *			unplug_dev_tryget			kernel/device.c
 *	open		unplug_cdev_open			kernel/cdev.c
 *	put		unplug_dev_put, unplug_dev_release	kernel/device.c
 *	freer()		unplug_dev_free_work, unplug_dev_free_rcu kernel/device.c
 *			unplug_minor_free			kernel/minor.c
 *
 * Two cards come and go, at any time, under one name: the second, in the slot of the first, or
 * both at once, when one of them waits until the name is free. Registration may fail when the
 * number has been given. The first may have a new generation meanwhile. Two users open
 * a node of any number, also one that was made by mknod and has no device; each may
 * keep his file, or close it, at any time. There are two numbers; any that is
 * free may be given (the code takes them in turn, so that one comes back last).
 *
 * A grace period waits for who was in a look-up when it began. What the xarray's lock
 * is held for are steps: a look-up comes between them. The gate is in one step open, or shut.
 *
 * Left out: who is inside (unplug.pml: the driver puts its reference when the device is gone);
 * the memory of the xarray itself; debugfs; numbers of front ends.
 *
 * Each of these, defined, makes it wrong. It has to be found, and to break what
 * stands behind the arrow, which is the comment of an assertion below:
 *
 *	BUG_NUMBER_EARLY the number is given back with the name
 *			=> two devices have one number
 *	BUG_NUMBER_NONE	a device that has no number gives one back
 *			=> a live device is not found
 *	BUG_NUMBER_LATE	the number is given back when the memory has been
 *			=> a device is used after it was freed
 *	BUG_NO_RCU	the memory is freed without a grace period
 *			=> a device is used after it was freed
 *	BUG_GET		a look-up takes a reference, be it the first one again
 *			=> a device is used after it was freed | a device is freed twice
 *	BUG_GET_LATE	it does so when its RCU section is over
 *			=> a device is used after it was freed
 *	BUG_NO_GATE	open does not ask the gate of what it has found
 *			=> a device is entered that is not live
 *	BUG_AGAIN	open looks whether the device is live, then opens what it finds by the number
 *			=> an open that found one device gets another
 *	BUG_NAME_EARLY	the name is given back, then the node is removed
 *			=> two nodes have one name
 *	BUG_NAME_FIRST	names are compared, then the number is taken, which may drop the lock
 *			=> two nodes have one name
 *	BUG_NAME_MARK	that a device has a name is noted when the lock was given back
 *			=> two nodes have one name
 *	BUG_GENERATION	thaw counts generations without the lock; the names are two
 *			=> a generation is given twice
 *
 * And this has to hold as well:
 *
 *	OK_NAMES	the cards have different names
 */

#define DEVS	2
#define NUMBERS	2
#define USERS	2
#define NONE	9

#if defined(OK_NAMES) || defined(BUG_GENERATION)
#define NAMES
#define DIFFERENT	true
#else
#define DIFFERENT	false
#endif

/* minors: who has a number; whose name is marked; its lock */
byte slot[NUMBERS] = NONE;
bool named[DEVS];
bool locked;
byte generation_last;

/* struct unplug_dev: before register it has no number */
byte minor[DEVS];
byte generation[DEVS];
byte refs[DEVS] = 1;
bool is_open[DEVS];	/* the gate: it is live */
bool dead[DEVS];	/* free_work is queued */

/* What is true, whatever the list says */
bool node[DEVS];	/* under the one name */
bool freed[DEVS];
bool reading[USERS];	/* in rcu_read_lock */

/* What a device is, is looked at: it must be there. */
inline use(what)
{
	assert(!freed[what])	/* a device is used after it was freed */
}

inline lock()
{
	atomic { !locked -> locked = true }
}

inline give_generation(d)
{
#ifdef BUG_GENERATION
	next = generation_last + 1;
	generation_last = next;
	generation[d] = next;
#else
	atomic { generation_last++; generation[d] = generation_last };
#endif
	assert(generation[0] != generation[1])	/* a generation is given twice */
}

/* --- register, unplug --------------------------------------------------------- */

/* Goes through the others that have a name, which is the same: sets taken. */
inline name_taken(d)
{
	atomic {
		taken = named[1 - d];
		if :: taken -> use(1 - d) :: else fi;
#ifdef NAMES
		taken = false
#endif
	}
}

/* __xa_alloc may drop the lock before it stores: sets n, or leaves it NONE. */
inline alloc(d)
{
	if
	:: locked = false; lock()
	:: true
	fi;
	if
	:: atomic { slot[0] == NONE -> slot[0] = d; n = 0 }
	:: atomic { slot[1] == NONE -> slot[1] = d; n = 1 }
	:: atomic { slot[0] != NONE && slot[1] != NONE -> n = NONE }
	fi
}

/* Whoever is still referred to has its number. */
inline take_number(d)
{
	atomic {
		assert(refs[1 - d] == 0 || generation[1 - d] == 0 || minor[1 - d] != n);	/* two devices have one number */
		minor[d] = n
	}
}

/* Sets ok. */
inline reserve(d)
{
	lock();
#ifdef BUG_NAME_FIRST
	name_taken(d);
	alloc(d);
#else
	alloc(d);
	name_taken(d);
#endif
	if
	:: atomic { n != NONE && !taken -> ok = true };
#ifndef BUG_NAME_MARK
		named[d] = true;
#endif
		take_number(d);
		give_generation(d)
	:: atomic { n != NONE && taken -> slot[n] = NONE }
	:: else
	fi;
	locked = false;
#ifdef BUG_NAME_MARK
	if :: ok -> named[d] = true :: else fi;
#endif
	atomic { n = 0; taken = false }
}

inline free_name(d)
{
	atomic { !locked -> named[d] = false }
}

inline register(d)
{
	if
	:: atomic {
		true ->			/* device_add */
		assert(!node[1 - d] || DIFFERENT);	/* two nodes have one name */
		node[d] = true
	   };
		is_open[d] = true
	:: true;			/* has failed */
		ok = false;
		free_name(d)
	fi
}

inline hide(d)
{
#ifdef BUG_NAME_EARLY
	free_name(d);
	node[d] = false;
#else
	node[d] = false;
	free_name(d);
#endif
#ifdef BUG_NUMBER_EARLY
	atomic { !locked -> slot[minor[d]] = NONE };
#endif
}

inline put(d)
{
	atomic {
		use(d);
		refs[d]--;
		if
		:: refs[d] == 0 ->
			assert(!dead[d]);	/* a device is freed twice */
			dead[d] = true
		:: else
		fi
	}
}

inline renew(d)
{
	if
	:: true
#ifdef BUG_GENERATION
	:: d == 0 -> give_generation(d)
#else
	:: d == 0 -> lock(); give_generation(d); locked = false
#endif
	fi
}

proctype card(byte d)
{
	bool ok, taken;
	byte n;
#ifdef BUG_GENERATION
	byte next;
#endif

	do
	:: reserve(d);
		if
		:: ok -> break
		:: else		/* tries again when the name is free, or gives up */
		fi;
		if
		:: !named[1 - d]
		:: true -> goto out
		fi
	od;
	register(d);
	if
	:: ok ->
		renew(d);
		is_open[d] = false;
		hide(d)
	:: else
	fi;
out:
	put(d)
}

/* Without a lock, as all it needs is that nobody gets a reference any more */
inline grace_period()
{
	!reading[0];
	!reading[1]
}

inline free_number(d)
{
#ifndef BUG_NUMBER_EARLY
	if
#ifdef BUG_NUMBER_NONE
	:: atomic { !locked -> slot[minor[d]] = NONE }
#else
	:: atomic { generation[d] != 0 && !locked -> slot[minor[d]] = NONE; named[d] = false }
	:: generation[d] == 0
#endif
	fi
#else
	skip
#endif
}

proctype freer(byte d)
{
	dead[d];
#ifndef BUG_NUMBER_LATE
	free_number(d);
#endif
#ifndef BUG_NO_RCU
	grace_period();
#endif
	freed[d] = true;
#ifdef BUG_NUMBER_LATE
	free_number(d)
#endif
}

/* --- users ---------------------------------------------------------------------- */

/* Sets d: with a reference; or NONE */
inline find()
{
	reading[me] = true;
	d = slot[number];
	assert(!is_open[0] || slot[minor[0]] == 0);	/* a live device is not found */
	assert(!is_open[1] || slot[minor[1]] == 1);	/* a live device is not found */
#ifdef BUG_GET_LATE
	reading[me] = false;
#endif
	if
	:: d != NONE ->
		atomic {
			use(d);
			if
#ifdef BUG_GET
			:: refs[d]++
#else
			:: refs[d] > 0 -> refs[d]++
			:: else -> d = NONE
#endif
			fi
		}
	:: else
	fi;
	reading[me] = false
}

/* Whoever is refused, by ENXIO, does no harm. */
inline enter()
{
	atomic {
		use(d);
#ifndef BUG_NO_GATE
		if :: !is_open[d] -> goto leave :: else fi;
#endif
		assert(is_open[d])	/* a device is entered that is not live */
	}
}

inline open()
{
	find();
	if
	:: d == NONE -> goto out
	:: else
	fi;
#ifdef BUG_AGAIN
	found = d;
	put(d);
	find();
	if :: d == NONE -> goto out :: else fi;
	assert(d == found);	/* an open that found one device gets another */
#endif
	enter()
}

/* Refused or not, he has a reference, and gives it back: at once, or later. */
proctype user(byte me)
{
	byte d, number;
#ifdef BUG_AGAIN
	byte found;
#endif

	if
	:: number = 0
	:: me == 1 -> number = 1
	fi;
	open();
leave:
	put(d);
out:
	skip
}

init {
	atomic {
		run card(0);
		run card(1);
		run freer(0);
		run freer(1);
		run user(0);
		run user(1)
	}
}
