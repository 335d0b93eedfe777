// SPDX-License-Identifier: GPL-2.0-only
/*
 * The node's first open.
 *
 * One cdev, the core's, stands for all numbers: it is never deleted while a
 * device exists, so that the trouble of cdev_del(), after which operations stay
 * callable, does not arise. Its open finds the device by number and hands the
 * file over to the table that guards the driver's operations.
 */

#include <linux/cdev.h>
#include "internal.h"

dev_t unplug_devt;
static struct cdev unplug_cdev;

static int unplug_cdev_open(struct inode *inode, struct file *file)
{
	struct unplug_dev *dev = unplug_minor_find(iminor(inode));
	int err;

	if (!dev)
		return -ENXIO;
	unplug_hook(UNPLUG_HOOK_OPEN);
	err = -ENXIO;
	if (!dev->front)	/* a front end has numbers of its own */
		err = unplug_front_open(dev, inode, file);
	if (err)
		unplug_dev_put(dev);	/* else the open file keeps it */
	return err;
}

static const struct file_operations unplug_cdev_fops = {
	.owner = THIS_MODULE,
	.open = unplug_cdev_open,
	.llseek = noop_llseek,
};

int unplug_cdev_init(void)
{
	int err;

	err = alloc_chrdev_region(&unplug_devt, 0, MINORMASK + 1, "unplug");
	if (err)
		return err;

	cdev_init(&unplug_cdev, &unplug_cdev_fops);
	unplug_cdev.owner = THIS_MODULE;
	err = cdev_add(&unplug_cdev, unplug_devt, MINORMASK + 1);
	if (err) {
		kobject_put(&unplug_cdev.kobj);
		unregister_chrdev_region(unplug_devt, MINORMASK + 1);
	}
	return err;
}

void unplug_cdev_exit(void)
{
	cdev_del(&unplug_cdev);
	unregister_chrdev_region(unplug_devt, MINORMASK + 1);
}
