// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cards behind plain algorithms: their life, and how it ends; see guard-busted.h.
 *
 *	shut	nobody enters; sleepers and pollers are woken; hardware sections have ended;
 *		mappings are zapped; the node has gone
 *	gone	by a worker: nobody is inside; mappings are zapped once more, files released,
 *		the driver told
 */

#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "guard-busted.h"

/* How long unplug waits for gone, and thaw for insiders */
#define DRAIN (HZ / 10)

static char *mistake = "none";
module_param_named(busted, mistake, charp, 0444);
MODULE_PARM_DESC(busted, "guard=busted: the mistake in it (default none)");

enum busted_mistake busted_mistake;
bool busted_given_up;

static struct workqueue_struct *wq;
static DEFINE_SPINLOCK(all_lock);
static LIST_HEAD(all);			/* and their number: under all_lock */
static unsigned int alive;

static const char *const mistakes[] = {
#define MISTAKE_NAME(id, name) [BUSTED_##id] = name,
	BUSTED_MISTAKES(MISTAKE_NAME)
#undef MISTAKE_NAME
};

static void dev_free(struct busted_dev *dev)
{
	busted_number_free(dev);
	busted_gates_free(dev);
	if (dev->inode)
		iput(dev->inode);
	spin_lock(&all_lock);
	list_del(&dev->all);
	alive--;
	spin_unlock(&all_lock);
	kfree(dev);
}

static void dev_release(struct kref *ref)
{
	dev_free(container_of(ref, struct busted_dev, ref));
}

void busted_put(struct busted_dev *dev)
{
	kref_put(&dev->ref, dev_release);
}

/* When @state has changed: who begins to sleep afterwards looks at it first. */
static void wake_sleepers(struct busted_dev *dev)
{
	wake_up_all(&dev->sleepers);
}

/* When the gate has: who begins to poll afterwards is refused, or let in. */
static void wake_pollers(struct busted_dev *dev)
{
	if (!busted(BUSTED_NO_WAKE) || READ_ONCE(busted_given_up))
		wake_up_all(&dev->card.wait);
}

/* What unplug and freeze have in common */
static void close_gates(struct busted_dev *dev)
{
	wake_sleepers(dev);
	busted_gates_shut(dev);
	wake_pollers(dev);
	if (busted(BUSTED_ZAP_FIRST))
		busted_zap(dev);
	busted_wait_hw(dev);
	if (!busted(BUSTED_ZAP_FIRST))
		busted_zap(dev);
}

static void gone_work(struct work_struct *work)
{
	struct busted_dev *dev = container_of(work, struct busted_dev, gone_work);

	if (!busted(BUSTED_EARLY_FREE))
		busted_wait_drained(dev);
	WRITE_ONCE(dev->drained, true);
	if (!busted(BUSTED_ZAP_FIRST) && !busted(BUSTED_ONE_ZAP))
		busted_zap(dev);
	if (busted(BUSTED_GONE_FIRST))
		torture_card_gone(&dev->card);
	if (!busted(BUSTED_EARLY_FREE))
		busted_release_all(dev);
	if (!busted(BUSTED_GONE_FIRST))
		torture_card_gone(&dev->card);
	busted_gates_free(dev);
	complete_all(&dev->gone);
	if (!busted(BUSTED_LEAK))
		busted_put(dev);
}

/* Under dev->reset */
static void shut(struct busted_dev *dev)
{
	bool frozen = dev->state == BUSTED_STATE_FROZEN;

	WRITE_ONCE(dev->state, BUSTED_STATE_DYING);
	if (frozen)
		wake_pollers(dev);
	else
		close_gates(dev);
	busted_node_hide(dev);
	kref_get(&dev->ref);
	queue_work(wq, &dev->gone_work);
}

static int guard_unplug(struct torture_card *card)
{
	struct busted_dev *dev = to_busted(card);

	mutex_lock(&dev->reset);
	if (dev->state != BUSTED_STATE_DYING)
		shut(dev);
	mutex_unlock(&dev->reset);
	return wait_for_completion_timeout(&dev->gone, DRAIN) ? 0 : -EINPROGRESS;
}

static int guard_wait_gone(struct torture_card *card)
{
	wait_for_completion(&to_busted(card)->gone);
	return 0;
}

static bool guard_drained(const struct torture_card *card)
{
	return READ_ONCE(container_of(card, struct busted_dev, card)->drained);
}

static int guard_freeze(struct torture_card *card)
{
	struct busted_dev *dev = to_busted(card);
	int err = -ENODEV;

	mutex_lock(&dev->reset);
	if (dev->state == BUSTED_STATE_LIVE) {
		WRITE_ONCE(dev->state, BUSTED_STATE_FROZEN);
		close_gates(dev);
		err = 0;
	}
	mutex_unlock(&dev->reset);
	return err;
}

/* Under dev->reset */
static int thaw(struct busted_dev *dev, bool end)
{
	if (dev->state != BUSTED_STATE_FROZEN)
		return dev->state == BUSTED_STATE_DYING ? -ENODEV : -EINVAL;
	if (!busted(BUSTED_OLD_STATE) && !busted_wait_idle(dev, DRAIN))
		return -EBUSY;
	if (end) {
		WRITE_ONCE(dev->ended, true);
		busted_release_all(dev);
	}
	busted_zap(dev);
	WRITE_ONCE(dev->state, BUSTED_STATE_LIVE);
	busted_gates_open(dev);
	wake_pollers(dev);
	return 0;
}

