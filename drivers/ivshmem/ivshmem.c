// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's inter-VM shared memory card, which may be pulled while in use.
 *
 * BAR 2 is memory that a file on the host backs. Users read and write it, map
 * it, ask for its size and generation, and choose what their mappings show when the
 * card is gone.
 *
 * Note where the hardware is touched: in hardware sections alone, never while
 * user memory is, whose owner may take his time. So ->remove can give the BAR
 * back as soon as the device is shut, while a reader whose buffer lies on a
 * slow file system is still inside; he will not find the next card there.
 */

#include <linux/idr.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <unplug/device.h>
#include <unplug/ivshmem.h>
#include <unplug/mmap.h>

#define IVSHMEM_VENDOR	0x1af4
#define IVSHMEM_DEVICE	0x1110
#define IVSHMEM_BAR	2

static bool dummy;
module_param(dummy, bool, 0644);
MODULE_PARM_DESC(dummy,
		 "cards that come from now on: who touches a mapping after the pull meets zeroes, not SIGBUS, unless he chose (default: no)");

static DEFINE_IDA(ivshmem_ids);

/**
 * struct ivshmem - a card
 * @dev: the core's part
 * @mem: BAR 2, as users map it
 * @bar: BAR 2, as the driver reads and writes it; in hardware sections
 * @id: number in the name; given back when the card is shut
 */
struct ivshmem {
	struct unplug_dev dev;
	struct unplug_iomem mem;
	void __iomem *bar;
	int id;
};

static struct ivshmem *ivshmem_from_file(struct file *file)
{
	return container_of(unplug_dev_from_file(file), struct ivshmem, dev);
}

/* How much of @count bytes at @pos lies in the card; 0 at and past its end. */
static size_t ivshmem_clamp(const struct ivshmem *card, loff_t pos, size_t count)
{
	if (pos < 0 || pos >= card->mem.size)
		return 0;
	return min_t(u64, count, card->mem.size - pos);
}

static bool ivshmem_get_bytes(struct ivshmem *card, void *to, loff_t pos,
			      size_t count)
{
	if (!unplug_dev_hw_enter(&card->dev))
		return false;
	memcpy_fromio(to, card->bar + pos, count);
	unplug_dev_hw_exit(&card->dev);
	return true;
}

static bool ivshmem_put_bytes(struct ivshmem *card, loff_t pos, const void *from,
			      size_t count)
{
	if (!unplug_dev_hw_enter(&card->dev))
		return false;
	memcpy_toio(card->bar + pos, from, count);
	unplug_dev_hw_exit(&card->dev);
	return true;
}

/* One page at a time; what was moved before a failure is reported as moved. */
static ssize_t ivshmem_read(struct file *file, char __user *to, size_t count,
			    loff_t *pos)
{
	struct ivshmem *card = ivshmem_from_file(file);
	size_t done = 0, n;
	ssize_t err = 0;
	void *page;

	count = ivshmem_clamp(card, *pos, count);
	if (!count)
		return 0;
	page = (void *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;

	while (done < count) {
		n = min_t(size_t, count - done, PAGE_SIZE);
		if (!ivshmem_get_bytes(card, page, *pos + done, n)) {
			err = unplug_dev_error(&card->dev);
			break;
		}
		err = -EFAULT;
		if (copy_to_user(to + done, page, n))
			break;
		done += n;
	}

	free_page((unsigned long)page);
	*pos += done;
	return done ?: err;
}

static ssize_t ivshmem_write(struct file *file, const char __user *from,
			     size_t count, loff_t *pos)
{
	struct ivshmem *card = ivshmem_from_file(file);
	size_t done = 0, n;
	ssize_t err = 0;
	void *page;

	if (!count)
		return 0;
	count = ivshmem_clamp(card, *pos, count);
	if (!count)
		return -ENOSPC;
	page = (void *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;

	while (done < count) {
		n = min_t(size_t, count - done, PAGE_SIZE);
		err = -EFAULT;
		if (copy_from_user(page, from + done, n))
			break;
		if (!ivshmem_put_bytes(card, *pos + done, page, n)) {
			err = unplug_dev_error(&card->dev);
			break;
		}
		done += n;
	}

	free_page((unsigned long)page);
	*pos += done;
	return done ?: err;
}

static loff_t ivshmem_llseek(struct file *file, loff_t offset, int whence)
{
	struct ivshmem *card = ivshmem_from_file(file);

	return fixed_size_llseek(file, offset, whence, card->mem.size);
}

/* Always ready; with a poll, users can also wait for the hang-up. */
static __poll_t ivshmem_poll(struct file *file, struct poll_table_struct *table)
{
	return DEFAULT_POLLMASK;
}

static long ivshmem_get_info(struct ivshmem *card,
			     struct ivshmem_info __user *to)
{
	struct ivshmem_info info = {
		.size = card->mem.size,
		.generation = unplug_dev_generation(&card->dev),
	};

	return copy_to_user(to, &info, sizeof(info)) ? -EFAULT : 0;
}

static long ivshmem_set_gone(struct file *file, const u32 __user *from)
{
	u32 gone;

	if (get_user(gone, from))
		return -EFAULT;
	switch (gone) {
	case IVSHMEM_GONE_SIGBUS:
		return unplug_file_set_policy(file, UNPLUG_POLICY_SIGBUS);
	case IVSHMEM_GONE_DUMMY:
		return unplug_file_set_policy(file, UNPLUG_POLICY_DUMMY);
	default:
		return -EINVAL;
	}
}

static long ivshmem_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case IVSHMEM_IOC_INFO:
		return ivshmem_get_info(ivshmem_from_file(file), user);
	case IVSHMEM_IOC_GONE:
		return ivshmem_set_gone(file, user);
	default:
		return -ENOTTY;
	}
}

