// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's educational card, which may be pulled while it computes, interrupts and
 * does DMA. Read it for the callbacks: interrupt, work item, watchdog, attributes.
 *
 * Users write a number and read its factorial, for which they wait; requests of all
 * open files are queued. They also have bytes moved between their memory and that of
 * the card: factorial.c and transfer.c. Here are interrupt, attributes, and the bus.
 *
 *	write --> queue --> edu_next() --> the card --> edu_interrupt(), edu_thread() --> read
 *		  ^	    work item	       |		  |
 *		  |			       +--> edu_watchdog() +
 *		  +------------------------------------------------+
 *
 * Nothing here is cancelled by hand. When the card goes, the core lets nobody in any
 * more, waits for the hardware sections, calls edu_quiesce(), frees the interrupt, and
 * lets go of the work item and the watchdog, which never run afterwards. All that
 * edu_remove() has to do is to give the hardware back.
 *
 * Work item and watchdog are insiders, like operations: they take a hardware section
 * when they touch the card. The interrupt's two functions do not: they are called as long
 * as the interrupt is registered, and it is freed before the hardware goes.
 */

#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <unplug/attr.h>
#include "edu.h"

static bool intx;
module_param(intx, bool, 0444);
MODULE_PARM_DESC(intx, "use the interrupt line, which cards share, and no message (default: no)");

static DEFINE_IDA(edu_ids);

/* Hard interrupt: only what keeps the line from staying asserted */
static irqreturn_t edu_interrupt(struct unplug_irq *irq)
{
	struct edu *card = container_of(irq, struct edu, irq);
	u32 cause = readl(card->bar + EDU_IRQ_CAUSE);

	if (!cause || cause == ~0u)
		return IRQ_NONE;
	writel(cause, card->bar + EDU_IRQ_ACK);
	atomic_or(cause, &card->cause);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t edu_thread(struct unplug_irq *irq)
{
	struct edu *card = container_of(irq, struct edu, irq);
	u32 cause = atomic_xchg(&card->cause, 0);

	spin_lock_irq(&card->lock);
	if (cause & EDU_IRQ_FACTORIAL)
		edu_finish(card);
	if (cause & EDU_IRQ_DMA)
		card->moving = false;
	spin_unlock_irq(&card->lock);
	wake_up_all(&card->wait);
	unplug_work_queue(system_highpri_wq, &card->next);
	return IRQ_HANDLED;
}

static long edu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct edu_transfer transfer;

	if (cmd != EDU_IOC_PUT && cmd != EDU_IOC_GET)
		return -ENOTTY;
	if (copy_from_user(&transfer, (void __user *)arg, sizeof(transfer)))
		return -EFAULT;
	return edu_transfer(edu_from_file(file), &transfer, cmd == EDU_IOC_PUT);
}

static const struct file_operations edu_fops = {
	.owner = THIS_MODULE,
	.open = edu_open,
	.release = edu_release,
	.read = edu_read,
	.write = edu_write,
	.poll = edu_poll,
	.unlocked_ioctl = edu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* Attributes: the core lets nobody in once the device is shut. */

static ssize_t computed_show(struct unplug_dev *dev, char *text)
{
	return sysfs_emit(text, "%llu\n",
			  READ_ONCE(container_of(dev, struct edu, dev)->computed));
}
static UNPLUG_ATTR_RO(computed);

static ssize_t timeout_ms_show(struct unplug_dev *dev, char *text)
{
	return sysfs_emit(text, "%u\n",
			  READ_ONCE(container_of(dev, struct edu, dev)->timeout_ms));
}

static ssize_t timeout_ms_store(struct unplug_dev *dev, const char *text, size_t count)
{
	unsigned int timeout;
	int err = kstrtouint(text, 0, &timeout);

	if (err)
		return err;
	if (!timeout || timeout > 3600 * MSEC_PER_SEC)
		return -ERANGE;
	WRITE_ONCE(container_of(dev, struct edu, dev)->timeout_ms, timeout);
	return count;
}
static UNPLUG_ATTR_RW(timeout_ms);

static struct attribute *edu_attrs[] = {
	&unplug_attr_computed.attr.attr,
	&unplug_attr_timeout_ms.attr.attr,
	NULL,
};
ATTRIBUTE_GROUPS(edu);

/*
 * The card falls silent: no interrupt at the end of a computation, no more DMA, on
 * the line nothing. Harmless if it is torn out already. It may go on computing, and
 * thinks that it moves bytes; edu_reset() of who drives it next knows.
 */
static void edu_silence(struct edu *card)
{
	writel(0, card->bar + EDU_STATUS);
	pci_clear_master(card->pdev);
	writel(readl(card->bar + EDU_IRQ_CAUSE), card->bar + EDU_IRQ_ACK);
}

/* Called when the last hardware section is over; then the interrupt is freed. */
static void edu_quiesce(struct unplug_dev *dev)
{
	edu_silence(container_of(dev, struct edu, dev));
}

/* Nothing to free in ->gone: the buffer went with the hardware, requests with their files. */
static const struct unplug_driver edu_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-edu",
	.fops = &edu_fops,
	.quiesce = edu_quiesce,
	.groups = edu_groups,
};

