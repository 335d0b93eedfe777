// SPDX-License-Identifier: GPL-2.0-only
/*
 * naive-edu - the control: never use it, never copy from it.
 *
 * QEMU's educational card as drivers/edu has it, driven the way drivers usually are:
 * everything by devm, which gives it back when ->remove has returned. What is wrong:
 *
 * - Open files outlive ->remove, and with them readers who sleep on a wait queue in memory
 *   that devm frees; nobody wakes them. The flag they look at lies there, too.
 * - The watchdog is not cancelled in ->remove: it runs when its memory, or the module, is
 *   gone.
 * - The card is not told to be silent. It ends its computation with an interrupt that
 *   nobody serves; on a line that it shares, that is the end of its neighbour's, too.
 * - Nor is it kept from reaching memory, as it stays enabled: a transfer that is under way
 *   writes to its buffer when that has another owner.
 */

#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <uapi/unplug/edu.h>

#define NAIVE_FACTORIAL		0x08
#define NAIVE_STATUS		0x20
#define NAIVE_STATUS_COMPUTING	0x01
#define NAIVE_STATUS_IRQ	0x80
#define NAIVE_IRQ_CAUSE		0x24
#define NAIVE_IRQ_ACK		0x64
#define NAIVE_DMA_FROM		0x80
#define NAIVE_DMA_TO		0x88
#define NAIVE_DMA_COUNT		0x90
#define NAIVE_DMA_COMMAND	0x98
#define NAIVE_DMA_RUN		0x1
#define NAIVE_DMA_TO_MEMORY	0x2
#define NAIVE_DMA_IRQ		0x4
#define NAIVE_MEMORY		0x40000

static bool intx;
module_param(intx, bool, 0444);
MODULE_PARM_DESC(intx, "use the interrupt line, which cards share (default: no)");

static DEFINE_IDA(naive_ids);

/* @page makes it as large as the control's other card, whose freed memory is poisoned. */
struct naive_edu {
	bool gone;
	struct miscdevice misc;
	char name[16];
	int id;
	void __iomem *bar;
	void *buffer;
	dma_addr_t bus;
	struct delayed_work watchdog;
	wait_queue_head_t wait;
	spinlock_t lock;	/* what follows */
	u64 computed;
	unsigned int timeout_ms;
	bool busy, late;	/* computing, and for too long */
	bool moving;
	struct file *owner;	/* who asked */
	struct mutex transfers;
	u8 page[PAGE_SIZE];
};

static struct naive_edu *naive_from_file(struct file *file)
{
	return container_of(file->private_data, struct naive_edu, misc);
}

static void naive_watchdog(struct work_struct *work)
{
	struct naive_edu *card = container_of(work, struct naive_edu, watchdog.work);

	spin_lock_irq(&card->lock);
	card->late = card->busy;
	spin_unlock_irq(&card->lock);
	wake_up_all(&card->wait);
}

static irqreturn_t naive_interrupt(int irq, void *data)
{
	struct naive_edu *card = data;
	u32 cause = readl(card->bar + NAIVE_IRQ_CAUSE);

	if (!cause)
		return IRQ_NONE;
	writel(cause, card->bar + NAIVE_IRQ_ACK);
	spin_lock(&card->lock);
	if (!(readl(card->bar + NAIVE_STATUS) & NAIVE_STATUS_COMPUTING) && card->busy) {
		card->busy = false;
		card->computed++;
	}
	if (cause & 0x100)
		card->moving = false;
	spin_unlock(&card->lock);
	wake_up_all(&card->wait);
	return IRQ_HANDLED;
}

static bool naive_begin(struct naive_edu *card, struct file *file)
{
	bool begun = false;

	spin_lock_irq(&card->lock);
	if (!card->owner) {
		card->owner = file;
		card->busy = true;
		card->late = false;
		begun = true;
	}
	spin_unlock_irq(&card->lock);
	return begun;
}

static ssize_t naive_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	struct naive_edu *card = naive_from_file(file);
	u32 number;

	if (card->gone)
		return -ENODEV;
	if (count != sizeof(number))
		return -EINVAL;
	if (copy_from_user(&number, from, sizeof(number)))
		return -EFAULT;
	if (card->owner == file)
		return -EBUSY;
	if (wait_event_interruptible(card->wait, naive_begin(card, file)))
		return -ERESTARTSYS;
	writel(number, card->bar + NAIVE_FACTORIAL);
	mod_delayed_work(system_highpri_wq, &card->watchdog, msecs_to_jiffies(card->timeout_ms));
	return sizeof(number);
}

static ssize_t naive_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct naive_edu *card = naive_from_file(file);
	ssize_t err = sizeof(u32);
	u32 number;

	if (card->gone)
		return -ENODEV;
	if (count < sizeof(number))
		return -EINVAL;
	if (card->owner != file)
		return -ENODATA;
	if (file->f_flags & O_NONBLOCK && card->busy)
		return -EAGAIN;
	if (wait_event_interruptible(card->wait, !card->busy || card->late))
		return -ERESTARTSYS;
	number = readl(card->bar + NAIVE_FACTORIAL);
	if (card->busy)
		err = -ETIMEDOUT;
	card->owner = NULL;
	wake_up_all(&card->wait);
	if (err > 0 && copy_to_user(to, &number, sizeof(number)))
		err = -EFAULT;
	return err;
}

static __poll_t naive_poll(struct file *file, struct poll_table_struct *table)
{
	struct naive_edu *card = naive_from_file(file);

	if (card->gone)
		return EPOLLHUP | EPOLLERR;
	poll_wait(file, &card->wait, table);
	if (card->owner != file)
		return EPOLLOUT | EPOLLWRNORM;
	return card->busy ? 0 : EPOLLIN | EPOLLRDNORM;
}

