// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that is reset under its users, for the cases of ../freeze.c.
 *
 * Its hardware is a page, which users map, and which read gives a byte of for each that was
 * fed. The node is /dev/unplug-freeze; what is written to the parameter do is done: freeze,
 * reset, thaw, end (thaw without the files), feed, pull. The file
 * unplug-freeze-pull in debugfs pulls at any time. With waits=1 newcomers wait while
 * it is frozen. With textbook=1 it is reset as if nobody were there.
 */

#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <unplug/device.h>
#include <unplug/wait.h>
#include "compat.h"
#include "freeze-uapi.h"

static bool textbook;
module_param(textbook, bool, 0444);
MODULE_PARM_DESC(textbook, "reset without freezing");

static bool waits;
module_param(waits, bool, 0444);
MODULE_PARM_DESC(waits, "newcomers wait while the device is frozen");

/* Files released, mappings the driver knows of */
static atomic_t releases;
static atomic_t mappings;

struct frozen {
	struct unplug_dev dev;
	wait_queue_head_t wait;
	atomic_t bytes;
	u8 *page;
};

static struct frozen *frozen;

static bool take(void)
{
	return atomic_dec_if_positive(&frozen->bytes) >= 0;
}

static ssize_t frozen_read(struct file *file, char __user *to, size_t count,
			   loff_t *pos)
{
	struct unplug_dev *dev = &frozen->dev;
	u8 byte;
	int err;

	if (!count)
		return 0;
	if (file->f_flags & O_NONBLOCK)
		err = take() ? 0 : -EAGAIN;
	else
		err = unplug_wait_event_interruptible(dev, frozen->wait, take());
	if (err)
		return err;
	if (!unplug_dev_hw_enter(dev)) {
		atomic_inc(&frozen->bytes);
		return unplug_dev_error(dev);
	}
	byte = READ_ONCE(*frozen->page);
	unplug_dev_hw_exit(dev);
	return put_user(byte, to) ?: 1;
}

/* The bytes go nowhere, after they were copied from where a test may hold them. */
static ssize_t frozen_write(struct file *file, const char __user *from,
			    size_t count, loff_t *pos)
{
	u8 byte;

	return !count ? 0 : copy_from_user(&byte, from, 1) ? -EFAULT : 1;
}

static __poll_t frozen_poll(struct file *file, struct poll_table_struct *table)
{
	poll_wait(file, &frozen->wait, table);
	return atomic_read(&frozen->bytes) > 0 ? EPOLLIN | EPOLLRDNORM : 0;
}

static long frozen_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case FREEZE_IOC_GENERATION:
		return unplug_dev_generation(&frozen->dev);
	case FREEZE_IOC_FREEZE:
		return unplug_dev_freeze(&frozen->dev);
	case FREEZE_IOC_DUMMY:
		return unplug_file_set_policy(file, arg ? UNPLUG_POLICY_DUMMY :
							  UNPLUG_POLICY_SIGBUS);
	default:
		return -ENOTTY;
	}
}

static int frozen_release(struct inode *inode, struct file *file)
{
	atomic_inc(&releases);
	return 0;
}

static void frozen_vm_open(struct vm_area_struct *vma)
{
	atomic_inc(&mappings);
}

static void frozen_vm_close(struct vm_area_struct *vma)
{
	atomic_dec(&mappings);
}

static vm_fault_t frozen_fault(struct vm_fault *vmf)
{
	vm_fault_t ret;

	if (!unplug_dev_hw_enter(&frozen->dev))
		return VM_FAULT_SIGBUS;
	ret = vmf_insert_pfn(vmf->vma, vmf->address,
			     virt_to_phys(frozen->page) >> PAGE_SHIFT);
	unplug_dev_hw_exit(&frozen->dev);
	return ret;
}

static const struct vm_operations_struct frozen_vm_ops = {
	.open = frozen_vm_open,
	.close = frozen_vm_close,
	.fault = frozen_fault,
};

static int frozen_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vma_pages(vma) > 1 || vma->vm_pgoff)
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP);
	vma->vm_ops = &frozen_vm_ops;
	atomic_inc(&mappings);
	return 0;
}