/* From bus to buffer */

/*
 * Before the card may reach memory: is it one, and does it still move bytes for a driver
 * before this one, whose buffer has another owner by now?
 */
static int edu_reset(struct edu *card)
{
	u32 command, pattern = 0x5a5a0000 | card->id;
	int err;

	edu_silence(card);
	/* Not the id alone: the complement of 0 is what a card reads that is torn out. */
	writel(pattern, card->bar + EDU_ECHO);
	if (readl(card->bar + EDU_ECHO) != ~pattern)
		return -ENODEV;
	err = readl_poll_timeout(card->bar + EDU_DMA_COMMAND, command,
				 !(command & EDU_DMA_RUN), 1000,
				 100 * EDU_DMA_MS * USEC_PER_MSEC);
	/* That transfer has ended in an interrupt, too. */
	edu_silence(card);
	return err;
}

/* The hardware; undone by edu_put_hw(). */
static int edu_get_hw(struct edu *card, struct pci_dev *pdev)
{
	int err;

	card->pdev = pdev;
	err = pci_enable_device(pdev);
	if (err)
		return err;
	err = pci_request_region(pdev, 0, "unplug-edu");
	if (err)
		goto disable;
	card->bar = pci_iomap(pdev, 0, 0);
	err = -ENOMEM;
	if (!card->bar)
		goto release;
	err = edu_reset(card);
	if (err)
		goto unmap;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(EDU_DMA_BITS));
	if (err)
		goto unmap;
	card->buffer = dma_alloc_coherent(&pdev->dev, EDU_BYTES, &card->bus, GFP_KERNEL);
	if (card->buffer)
		return 0;
	err = -ENOMEM;

unmap:
	pci_iounmap(pdev, card->bar);
release:
	pci_release_region(pdev, 0);
disable:
	pci_disable_device(pdev);
	return err;
}

static void edu_put_hw(struct edu *card, struct pci_dev *pdev)
{
	dma_free_coherent(&pdev->dev, EDU_BYTES, card->buffer, card->bus);
	pci_iounmap(pdev, card->bar);
	pci_release_region(pdev, 0);
	pci_disable_device(pdev);
}

/* The interrupt; undone by edu_put_irq(). */
static int edu_get_irq(struct edu *card, struct pci_dev *pdev)
{
	int err;

	if (!intx) {
		err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
		if (err < 0)
			return err;
	}
	err = unplug_irq_request(&card->dev, &card->irq, pci_irq_vector(pdev, 0),
				 edu_interrupt, edu_thread, IRQF_SHARED);
	if (err) {
		pci_free_irq_vectors(pdev);
		return err;
	}
	pci_set_master(pdev);
	writel(EDU_STATUS_IRQ, card->bar + EDU_STATUS);
	return 0;
}

/*
 * Of a device that was unplugged the core has freed the interrupt; this is for a probe that
 * fails.
 *
 * A transfer that was under way ends with an interrupt all the same. Messages are off
 * then; it must not assert the line, which others share and nobody here serves any more.
 */
static void edu_put_irq(struct edu *card, struct pci_dev *pdev)
{
	unplug_irq_free(&card->irq);
	pci_free_irq_vectors(pdev);
	pci_intx(pdev, 0);
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *card;
	int err;

	card = unplug_dev_alloc(&edu_driver, &pdev->dev, struct edu, dev);
	if (IS_ERR(card))
		return PTR_ERR(card);
	edu_factorial_init(card);
	card->id = ida_alloc(&edu_ids, GFP_KERNEL);
	err = card->id;
	if (err < 0)
		goto put;
	err = edu_get_hw(card, pdev);
	if (err)
		goto free_id;
	err = edu_get_irq(card, pdev);
	if (err)
		goto put_hw;
	pci_set_drvdata(pdev, card);
	err = unplug_dev_register(&card->dev, "edu%d", card->id);
	if (err)
		goto put_irq;
	return 0;

put_irq:
	edu_silence(card);
	edu_put_irq(card, pdev);
put_hw:
	edu_put_hw(card, pdev);
free_id:
	ida_free(&edu_ids, card->id);
put:
	unplug_dev_put(&card->dev);
	return err;
}

static void edu_remove(struct pci_dev *pdev)
{
	struct edu *card = pci_get_drvdata(pdev);

	unplug_dev_unplug(&card->dev);
	/* Shut: the card is silent, and nobody touches it or the buffer any more. */
	edu_put_irq(card, pdev);
	edu_put_hw(card, pdev);
	ida_free(&edu_ids, card->id);
	unplug_dev_put(&card->dev);
}

static const struct pci_device_id edu_pci_ids[] = {
	{ PCI_DEVICE(EDU_VENDOR, EDU_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_pci_ids);

static struct pci_driver edu_pci_driver = {
	.name = "unplug-edu",
	.id_table = edu_pci_ids,
	.probe = edu_probe,
	.remove = edu_remove,
};
module_pci_driver(edu_pci_driver);

MODULE_DESCRIPTION("QEMU educational card behind the unplug gate");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
