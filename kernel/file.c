// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open files of a device, each released exactly once.
 *
 *	OPEN ----claim----> CLAIMED ----driver's release done----> RELEASED
 *
 * The driver's ->release is run by whoever claims the file under the device's
 * lock: the last close, as ever, or unplug, once nobody is inside any more. The
 * other one waits until it is done: close, so that a program may rely on what
 * close means; unplug, so that gone means what it says. The record itself is
 * freed by the last close in any case: as long as it is in the table, the
 * struct file it names exists.
 *
 * While its release has not run, a file holds a reference of the driver's
 * module. It holds the device until the last close.
 *
 * model/file.pml follows these steps: change both.
 */

#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/ratelimit.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "file.h"
#include "internal.h"

DEFINE_STATIC_KEY_FALSE(unplug_stale_files);

static struct unplug_file *file_new(struct unplug_dev *dev, struct file *file)
{
	struct unplug_file *uf = kzalloc(sizeof(*uf), GFP_KERNEL_ACCOUNT);

	if (!uf)
		return NULL;
	uf->file = file;
	uf->policy = dev->policy;
	uf->process = get_pid(task_tgid(current));
	get_task_comm(uf->comm, current);
	uf->since = ktime_get();
	uf->dummies.tree = RB_ROOT;
	INIT_LIST_HEAD(&uf->dummies.aged);
	INIT_LIST_HEAD(&uf->populated);
	return uf;
}

static void file_free(struct unplug_file *uf)
{
	put_pid(uf->process);
	kfree_rcu(uf, rcu);
}

static int file_open_driver(struct unplug_dev *dev, struct inode *inode,
			    struct file *file)
{
	const struct file_operations *fops = dev->drv->fops;
	int err;

	/* The guard has a llseek always; without one of the driver: a pipe. */
	if (!fops->llseek)
		file->f_mode &= ~FMODE_LSEEK;

	unplug_hook(UNPLUG_HOOK_OPEN_ACTIVE);
	err = fops->open ? fops->open(inode, file) : 0;
	if (err)
		return err;

	/* Both would let the file escape: the first from guards, then from zaps. */
	if (file->f_op == dev->guard && file->f_mapping == dev->mapping)
		return 0;

	pr_err_ratelimited("%s: open refused: the driver's open replaced %s\n",
			   unplug_dev_name(dev),
			   file->f_op == dev->guard ? "f_mapping" : "f_op");
	/* What the open of another table did, the release of that one undoes. */
	if (file->f_op != dev->guard)
		fops = file->f_op;
	if (fops->release)
		fops->release(inode, file);
	if (file->f_op != dev->guard)
		replace_fops(file, fops_get(dev->guard));
	return -EINVAL;
}

/**
 * unplug_front_open() - open a device
 * @dev: the device, with a reference that becomes the file's on success
 * @inode: the node
 * @file: a file in ->open of the node
 *
 * Ownership: a reference of the caller's becomes the file's if it succeeds,
 *	    and stays the caller's otherwise.
 * Context: Process. May sleep.
 * Return: 0; -ENXIO: the device is not live; -ENOMEM; what the driver says.
 */
int unplug_front_open(struct unplug_dev *dev, struct inode *inode,
		      struct file *file)
{
	const struct file_operations *entry = file->f_op;
	/*
	 * Asked first: gates open before the device is live, so who is refused nevertheless
	 * has met a freeze, or unplug. Earlier there is nothing to wait for, nor to try again.
	 */
	bool was_live = atomic_read_acquire(&dev->state) >= UNPLUG_DEV_LIVE;
	struct unplug_file *uf;
	struct module *owner;
	int err = -ENXIO;

	if (!unplug_guard_enter(dev, "open")) {
		unplug_hook(UNPLUG_HOOK_OPEN_REFUSED);
		if (!was_live)
			return err;
		err = unplug_freeze_refused(dev, file, true);
		return err == -ENODEV ? -ENXIO : err;
	}
	owner = dev->drv->owner;
	if (!try_module_get(owner))
		goto leave;
	err = -ENOMEM;
	uf = file_new(dev, file);
	if (!uf)
		goto put_module;

