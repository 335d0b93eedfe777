// SPDX-License-Identifier: GPL-2.0-only
/* A PCI card, QEMU's "edu": an ioctl has it invert numbers; its registers can be mapped. */

#include <linux/fs.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <unplug/device.h>
#include <unplug/mmap.h>

#define INVERTER_IOC	_IOWR('e', 0x00, u32)
#define INVERTER_ECHO	0x04

struct inverter {
	struct unplug_dev dev;
	struct unplug_iomem mem;
	void __iomem *bar;
	struct mutex lock;	/* INVERTER_ECHO */
};

static int inverter_open(struct inode *inode, struct file *file)
{
	file->private_data = container_of(unplug_dev_from_file(file), struct inverter, dev);
	return 0;
}

static long inverter_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct inverter *card = file->private_data;
	u32 __user *user = (u32 __user *)arg;
	u32 number;

	if (cmd != INVERTER_IOC)
		return -ENOTTY;
	if (get_user(number, user))
		return -EFAULT;
	if (!unplug_dev_hw_enter(&card->dev))
		return -ENODEV;
	mutex_lock(&card->lock);
	iowrite32(number, card->bar + INVERTER_ECHO);
	number = ioread32(card->bar + INVERTER_ECHO);
	mutex_unlock(&card->lock);
	unplug_dev_hw_exit(&card->dev);
	return put_user(number, user);
}

static int inverter_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct inverter *card = file->private_data;

	return unplug_iomem_mmap(&card->mem, vma);
}

static const struct file_operations inverter_fops = {
	.owner = THIS_MODULE,
	.open = inverter_open,
	.unlocked_ioctl = inverter_ioctl,
	.mmap = inverter_mmap,
};

static const struct unplug_driver inverter_unplug = {
	.owner = THIS_MODULE,
	.name = "inverter",
	.fops = &inverter_fops,
};

static int inverter_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct inverter *card;
	int err;

	card = unplug_dev_alloc(&inverter_unplug, &pdev->dev, struct inverter, dev);
	if (IS_ERR(card))
		return PTR_ERR(card);
	mutex_init(&card->lock);
	err = pcim_enable_device(pdev);
	if (!err)
		err = pcim_iomap_regions(pdev, BIT(0), "inverter");
	if (err)
		goto put;
	card->bar = pcim_iomap_table(pdev)[0];
	card->mem.start = pci_resource_start(pdev, 0);
	card->mem.size = pci_resource_len(pdev, 0);
	card->mem.cache = UNPLUG_IOMEM_UC;
	pci_set_drvdata(pdev, card);

	err = unplug_dev_register(&card->dev, "inverter-%s", pci_name(pdev));
	if (!err)
		return 0;

put:
	unplug_dev_put(&card->dev);
	return err;
}

static void inverter_remove(struct pci_dev *pdev)
{
	struct inverter *card = pci_get_drvdata(pdev);

	unplug_dev_unplug(&card->dev);
	unplug_dev_put(&card->dev);
}

static const struct pci_device_id inverter_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, inverter_ids);

static struct pci_driver inverter_driver = {
	.name = "inverter",
	.id_table = inverter_ids,
	.probe = inverter_probe,
	.remove = inverter_remove,
};

module_pci_driver(inverter_driver);

MODULE_DESCRIPTION("A card that inverts numbers");
MODULE_LICENSE("GPL");
