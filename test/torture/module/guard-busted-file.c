// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open files, and the table before the driver's: see guard-busted.h. A file is released by
 * whoever claims it first, its last close or unplug, and the other one waits.
 */

#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include "guard-busted.h"

enum busted_file_state {
	BUSTED_FILE_OPEN,
	BUSTED_FILE_CLAIMED,
	BUSTED_FILE_RELEASED,
};

/**
 * struct busted_file - an open file
 * @node: among the device's
 * @file: which
 * @state: who releases it, or has
 */
struct busted_file {
	struct list_head node;
	struct file *file;
	enum busted_file_state state;
};

static int open_inside(struct busted_dev *dev, struct inode *inode,
		       struct file *file)
{
	struct busted_file *bf = kzalloc(sizeof(*bf), GFP_KERNEL);
	int err;

	if (!bf)
		return -ENOMEM;
	file->f_mapping = dev->inode->i_mapping;
	err = torture_fops.open(inode, file);
	if (err) {
		file->f_mapping = inode->i_mapping;
		kfree(bf);
		return err;
	}
	bf->file = file;
	spin_lock(&dev->files_lock);
	list_add_tail(&bf->node, &dev->files);
	dev->unreleased++;
	spin_unlock(&dev->files_lock);
	return 0;
}

/* The open file keeps the reference. */
static int guard_open(struct inode *inode, struct file *file)
{
	struct busted_dev *dev = busted_number_find(iminor(inode));
	int token, err;

	if (!dev)
		return -ENXIO;
	token = busted_enter(dev);
	if (token >= 0) {
		err = open_inside(dev, inode, file);
		busted_leave(dev, token);
	} else {
		err = token == -ENODEV ? -ENXIO : token;
	}
	if (err)
		busted_put(dev);
	return err;
}

/* Under files_lock */
static struct busted_file *file_find(struct busted_dev *dev, struct file *file)
{
	struct busted_file *bf;

	list_for_each_entry(bf, &dev->files, node)
		if (bf->file == file)
			return bf;
	return NULL;
}

static struct busted_file *file_claim(struct busted_dev *dev, struct busted_file *bf)
{
	if (!bf || bf->state != BUSTED_FILE_OPEN)
		return NULL;
	bf->state = BUSTED_FILE_CLAIMED;
	return bf;
}

static void file_release(struct busted_dev *dev, struct busted_file *bf)
{
	torture_fops.release(file_inode(bf->file), bf->file);
	spin_lock(&dev->files_lock);
	bf->state = BUSTED_FILE_RELEASED;
	dev->unreleased--;
	wake_up_all(&dev->files_wait);
	spin_unlock(&dev->files_lock);
}

static bool file_is_released(struct busted_dev *dev, struct busted_file *bf)
{
	bool released;

	spin_lock(&dev->files_lock);
	released = bf->state == BUSTED_FILE_RELEASED;
	spin_unlock(&dev->files_lock);
	return released;
}

static int guard_release(struct inode *inode, struct file *file)
{
	struct busted_dev *dev = busted_of(file);
	struct busted_file *bf, *claimed;

	spin_lock(&dev->files_lock);
	bf = file_find(dev, file);
	claimed = file_claim(dev, bf);
	spin_unlock(&dev->files_lock);
	if (claimed)
		file_release(dev, bf);
	else if (busted(BUSTED_TWICE))
		torture_fops.release(inode, file);
	wait_event(dev->files_wait, file_is_released(dev, bf));
	spin_lock(&dev->files_lock);
	list_del(&bf->node);
	spin_unlock(&dev->files_lock);
	kfree(bf);
	busted_put(dev);
	return 0;
}

static struct busted_file *file_claim_one(struct busted_dev *dev)
{
	struct busted_file *bf, *claimed = NULL;

	spin_lock(&dev->files_lock);
	list_for_each_entry(bf, &dev->files, node) {
		claimed = file_claim(dev, bf);
		if (claimed)
			break;
	}
	spin_unlock(&dev->files_lock);
	return claimed;
}

