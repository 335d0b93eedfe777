// SPDX-License-Identifier: GPL-2.0-only
/* A card: its two memories, and the end of both; see guard.h */

#include <linux/slab.h>
#include "torture.h"

static atomic64_t generations;

/**
 * torture_card_init() - set a card up, hardware included
 * @card: zeroed
 * @slot: which has no card
 *
 * Undone by torture_card_discard() if its node cannot be made, else by torture_card_gone().
 *
 * Context: Process. May sleep.
 * Return: 0; -ENOMEM.
 */
int torture_card_init(struct torture_card *card, struct torture_slot *slot)
{
	card->memory = kzalloc(sizeof(*card->memory), GFP_KERNEL);
	if (!card->memory)
		return -ENOMEM;
	card->slot = slot;
	card->generation = atomic64_inc_return(&generations);
	card->memory->canary = TORTURE_ALIVE;
	card->memory->generation = card->generation;
	kref_init(&card->users);
	init_waitqueue_head(&card->wait);
	mutex_init(&card->reset);
	torture_registers_give(card);
	torture_board_enter(card);
	return 0;
}

static void free_memory(struct torture_card *card)
{
	WRITE_ONCE(card->memory->canary, TORTURE_DEAD);
	torture_bury(&card->memory->grave);
}

/**
 * torture_card_discard() - undo torture_card_init() of a card that nobody has seen
 * @card: the card
 *
 * Context: Process. May sleep.
 */
void torture_card_discard(struct torture_card *card)
{
	torture_note(card, TORTURE_GONE);
	torture_registers_take(card);
	free_memory(card);
}

/**
 * torture_card_gone() - the driver's ->gone: nobody is inside, all files are released
 * @card: the card
 *
 * Context: Process. May sleep.
 */
void torture_card_gone(struct torture_card *card)
{
	int times = atomic_inc_return(&card->gone);
	int inside = atomic_read(&card->inside);
	int files = atomic_read(&card->files);

	if (times > 1) {
		torture_fact(card, TORTURE_FACT_GONE_TWICE, "gone", times);
		return;
	}
	if (inside)
		torture_fact(card, TORTURE_FACT_GONE_INSIDE, "gone", inside);
	if (files)
		torture_fact(card, TORTURE_FACT_GONE_OPEN, "gone", files);
	/* Without a lock: those who have left the queue did so before gone. */
	if (torture_guard->leaves_queues && waitqueue_active(&card->wait))
		torture_fact(card, TORTURE_FACT_GONE_QUEUED, "gone", 0);
	free_memory(card);
	torture_note(card, TORTURE_GONE);
}
