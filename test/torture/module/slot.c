// SPDX-License-Identifier: GPL-2.0-only
/* Plug, pull, freeze, thaw. Each step is noted on the board before it is taken, or after. */

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/sched/signal.h>
#include "torture.h"

struct torture_slot torture_slots[TORTURE_SLOTS];
unsigned int torture_slots_used = 4;	/* a parameter */

static void card_release(struct kref *users)
{
	torture_guard->put(container_of(users, struct torture_card, users));
}

static void card_put(struct torture_card *card)
{
	kref_put(&card->users, card_release);
}

/* The card that is in a slot, with a reference of the caller's; or NULL */
static struct torture_card *card_get(unsigned int number)
{
	struct torture_slot *slot = &torture_slots[number];
	struct torture_card *card;

	spin_lock(&slot->lock);
	card = slot->card;
	if (card)
		kref_get(&card->users);
	spin_unlock(&slot->lock);
	return card;
}

/**
 * torture_plug() - plug a card into an empty slot
 * @number: of the slot
 *
 * Context: Process. May sleep.
 * Return: 0; -EEXIST: there is one; what the guard's make() says.
 */
int torture_plug(unsigned int number)
{
	struct torture_slot *slot = &torture_slots[number];
	struct torture_card *card;
	char name[16];
	int err = -EEXIST;

	snprintf(name, sizeof(name), "torture%u", number);
	mutex_lock(&slot->plugging);
	if (READ_ONCE(slot->card))
		goto unlock;
	card = torture_guard->make(slot, name);
	err = PTR_ERR_OR_ZERO(card);
	if (err)
		goto unlock;
	torture_board_move(card, TORTURE_PLUGGING, TORTURE_LIVE, 0);
	if (torture_guard->start)
		torture_guard->start(card);
	spin_lock(&slot->lock);
	slot->card = card;
	spin_unlock(&slot->lock);
unlock:
	mutex_unlock(&slot->plugging);
	return err;
}

/* The card is shut: the bus has its slot back. Several may have pulled it at once. */
static void pulled(struct torture_card *card)
{
	struct torture_slot *slot = card->slot;
	bool first;

	torture_note(card, TORTURE_SHUT);
	torture_registers_take(card);
	spin_lock(&slot->lock);
	first = slot->card == card;
	if (first)
		slot->card = NULL;
	spin_unlock(&slot->lock);
	if (first)
		card_put(card);
}

static void pull_said(struct torture_card *card, const char *how, int err)
{
	if (err && err != -EINPROGRESS)
		torture_fact(card, TORTURE_FACT_PULL_FAILED, how, -err);
}

/* Shut when that returns, all of them, without any further call */
static void pull_many(struct torture_card *const cards[], unsigned int n)
{
	unsigned int i;

	pull_said(cards[0], "many", torture_guard->unplug_many(cards, n));
	for (i = 0; i < n; i++)
		pulled(cards[i]);
}

/* Some time later; who waits in vain is found by whoever watches the pulls. */
static void pull_async(struct torture_card *const cards[], unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		torture_guard->unplug_async(cards[i]);
	for (i = 0; i < n; i++)
		while (!torture_guard->shut(cards[i]) &&
		       !fatal_signal_pending(current))
			schedule_timeout_killable(1);
}

static void pull_cards(struct torture_card *const cards[], unsigned int n,
		       enum torture_how how)
{
	unsigned int i;

	if (!n)
		return;
	for (i = 0; i < n; i++)
		torture_note(cards[i], TORTURE_PULLING);
	if (how == TORTURE_PULL_MANY && torture_guard->unplug_many)
		pull_many(cards, n);
	if (how == TORTURE_PULL_ASYNC && torture_guard->unplug_async)
		pull_async(cards, n);
	/* After the other two it finds nothing to do. */
	for (i = 0; i < n; i++) {
		pull_said(cards[i], "each", torture_guard->unplug(cards[i]));
		pulled(cards[i]);
	}
}

/**
 * torture_pull() - pull cards
 * @slots: a bit for each; those that are empty do not count
 * @how: in which way
 *
 * Context: Process. May sleep.
 * Return: how many cards there were.
 */
int torture_pull(u32 slots, enum torture_how how)
{
	struct torture_card *cards[TORTURE_SLOTS];
	unsigned int i, n = 0;

	for (i = 0; i < torture_slots_used; i++) {
		cards[n] = slots & BIT(i) ? card_get(i) : NULL;
		n += !!cards[n];
	}
	pull_cards(cards, n, how);
	for (i = 0; i < n; i++)
		card_put(cards[i]);
	return n;
}