	file->f_op = fops_get(dev->guard);
	file->f_mapping = dev->mapping;
	spin_lock(&dev->files_lock);
	hash_add_rcu(dev->files, &uf->node, (unsigned long)file);
	spin_unlock(&dev->files_lock);
	err = file_open_driver(dev, inode, file);
	if (err)
		goto unhash;

	/* Still active: releases are not forced before this file is seen. */
	spin_lock(&dev->files_lock);
	list_add_tail(&uf->open, &dev->open);
	dev->unreleased++;
	spin_unlock(&dev->files_lock);
	unplug_guard_leave(dev);
	fops_put(entry);
	return 0;

unhash:
	spin_lock(&dev->files_lock);
	hash_del_rcu(&uf->node);
	spin_unlock(&dev->files_lock);
	/* The module of @entry, which this returns into, stays until VFS puts it. */
	fops_put(file->f_op);
	file->f_op = entry;
	file->f_mapping = inode->i_mapping;
	file_free(uf);
put_module:
	module_put(owner);
leave:
	unplug_guard_leave(dev);
	return err;
}
EXPORT_SYMBOL_GPL(unplug_front_open);

/* Who is first claims; under dev->files_lock. */
static bool file_claim(struct unplug_dev *dev, struct unplug_file *uf)
{
	if (uf->state != UNPLUG_FILE_OPEN)
		return false;
	uf->state = UNPLUG_FILE_CLAIMED;
	dev->releasing++;
	list_del(&uf->open);
	return true;
}

/* Ends with RELEASED: @uf and its file belong to the last close from then on. */
static void file_release(struct unplug_dev *dev, struct unplug_file *uf)
{
	const struct file_operations *fops = dev->drv->fops;
	struct module *owner = dev->drv->owner;
	struct file *file = uf->file;

	unplug_holder_release_begin(dev);
	unplug_hook(UNPLUG_HOOK_RELEASE_CLAIMED);
	unplug_poll_release(smp_load_acquire(&uf->poll));	/* poll_make() */
	/* The kernel's own call of it was, or will be, answered by the guard. */
	if ((READ_ONCE(uf->fasync) || file->f_flags & FASYNC) && fops->fasync)
		fops->fasync(-1, file, 0);
	if (fops->release)
		fops->release(file_inode(file), file);
	unplug_holder_release_end(dev);

	/* First: who is told of gone may unload the driver, which waits for gone itself. */
	module_put(owner);
	spin_lock(&dev->files_lock);
	uf->state = UNPLUG_FILE_RELEASED;
	dev->releasing--;
	dev->unreleased--;
	wake_up_all(&dev->files_wait);
	spin_unlock(&dev->files_lock);
}

static bool file_is_released(struct unplug_dev *dev, struct unplug_file *uf)
{
	bool released;

	spin_lock(&dev->files_lock);
	released = uf->state == UNPLUG_FILE_RELEASED;
	spin_unlock(&dev->files_lock);
	return released;
}

/**
 * unplug_file_close() - last close of a file
 * @dev: the device; the file's reference is put
 * @inode: the node
 * @file: a file in ->release
 *
 * Never refused and never waits for a drain; waits for a forced release of this
 * very file that is running.
 *
 * Context: Process. May sleep.
 */
void unplug_file_close(struct unplug_dev *dev, struct inode *inode,
		       struct file *file)
{
	struct unplug_file *uf;
	bool claimed, last;

	unplug_hook(UNPLUG_HOOK_RELEASE);
	spin_lock(&dev->files_lock);
	uf = unplug_file_find(dev, file);
	claimed = file_claim(dev, uf);
	spin_unlock(&dev->files_lock);

