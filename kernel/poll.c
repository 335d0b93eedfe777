// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleepers in poll, select, epoll, of AIO and of io_uring.
 *
 * They stay queued after ->poll returned, and take themselves off the wait queues they
 * were given whenever they like: long after the driver, which has freed the heads. So they are
 * given none of the driver's. Each open file has a queue of the core's; on the driver's
 * heads stand relays, which pass a wake-up on to it, and which the core takes away
 * before the driver releases the file.
 *
 *	driver's head --- relay ---+
 *	driver's head --- relay ---+--- the file's queue --- epoll, select, …
 *	dev->wait ------- relay ---+
 *
 * A relay stays where it is from the first poll to the file's release. There is one
 * queue for the caller, whatever the driver has: AIO can wait on one only, and io_uring of newer
 * kernels fails who is woken for nothing from two.
 */

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "internal.h"

/**
 * struct unplug_relay - from a head to the file's queue
 * @node: in the list of struct unplug_poll
 * @entry: in the head's queue
 * @head: where; NULL: nowhere; also once the driver has freed it by wake_up_pollfree()
 * @poll: the file's
 */
struct unplug_relay {
	struct list_head node;
	struct wait_queue_entry entry;
	struct wait_queue_head *head;
	struct unplug_poll *poll;
};

/**
 * struct unplug_poll - the queue of an open file; made by its first poll
 * @wait: sleepers
 * @lock: protects @relays
 * @relays: from the driver's heads
 * @device: from the device's
 * @first: the usual one, in @relays without a head at first, to allocate less
 */
struct unplug_poll {
	wait_queue_head_t wait;
	spinlock_t lock;
	struct list_head relays;
	struct unplug_relay device;
	struct unplug_relay first;
};

/*
 * All of them are woken, exclusive ones too: how many the driver meant is not said
 * here, and to be told of the end is for everybody.
 */
static int relay_wake(struct wait_queue_entry *entry, unsigned int mode,
		      int flags, void *key)
{
	struct unplug_relay *relay = container_of(entry, struct unplug_relay,
						  entry);
	__poll_t events = key_to_poll(key);

	__wake_up(&relay->poll->wait, mode, 0, poll_to_key(events & ~POLLFREE));
	if (unlikely(events & POLLFREE)) {
		/*
		 * The head is freed a grace period after this, without our help; the
		 * relay at once, by relay_remove().
		 */
		list_del_init(&entry->entry);
		smp_store_release(&relay->head, NULL);	/* relay_remove() */
	}
	return 0;
}

static void relay_add(struct unplug_relay *relay, struct unplug_poll *poll,
		      struct wait_queue_head *head)
{
	init_waitqueue_func_entry(&relay->entry, relay_wake);
	relay->poll = poll;
	relay->head = head;
	add_wait_queue(head, &relay->entry);
}

static void relay_remove(struct unplug_relay *relay)
{
	struct wait_queue_head *head;

	/* One that is freed meanwhile stays for a grace period. */
	rcu_read_lock();
	head = smp_load_acquire(&relay->head);	/* relay_wake() */
	if (head)
		remove_wait_queue(head, &relay->entry);
	rcu_read_unlock();
}

/* Is there a relay from @head, or one whose head was freed and that may serve now? */
static bool poll_has_relay(struct unplug_poll *poll, struct wait_queue_head *head)
{
	struct unplug_relay *relay, *idle = NULL;
	struct wait_queue_head *other;

	list_for_each_entry(relay, &poll->relays, node) {
		other = smp_load_acquire(&relay->head);	/* relay_wake() */
		if (other == head)
			return true;
		if (!other)
			idle = relay;
	}
	if (idle)
		relay_add(idle, poll, head);
	return idle;
}

/* Not to fail: epoll, which asks once in a file's life, would never be told anything. */
static struct unplug_relay *relay_new(void)
{
	return kmalloc(sizeof(struct unplug_relay),
		       GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
}

static void poll_relay(struct unplug_poll *poll, struct wait_queue_head *head)
{
	struct unplug_relay *fresh;
	bool known;

	spin_lock(&poll->lock);
	known = poll_has_relay(poll, head);
	spin_unlock(&poll->lock);
	if (known)
		return;

	fresh = relay_new();
	spin_lock(&poll->lock);
	known = poll_has_relay(poll, head);
	if (!known) {
		relay_add(fresh, poll, head);
		list_add_tail(&fresh->node, &poll->relays);
	}
	spin_unlock(&poll->lock);
	if (known)
		kfree(fresh);
}

/* What the driver's poll_wait() comes to. */
static void poll_queue(struct file *file, struct wait_queue_head *head,
		       struct poll_table_struct *table)
{
	struct unplug_poll_table *ours =
		container_of(table, struct unplug_poll_table, table);

	poll_relay(ours->poll, head);
}

static struct unplug_poll *poll_new(struct unplug_dev *dev)
{
	struct unplug_poll *poll = kzalloc(sizeof(*poll), GFP_KERNEL_ACCOUNT |
							  __GFP_NOFAIL);

	init_waitqueue_head(&poll->wait);
	spin_lock_init(&poll->lock);
	INIT_LIST_HEAD(&poll->relays);
	list_add(&poll->first.node, &poll->relays);
	relay_add(&poll->device, poll, &dev->wait);
	return poll;
}

/* Another of the file's users may have made it meanwhile. */
static struct unplug_poll *poll_make(struct unplug_dev *dev, struct unplug_poll **slot)
{
	struct unplug_poll *poll = poll_new(dev);
	struct unplug_poll *other = cmpxchg(slot, NULL, poll);

	if (!other)
		return poll;
	unplug_poll_free(poll);
	return other;
}

/**
 * unplug_poll_queue() - queue who polls a file
 * @dev: the device, entered or not
 * @file: an open file of it
 * @caller: where the caller wants to be queued, if at all
 * @ours: to be used for the driver's ->poll
 *
 * Context: Process. May sleep.
 * Return: what ->poll is to be given, @caller or a part of @ours.
 */
struct poll_table_struct *unplug_poll_queue(struct unplug_dev *dev,
					    struct file *file,
					    struct poll_table_struct *caller,
					    struct unplug_poll_table *ours)
{
	struct unplug_poll **slot;
	struct unplug_poll *poll;

	if (!caller)
		return caller;
	slot = unplug_file_poll(dev, file);
	poll = smp_load_acquire(slot);		/* poll_make() */
	/*
	 * Who has queued already asks without wanting to be queued again. But the driver may
	 * not have been asked yet, if the device was frozen: its heads are to be known.
	 */
	if (!poll && !caller->_qproc)
		return caller;
	ours->poll = poll ?: poll_make(dev, slot);
	poll_wait(file, &ours->poll->wait, caller);
	ours->table._qproc = poll_queue;
	ours->table._key = caller->_key;
	return &ours->table;
}

/**
 * unplug_poll_release() - leave the driver's heads alone
 * @poll: of a file that is about to be released; nobody is in ->poll. NULL: never polled
 *
 * Context: Process.
 */
void unplug_poll_release(struct unplug_poll *poll)
{
	struct unplug_relay *relay, *next;

	if (!poll)
		return;
	list_for_each_entry_safe(relay, next, &poll->relays, node) {
		list_del(&relay->node);
		relay_remove(relay);
		if (relay != &poll->first)
			kfree(relay);
	}
}

/**
 * unplug_poll_free() - the file has no user any more
 * @poll: its queue, released; or NULL
 *
 * Context: Process.
 */
void unplug_poll_free(struct unplug_poll *poll)
{
	if (!poll)
		return;
	relay_remove(&poll->device);
	kfree(poll);
}