/* There is but one reason to: somebody pulls it, which the board has known before. */
static void refused(struct torture_card *card, enum torture_state in,
		    enum torture_fact fact, int err)
{
	if (torture_moment_state(torture_moment(card)) == in)
		torture_fact(card, fact, "reset", -err);
}

static int freeze_card(struct torture_card *card)
{
	int err;

	if (!torture_board_move(card, TORTURE_LIVE, TORTURE_FREEZING, 1))
		return -EINVAL;
	err = torture_guard->freeze(card);
	if (err && err != -EINPROGRESS) {
		refused(card, TORTURE_FREEZING, TORTURE_FACT_FREEZE_FAILED, err);
		return err;
	}
	torture_registers_ice(card);
	torture_board_move(card, TORTURE_FREEZING, TORTURE_FROZEN, 0);
	return err;
}

static int thaw_card(struct torture_card *card, bool end)
{
	u32 next = torture_moment_turn(torture_moment(card)) + 1;
	int err;

	if (!torture_board_move(card, TORTURE_FROZEN, TORTURE_THAWING, 0))
		return -EINVAL;
	if (end)
		torture_board_end(card, next, 0);
	torture_registers_melt(card);
	err = torture_guard->thaw(card, end);
	if (!err) {
		if (end)
			torture_board_end(card, next, next);
		torture_board_move(card, TORTURE_THAWING, TORTURE_LIVE, 1);
		if (torture_guard->start)
			torture_guard->start(card);
	} else if (err == -EBUSY) {
		torture_registers_ice(card);
		torture_board_move(card, TORTURE_THAWING, TORTURE_FROZEN, 0);
	} else {
		refused(card, TORTURE_THAWING, TORTURE_FACT_THAW_FAILED, err);
	}
	return err;
}

/**
 * torture_freeze() - freeze the card in a slot
 * @number: of the slot
 *
 * Context: Process. May sleep.
 * Return: 0 or -EINPROGRESS: it is frozen; -EINVAL: it was, or is being pulled; -ENODEV;
 *	   -EOPNOTSUPP: the guard cannot do that.
 */
int torture_freeze(unsigned int number)
{
	struct torture_card *card = card_get(number);
	int err = -EOPNOTSUPP;

	if (!card)
		return -ENODEV;
	if (torture_guard->freeze) {
		mutex_lock(&card->reset);
		err = freeze_card(card);
		mutex_unlock(&card->reset);
	}
	card_put(card);
	return err;
}

/**
 * torture_thaw() - thaw it
 * @number: of the slot
 * @end: its files are ended
 *
 * Context: Process. May sleep.
 * Return: 0; -EBUSY: somebody is still inside; -EINVAL: it is not frozen; -ENODEV;
 *	   -EOPNOTSUPP.
 */
int torture_thaw(unsigned int number, bool end)
{
	struct torture_card *card = card_get(number);
	int err = -EOPNOTSUPP;

	if (!card)
		return -ENODEV;
	if (torture_guard->thaw) {
		mutex_lock(&card->reset);
		err = thaw_card(card, end);
		mutex_unlock(&card->reset);
	}
	card_put(card);
	return err;
}

/**
 * torture_let_go() - end TORTURE_IOC_HOLD of all who are in it, in a slot
 * @number: of the slot
 *
 * Context: Process.
 * Return: 0.
 */
int torture_let_go(unsigned int number)
{
	struct torture_slot *slot = &torture_slots[number];

	spin_lock(&slot->lock);
	WRITE_ONCE(slot->let_go, slot->let_go + 1);
	spin_unlock(&slot->lock);
	wake_up_all(&slot->hold);
	return 0;
}

int torture_slots_init(void)
{
	struct torture_slot *slot;
	unsigned int i;

	for (i = 0; i < torture_slots_used; i++) {
		slot = &torture_slots[i];
		slot->number = i;
		spin_lock_init(&slot->lock);
		mutex_init(&slot->plugging);
		init_waitqueue_head(&slot->hold);
		if (!torture_registers_init(slot))
			continue;
		while (i--)
			torture_registers_exit(&torture_slots[i]);
		return -ENOMEM;
	}
	return 0;
}

/* Nobody plugs any more. */
void torture_slots_exit(void)
{
	struct torture_card *card;
	unsigned int i;

	for (i = 0; i < torture_slots_used; i++) {
		card = card_get(i);
		if (!card)
			continue;
		pull_cards(&card, 1, TORTURE_PULL_EACH);
		torture_guard->wait_gone(card);
		card_put(card);
	}
	for (i = 0; i < torture_slots_used; i++)
		torture_registers_exit(&torture_slots[i]);
}
