// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nodes and their numbers: see guard-busted.h. Numbers go up, and are kept until the device
 * is freed; with the mistake NUMBER the lowest that is free is taken, and is free when the
 * node has gone.
 */

#include <linux/cdev.h>
#include <linux/idr.h>
#include <linux/module.h>
#include "compat.h"
#include "guard-busted.h"

static dev_t first;
static struct cdev cdev;
static struct class *class;

static DEFINE_SPINLOCK(numbers_lock);
static DEFINE_IDR(numbers);		/* under numbers_lock */

int busted_numbers_init(void)
{
	int err;

	err = alloc_chrdev_region(&first, 0, MINORMASK + 1, "torture-busted");
	if (err)
		return err;
	class = unplug_class_create("torture-busted");
	err = PTR_ERR_OR_ZERO(class);
	if (err)
		goto unregister;
	cdev_init(&cdev, &busted_fops);
	cdev.owner = THIS_MODULE;
	err = cdev_add(&cdev, first, MINORMASK + 1);
	if (!err)
		return 0;
	class_destroy(class);
unregister:
	unregister_chrdev_region(first, MINORMASK + 1);
	return err;
}

void busted_numbers_exit(void)
{
	cdev_del(&cdev);
	class_destroy(class);
	unregister_chrdev_region(first, MINORMASK + 1);
	idr_destroy(&numbers);
}

static int number_take(struct busted_dev *dev)
{
	int number;

	idr_preload(GFP_KERNEL);
	spin_lock(&numbers_lock);
	if (busted(BUSTED_NUMBER))
		number = idr_alloc(&numbers, dev, 0, MINORMASK + 1, GFP_NOWAIT);
	else
		number = idr_alloc_cyclic(&numbers, dev, 0, MINORMASK + 1,
					  GFP_NOWAIT);
	spin_unlock(&numbers_lock);
	idr_preload_end();
	return number;
}

static dev_t devt_of(const struct busted_dev *dev)
{
	return MKDEV(MAJOR(first), dev->number);
}

/**
 * busted_node_make() - let users open a device
 * @dev: the device
 * @name: of its node
 *
 * Context: Process. May sleep.
 * Return: 0; -ENOSPC, -ENOMEM, or what device_create() says.
 */
int busted_node_make(struct busted_dev *dev, const char *name)
{
	struct device *device;

	dev->number = number_take(dev);
	if (dev->number < 0)
		return dev->number;
	device = device_create(class, NULL, devt_of(dev), NULL, "%s", name);
	if (!IS_ERR(device))
		return 0;
	busted_number_free(dev);
	return PTR_ERR(device);
}

void busted_node_hide(struct busted_dev *dev)
{
	device_destroy(class, devt_of(dev));
	if (busted(BUSTED_NUMBER))
		busted_number_free(dev);
}

/* May be called again. */
void busted_number_free(struct busted_dev *dev)
{
	spin_lock(&numbers_lock);
	if (dev->number >= 0)
		idr_remove(&numbers, dev->number);
	dev->number = -1;
	spin_unlock(&numbers_lock);
}

/**
 * busted_number_find() - whose is a number?
 * @number: of a node that is being opened
 *
 * Context: Process.
 * Return: the device, with a reference for the caller; or NULL.
 */
struct busted_dev *busted_number_find(unsigned int number)
{
	struct busted_dev *dev;

	spin_lock(&numbers_lock);
	dev = idr_find(&numbers, number);
	if (dev && !kref_get_unless_zero(&dev->ref))
		dev = NULL;
	spin_unlock(&numbers_lock);
	return dev;
}
