// SPDX-License-Identifier: GPL-2.0-only
/* A cdev: a mailbox for one message; who reads waits for it. On platform devices. */

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <unplug/device.h>
#include <unplug/wait.h>

#define MAILBOX_SIZE 256

struct mailbox {
	struct unplug_dev dev;
	struct mutex lock;	/* the fields below */
	wait_queue_head_t wait;
	size_t length;
	char *text;
};

static int mailbox_open(struct inode *inode, struct file *file)
{
	file->private_data = container_of(unplug_dev_from_file(file), struct mailbox, dev);
	return nonseekable_open(inode, file);
}

static ssize_t mailbox_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct mailbox *box = file->private_data;
	ssize_t ret;
	size_t n;

	if (!count)
		return 0;
	do {
		ret = READ_ONCE(box->length) ? 0 : -EAGAIN;
		if (!(file->f_flags & O_NONBLOCK))
			ret = unplug_wait_event_interruptible(&box->dev, box->wait,
							      READ_ONCE(box->length));
		if (ret)
			return ret;
		mutex_lock(&box->lock);
		n = min(count, box->length);
		ret = copy_to_user(to, box->text, n) ? -EFAULT : n;
		if (ret > 0)
			box->length = 0;
		mutex_unlock(&box->lock);
	} while (!ret);			/* another reader was faster */
	return ret;
}

static ssize_t mailbox_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	struct mailbox *box = file->private_data;
	ssize_t ret = count;

	if (!count || count > MAILBOX_SIZE)
		return -EINVAL;
	mutex_lock(&box->lock);
	box->length = 0;
	if (copy_from_user(box->text, from, count))
		ret = -EFAULT;
	else
		box->length = count;
	mutex_unlock(&box->lock);
	wake_up_interruptible(&box->wait);
	return ret;
}

static const struct file_operations mailbox_fops = {
	.owner = THIS_MODULE,
	.open = mailbox_open,
	.read = mailbox_read,
	.write = mailbox_write,
};

static void mailbox_gone(struct unplug_dev *dev)
{
	kfree(container_of(dev, struct mailbox, dev)->text);
}

static const struct unplug_driver mailbox_unplug = {
	.owner = THIS_MODULE,
	.name = "mailbox",
	.fops = &mailbox_fops,
	.gone = mailbox_gone,
};

static int mailbox_probe(struct platform_device *pdev)
{
	struct mailbox *box;
	int err = -ENOMEM;

	box = unplug_dev_alloc(&mailbox_unplug, &pdev->dev, struct mailbox, dev);
	if (IS_ERR(box))
		return PTR_ERR(box);
	mutex_init(&box->lock);
	init_waitqueue_head(&box->wait);
	box->text = kmalloc(MAILBOX_SIZE, GFP_KERNEL);
	if (!box->text)
		goto put;
	platform_set_drvdata(pdev, box);
	err = unplug_dev_register(&box->dev, "mailbox%d", pdev->id);
	if (err)
		goto free_text;
	return 0;

free_text:
	kfree(box->text);
put:
	unplug_dev_put(&box->dev);
	return err;
}

static void mailbox_remove(struct platform_device *pdev)
{
	struct mailbox *box = platform_get_drvdata(pdev);

	unplug_dev_unplug(&box->dev);
	unplug_dev_put(&box->dev);
}

static struct platform_driver mailbox_driver = {
	.probe = mailbox_probe,
	.remove_new = mailbox_remove,
	.driver.name = "mailbox",
};

static struct platform_device *mailbox_pdev;

static int __init mailbox_init(void)
{
	int err;

	err = platform_driver_register(&mailbox_driver);
	if (err)
		return err;
	mailbox_pdev = platform_device_register_simple("mailbox", 0, NULL, 0);
	err = PTR_ERR_OR_ZERO(mailbox_pdev);
	if (err)
		platform_driver_unregister(&mailbox_driver);
	return err;
}

static void __exit mailbox_exit(void)
{
	platform_device_unregister(mailbox_pdev);
	platform_driver_unregister(&mailbox_driver);
}

module_init(mailbox_init);
module_exit(mailbox_exit);
MODULE_DESCRIPTION("A mailbox");
MODULE_LICENSE("GPL");
