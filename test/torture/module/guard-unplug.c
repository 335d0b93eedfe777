// SPDX-License-Identifier: GPL-2.0-only
/* Cards behind the core; see guard.h */

#include <linux/err.h>
#include <linux/module.h>
#include <linux/workqueue.h>
#include <unplug/callback.h>
#include <unplug/device.h>
#include <unplug/wait.h>
#include "guard.h"

#define TICK_MS 5

struct unplug_card {
	struct unplug_dev dev;
	struct torture_card card;
	struct unplug_delayed_work tick;
};

static struct unplug_card *to_unplug(const struct torture_card *card)
{
	return container_of(card, struct unplug_card, card);
}

static struct unplug_dev *dev_of(const struct torture_card *card)
{
	return &to_unplug(card)->dev;
}

static void unplug_start(struct torture_card *card)
{
	unplug_delayed_work_queue(system_unbound_wq, &to_unplug(card)->tick,
				  msecs_to_jiffies(TICK_MS));
}

static void unplug_tick(struct unplug_delayed_work *tick)
{
	struct torture_card *card = &container_of(tick, struct unplug_card, tick)->card;

	torture_card_tick(card);
	unplug_start(card);
}

static void unplug_gone(struct unplug_dev *dev)
{
	torture_card_gone(&container_of(dev, struct unplug_card, dev)->card);
}

static struct unplug_driver unplug_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-torture",
	.fops = &torture_fops,
	.mode = 0666,
	.gone = unplug_gone,
};

static int unplug_init(void)
{
	unplug_driver.frozen_waits = torture_waits;
	return 0;
}

static struct torture_card *unplug_make(struct torture_slot *slot,
					const char *name)
{
	struct unplug_card *made;
	int err;

	made = unplug_dev_alloc(&unplug_driver, NULL, struct unplug_card, dev);
	if (IS_ERR(made))
		return ERR_CAST(made);
	if (torture_dummy)
		unplug_dev_set_policy(&made->dev, UNPLUG_POLICY_DUMMY);
	unplug_delayed_work_init(&made->dev, &made->tick, unplug_tick);
	err = torture_card_init(&made->card, slot);
	if (err)
		goto put;
	err = unplug_dev_register(&made->dev, "%s", name);
	if (err)
		goto discard;
	return &made->card;

discard:
	torture_card_discard(&made->card);
put:
	unplug_dev_put(&made->dev);
	return ERR_PTR(err);
}

static int unplug_unplug(struct torture_card *card)
{
	return unplug_dev_unplug(dev_of(card));
}

static int unplug_many(struct torture_card *const cards[], unsigned int n)
{
	struct unplug_dev *devs[TORTURE_SLOTS];
	unsigned int i;

	for (i = 0; i < n; i++)
		devs[i] = dev_of(cards[i]);
	return unplug_dev_unplug_many(devs, n);
}

static void unplug_async(struct torture_card *card)
{
	unplug_dev_unplug_async(dev_of(card));
}

static bool unplug_shut(const struct torture_card *card)
{
	return atomic_read_acquire(&dev_of(card)->state) >= UNPLUG_DEV_SHUT;
}

static int unplug_wait_gone(struct torture_card *card)
{
	return unplug_dev_wait_gone(dev_of(card));
}

static int unplug_freeze(struct torture_card *card)
{
	return unplug_dev_freeze(dev_of(card));
}

static int unplug_thaw(struct torture_card *card, bool end)
{
	return unplug_dev_thaw(dev_of(card),
			       end ? UNPLUG_THAW_END : UNPLUG_THAW_KEEP);
}

/* The core's own word for it is held against what is seen to run. */
static bool unplug_drained(const struct torture_card *card)
{
	return atomic_read(&dev_of(card)->state) >= UNPLUG_DEV_DRAINED;
}

static void unplug_put(struct torture_card *card)
{
	unplug_dev_put(dev_of(card));
}

static struct torture_card *unplug_card_of(const struct file *file)
{
	return &container_of(unplug_dev_from_file(file), struct unplug_card,
			     dev)->card;
}

static bool unplug_hw_enter(struct torture_card *card)
{
	return unplug_dev_hw_enter(dev_of(card));
}

static void unplug_hw_exit(struct torture_card *card)
{
	unplug_dev_hw_exit(dev_of(card));
}

static int unplug_sleep(struct torture_card *card,
			bool (*done)(struct torture_card *card))
{
	return unplug_wait_event_interruptible(dev_of(card), card->wait,
					       done(card));
}

static int unplug_error(struct torture_card *card)
{
	return unplug_dev_error(dev_of(card));
}

const struct torture_guard torture_guard_unplug = {
	.name = "unplug",
	.init = unplug_init,
	.make = unplug_make,
	.unplug = unplug_unplug,
	.unplug_many = unplug_many,
	.unplug_async = unplug_async,
	.shut = unplug_shut,
	.wait_gone = unplug_wait_gone,
	.freeze = unplug_freeze,
	.thaw = unplug_thaw,
	.leaves_queues = true,
	.drained = unplug_drained,
	.put = unplug_put,
	.card_of = unplug_card_of,
	.hw_enter = unplug_hw_enter,
	.hw_exit = unplug_hw_exit,
	.map_enter = unplug_hw_enter,
	.map_exit = unplug_hw_exit,
	.sleep = unplug_sleep,
	.error = unplug_error,
	.start = unplug_start,
};
