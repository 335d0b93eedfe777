// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smallest complete driver behind the gate. Read it first.
 *
 * Its devices swallow what is written and have nothing to read. They sit on
 * platform devices, so that one can be pulled at any time:
 *
 *	echo unplug-null.0 >/sys/bus/platform/drivers/unplug-null/unbind
 */

#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <unplug/device.h>
#include "compat.h"

#define NULL_DEVICES_MAX 64

static unsigned int devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "number of devices, 1 to 64 (default 1)");

/* Files opened and released: the same number once all devices are gone. */
static atomic_t opened, released;
module_param_named(opened, opened.counter, int, 0444);
module_param_named(released, released.counter, int, 0444);

/* Memory of the core's. What @swallowed counts in is the driver's: see gone. */
struct null {
	struct unplug_dev dev;
	atomic64_t *swallowed;
};

static struct null *to_null(struct unplug_dev *dev)
{
	return container_of(dev, struct null, dev);
}

/* Operations need no check whether the device is still there: the core did. */
static int null_open(struct inode *inode, struct file *file)
{
	atomic_inc(&opened);
	return stream_open(inode, file);
}

static ssize_t null_read(struct file *file, char __user *to, size_t count,
			 loff_t *pos)
{
	return 0;
}

static ssize_t null_write(struct file *file, const char __user *from,
			  size_t count, loff_t *pos)
{
	struct null *null = to_null(unplug_dev_from_file(file));

	atomic64_add(count, null->swallowed);
	return count;
}

/* Never readable: who waits for that waits until the device is pulled. */
static __poll_t null_poll(struct file *file, struct poll_table_struct *table)
{
	return EPOLLOUT | EPOLLWRNORM;
}

/* Once per file: at its last close, or earlier when the device is pulled. */
static int null_release(struct inode *inode, struct file *file)
{
	atomic_inc(&released);
	return 0;
}

static const struct file_operations null_fops = {
	.owner = THIS_MODULE,
	.open = null_open,
	.read = null_read,
	.write = null_write,
	.poll = null_poll,
	.release = null_release,
};

/* Nobody is inside, and nobody will be: free what users could reach. */
static void null_gone(struct unplug_dev *dev)
{
	kfree(to_null(dev)->swallowed);
}

static const struct unplug_driver null_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-null",
	.fops = &null_fops,
	.mode = 0666,
	.gone = null_gone,
};

static int null_probe(struct platform_device *pdev)
{
	struct null *null;
	int err = -ENOMEM;

	null = unplug_dev_alloc(&null_driver, &pdev->dev, struct null, dev);
	if (IS_ERR(null))
		return PTR_ERR(null);
	null->swallowed = kzalloc(sizeof(*null->swallowed), GFP_KERNEL);
	if (!null->swallowed)
		goto put;
	err = unplug_dev_register(&null->dev, "unplug-null%d", pdev->id);
	if (err)
		goto free;
	platform_set_drvdata(pdev, null);
	return 0;

free:
	kfree(null->swallowed);
put:
	unplug_dev_put(&null->dev);
	return err;
}

/* Does not wait for users: what they hold is freed when they are done. */
static void null_remove(struct platform_device *pdev)
{
	struct null *null = platform_get_drvdata(pdev);

	unplug_dev_unplug(&null->dev);
	unplug_dev_put(&null->dev);
}

static struct platform_driver null_platform_driver = {
	.probe = null_probe,
	.unplug_platform_remove = null_remove,
	.driver.name = "unplug-null",
};

static struct platform_device *null_pdevs[NULL_DEVICES_MAX];

static void null_delete_devices(unsigned int n)
{
	while (n--)
		platform_device_unregister(null_pdevs[n]);
}

static int __init null_init(void)
{
	struct platform_device *pdev;
	unsigned int i;
	int err;

	if (devices < 1 || devices > NULL_DEVICES_MAX) {
		pr_err("unplug-null: devices=%u: must be 1 to %d\n", devices,
		       NULL_DEVICES_MAX);
		return -EINVAL;
	}
	err = platform_driver_register(&null_platform_driver);
	if (err)
		return err;
	for (i = 0; i < devices; i++) {
		pdev = platform_device_register_simple("unplug-null", i, NULL,
						       0);
		if (IS_ERR(pdev)) {
			null_delete_devices(i);
			platform_driver_unregister(&null_platform_driver);
			return PTR_ERR(pdev);
		}
		null_pdevs[i] = pdev;
	}
	return 0;
}

static void __exit null_exit(void)
{
	null_delete_devices(devices);
	platform_driver_unregister(&null_platform_driver);
}

module_init(null_init);
module_exit(null_exit);
MODULE_DESCRIPTION("The smallest driver behind the unplug gate");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