static bool files_all_released(struct busted_dev *dev)
{
	bool all;

	spin_lock(&dev->files_lock);
	all = !dev->unreleased;
	spin_unlock(&dev->files_lock);
	return all;
}

/**
 * busted_release_all() - force the release of every open file
 * @dev: a device that is shut, or frozen, and drained
 *
 * Context: Process. Sleeps as long as the driver's ->release takes.
 */
void busted_release_all(struct busted_dev *dev)
{
	struct busted_file *bf;

	while ((bf = file_claim_one(dev)))
		file_release(dev, bf);
	wait_event(dev->files_wait, files_all_released(dev));
}

static bool file_is_ended(struct busted_dev *dev, struct file *file)
{
	struct busted_file *bf;
	bool ended;

	spin_lock(&dev->files_lock);
	bf = file_find(dev, file);
	ended = bf && bf->state != BUSTED_FILE_OPEN;
	spin_unlock(&dev->files_lock);
	return ended;
}

/**
 * busted_enter_file() - begin an operation of an open file
 * @dev: the device
 * @file: the file: a thaw may have ended it
 *
 * Context: As busted_enter().
 * Return: As busted_enter().
 */
int busted_enter_file(struct busted_dev *dev, struct file *file)
{
	int token = busted_enter(dev);

	if (!READ_ONCE(dev->ended) || (token < 0 && token != -EAGAIN) ||
	    !file_is_ended(dev, file))
		return token;
	if (token >= 0)
		busted_leave(dev, token);
	return -ENODEV;
}

static ssize_t guard_read(struct file *file, char __user *to, size_t count,
			  loff_t *pos)
{
	struct busted_dev *dev = busted_of(file);
	int token = busted_enter_file(dev, file);
	ssize_t ret = token;

	if (token < 0)
		return ret;
	ret = torture_fops.read(file, to, count, pos);
	busted_leave(dev, token);
	return ret;
}

static ssize_t guard_write(struct file *file, const char __user *from,
			   size_t count, loff_t *pos)
{
	struct busted_dev *dev = busted_of(file);
	int token = busted_enter_file(dev, file);
	ssize_t ret = token;

	if (token < 0)
		return ret;
	ret = torture_fops.write(file, from, count, pos);
	busted_leave(dev, token);
	return ret;
}

static long guard_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct busted_dev *dev = busted_of(file);
	int token = busted_enter_file(dev, file);
	long ret = token;

	if (token < 0)
		return ret;
	ret = torture_fops.unlocked_ioctl(file, cmd, arg);
	busted_leave(dev, token);
	return ret;
}

/*
 * Queue first, then look: who shuts the gate wakes afterwards. On one head, the driver's: who is
 * queued on two by io_uring, and woken for nothing, is told EINVAL when newer kernels queue him
 * again, while the second of the first time is not forgotten.
 */
static __poll_t guard_poll(struct file *file, struct poll_table_struct *table)
{
	struct busted_dev *dev = busted_of(file);
	__poll_t ret;
	int token;

	poll_wait(file, &dev->card.wait, table);
	token = busted_enter_file(dev, file);
	if (token < 0)
		return token == -EAGAIN ? 0 : EPOLLHUP | EPOLLERR;
	ret = torture_fops.poll(file, NULL);
	busted_leave(dev, token);
	return ret;
}

static int guard_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct busted_dev *dev = busted_of(file);
	int token = busted_enter_file(dev, file);
	int err = token;

	if (token < 0)
		return err;
	err = busted_map(file, vma);
	busted_leave(dev, token);
	return err;
}

const struct file_operations busted_fops = {
	.owner = THIS_MODULE,
	.open = guard_open,
	.release = guard_release,
	.read = guard_read,
	.write = guard_write,
	.unlocked_ioctl = guard_ioctl,
	.poll = guard_poll,
	.mmap = guard_mmap,
};
