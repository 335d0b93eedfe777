// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hardware: pages of a slot, whose first words say whose they are, and whose other words
 * get the generation of those who write there. See torture-uapi.h.
 *
 *	give	a card is plugged in
 *	ice	it is frozen: nobody is to touch it
 *	melt	it is about to be thawed
 *	take	it was shut, and the bus has the slot back
 *
 * What was written where nobody should have is found at the next of these steps, and wiped.
 */

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "torture.h"

static unsigned int order(void)
{
	return get_order(TORTURE_PAGES * TORTURE_PAGE);
}

int torture_registers_init(struct torture_slot *slot)
{
	unsigned int page;

	BUILD_BUG_ON(TORTURE_PAGE != PAGE_SIZE);
	slot->registers = (u64 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, order());
	if (!slot->registers)
		return -ENOMEM;
	for (page = 0; page < TORTURE_PAGES; page++)
		slot->registers[page * TORTURE_WORDS] = TORTURE_AWAY;
	return 0;
}

/* If somebody was found where he should not be, he may still write there: it is not given back. */
void torture_registers_exit(struct torture_slot *slot)
{
	if (!torture_facts_any())
		free_pages((unsigned long)slot->registers, order());
}

/* Whose are they now? */
static void label(struct torture_slot *slot, u64 whose)
{
	unsigned int page;

	for (page = 0; page < TORTURE_PAGES; page++)
		WRITE_ONCE(slot->registers[page * TORTURE_WORDS], whose);
}

/* Wipe what was written. It should be @mine; what is not is @other, or @op if by ->write. */
static void wipe(const struct torture_card *card, u64 mine,
		 enum torture_fact other, enum torture_fact op, const char *where)
{
	u64 *words = card->slot->registers, word;
	unsigned int i, at;

	for (i = 0; i < TORTURE_PAGES * TORTURE_WORDS; i++) {
		at = i % TORTURE_WORDS;
		word = READ_ONCE(words[i]);
		if (!at || !word)
			continue;
		if (word != mine)
			torture_fact(card, at < TORTURE_WORD_OP ? other : op,
				     where, word);
		WRITE_ONCE(words[i], 0);
	}
}

void torture_registers_give(const struct torture_card *card)
{
	struct torture_slot *slot = card->slot;

	spin_lock(&slot->lock);
	wipe(card, 0, TORTURE_FACT_STORE_AWAY, TORTURE_FACT_STORE_OP_AWAY, "plug");
	slot->owner = card;
	label(slot, card->generation);
	spin_unlock(&slot->lock);
}

void torture_registers_take(const struct torture_card *card)
{
	struct torture_slot *slot = card->slot;
	bool ice;

	spin_lock(&slot->lock);
	if (slot->owner == card) {
		ice = READ_ONCE(slot->registers[0]) == TORTURE_ICE;
		wipe(card, ice ? 0 : card->generation,
		     ice ? TORTURE_FACT_STORE_FROZEN : TORTURE_FACT_STORE_OTHER,
		     ice ? TORTURE_FACT_STORE_FROZEN : TORTURE_FACT_STORE_OTHER, "pull");
		slot->owner = NULL;
		label(slot, TORTURE_AWAY);
	}
	spin_unlock(&slot->lock);
}

/* The card may have been pulled meanwhile, and another one plugged in. */
void torture_registers_ice(const struct torture_card *card)
{
	struct torture_slot *slot = card->slot;

	spin_lock(&slot->lock);
	if (slot->owner == card) {
		wipe(card, card->generation, TORTURE_FACT_STORE_OTHER,
		     TORTURE_FACT_STORE_OTHER, "freeze");
		label(slot, TORTURE_ICE);
	}
	spin_unlock(&slot->lock);
}

void torture_registers_melt(const struct torture_card *card)
{
	struct torture_slot *slot = card->slot;

	spin_lock(&slot->lock);
	if (slot->owner == card) {
		wipe(card, 0, TORTURE_FACT_STORE_FROZEN,
		     TORTURE_FACT_STORE_FROZEN, "thaw");
		label(slot, card->generation);
	}
	spin_unlock(&slot->lock);
}

/**
 * torture_registers_look() - whose hardware is it?
 * @card: whose it should be; in a hardware section of it
 * @where: name of the operation
 *
 * Context: Any.
 * Return: whose it is.
 */
u64 torture_registers_look(const struct torture_card *card, const char *where)
{
	u64 whose = READ_ONCE(card->slot->registers[0]);

	if (whose == TORTURE_AWAY)
		torture_fact(card, TORTURE_FACT_HW_AWAY, where, whose);
	else if (whose == TORTURE_ICE)
		torture_fact(card, TORTURE_FACT_HW_FROZEN, where, whose);
	else if (whose != card->generation)
		torture_fact(card, TORTURE_FACT_HW_OTHER, where, whose);
	return whose;
}

/* Anywhere where operations may write */
void torture_registers_write(const struct torture_card *card, u32 random)
{
	unsigned int page = random % TORTURE_PAGES;
	unsigned int word = TORTURE_WORD_OP +
			    random / TORTURE_PAGES % (TORTURE_WORDS - TORTURE_WORD_OP);

	WRITE_ONCE(card->slot->registers[page * TORTURE_WORDS + word],
		   card->generation);
}