static const struct file_operations frozen_fops = {
	.owner = THIS_MODULE,
	.open = stream_open,
	.release = frozen_release,
	.read = frozen_read,
	.write = frozen_write,
	.poll = frozen_poll,
	.unlocked_ioctl = frozen_ioctl,
	.mmap = frozen_mmap,
};

static void frozen_gone(struct unplug_dev *dev)
{
	free_page((unsigned long)frozen->page);
	frozen->page = NULL;
}

static struct unplug_driver frozen_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-freeze",
	.fops = &frozen_fops,
	.gone = frozen_gone,
};

static int frozen_freeze(void)
{
	return textbook ? 0 : unplug_dev_freeze(&frozen->dev);
}

static int frozen_thaw(enum unplug_thaw files)
{
	return textbook ? 0 : unplug_dev_thaw(&frozen->dev, files);
}

static int frozen_feed(void)
{
	atomic_inc(&frozen->bytes);
	wake_up_interruptible_poll(&frozen->wait, EPOLLIN);
	return 0;
}

static int frozen_do(const char *text, const struct kernel_param *param)
{
	if (sysfs_streq(text, "freeze"))
		return frozen_freeze();
	if (sysfs_streq(text, "thaw"))
		return frozen_thaw(UNPLUG_THAW_KEEP);
	if (sysfs_streq(text, "end"))
		return frozen_thaw(UNPLUG_THAW_END);
	if (sysfs_streq(text, "reset")) {
		/* Whoever looks meanwhile sees something that is never there otherwise. */
		memset(frozen->page, FREEZE_DURING, PAGE_SIZE);
		cond_resched();
		memset(frozen->page, FREEZE_AFTER, PAGE_SIZE);
		return 0;
	}
	if (sysfs_streq(text, "feed"))
		return frozen_feed();
	if (sysfs_streq(text, "pull")) {
		unplug_dev_unplug(&frozen->dev);
		return 0;
	}
	return -EINVAL;
}

static const struct kernel_param_ops do_ops = {
	.set = frozen_do,
};
module_param_cb(do, &do_ops, NULL, 0200);

/* Not a parameter: these are under one lock, which who freezes the device has. */
static int frozen_pull(void *unused, u64 value)
{
	unplug_dev_unplug_async(&frozen->dev);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(pull_fops, NULL, frozen_pull, "%llu\n");

static struct dentry *pull_file;

static int count_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%d\n", atomic_read(param->arg));
}

static const struct kernel_param_ops count_ops = {
	.get = count_get,
};
module_param_cb(releases, &count_ops, &releases, 0444);
module_param_cb(mappings, &count_ops, &mappings, 0444);

static int __init frozen_init(void)
{
	int err = -ENOMEM;

	frozen_driver.frozen_waits = waits;
	frozen = unplug_dev_alloc(&frozen_driver, NULL, struct frozen, dev);
	if (IS_ERR(frozen))
		return PTR_ERR(frozen);
	init_waitqueue_head(&frozen->wait);
	frozen->page = (u8 *)__get_free_page(GFP_KERNEL);
	if (!frozen->page)
		goto put;
	memset(frozen->page, FREEZE_BEFORE, PAGE_SIZE);
	err = unplug_dev_register(&frozen->dev, "unplug-freeze");
	if (!err) {
		pull_file = debugfs_create_file("unplug-freeze-pull", 0200, NULL,
						NULL, &pull_fops);
		return 0;
	}
	free_page((unsigned long)frozen->page);
put:
	unplug_dev_put(&frozen->dev);
	return err;
}

static void __exit frozen_exit(void)
{
	debugfs_remove(pull_file);
	unplug_dev_unplug(&frozen->dev);
	unplug_dev_wait_gone(&frozen->dev);
	unplug_dev_put(&frozen->dev);
}

module_init(frozen_init);
module_exit(frozen_exit);
MODULE_DESCRIPTION("A device that is reset under its users, for the tests of unplug");
MODULE_LICENSE("GPL");
