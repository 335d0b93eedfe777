// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of your own behind the gate, to begin one from. It is for QEMU's "edu" card,
 * which computes factorials, and interrupts when one is done.
 *
 *	write	4 bytes: a number; the card computes its factorial, modulo 2^32
 *	read	4 bytes: the result; waits for the interrupt
 *	poll	readable when there is a result
 *	ioctl	MYDRIVER_IOC_ECHO: the card inverts a number
 *	mmap	the registers
 */

#include <linux/io.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include <unplug/device.h>
#include <unplug/mmap.h>
#include <unplug/wait.h>
#include "mydriver.h"

/* Registers */
#define MYDRIVER_ECHO		0x04
#define MYDRIVER_FACTORIAL	0x08
#define MYDRIVER_STATUS		0x20
#define MYDRIVER_STATUS_IRQ	0x80
#define MYDRIVER_IRQ_CAUSE	0x24
#define MYDRIVER_IRQ_ACK	0x64

enum mydriver_state { IDLE, BUSY, DONE };

/**
 * struct mydriver - a card
 * @dev: the core's part. The core frees all of this when the last user let go of it
 * @mem: the registers, as users map them
 * @bar: the registers, as the driver uses them: in hardware sections
 * @lock: protects @state, @result and MYDRIVER_ECHO
 * @state: of the computation
 * @result: valid while DONE
 * @wait: readers and pollers
 */
struct mydriver {
	struct unplug_dev dev;
	struct unplug_iomem mem;
	void __iomem *bar;
	spinlock_t lock;
	enum mydriver_state state;
	u32 result;
	wait_queue_head_t wait;
};

static struct mydriver *mydriver_from_file(struct file *file)
{
	return container_of(unplug_dev_from_file(file), struct mydriver, dev);
}

static ssize_t mydriver_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	struct mydriver *card = mydriver_from_file(file);
	enum mydriver_state state;
	u32 number;

	if (count != sizeof(number))
		return -EINVAL;
	if (copy_from_user(&number, from, sizeof(number)))
		return -EFAULT;

	spin_lock_irq(&card->lock);
	state = card->state;
	if (state == IDLE)
		card->state = BUSY;
	spin_unlock_irq(&card->lock);
	if (state != IDLE)
		return -EBUSY;

	if (!unplug_dev_hw_enter(&card->dev))
		return -ENODEV;
	iowrite32(MYDRIVER_STATUS_IRQ, card->bar + MYDRIVER_STATUS);
	iowrite32(number, card->bar + MYDRIVER_FACTORIAL);
	unplug_dev_hw_exit(&card->dev);
	return sizeof(number);
}

/* When the card is unplugged, whoever waits here is woken, and gets -ENODEV. */
static ssize_t mydriver_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct mydriver *card = mydriver_from_file(file);
	u32 result;
	int err = 0;

	if (count != sizeof(result))
		return -EINVAL;

	spin_lock_irq(&card->lock);
	if (!(file->f_flags & O_NONBLOCK))
		err = unplug_wait_event_interruptible_lock_irq(&card->dev, card->wait,
							       card->state == DONE, card->lock);
	if (card->state == DONE) {
		err = 0;
		result = card->result;
		card->state = IDLE;
	} else if (!err) {
		err = -EAGAIN;
	}
	spin_unlock_irq(&card->lock);

	if (err)
		return err;
	return copy_to_user(to, &result, sizeof(result)) ? -EFAULT : sizeof(result);
}

/* That the card is gone is said by the core: EPOLLHUP | EPOLLERR. */
static __poll_t mydriver_poll(struct file *file, struct poll_table_struct *table)
{
	struct mydriver *card = mydriver_from_file(file);

	poll_wait(file, &card->wait, table);
	return READ_ONCE(card->state) == DONE ? EPOLLIN | EPOLLRDNORM : 0;
}

static long mydriver_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct mydriver *card = mydriver_from_file(file);
	u32 __user *user = (u32 __user *)arg;
	u32 number;

	if (cmd != MYDRIVER_IOC_ECHO)
		return -ENOTTY;
	if (get_user(number, user))
		return -EFAULT;

	if (!unplug_dev_hw_enter(&card->dev))
		return -ENODEV;
	spin_lock_irq(&card->lock);
	iowrite32(number, card->bar + MYDRIVER_ECHO);
	number = ioread32(card->bar + MYDRIVER_ECHO);
	spin_unlock_irq(&card->lock);
	unplug_dev_hw_exit(&card->dev);

	return put_user(number, user);
}