	if (claimed)
		file_release(dev, uf);
	else
		wait_event(dev->files_wait, file_is_released(dev, uf));

	spin_lock(&dev->files_lock);
	hash_del_rcu(&uf->node);
	if (uf->stale)
		WRITE_ONCE(dev->stale, dev->stale - 1);
	last = uf->stale && !dev->stale;
	spin_unlock(&dev->files_lock);
	if (last)
		static_branch_dec(&unplug_stale_files);
	/* A forced release has hidden from the kernel that this is still to be done. */
	if (READ_ONCE(dev->fasync))
		fasync_helper(-1, file, 0, &dev->fasync);
	unplug_poll_free(uf->poll);
	/* Every mapping of the file is gone: mappings hold it. */
	unplug_dummy_free(&uf->dummies);
	unplug_populate_free(dev, &uf->populated);
	file_free(uf);
	unplug_dev_put(dev);
}

static struct unplug_file *file_claim_one(struct unplug_dev *dev)
{
	struct unplug_file *uf;

	spin_lock(&dev->files_lock);
	uf = list_first_entry_or_null(&dev->open, struct unplug_file, open);
	if (uf)
		file_claim(dev, uf);
	spin_unlock(&dev->files_lock);
	return uf;
}

static bool files_all_released(struct unplug_dev *dev)
{
	bool all;

	spin_lock(&dev->files_lock);
	all = !dev->unreleased;
	spin_unlock(&dev->files_lock);
	return all;
}

/**
 * unplug_file_release_all() - force the release of every open file
 * @dev: a drained device: no file can be opened any more
 *
 * Returns when each file was released, by this call or by its last close.
 *
 * Context: Process. Sleeps as long as the driver's ->release takes.
 */
void unplug_file_release_all(struct unplug_dev *dev)
{
	struct unplug_file *uf;

	while ((uf = file_claim_one(dev))) {
		file_release(dev, uf);
		cond_resched();
	}
	wait_event(dev->files_wait, files_all_released(dev));
}

/**
 * unplug_file_end_all() - no file that is open now reaches the driver any more
 * @dev: a frozen device, drained: no file is being opened
 *
 * Releases them, too, unless the device is being unplugged meanwhile.
 *
 * Context: As unplug_file_release_all().
 */
void unplug_file_end_all(struct unplug_dev *dev)
{
	struct unplug_file *uf;
	unsigned int before;
	bool first;
	int bucket;

	static_branch_inc(&unplug_stale_files);
	spin_lock(&dev->files_lock);
	before = dev->stale;
	hash_for_each(dev->files, bucket, uf, node) {
		if (uf->stale)
			continue;
		WRITE_ONCE(uf->stale, true);
		WRITE_ONCE(dev->stale, dev->stale + 1);
	}
	first = !before && dev->stale;
	spin_unlock(&dev->files_lock);
	if (!first)
		static_branch_dec(&unplug_stale_files);
	/* Who tells the driver of a mapping of theirs: the release comes after that. */
	smp_mb();	/* unplug_freeze_enter() */
	wait_event(dev->files_wait, refcount_read(&dev->ends) <= UNPLUG_ENDS - 1);
	/* First the count, then the state: shut takes one of it, too; gone releases them then. */
	smp_rmb();
	if (unplug_dev_is_frozen(dev))
		unplug_file_release_all(dev);
}

static bool files_none_releasing(struct unplug_dev *dev)
{
	bool none;

	spin_lock(&dev->files_lock);
	none = !dev->releasing;
	spin_unlock(&dev->files_lock);
	return none;
}

/**
 * unplug_file_wait_releases() - wait for releases that are running, but not for ever
 * @dev: a frozen device: they may be older than that
 *
 * Context: Process. Sleeps up to drain_ms.
 * Return: true if none is.
 */
bool unplug_file_wait_releases(struct unplug_dev *dev)
{
	return wait_event_timeout(dev->files_wait, files_none_releasing(dev),
				  unplug_drain_jiffies());
}
