/* SPDX-License-Identifier: GPL-2.0-only */
/* edu: QEMU's educational card; see edu.c */
#ifndef _UNPLUG_DRIVERS_EDU_H
#define _UNPLUG_DRIVERS_EDU_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <unplug/callback.h>
#include <unplug/device.h>
#include <unplug/edu.h>
#include <unplug/wait.h>

#define EDU_VENDOR		0x1234
#define EDU_DEVICE		0x11e8

#define EDU_ECHO		0x04	/* reads inverted */
#define EDU_FACTORIAL		0x08
#define EDU_STATUS		0x20
#define EDU_STATUS_COMPUTING	0x01
#define EDU_STATUS_IRQ		0x80	/* interrupt at the end of a computation */
#define EDU_IRQ_CAUSE		0x24
#define EDU_IRQ_ACK		0x64
#define EDU_IRQ_FACTORIAL	0x001
#define EDU_IRQ_DMA		0x100
#define EDU_DMA_FROM		0x80
#define EDU_DMA_TO		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98
#define EDU_DMA_RUN		0x1
#define EDU_DMA_TO_MEMORY	0x2
#define EDU_DMA_IRQ		0x4
#define EDU_MEMORY		0x40000	/* of the card, as its DMA sees it */
#define EDU_DMA_BITS		28
#define EDU_DMA_MS		100	/* a transfer takes as long, whatever its size */

enum edu_state { EDU_IDLE, EDU_WAITING, EDU_DONE, EDU_LATE };

/**
 * struct edu_request - what an open file asks of the card
 * @node: in the queue; empty when it is not there
 * @state: changed with the card's lock held
 * @number: the number, then its factorial
 */
struct edu_request {
	struct list_head node;
	enum edu_state state;
	u32 number;
};

/**
 * struct edu - a card
 * @dev: the core's part. The core frees all of this when the last user let go of it
 * @irq: the interrupt
 * @next: gives the card its next number
 * @watchdog: gives up on a computation
 * @pdev: until edu_remove()
 * @bar: registers
 * @buffer: what DMA reads and writes, as the driver sees it
 * @bus: and as the card does
 * @cause: of interrupts the thread has yet to look at
 * @wait: readers, pollers, and who has bytes moved
 * @lock: protects all that follows, and the requests
 * @queue: requests the card has not been given
 * @running: the one it computes; NULL if none, or if nobody waits for it any more
 * @deadline: of that, in jiffies
 * @taken: @buffer belongs to an operation
 * @moving: and the card is at it
 * @computed: factorials so far
 * @timeout_ms: how long one may take
 * @id: number in the name; given back when the card is shut
 */
struct edu {
	struct unplug_dev dev;
	struct unplug_irq irq;
	struct unplug_work next;
	struct unplug_delayed_work watchdog;
	struct pci_dev *pdev;
	void __iomem *bar;
	void *buffer;
	dma_addr_t bus;
	atomic_t cause;
	wait_queue_head_t wait;

	spinlock_t lock;
	struct list_head queue;
	struct edu_request *running;
	unsigned long deadline;
	bool taken;
	bool moving;
	u64 computed;
	unsigned int timeout_ms;

	int id;
};

static inline struct edu *edu_from_file(struct file *file)
{
	return container_of(unplug_dev_from_file(file), struct edu, dev);
}

/* factorial.c */
void edu_factorial_init(struct edu *card);
void edu_finish(struct edu *card);
int edu_open(struct inode *inode, struct file *file);
int edu_release(struct inode *inode, struct file *file);
ssize_t edu_read(struct file *file, char __user *to, size_t count, loff_t *pos);
ssize_t edu_write(struct file *file, const char __user *from, size_t count, loff_t *pos);
__poll_t edu_poll(struct file *file, struct poll_table_struct *table);

/* transfer.c */
int edu_transfer(struct edu *card, const struct edu_transfer *transfer, bool put);

#endif /* _UNPLUG_DRIVERS_EDU_H */
