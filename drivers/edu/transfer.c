// SPDX-License-Identifier: GPL-2.0-only
/* Bytes between users' memory and the card's, by DMA */

#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "edu.h"

static bool edu_buffer_take(struct edu *card)
{
	bool taken;

	spin_lock_irq(&card->lock);
	taken = !card->taken && !card->moving;
	if (taken)
		card->taken = true;
	spin_unlock_irq(&card->lock);
	return taken;
}

static void edu_buffer_give(struct edu *card)
{
	spin_lock_irq(&card->lock);
	card->taken = false;
	spin_unlock_irq(&card->lock);
	wake_up_all(&card->wait);
}

/* Tell the card to begin; in a hardware section. */
static void edu_dma_start(struct edu *card, const struct edu_transfer *transfer, bool put)
{
	u32 inside = EDU_MEMORY + transfer->offset, outside = card->bus;

	WRITE_ONCE(card->moving, true);
	writel(put ? outside : inside, card->bar + EDU_DMA_FROM);
	writel(put ? inside : outside, card->bar + EDU_DMA_TO);
	writel(transfer->count, card->bar + EDU_DMA_COUNT);
	writel(EDU_DMA_RUN | EDU_DMA_IRQ | (put ? 0 : EDU_DMA_TO_MEMORY),
	       card->bar + EDU_DMA_COMMAND);
}

/*
 * @buffer is looked at in hardware sections alone, though it is memory: edu_remove()
 * frees it, as long as there is a device to free it for, while late operations may be
 * inside. And no DMA runs then: the last section is over, so nobody starts one, and
 * edu_quiesce() has taken the card's right to reach memory.
 */
static int edu_move(struct edu *card, const struct edu_transfer *transfer, void *page, bool put)
{
	long left;

	if (!unplug_dev_hw_enter(&card->dev))
		return -ENODEV;
	if (put)
		memcpy(card->buffer, page, transfer->count);
	edu_dma_start(card, transfer, put);
	unplug_dev_hw_exit(&card->dev);

	/* Not to be interrupted: the card cannot be told to stop, and it is soon over. */
	left = unplug_wait_event_timeout(&card->dev, card->wait, !READ_ONCE(card->moving),
					 msecs_to_jiffies(READ_ONCE(card->timeout_ms)));
	if (left <= 0)
		return left ?: -ETIMEDOUT;

	if (!unplug_dev_hw_enter(&card->dev))
		return -ENODEV;
	if (!put)
		memcpy(page, card->buffer, transfer->count);
	unplug_dev_hw_exit(&card->dev);
	return 0;
}

/* User memory is touched before and after: neither in a section nor holding the buffer. */
int edu_transfer(struct edu *card, const struct edu_transfer *transfer, bool put)
{
	void __user *user = u64_to_user_ptr(transfer->buffer);
	void *page;
	int err;

	if (!transfer->count || transfer->count > EDU_BYTES ||
	    transfer->offset > EDU_BYTES - transfer->count)
		return -EINVAL;
	page = put ? memdup_user(user, transfer->count) : kmalloc(transfer->count, GFP_KERNEL);
	if (IS_ERR_OR_NULL(page))
		return page ? PTR_ERR(page) : -ENOMEM;

	err = unplug_wait_event_interruptible(&card->dev, card->wait, edu_buffer_take(card));
	if (!err) {
		err = edu_move(card, transfer, page, put);
		edu_buffer_give(card);
	}
	if (!err && !put && copy_to_user(user, page, transfer->count))
		err = -EFAULT;
	kfree(page);
	return err;
}
