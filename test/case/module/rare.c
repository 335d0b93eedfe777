// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver with operations that few have: it keeps locks, reads and writes by iterators, takes
 * what is spliced to it, and tells of its files in fdinfo. The node is /dev/unplug-rare;
 * writing to the parameter pull unplugs it. With flock=1 it keeps those of flock(), else those
 * of fcntl(): never both, so one of them is the core's.
 */

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/uio.h>
#include <unplug/device.h>
#include "compat.h"

#define NODE "unplug-rare"

struct rare {
	struct unplug_dev dev;
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

static void rare_show_fdinfo(struct seq_file *seq, struct file *file)
{
	seq_puts(seq, "rare:\tyes\n");
}

static int rare_lock(struct file *file, int cmd, struct file_lock *lock)
{
	if (cmd != F_GETLK)
		return posix_lock_file(file, lock, NULL);
	posix_test_lock(file, lock);
	return 0;
}

static int rare_flock(struct file *file, int cmd, struct file_lock *lock)
{
	return locks_lock_file_wait(file, lock);
}

static const struct file_operations rare_lock_fops = {
	.owner = THIS_MODULE,
	.read_iter = rare_read_iter,
	.write_iter = rare_write_iter,
	.splice_write = iter_file_splice_write,
	.show_fdinfo = rare_show_fdinfo,
	.lock = rare_lock,
};

static const struct file_operations rare_flock_fops = {
	.owner = THIS_MODULE,
	.read_iter = rare_read_iter,
	.write_iter = rare_write_iter,
	.splice_write = iter_file_splice_write,
	.show_fdinfo = rare_show_fdinfo,
	.flock = rare_flock,
};

static const struct unplug_driver rare_drivers[] = {
	{ .owner = THIS_MODULE, .name = NODE, .fops = &rare_lock_fops },
	{ .owner = THIS_MODULE, .name = NODE, .fops = &rare_flock_fops },
};

static int rare_pull(const char *text, const struct kernel_param *param)
{
	if (!rare)
		return -ENODEV;
	unplug_dev_unplug(&rare->dev);
	return 0;
}

static const struct kernel_param_ops pull_ops = {
	.set = rare_pull,
};
module_param_cb(pull, &pull_ops, NULL, 0200);

static int __init rare_init(void)
{
	struct rare *made = unplug_dev_alloc(&rare_drivers[flock], NULL, struct rare, dev);
	int err;

	if (IS_ERR(made))
		return PTR_ERR(made);
	rare = made;
	err = unplug_dev_register(&rare->dev, NODE);
	if (err)
		unplug_dev_put(&rare->dev);
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