static int guard_thaw(struct torture_card *card, bool end)
{
	struct busted_dev *dev = to_busted(card);
	int err;

	mutex_lock(&dev->reset);
	err = thaw(dev, end);
	mutex_unlock(&dev->reset);
	return err;
}

static struct busted_dev *dev_new(void)
{
	struct busted_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (!dev)
		return NULL;
	kref_init(&dev->ref);
	dev->number = -1;
	init_waitqueue_head(&dev->sleepers);
	spin_lock_init(&dev->files_lock);
	INIT_LIST_HEAD(&dev->files);
	init_waitqueue_head(&dev->files_wait);
	mutex_init(&dev->reset);
	INIT_WORK(&dev->gone_work, gone_work);
	init_completion(&dev->gone);
	spin_lock(&all_lock);
	list_add(&dev->all, &all);
	alive++;
	spin_unlock(&all_lock);
	return dev;
}

static struct torture_card *guard_make(struct torture_slot *slot, const char *name)
{
	struct busted_dev *dev = dev_new();
	int err = -ENOMEM;

	if (!dev)
		return ERR_PTR(err);
	err = busted_gates_new(dev) ?: busted_map_init(dev) ?:
	      torture_card_init(&dev->card, slot);
	if (err)
		goto put;
	busted_gates_open(dev);
	err = busted_node_make(dev, name);
	if (!err)
		return &dev->card;
	torture_card_discard(&dev->card);
put:
	busted_put(dev);
	return ERR_PTR(err);
}

static void guard_put(struct torture_card *card)
{
	busted_put(to_busted(card));
}

static struct torture_card *guard_card_of(const struct file *file)
{
	return &busted_of(file)->card;
}

static bool guard_hw_enter(struct torture_card *card)
{
	return busted_hw_enter(to_busted(card));
}

static void guard_hw_exit(struct torture_card *card)
{
	busted_hw_exit(to_busted(card));
}

static int state_error(struct busted_dev *dev)
{
	switch (READ_ONCE(dev->state)) {
	case BUSTED_STATE_LIVE:
		return 0;
	case BUSTED_STATE_FROZEN:
		return -EAGAIN;
	default:
		return -ENODEV;
	}
}

/* It was refused the hardware; by now the card may have been thawed. */
static int guard_error(struct torture_card *card)
{
	return state_error(to_busted(card)) ?: -EAGAIN;
}

/* Queued on both, then it looks; autoremove: who is woken looks again. */
static int guard_sleep(struct torture_card *card,
		       bool (*done)(struct torture_card *card))
{
	struct busted_dev *dev = to_busted(card);
	DEFINE_WAIT(by_card);
	DEFINE_WAIT(by_guard);
	int err;

	for (;;) {
		prepare_to_wait(&card->wait, &by_card, TASK_INTERRUPTIBLE);
		prepare_to_wait(&dev->sleepers, &by_guard, TASK_INTERRUPTIBLE);
		err = 0;
		if (done(card))
			break;
		err = state_error(dev);
		if (err)
			break;
		err = -ERESTARTSYS;
		if (signal_pending(current))
			break;
		schedule();
	}
	finish_wait(&dev->sleepers, &by_guard);
	finish_wait(&card->wait, &by_card);
	return err;
}

static void guard_give_up(void)
{
	struct busted_dev *dev;

	WRITE_ONCE(busted_given_up, true);
	spin_lock(&all_lock);
	list_for_each_entry(dev, &all, all)
		wake_up_all(&dev->card.wait);
	spin_unlock(&all_lock);
}

static unsigned int guard_alive(void)
{
	unsigned int n;

	spin_lock(&all_lock);
	n = alive;
	spin_unlock(&all_lock);
	return n;
}

static int guard_init(void)
{
	int err;

	while (busted_mistake < BUSTED_MAX && strcmp(mistakes[busted_mistake], mistake))
		busted_mistake++;
	if (busted_mistake == BUSTED_MAX) {
		pr_err("unplug-torture: busted=%s: there is no mistake of that name\n",
		       mistake);
		return -EINVAL;
	}
	wq = alloc_workqueue("torture-busted", WQ_UNBOUND, WQ_UNBOUND_MAX_ACTIVE);
	if (!wq)
		return -ENOMEM;
	err = busted_maps_init();
	if (err)
		goto destroy;
	err = busted_numbers_init();
	if (!err)
		return 0;
	busted_maps_exit();
destroy:
	destroy_workqueue(wq);
	return err;
}

/* All cards were put, and no file is open; so what is left was leaked. */
static void guard_exit(void)
{
	struct busted_dev *dev, *next;

	destroy_workqueue(wq);
	list_for_each_entry_safe(dev, next, &all, all)
		dev_free(dev);
	busted_numbers_exit();
	busted_maps_exit();
	busted_gates_exit();
}

const struct torture_guard torture_guard_busted = {
	.name = "busted",
	.init = guard_init,
	.exit = guard_exit,
	.make = guard_make,
	.unplug = guard_unplug,
	.wait_gone = guard_wait_gone,
	.freeze = guard_freeze,
	.thaw = guard_thaw,
	.drained = guard_drained,
	.put = guard_put,
	.card_of = guard_card_of,
	.hw_enter = guard_hw_enter,
	.hw_exit = guard_hw_exit,
	.map_enter = busted_map_enter,
	.map_exit = busted_map_exit,
	.sleep = guard_sleep,
	.error = guard_error,
	.give_up = guard_give_up,
	.alive = guard_alive,
};
