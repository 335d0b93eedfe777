// SPDX-License-Identifier: GPL-2.0-only
/* Factorials: requests of open files, the queue, the work item, the watchdog */

#include <linux/fs.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "edu.h"

/* If the computation has come to its end, hand over the result. */
void edu_finish(struct edu *card)
{
	struct edu_request *request = card->running;

	lockdep_assert_held(&card->lock);
	/* Set also by all ones, which is what a card reads that was torn out. */
	if (readl(card->bar + EDU_STATUS) & EDU_STATUS_COMPUTING)
		return;
	card->running = NULL;
	if (!request)
		return;
	request->number = readl(card->bar + EDU_FACTORIAL);
	request->state = EDU_DONE;
	card->computed++;
}

/*
 * The work item: the card gets the first number of the queue, if it is free. It may be
 * busy with one whose user has left, or that a driver before this one began: then it
 * interrupts when that is done, or the watchdog comes back here.
 */
static void edu_next(struct unplug_work *work)
{
	struct edu *card = container_of(work, struct edu, next);
	struct edu_request *request;
	unsigned long timeout = 0;

	if (!unplug_dev_hw_enter(&card->dev))
		return;
	spin_lock_irq(&card->lock);
	request = list_first_entry_or_null(&card->queue, struct edu_request, node);
	if (request && !card->running) {
		timeout = msecs_to_jiffies(READ_ONCE(card->timeout_ms));
		card->deadline = jiffies + timeout;
		if (!(readl(card->bar + EDU_STATUS) & EDU_STATUS_COMPUTING)) {
			list_del_init(&request->node);
			card->running = request;
			writel(request->number, card->bar + EDU_FACTORIAL);
		}
	}
	spin_unlock_irq(&card->lock);
	unplug_dev_hw_exit(&card->dev);
	/* Refused once the device is being unplugged: nobody waits any more then. */
	if (timeout)
		unplug_delayed_work_mod(system_highpri_wq, &card->watchdog, timeout);
}

/* The watchdog: the computation takes too long, or its interrupt was lost. */
static void edu_watchdog(struct unplug_delayed_work *work)
{
	struct edu *card = container_of(work, struct edu, watchdog);

	if (!unplug_dev_hw_enter(&card->dev))
		return;
	spin_lock_irq(&card->lock);
	/* Unless it was too late itself, and this is the next computation. */
	if (time_after_eq(jiffies, card->deadline)) {
		edu_finish(card);
		if (card->running)
			card->running->state = EDU_LATE;
		card->running = NULL;
	}
	spin_unlock_irq(&card->lock);
	unplug_dev_hw_exit(&card->dev);
	wake_up_all(&card->wait);
	unplug_work_queue(system_highpri_wq, &card->next);
}

int edu_open(struct inode *inode, struct file *file)
{
	struct edu_request *request = kzalloc(sizeof(*request), GFP_KERNEL);

	if (!request)
		return -ENOMEM;
	INIT_LIST_HEAD(&request->node);
	file->private_data = request;
	return stream_open(inode, file);
}

/* The card may go on computing; nobody will be told. */
int edu_release(struct inode *inode, struct file *file)
{
	struct edu *card = edu_from_file(file);
	struct edu_request *request = file->private_data;

	spin_lock_irq(&card->lock);
	list_del_init(&request->node);
	if (card->running == request)
		card->running = NULL;
	spin_unlock_irq(&card->lock);
	kfree(request);
	return 0;
}

ssize_t edu_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	struct edu *card = edu_from_file(file);
	struct edu_request *request = file->private_data;
	ssize_t done = -EBUSY;
	u32 number;

	if (count != sizeof(number))
		return -EINVAL;
	if (copy_from_user(&number, from, sizeof(number)))
		return -EFAULT;
	spin_lock_irq(&card->lock);
	if (request->state == EDU_IDLE) {
		request->state = EDU_WAITING;
		request->number = number;
		list_add_tail(&request->node, &card->queue);
		done = sizeof(number);
	}
	spin_unlock_irq(&card->lock);
	unplug_work_queue(system_highpri_wq, &card->next);
	return done;
}

/* Take the answer: 0, or why there is none; -EAGAIN if it is still to come. */
static int edu_take(struct edu *card, struct edu_request *request, u32 *number)
{
	static const int errors[] = {
		[EDU_IDLE] = -ENODATA,
		[EDU_WAITING] = -EAGAIN,
		[EDU_DONE] = 0,
		[EDU_LATE] = -ETIMEDOUT,
	};
	int err;

	spin_lock_irq(&card->lock);
	err = errors[request->state];
	*number = request->number;
	if (err != -EAGAIN)
		request->state = EDU_IDLE;
	spin_unlock_irq(&card->lock);
	return err;
}

static bool edu_answered(const struct edu_request *request)
{
	return READ_ONCE(request->state) != EDU_WAITING;
}

ssize_t edu_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct edu *card = edu_from_file(file);
	struct edu_request *request = file->private_data;
	u32 number;
	int err;

	if (count < sizeof(number))
		return -EINVAL;
	err = edu_take(card, request, &number);
	while (err == -EAGAIN && !(file->f_flags & O_NONBLOCK)) {
		/* Woken by the interrupt, the watchdog, or unplug: -ENODEV */
		err = unplug_wait_event_interruptible(&card->dev, card->wait,
						      edu_answered(request));
		/* Another thread may be faster. */
		if (!err)
			err = edu_take(card, request, &number);
	}
	if (err)
		return err;
	return copy_to_user(to, &number, sizeof(number)) ? -EFAULT : sizeof(number);
}

__poll_t edu_poll(struct file *file, struct poll_table_struct *table)
{
	struct edu_request *request = file->private_data;

	poll_wait(file, &edu_from_file(file)->wait, table);
	switch (READ_ONCE(request->state)) {
	case EDU_IDLE:
		return EPOLLOUT | EPOLLWRNORM;
	case EDU_WAITING:
		return 0;
	default:
		return EPOLLIN | EPOLLRDNORM;
	}
}

void edu_factorial_init(struct edu *card)
{
	spin_lock_init(&card->lock);
	init_waitqueue_head(&card->wait);
	INIT_LIST_HEAD(&card->queue);
	card->timeout_ms = 60 * MSEC_PER_SEC;
	unplug_work_init(&card->dev, &card->next, edu_next);
	unplug_delayed_work_init(&card->dev, &card->watchdog, edu_watchdog);
}
