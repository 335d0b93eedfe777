// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver with operations that few have: it keeps locks, reads and writes by iterators, takes
 * what is spliced to it, tells of its files in fdinfo, and has a say when its mappings are
 * split, moved or protected: the parameter told counts how often, and how often a lock was
 * given back; with refuses=1 it says no. With pulls=1 it unplugs itself when something was
 * spliced to it; eofs counts how often it was told that no more comes. The node is
 * /dev/unplug-rare; what is written to the parameter do is done: freeze, thaw, pull. With flock=1
 * it keeps those of flock(), else those of fcntl(): never both, so one of them is the core's.
 */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/uio.h>
#include <unplug/device.h>
#include "compat.h"

#define NODE "unplug-rare"

struct rare {
	struct unplug_dev dev;
	struct page *page;
};

static struct rare *rare;

static bool flock;
module_param(flock, bool, 0400);

static ssize_t rare_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	static const char word[] = { 'r', 'a', 'r', 'e' };

	return copy_to_iter(word, sizeof(word), to);
}

static ssize_t rare_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	size_t n = iov_iter_count(from);

	iov_iter_advance(from, n);
	return n;
}

/* How often no more was to be spliced; and whether the device goes when some has been */
static atomic_t eofs = ATOMIC_INIT(0);
module_param_named(eofs, eofs.counter, int, 0400);

static bool pulls;
module_param(pulls, bool, 0600);

static ssize_t rare_splice_write(struct pipe_inode_info *pipe, struct file *file,
				 loff_t *pos, size_t count, unsigned int flags)
{
	ssize_t ret = iter_file_splice_write(pipe, file, pos, count, flags);

	if (pulls)
		unplug_dev_unplug_async(&rare->dev);
	return ret;
}

static void rare_splice_eof(struct file *file)
{
	atomic_inc(&eofs);
}

static void rare_show_fdinfo(struct seq_file *seq, struct file *file)
{
	seq_puts(seq, "rare:\tyes\n");
}

/* How often a lock was given back; and mappings were to be split, moved, protected */
static atomic_t unlocks, splits, moves, protects;

static bool refuses;
module_param(refuses, bool, 0600);

static int rare_lock(struct file *file, int cmd, struct file_lock *lock)
{
	if (unplug_lock_is_unlock(lock))
		atomic_inc(&unlocks);
	if (cmd != F_GETLK)
		return posix_lock_file(file, lock, NULL);
	posix_test_lock(file, lock);
	return 0;
}

static int rare_flock(struct file *file, int cmd, struct file_lock *lock)
{
	if (unplug_lock_is_unlock(lock))
		atomic_inc(&unlocks);
	return locks_lock_file_wait(file, lock);
}

static int rare_say(atomic_t *count)
{
	atomic_inc(count);
	return refuses ? -EXDEV : 0;
}

static int rare_may_split(struct vm_area_struct *vma, unsigned long at)
{
	return rare_say(&splits);
}

static int rare_mremap(struct vm_area_struct *vma)
{
	return rare_say(&moves);
}

static int rare_mprotect(struct vm_area_struct *vma, unsigned long start,
			 unsigned long end, unsigned long flags)
{
	return rare_say(&protects);
}

/* One page, wherever it is touched */
static vm_fault_t rare_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(rare->page));
}

static const struct vm_operations_struct rare_vm_ops = {
	.may_split = rare_may_split,
	.mremap = rare_mremap,
	.mprotect = rare_mprotect,
	.fault = rare_fault,
};

static int rare_mmap(struct file *file, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_PFNMAP);
	vma->vm_ops = &rare_vm_ops;
	return 0;
}

static const struct file_operations rare_lock_fops = {
	.owner = THIS_MODULE,
	.read_iter = rare_read_iter,
	.write_iter = rare_write_iter,
	.splice_write = rare_splice_write,
	.splice_eof = rare_splice_eof,
	.show_fdinfo = rare_show_fdinfo,
	.mmap = rare_mmap,
	.lock = rare_lock,
};

static const struct file_operations rare_flock_fops = {
	.owner = THIS_MODULE,
	.read_iter = rare_read_iter,
	.write_iter = rare_write_iter,
	.splice_write = rare_splice_write,
	.splice_eof = rare_splice_eof,
	.show_fdinfo = rare_show_fdinfo,
	.mmap = rare_mmap,
	.flock = rare_flock,
};

static void rare_gone(struct unplug_dev *dev)
{
	__free_page(rare->page);
}

static const struct unplug_driver rare_drivers[] = {
	{ .owner = THIS_MODULE, .name = NODE, .fops = &rare_lock_fops, .gone = rare_gone },
	{ .owner = THIS_MODULE, .name = NODE, .fops = &rare_flock_fops, .gone = rare_gone },
};

static int rare_do(const char *text, const struct kernel_param *param)
{
	if (!rare)
		return -ENODEV;
	if (sysfs_streq(text, "freeze"))
		return unplug_dev_freeze(&rare->dev);
	if (sysfs_streq(text, "thaw"))
		return unplug_dev_thaw(&rare->dev, UNPLUG_THAW_KEEP);
	if (!sysfs_streq(text, "pull"))
		return -EINVAL;
	unplug_dev_unplug(&rare->dev);
	return 0;
}

static const struct kernel_param_ops do_ops = {
	.set = rare_do,
};
module_param_cb(do, &do_ops, NULL, 0200);

static int told_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%d %d %d %d\n", atomic_read(&unlocks), atomic_read(&splits),
			  atomic_read(&moves), atomic_read(&protects));
}

static const struct kernel_param_ops told_ops = {
	.get = told_get,
};
module_param_cb(told, &told_ops, NULL, 0400);

static int __init rare_init(void)
{
	struct rare *made = unplug_dev_alloc(&rare_drivers[flock], NULL, struct rare, dev);
	int err = -ENOMEM;

	if (IS_ERR(made))
		return PTR_ERR(made);
	made->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!made->page)
		goto put;
	rare = made;
	err = unplug_dev_register(&rare->dev, NODE);
	if (!err)
		return 0;
	rare = NULL;
	__free_page(made->page);
put:
	unplug_dev_put(&made->dev);
	return err;
}
module_init(rare_init);

static void __exit rare_exit(void)
{
	unplug_dev_unplug(&rare->dev);
	unplug_dev_wait_gone(&rare->dev);
	unplug_dev_put(&rare->dev);
}
module_exit(rare_exit);

MODULE_DESCRIPTION("A driver with operations that few have, for the tests of unplug");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