static int mydriver_mmap(struct file *file, struct vm_area_struct *vma)
{
	return unplug_iomem_mmap(&mydriver_from_file(file)->mem, vma);
}

static const struct file_operations mydriver_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.read = mydriver_read,
	.write = mydriver_write,
	.poll = mydriver_poll,
	.unlocked_ioctl = mydriver_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = mydriver_mmap,
};

/* No ->gone: what users reach lies in struct mydriver, and that is the core's. */
static const struct unplug_driver mydriver_driver = {
	.owner = THIS_MODULE,
	.name = "mydriver",
	.fops = &mydriver_fops,
};

/* Needs no hardware section: free_irq() waits for it, and the BAR goes later. */
static irqreturn_t mydriver_interrupt(int irq, void *data)
{
	struct mydriver *card = data;
	u32 cause = ioread32(card->bar + MYDRIVER_IRQ_CAUSE);

	if (!cause || PCI_POSSIBLE_ERROR(cause))	/* another's, or torn out */
		return IRQ_NONE;
	iowrite32(cause, card->bar + MYDRIVER_IRQ_ACK);

	spin_lock(&card->lock);
	if (card->state == BUSY) {
		card->result = ioread32(card->bar + MYDRIVER_FACTORIAL);
		card->state = DONE;
	}
	spin_unlock(&card->lock);
	wake_up_interruptible(&card->wait);
	return IRQ_HANDLED;
}

/*
 * What belongs to the bus may be managed (pcim_, devm_): that is given back after
 * ->remove, so after shut. The interrupt may not: its handler uses @card.
 */
static int mydriver_get_hw(struct mydriver *card, struct pci_dev *pdev)
{
	int err;

	err = pcim_enable_device(pdev);
	if (!err)
		err = pcim_iomap_regions(pdev, BIT(0), "mydriver");
	if (err)
		return err;
	card->bar = pcim_iomap_table(pdev)[0];
	card->mem.start = pci_resource_start(pdev, 0);
	card->mem.size = pci_resource_len(pdev, 0);
	card->mem.cache = UNPLUG_IOMEM_UC;

	pci_set_master(pdev);		/* or its MSI gets lost */
	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (err < 0)
		return err;
	err = request_irq(pci_irq_vector(pdev, 0), mydriver_interrupt, IRQF_SHARED, "mydriver",
			  card);
	if (err)
		pci_free_irq_vectors(pdev);
	return err;
}

static void mydriver_put_hw(struct mydriver *card, struct pci_dev *pdev)
{
	iowrite32(0, card->bar + MYDRIVER_STATUS);	/* no more interrupts, */
	iowrite32(~0, card->bar + MYDRIVER_IRQ_ACK);	/* and none that is up, */
	ioread32(card->bar + MYDRIVER_STATUS);		/* as of now: writes may be late */
	free_irq(pci_irq_vector(pdev, 0), card);
	pci_free_irq_vectors(pdev);
}

static int mydriver_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct mydriver *card;
	int err;

	card = unplug_dev_alloc(&mydriver_driver, &pdev->dev, struct mydriver, dev);
	if (IS_ERR(card))
		return PTR_ERR(card);
	spin_lock_init(&card->lock);
	init_waitqueue_head(&card->wait);
	err = mydriver_get_hw(card, pdev);
	if (err)
		goto put;
	pci_set_drvdata(pdev, card);
	err = unplug_dev_register(&card->dev, "mydriver-%s", pci_name(pdev));
	if (!err)
		return 0;

	mydriver_put_hw(card, pdev);
put:
	unplug_dev_put(&card->dev);
	return err;
}

static void mydriver_remove(struct pci_dev *pdev)
{
	struct mydriver *card = pci_get_drvdata(pdev);

	unplug_dev_unplug(&card->dev);
	/* Shut: nobody touches the card any more, whoever is still inside. */
	mydriver_put_hw(card, pdev);
	unplug_dev_put(&card->dev);
}

static const struct pci_device_id mydriver_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, mydriver_ids);

static struct pci_driver mydriver_pci_driver = {
	.name = "mydriver",
	.id_table = mydriver_ids,
	.probe = mydriver_probe,
	.remove = mydriver_remove,
};
module_pci_driver(mydriver_pci_driver);

MODULE_DESCRIPTION("A driver of your own behind the unplug gate, for QEMU's edu card");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