static int naive_move(struct naive_edu *card, struct edu_transfer *transfer, bool put)
{
	u32 inside = NAIVE_MEMORY + transfer->offset;

	card->moving = true;
	writel(put ? card->bus : inside, card->bar + NAIVE_DMA_FROM);
	writel(put ? inside : card->bus, card->bar + NAIVE_DMA_TO);
	writel(transfer->count, card->bar + NAIVE_DMA_COUNT);
	writel(NAIVE_DMA_RUN | NAIVE_DMA_IRQ | (put ? 0 : NAIVE_DMA_TO_MEMORY),
	       card->bar + NAIVE_DMA_COMMAND);
	return wait_event_interruptible(card->wait, !card->moving);
}

static long naive_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct naive_edu *card = naive_from_file(file);
	struct edu_transfer transfer;
	bool put = cmd == EDU_IOC_PUT;
	void __user *user;
	int err = 0;

	if (card->gone)
		return -ENODEV;
	if (!put && cmd != EDU_IOC_GET)
		return -ENOTTY;
	if (copy_from_user(&transfer, (void __user *)arg, sizeof(transfer)))
		return -EFAULT;
	user = u64_to_user_ptr(transfer.buffer);
	if (!transfer.count || transfer.count > EDU_BYTES ||
	    transfer.offset > EDU_BYTES - transfer.count)
		return -EINVAL;

	mutex_lock(&card->transfers);
	if (put && copy_from_user(card->buffer, user, transfer.count))
		err = -EFAULT;
	if (!err)
		err = naive_move(card, &transfer, put);
	if (!err && !put && copy_to_user(user, card->buffer, transfer.count))
		err = -EFAULT;
	mutex_unlock(&card->transfers);
	return err;
}

static int naive_release(struct inode *inode, struct file *file)
{
	struct naive_edu *card = naive_from_file(file);

	if (card->owner == file) {
		card->owner = NULL;
		wake_up_all(&card->wait);
	}
	return 0;
}

static const struct file_operations naive_fops = {
	.owner = THIS_MODULE,
	.release = naive_release,
	.read = naive_read,
	.write = naive_write,
	.poll = naive_poll,
	.unlocked_ioctl = naive_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static ssize_t timeout_ms_store(struct device *dev, struct device_attribute *attr,
				const char *text, size_t count)
{
	struct miscdevice *misc = dev_get_drvdata(dev);

	return kstrtouint(text, 0, &container_of(misc, struct naive_edu, misc)->timeout_ms) ?:
	       count;
}
static DEVICE_ATTR_WO(timeout_ms);

static ssize_t computed_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct miscdevice *misc = dev_get_drvdata(dev);

	return sysfs_emit(text, "%llu\n", container_of(misc, struct naive_edu, misc)->computed);
}
static DEVICE_ATTR_RO(computed);

static struct attribute *naive_attrs[] = {
	&dev_attr_timeout_ms.attr,
	&dev_attr_computed.attr,
	NULL,
};
ATTRIBUTE_GROUPS(naive);

static int naive_get_hw(struct naive_edu *card, struct pci_dev *pdev)
{
	int err;

	err = pcim_enable_device(pdev);
	if (err)
		return err;
	pcim_pin_device(pdev);
	card->bar = pcim_iomap(pdev, 0, 0);
	if (!card->bar)
		return -ENOMEM;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(28));
	if (err)
		return err;
	card->buffer = dmam_alloc_coherent(&pdev->dev, EDU_BYTES, &card->bus, GFP_KERNEL);
	if (!card->buffer)
		return -ENOMEM;
	pci_set_master(pdev);
	if (!intx) {
		err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
		if (err < 0)
			return err;
	}
	return devm_request_irq(&pdev->dev, pci_irq_vector(pdev, 0), naive_interrupt, IRQF_SHARED,
				"naive-edu", card);
}

static int naive_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct naive_edu *card;
	int err;

	card = devm_kzalloc(&pdev->dev, sizeof(*card), GFP_KERNEL);
	if (!card)
		return -ENOMEM;
	spin_lock_init(&card->lock);
	mutex_init(&card->transfers);
	init_waitqueue_head(&card->wait);
	INIT_DELAYED_WORK(&card->watchdog, naive_watchdog);
	card->timeout_ms = 60 * MSEC_PER_SEC;
	err = naive_get_hw(card, pdev);
	if (err)
		return err;

	card->id = ida_alloc(&naive_ids, GFP_KERNEL);
	snprintf(card->name, sizeof(card->name), "naive-edu%d", card->id);
	card->misc.minor = MISC_DYNAMIC_MINOR;
	card->misc.name = card->name;
	card->misc.fops = &naive_fops;
	card->misc.parent = &pdev->dev;
	card->misc.groups = naive_groups;
	err = misc_register(&card->misc);
	if (err) {
		ida_free(&naive_ids, card->id);
		return err;
	}
	pci_set_drvdata(pdev, card);
	writel(NAIVE_STATUS_IRQ, card->bar + NAIVE_STATUS);
	return 0;
}

static void naive_remove(struct pci_dev *pdev)
{
	struct naive_edu *card = pci_get_drvdata(pdev);

	card->gone = true;
	misc_deregister(&card->misc);
	ida_free(&naive_ids, card->id);
}

/* No MODULE_DEVICE_TABLE: nothing should ever load this by itself. */
static const struct pci_device_id naive_pci_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};

static struct pci_driver naive_driver = {
	.name = "naive-edu",
	.id_table = naive_pci_ids,
	.probe = naive_probe,
	.remove = naive_remove,
};
module_pci_driver(naive_driver);

MODULE_DESCRIPTION("Control of the unplug tests: a driver that mishandles removal");
MODULE_LICENSE("GPL");
