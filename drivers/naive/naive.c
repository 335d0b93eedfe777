// SPDX-License-Identifier: GPL-2.0-only
/*
 * naive-ivshmem - the control: never use it, never copy from it.
 *
 * QEMU's inter-VM shared memory card driven the way most drivers outside the
 * kernel tree handle removal today: a flag that every operation looks at, set in
 * ->remove under the lock of the operations, then cdev_del() and kfree(). The
 * tests run against it too, and have to catch it. What is wrong with it:
 *
 * - The flag lies in the structure that ->remove frees. Descriptors stay open
 *   as long as their users like, so the look at the flag is a use after free, and
 *   so is every close.
 * - The flag is looked at when an operation begins; nothing keeps the card from
 *   going away after that. cdev_del() only keeps new opens from finding the
 *   device; it knows nothing of operations in progress or of open files.
 * - Where the lock does keep ->remove out, it is held while copying to and from
 *   user memory: one user who serves that memory himself stalls ->remove for
 *   ever, and with it the bus and all the other cards.
 * - ->mmap fills the page tables, and nobody empties them: the process reaches
 *   the BAR after the driver has gone, and the next card that gets the address.
 * - Minor numbers are reused at once: a node made for one card opens another.
 * - Open files pin the module, although the card has gone.
 */

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/unplug/ivshmem.h>
#include <unplug/hook.h>

#define NAIVE_CARDS	16
#define NAIVE_BAR	2

struct naive_card {
	struct mutex lock;	/* bounce; setting gone */
	bool gone;
	struct cdev *cdev;
	void __iomem *bar;
	phys_addr_t start;
	u64 size;
	u64 generation;
	int minor;
	atomic_t users;
	u8 bounce[PAGE_SIZE];
};

static dev_t naive_devt;
static u64 naive_generation;
static DEFINE_MUTEX(naive_lock);	/* naive_cards, naive_generation */
static struct naive_card *naive_cards[NAIVE_CARDS];

static struct class naive_class = {
	.name = "naive",
};

static int naive_open(struct inode *inode, struct file *file)
{
	struct naive_card *card = naive_cards[iminor(inode)];

	if (!card || card->gone)
		return -ENODEV;

	unplug_hook(UNPLUG_HOOK_OPEN_ACTIVE);
	atomic_inc(&card->users);
	file->private_data = card;

	return 0;
}

static int naive_release(struct inode *inode, struct file *file)
{
	struct naive_card *card = file->private_data;

	unplug_hook(UNPLUG_HOOK_RELEASE);
	atomic_dec(&card->users);

	return 0;
}

static ssize_t naive_copy_out(struct naive_card *card, char __user *buffer,
			      size_t count, loff_t pos)
{
	size_t done, step;

	for (done = 0; done < count; done += step) {
		step = min_t(size_t, count - done, sizeof(card->bounce));
		memcpy_fromio(card->bounce, card->bar + pos + done, step);
		if (copy_to_user(buffer + done, card->bounce, step))
			return done ?: -EFAULT;
	}

	return done;
}

static ssize_t naive_copy_in(struct naive_card *card, const char __user *buffer,
			     size_t count, loff_t pos)
{
	size_t done, step;

	for (done = 0; done < count; done += step) {
		step = min_t(size_t, count - done, sizeof(card->bounce));
		if (copy_from_user(card->bounce, buffer + done, step))
			return done ?: -EFAULT;
		memcpy_toio(card->bar + pos + done, card->bounce, step);
	}

	return done;
}

static ssize_t naive_read(struct file *file, char __user *buffer, size_t count,
			  loff_t *pos)
{
	struct naive_card *card = file->private_data;
	ssize_t done = 0;

	if (card->gone)
		return -ENODEV;

	unplug_hook(UNPLUG_HOOK_OPERATION);
	if (mutex_lock_interruptible(&card->lock))
		return -ERESTARTSYS;
	if (*pos >= 0 && *pos < card->size)
		done = naive_copy_out(card, buffer,
				      min_t(u64, count, card->size - *pos),
				      *pos);
	mutex_unlock(&card->lock);
	if (done > 0)
		*pos += done;

	return done;
}

static ssize_t naive_write(struct file *file, const char __user *buffer,
			   size_t count, loff_t *pos)
{
	struct naive_card *card = file->private_data;
	ssize_t done = -ENOSPC;

	if (card->gone)
		return -ENODEV;

	unplug_hook(UNPLUG_HOOK_OPERATION);
	if (mutex_lock_interruptible(&card->lock))
		return -ERESTARTSYS;
	if (*pos >= 0 && *pos < card->size)
		done = naive_copy_in(card, buffer,
				     min_t(u64, count, card->size - *pos),
				     *pos);
	mutex_unlock(&card->lock);
	if (done > 0)
		*pos += done;

	return count ? done : 0;
}

static loff_t naive_llseek(struct file *file, loff_t offset, int whence)
{
	struct naive_card *card = file->private_data;

	if (card->gone)
		return -ENODEV;

	unplug_hook(UNPLUG_HOOK_OPERATION);
	return fixed_size_llseek(file, offset, whence, card->size);
}

static long naive_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct naive_card *card = file->private_data;
	struct ivshmem_info info = {};

	if (card->gone)
		return -ENODEV;
	if (cmd != IVSHMEM_IOC_INFO)
		return -ENOTTY;

	unplug_hook(UNPLUG_HOOK_OPERATION);
	info.size = card->size;
	info.generation = card->generation;
	if (copy_to_user((void __user *)arg, &info, sizeof(info)))
		return -EFAULT;

	return 0;
}

static __poll_t naive_poll(struct file *file, struct poll_table_struct *table)
{
	struct naive_card *card = file->private_data;

	if (card->gone)
		return EPOLLHUP | EPOLLERR;

	unplug_hook(UNPLUG_HOOK_OPERATION);
	return EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM;
}