static int ivshmem_mmap(struct file *file, struct vm_area_struct *vma)
{
	return unplug_iomem_mmap(&ivshmem_from_file(file)->mem, vma);
}

static const struct file_operations ivshmem_fops = {
	.owner = THIS_MODULE,
	.llseek = ivshmem_llseek,
	.read = ivshmem_read,
	.write = ivshmem_write,
	.poll = ivshmem_poll,
	.unlocked_ioctl = ivshmem_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = ivshmem_mmap,
};

/* Nothing to free in ->gone: the hardware goes back to the bus when shut. */
static const struct unplug_driver ivshmem_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-ivshmem",
	.fops = &ivshmem_fops,
};

/* The hardware; undone by ivshmem_put_hw(). */
static int ivshmem_get_hw(struct ivshmem *card, struct pci_dev *pdev)
{
	int err;

	err = pci_enable_device_mem(pdev);
	if (err)
		return err;
	err = pci_request_region(pdev, IVSHMEM_BAR, "unplug-ivshmem");
	if (err)
		goto disable;
	card->mem.start = pci_resource_start(pdev, IVSHMEM_BAR);
	card->mem.size = pci_resource_len(pdev, IVSHMEM_BAR);
	card->mem.cache = UNPLUG_IOMEM_WC;
	card->bar = pci_iomap_wc(pdev, IVSHMEM_BAR, 0);
	if (card->bar)
		return 0;
	err = -ENOMEM;

	pci_release_region(pdev, IVSHMEM_BAR);
disable:
	pci_disable_device(pdev);
	return err;
}

static void ivshmem_put_hw(struct ivshmem *card, struct pci_dev *pdev)
{
	pci_iounmap(pdev, card->bar);
	pci_release_region(pdev, IVSHMEM_BAR);
	pci_disable_device(pdev);
}

static int ivshmem_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct ivshmem *card;
	int err;

	card = unplug_dev_alloc(&ivshmem_driver, &pdev->dev, struct ivshmem,
				dev);
	if (IS_ERR(card))
		return PTR_ERR(card);
	err = ivshmem_get_hw(card, pdev);
	if (err)
		goto put;
	card->id = ida_alloc(&ivshmem_ids, GFP_KERNEL);
	err = card->id;
	if (err < 0)
		goto put_hw;
	pci_set_drvdata(pdev, card);
	if (dummy)
		unplug_dev_set_policy(&card->dev, UNPLUG_POLICY_DUMMY);
	err = unplug_dev_register(&card->dev, "ivshmem%d", card->id);
	if (err)
		goto free_id;
	return 0;

free_id:
	ida_free(&ivshmem_ids, card->id);
put_hw:
	ivshmem_put_hw(card, pdev);
put:
	unplug_dev_put(&card->dev);
	return err;
}

static void ivshmem_remove(struct pci_dev *pdev)
{
	struct ivshmem *card = pci_get_drvdata(pdev);

	unplug_dev_unplug(&card->dev);
	/* Shut: nobody touches the card any more, whoever is still inside. */
	ida_free(&ivshmem_ids, card->id);
	ivshmem_put_hw(card, pdev);
	unplug_dev_put(&card->dev);
}

/*
 * Users meet EAGAIN meanwhile, and go on afterwards: what is in the BAR lasts. The bus
 * resets the card in any case, so if it could not be frozen it has to be shut.
 */
static void ivshmem_reset_prepare(struct pci_dev *pdev)
{
	struct ivshmem *card = pci_get_drvdata(pdev);
	int err = unplug_dev_freeze(&card->dev);

	if (err && err != -EINPROGRESS)
		unplug_dev_unplug(&card->dev);
}

/* Who is still inside from before could take the card for the one he knew. */
static void ivshmem_reset_done(struct pci_dev *pdev)
{
	struct ivshmem *card = pci_get_drvdata(pdev);

	if (unplug_dev_thaw(&card->dev, UNPLUG_THAW_KEEP))
		unplug_dev_unplug_async(&card->dev);
}

static const struct pci_error_handlers ivshmem_errors = {
	.reset_prepare = ivshmem_reset_prepare,
	.reset_done = ivshmem_reset_done,
};

static const struct pci_device_id ivshmem_pci_ids[] = {
	{ PCI_DEVICE(IVSHMEM_VENDOR, IVSHMEM_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ivshmem_pci_ids);

static struct pci_driver ivshmem_pci_driver = {
	.name = "unplug-ivshmem",
	.id_table = ivshmem_pci_ids,
	.probe = ivshmem_probe,
	.remove = ivshmem_remove,
	.err_handler = &ivshmem_errors,
};
module_pci_driver(ivshmem_pci_driver);

MODULE_DESCRIPTION("QEMU inter-VM shared memory card behind the unplug gate");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
