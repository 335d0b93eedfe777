// SPDX-License-Identifier: GPL-2.0-only
/*
 * The board: what the user half can see of all cards; see torture-uapi.h
 *
 * Readers (board_look() of ../board.c) take no lock: they load the moment, and then whether
 * the entry is still that of their card.
 *
 * A	The old card's generation goes before the new one's moment comes: who has loaded that
 *	does not take it for the old one's.
 * B	The entry is written before anybody knows the generation, from it or from its slot.
 * C	What has led to a moment was done before it can be seen: who sees SHUT comes after
 *	unplug has returned.
 */

#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include "torture.h"

/* Writers; readers take none. */
static DEFINE_SPINLOCK(board_lock);
static struct torture_board *board;

int torture_board_init(void)
{
	board = vmalloc_user(PAGE_ALIGN(sizeof(*board)));
	return board ? 0 : -ENOMEM;
}

void torture_board_exit(void)
{
	vfree(board);
}

int torture_board_mmap(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_WRITE)
		return -EINVAL;
	return remap_vmalloc_range(vma, board, vma->vm_pgoff);
}

static struct torture_entry *entry_of(const struct torture_card *card)
{
	return &board->entry[card->generation % TORTURE_ENTRIES];
}

/* A card of long ago: its place is another's, and it was shut. */
static bool is_forgotten(const struct torture_card *card)
{
	return READ_ONCE(entry_of(card)->generation) != card->generation;
}

/**
 * torture_board_enter() - a new card
 * @card: the card
 *
 * Context: Any.
 */
void torture_board_enter(struct torture_card *card)
{
	struct torture_entry *entry = entry_of(card);

	spin_lock(&board_lock);
	WRITE_ONCE(entry->generation, 0);
	/* A */
	smp_wmb();
	WRITE_ONCE(entry->moment, TORTURE_PLUGGING);
	WRITE_ONCE(entry->ending, 0);
	WRITE_ONCE(entry->ended, 0);
	/* B */
	smp_store_release(&entry->generation, card->generation);
	/* B */
	smp_store_release(&board->slot[card->slot->number], card->generation);
	WRITE_ONCE(board->plugged, board->plugged + 1);
	spin_unlock(&board_lock);
}

/**
 * torture_moment() - what is known of a card just now
 * @card: the card
 *
 * Context: Any.
 * Return: turn and state; see struct torture_entry.
 */
u64 torture_moment(const struct torture_card *card)
{
	if (is_forgotten(card))
		return TORTURE_SHUT;
	/* C */
	return smp_load_acquire(&entry_of(card)->moment);
}

/**
 * torture_board_move() - from one state to another
 * @card: the card
 * @from: it has to be in
 * @to: the other
 * @turns: that this begins
 *
 * Context: Process.
 * Return: false if it was in another.
 */
bool torture_board_move(struct torture_card *card, enum torture_state from,
			enum torture_state to, unsigned int turns)
{
	struct torture_entry *entry = entry_of(card);
	bool moved = false;
	u32 turn;

	spin_lock(&board_lock);
	if (!is_forgotten(card) && torture_moment_state(entry->moment) == from) {
		turn = torture_moment_turn(entry->moment) + turns;
		/* C */
		smp_store_release(&entry->moment, (u64)turn << 8 | to);
		moved = true;
	}
	spin_unlock(&board_lock);
	return moved;
}

/**
 * torture_note() - a card has come to a state, unless it is further
 * @card: the card
 * @state: from PULLING on, none goes back
 *
 * Context: Process.
 */
void torture_note(struct torture_card *card, enum torture_state state)
{
	struct torture_entry *entry = entry_of(card);

	spin_lock(&board_lock);
	if (!is_forgotten(card) && torture_moment_state(entry->moment) < state) {
		/* C */
		smp_store_release(&entry->moment,
				  (entry->moment & ~0xffULL) | state);
	}
	if (state == TORTURE_GONE)
		WRITE_ONCE(board->gone, board->gone + 1);
	spin_unlock(&board_lock);
}

/**
 * torture_board_end() - files of earlier turns are ended by a thaw
 * @card: the card
 * @ending: of which turns they may be
 * @ended: of which turns they are
 *
 * Context: Process.
 */
void torture_board_end(struct torture_card *card, u32 ending, u32 ended)
{
	struct torture_entry *entry = entry_of(card);

	spin_lock(&board_lock);
	if (!is_forgotten(card)) {
		WRITE_ONCE(entry->ending, max(entry->ending, ending));
		WRITE_ONCE(entry->ended, max(entry->ended, ended));
	}
	spin_unlock(&board_lock);
}

/* Facts are found in any context: not under the lock. */
void torture_board_fact(void)
{
	WRITE_ONCE(board->facts, READ_ONCE(board->facts) + 1);
}
