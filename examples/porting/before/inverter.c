// SPDX-License-Identifier: GPL-2.0-only
/* A PCI card, QEMU's "edu": an ioctl has it invert numbers; its registers can be mapped. */

#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/uaccess.h>

#define INVERTER_IOC	_IOWR('e', 0x00, u32)
#define INVERTER_ECHO	0x04

struct inverter {
	struct cdev cdev;
	dev_t devt;
	struct pci_dev *pdev;
	void __iomem *bar;
	struct mutex lock;	/* INVERTER_ECHO */
};

static struct class inverter_class = {
	.name = "inverter",
};

static int inverter_open(struct inode *inode, struct file *file)
{
	file->private_data = container_of(inode->i_cdev, struct inverter, cdev);
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
	mutex_lock(&card->lock);
	iowrite32(number, card->bar + INVERTER_ECHO);
	number = ioread32(card->bar + INVERTER_ECHO);
	mutex_unlock(&card->lock);
	return put_user(number, user);
}

static int inverter_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct inverter *card = file->private_data;

	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return vm_iomap_memory(vma, pci_resource_start(card->pdev, 0),
			       pci_resource_len(card->pdev, 0));
}

static const struct file_operations inverter_fops = {
	.owner = THIS_MODULE,
	.open = inverter_open,
	.unlocked_ioctl = inverter_ioctl,
	.mmap = inverter_mmap,
};

static int inverter_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct inverter *card;
	struct device *node;
	int err;

	card = devm_kzalloc(&pdev->dev, sizeof(*card), GFP_KERNEL);
	if (!card)
		return -ENOMEM;
	mutex_init(&card->lock);
	card->pdev = pdev;
	err = pcim_enable_device(pdev);
	if (!err)
		err = pcim_iomap_regions(pdev, BIT(0), "inverter");
	if (err)
		return err;
	card->bar = pcim_iomap_table(pdev)[0];
	pci_set_drvdata(pdev, card);

	err = alloc_chrdev_region(&card->devt, 0, 1, "inverter");
	if (err)
		return err;
	cdev_init(&card->cdev, &inverter_fops);
	err = cdev_add(&card->cdev, card->devt, 1);
	if (err)
		goto unregister;
	node = device_create(&inverter_class, &pdev->dev, card->devt, NULL, "inverter-%s",
			     pci_name(pdev));
	err = PTR_ERR_OR_ZERO(node);
	if (!err)
		return 0;

	cdev_del(&card->cdev);
unregister:
	unregister_chrdev_region(card->devt, 1);
	return err;
}

static void inverter_remove(struct pci_dev *pdev)
{
	struct inverter *card = pci_get_drvdata(pdev);

	device_destroy(&inverter_class, card->devt);
	cdev_del(&card->cdev);
	unregister_chrdev_region(card->devt, 1);
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

static int __init inverter_init(void)
{
	int err;

	err = class_register(&inverter_class);
	if (err)
		return err;
	err = pci_register_driver(&inverter_driver);
	if (err)
		class_unregister(&inverter_class);
	return err;
}

static void __exit inverter_exit(void)
{
	pci_unregister_driver(&inverter_driver);
	class_unregister(&inverter_class);
}

module_init(inverter_init);
module_exit(inverter_exit);
MODULE_DESCRIPTION("A card that inverts numbers");
MODULE_LICENSE("GPL");
