// SPDX-License-Identifier: GPL-2.0-only
/* A cdev: a mailbox for one message; who reads waits for it. On platform devices. */

#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#define MAILBOX_SIZE 256

struct mailbox {
	struct cdev cdev;
	dev_t devt;
	struct mutex lock;	/* the fields below */
	wait_queue_head_t wait;
	size_t length;
	char *text;
};

static struct class mailbox_class = {
	.name = "mailbox",
};

static int mailbox_open(struct inode *inode, struct file *file)
{
	file->private_data = container_of(inode->i_cdev, struct mailbox, cdev);
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
			ret = wait_event_interruptible(box->wait, READ_ONCE(box->length));
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

static int mailbox_probe(struct platform_device *pdev)
{
	struct mailbox *box;
	struct device *node;
	int err = -ENOMEM;

	box = kzalloc(sizeof(*box), GFP_KERNEL);
	if (!box)
		return -ENOMEM;
	mutex_init(&box->lock);
	init_waitqueue_head(&box->wait);
	box->text = kmalloc(MAILBOX_SIZE, GFP_KERNEL);
	if (!box->text)
		goto free;
	err = alloc_chrdev_region(&box->devt, 0, 1, "mailbox");
	if (err)
		goto free_text;
	cdev_init(&box->cdev, &mailbox_fops);
	err = cdev_add(&box->cdev, box->devt, 1);
	if (err)
		goto unregister;
	node = device_create(&mailbox_class, &pdev->dev, box->devt, NULL, "mailbox%d", pdev->id);
	err = PTR_ERR_OR_ZERO(node);
	if (err)
		goto del;
	platform_set_drvdata(pdev, box);
	return 0;

del:
	cdev_del(&box->cdev);
unregister:
	unregister_chrdev_region(box->devt, 1);
free_text:
	kfree(box->text);
free:
	kfree(box);
	return err;
}

static void mailbox_remove(struct platform_device *pdev)
{
	struct mailbox *box = platform_get_drvdata(pdev);

	device_destroy(&mailbox_class, box->devt);
	cdev_del(&box->cdev);
	unregister_chrdev_region(box->devt, 1);
	kfree(box->text);
	kfree(box);
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

	err = class_register(&mailbox_class);
	if (err)
		return err;
	err = platform_driver_register(&mailbox_driver);
	if (err)
		goto destroy;
	mailbox_pdev = platform_device_register_simple("mailbox", 0, NULL, 0);
	err = PTR_ERR_OR_ZERO(mailbox_pdev);
	if (err)
		goto unregister;
	return 0;

unregister:
	platform_driver_unregister(&mailbox_driver);
destroy:
	class_unregister(&mailbox_class);
	return err;
}

static void __exit mailbox_exit(void)
{
	platform_device_unregister(mailbox_pdev);
	platform_driver_unregister(&mailbox_driver);
	class_unregister(&mailbox_class);
}

module_init(mailbox_init);
module_exit(mailbox_exit);
MODULE_DESCRIPTION("A mailbox");
MODULE_LICENSE("GPL");
