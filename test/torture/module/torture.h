/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_TORTURE_H
#define _UNPLUG_TORTURE_H

/*
 * What the files of the module share, besides what guards may use (guard.h).
 *
 *	main.c		parameters; the beginning and the end
 *	control.c	the control node
 *	slot.c		plug, pull, freeze, thaw
 *	card.c		a card: its two memories
 *	registers.c	its hardware
 *	body.c		its driver
 *	board.c		what users are told of its state
 *	fact.c		what should not have happened
 *
 * Lock order: reset of a card > lock of a slot > the board's; those of the guard lie
 * between the first two.
 */

#include <linux/mm_types.h>
#include <linux/spinlock.h>
#include "guard.h"

struct seq_file;

/**
 * struct torture_grave - first member of what may be used after it was freed, if somebody errs
 * @node: among all that are kept
 */
struct torture_grave {
	struct list_head node;
};

#define TORTURE_ALIVE	0x6576696c61ULL
#define TORTURE_DEAD	0x64616564ULL

/**
 * struct torture_memory - what the driver frees in ->gone
 * @grave: for then
 * @canary: TORTURE_ALIVE, or TORTURE_DEAD
 * @generation: the card's
 */
struct torture_memory {
	struct torture_grave grave;
	u64 canary;
	u64 generation;
};

/**
 * struct torture_slot - a place for a card
 * @number: of it
 * @lock: protects @card, @owner, and what is in @registers when a card comes and goes
 * @card: that is plugged in, with a reference; or NULL
 * @plugging: one at a time
 * @owner: whose the registers are: from before its node is there until after it was shut
 * @registers: TORTURE_PAGES pages
 * @hold: who stays inside on purpose
 * @let_go: how often they were told to leave
 */
struct torture_slot {
	unsigned int number;
	spinlock_t lock;
	struct torture_card *card;
	struct mutex plugging;
	const struct torture_card *owner;
	u64 *registers;
	wait_queue_head_t hold;
	unsigned int let_go;
};

extern struct torture_slot torture_slots[TORTURE_SLOTS];
extern unsigned int torture_slots_used;

/* control.c */
int torture_control_init(void);
void torture_control_exit(void);

/* slot.c */
int torture_slots_init(void);
void torture_slots_exit(void);
int torture_plug(unsigned int number);
int torture_pull(u32 slots, enum torture_how how);
int torture_freeze(unsigned int number);
int torture_thaw(unsigned int number, bool end);
int torture_let_go(unsigned int number);

/* registers.c */
int torture_registers_init(struct torture_slot *slot);
void torture_registers_exit(struct torture_slot *slot);
void torture_registers_give(const struct torture_card *card);
void torture_registers_take(const struct torture_card *card);
void torture_registers_ice(const struct torture_card *card);
void torture_registers_melt(const struct torture_card *card);
u64 torture_registers_look(const struct torture_card *card, const char *where);
void torture_registers_write(const struct torture_card *card, u32 random);

/* board.c */
int torture_board_init(void);
void torture_board_exit(void);
int torture_board_mmap(struct vm_area_struct *vma);
void torture_board_enter(struct torture_card *card);
bool torture_board_move(struct torture_card *card, enum torture_state from,
			enum torture_state to, unsigned int turns);
void torture_board_end(struct torture_card *card, u32 ending, u32 ended);
void torture_board_fact(void);

/* fact.c */
void torture_bury(struct torture_grave *grave);
void torture_graves_empty(void);
void torture_facts_show(struct seq_file *file);
bool torture_facts_any(void);

#endif /* _UNPLUG_TORTURE_H */
