/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_TORTURE_GUARD_H
#define _UNPLUG_TORTURE_GUARD_H

/*
 * guard: what stands between the users of a card and its driver
 *
 * The driver is torture_fops (body.c), an ordinary table of file operations, which uses
 * file->private_data as it likes. A guard makes a node for a card, and sees to it that they
 * are called, and what they touch is touched, only while they may:
 *
 *	guard-unplug.c	the core
 *	guard-busted*.c	plain algorithms, each with a mistake that has to be found
 *
 * Life of a card: make() -> unplug() … unplug() -> put(). When nobody is inside any more and
 * every file is released, the guard calls torture_card_gone() once. After put(), when
 * nobody refers to the card any more, it frees what make() allocated.
 *
 * Two memories
 * ------------
 *
 * struct torture_card	the guard's, and lives as long as it needs it
 * card->memory		the driver's, freed in torture_card_gone(). What is freed is kept for a
 *			while, poisoned, so that who still uses it is a fact, and not a crash
 */

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>
#include "torture-uapi.h"

struct torture_memory;
struct torture_slot;

/**
 * struct torture_card - a card; embedded in what its guard needs in addition
 * @slot: where it is, or was
 * @generation: of each card another one
 * @memory: the driver's
 * @users: of this structure besides the guard: the slot, and calls of the control node
 * @inside: operations in torture_fops that have begun and not ended
 * @files: opened, not released
 * @gone: calls of torture_card_gone()
 * @tokens: that are to be read
 * @wait: who sleeps until there is one
 * @reset: freeze and thaw
 */
struct torture_card {
	struct torture_slot *slot;
	u64 generation;
	struct torture_memory *memory;
	struct kref users;
	atomic_t inside;
	atomic_t files;
	atomic_t gone;
	atomic_t tokens;
	wait_queue_head_t wait;
	struct mutex reset;
};

/**
 * struct torture_guard - a way to guard cards
 * @name: as the parameter guard= has it
 * @init: optional; once, before anything else
 * @exit: optional; once, when all cards were put
 * @make: a card of @slot, by torture_card_init(), and its node /dev/@name; or an ERR_PTR
 * @unplug: on return it is shut; may be called any number of times, at once, too. 0 if it is
 *	    gone, too, or -EINPROGRESS
 * @unplug_many: optional; the same of several
 * @unplug_async: optional, with @shut; the same, later; any context
 * @shut: optional; nobody enters any more
 * @wait_gone: waits until torture_card_gone() has returned
 * @freeze: as unplug_dev_freeze(). Optional, with @thaw
 * @thaw: as unplug_dev_thaw(); @end: files are to be opened anew
 * @leaves_queues: when the card is gone nobody is on wait queues of the driver's
 * @drained: optional; the guard takes it for drained: nobody is inside
 * @put: the reference that make() gave
 * @card_of: the card of an open file, in an operation of torture_fops; of a mapping's, too
 * @hw_enter: false if the hardware is away
 * @hw_exit: the end of it
 * @map_enter: as @hw_enter, before a page table entry is made
 * @map_exit: the end of it
 * @sleep: until @done, a signal comes, or the card goes: 0, -ERESTARTSYS, -ENODEV
 * @error: what an operation answers that was refused by @hw_enter
 * @start: optional; have torture_card_tick() called now and then, inside, from now on; called
 *	   again after a thaw
 * @give_up: optional; the verdict is known: ends what hangs for ever, so that modules can be
 *	     unloaded
 * @alive: optional; structures that make() allocated and that are not freed
 */
struct torture_guard {
	const char *name;
	int (*init)(void);
	void (*exit)(void);
	struct torture_card *(*make)(struct torture_slot *slot,
				     const char *name);
	int (*unplug)(struct torture_card *card);
	int (*unplug_many)(struct torture_card *const cards[], unsigned int n);
	void (*unplug_async)(struct torture_card *card);
	bool (*shut)(const struct torture_card *card);
	int (*wait_gone)(struct torture_card *card);
	int (*freeze)(struct torture_card *card);
	int (*thaw)(struct torture_card *card, bool end);
	bool leaves_queues;
	bool (*drained)(const struct torture_card *card);
	void (*put)(struct torture_card *card);
	struct torture_card *(*card_of)(const struct file *file);
	bool (*hw_enter)(struct torture_card *card);
	void (*hw_exit)(struct torture_card *card);
	bool (*map_enter)(struct torture_card *card);
	void (*map_exit)(struct torture_card *card);
	int (*sleep)(struct torture_card *card,
		     bool (*done)(struct torture_card *card));
	int (*error)(struct torture_card *card);
	void (*start)(struct torture_card *card);
	void (*give_up)(void);
	unsigned int (*alive)(void);
};

extern const struct torture_guard torture_guard_unplug;
extern const struct torture_guard torture_guard_busted;
extern const struct torture_guard *torture_guard;	/* the one of this module's life */

/* Parameters of the module that guards want, too */
extern unsigned int torture_seed;
extern unsigned int torture_linger_us;
extern bool torture_waits;
extern bool torture_dummy;

/* body.c: the driver */
extern const struct file_operations torture_fops;
void torture_card_tick(struct torture_card *card);

/* card.c: for make(), before anybody may use it; for the guard when all is over */
int torture_card_init(struct torture_card *card, struct torture_slot *slot);
void torture_card_discard(struct torture_card *card);
void torture_card_gone(struct torture_card *card);

/* board.c */
u64 torture_moment(const struct torture_card *card);
static inline enum torture_state torture_moment_state(u64 moment)
{
	return moment & 0xff;
}

static inline u32 torture_moment_turn(u64 moment)
{
	return moment >> 8;
}

void torture_note(struct torture_card *card, enum torture_state state);

/* fact.c */
void torture_fact(const struct torture_card *card, enum torture_fact fact,
		  const char *where, u64 seen);
void torture_linger(void);

#endif /* _UNPLUG_TORTURE_GUARD_H */