static int naive_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct naive_card *card = file->private_data;
	unsigned long pages = vma_pages(vma);
	int err;

	if (card->gone)
		return -ENODEV;

	unplug_hook(UNPLUG_HOOK_OPERATION);
	if (vma->vm_pgoff > card->size >> PAGE_SHIFT ||
	    pages > (card->size >> PAGE_SHIFT) - vma->vm_pgoff)
		return -EINVAL;

	vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	err = remap_pfn_range(vma, vma->vm_start,
			      (card->start >> PAGE_SHIFT) + vma->vm_pgoff,
			      pages << PAGE_SHIFT, vma->vm_page_prot);
	unplug_hook(UNPLUG_HOOK_MMAP);

	return err;
}

static const struct file_operations naive_fops = {
	.owner = THIS_MODULE,
	.open = naive_open,
	.release = naive_release,
	.read = naive_read,
	.write = naive_write,
	.llseek = naive_llseek,
	.poll = naive_poll,
	.unlocked_ioctl = naive_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = naive_mmap,
};

static int naive_card_map(struct naive_card *card, struct pci_dev *pdev)
{
	int err;

	err = pci_enable_device(pdev);
	if (err)
		return err;

	err = pci_request_region(pdev, NAIVE_BAR, "naive-ivshmem");
	if (err)
		goto err_disable;

	card->start = pci_resource_start(pdev, NAIVE_BAR);
	card->size = pci_resource_len(pdev, NAIVE_BAR);
	card->bar = pci_iomap_wc(pdev, NAIVE_BAR, 0);
	if (!card->bar) {
		err = -ENOMEM;
		goto err_release;
	}

	return 0;

err_release:
	pci_release_region(pdev, NAIVE_BAR);
err_disable:
	pci_disable_device(pdev);
	return err;
}

static void naive_card_unmap(struct naive_card *card, struct pci_dev *pdev)
{
	pci_iounmap(pdev, card->bar);
	pci_release_region(pdev, NAIVE_BAR);
	pci_disable_device(pdev);
}

static int naive_card_number(struct naive_card *card)
{
	int err = -ENOSPC, i;

	mutex_lock(&naive_lock);
	for (i = 0; i < NAIVE_CARDS; i++) {
		if (naive_cards[i])
			continue;
		naive_cards[i] = card;
		card->minor = i;
		card->generation = ++naive_generation;
		err = 0;
		break;
	}
	mutex_unlock(&naive_lock);

	return err;
}

static int naive_card_publish(struct naive_card *card, struct pci_dev *pdev)
{
	dev_t devt = naive_devt + card->minor;
	struct device *device;
	int err;

	card->cdev = cdev_alloc();
	if (!card->cdev)
		return -ENOMEM;

	card->cdev->owner = THIS_MODULE;
	card->cdev->ops = &naive_fops;
	err = cdev_add(card->cdev, devt, 1);
	if (err) {
		kobject_put(&card->cdev->kobj);
		return err;
	}

	device = device_create(&naive_class, &pdev->dev, devt, card, "naive%d",
			       card->minor);
	if (IS_ERR(device)) {
		cdev_del(card->cdev);
		return PTR_ERR(device);
	}

	return 0;
}

static int naive_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct naive_card *card;
	int err;

	card = kzalloc(sizeof(*card), GFP_KERNEL);
	if (!card)
		return -ENOMEM;
	mutex_init(&card->lock);

	err = naive_card_map(card, pdev);
	if (err)
		goto err_free;

	err = naive_card_number(card);
	if (err)
		goto err_unmap;

	pci_set_drvdata(pdev, card);
	err = naive_card_publish(card, pdev);
	if (err)
		goto err_number;

	return 0;

err_number:
	naive_cards[card->minor] = NULL;
err_unmap:
	naive_card_unmap(card, pdev);
err_free:
	kfree(card);
	return err;
}

static void naive_remove(struct pci_dev *pdev)
{
	struct naive_card *card = pci_get_drvdata(pdev);

	mutex_lock(&card->lock);
	card->gone = true;
	mutex_unlock(&card->lock);

	device_destroy(&naive_class, naive_devt + card->minor);
	cdev_del(card->cdev);
	mutex_lock(&naive_lock);
	naive_cards[card->minor] = NULL;
	mutex_unlock(&naive_lock);
	naive_card_unmap(card, pdev);
	kfree(card);
}

/* No MODULE_DEVICE_TABLE: nothing should ever load this by itself. */
static const struct pci_device_id naive_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT_QUMRANET, 0x1110) },
	{ }
};

static struct pci_driver naive_driver = {
	.name = "naive-ivshmem",
	.id_table = naive_ids,
	.probe = naive_probe,
	.remove = naive_remove,
};

static int __init naive_init(void)
{
	int err;

	err = alloc_chrdev_region(&naive_devt, 0, NAIVE_CARDS, "naive");
	if (err)
		return err;

	err = class_register(&naive_class);
	if (err)
		goto err_region;

	err = pci_register_driver(&naive_driver);
	if (err)
		goto err_class;

	return 0;

err_class:
	class_unregister(&naive_class);
err_region:
	unregister_chrdev_region(naive_devt, NAIVE_CARDS);
	return err;
}
module_init(naive_init);

static void __exit naive_exit(void)
{
	pci_unregister_driver(&naive_driver);
	class_unregister(&naive_class);
	unregister_chrdev_region(naive_devt, NAIVE_CARDS);
}
module_exit(naive_exit);

MODULE_DESCRIPTION("Control of the unplug tests: a driver that mishandles removal");
MODULE_LICENSE("GPL");
