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
 */

#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/ratelimit.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "internal.h"

enum unplug_file_state {
	UNPLUG_FILE_OPEN,
	UNPLUG_FILE_CLAIMED,
	UNPLUG_FILE_RELEASED,
};

static const char *const state_names[] = {
	[UNPLUG_FILE_OPEN] = "open",
	[UNPLUG_FILE_CLAIMED] = "releasing",
	[UNPLUG_FILE_RELEASED] = "released",
};

/**
 * struct unplug_file - an open file
 * @node: in dev->files
 * @open: in dev->open, while it is OPEN
 * @file: key; holds no reference
 * @state: under dev->files_lock
 * @policy: what its mappings show after unplug; likewise
 * @met: a mapping has shown it: it is not to be changed any more; likewise
 * @stale: released by thaw; under dev->files_lock, read without
 * @fasync: the driver may have it in a list, whatever FASYNC says
 * @process: that opened it; likewise how it was called, and when
 * @comm: "
 * @since: "
 * @poll: see poll.c; NULL until the first poll
 * @rcu: for who looks it up without the lock
 * @dummies: see dummy.c; under dev->files_lock
 * @populated: see populate.c; likewise
 */
struct unplug_file {
	struct hlist_node node;
	struct list_head open;
	struct file *file;
	enum unplug_file_state state;
	enum unplug_policy policy;
	bool met;
	bool stale;
	bool fasync;
	struct pid *process;
	char comm[TASK_COMM_LEN];
	ktime_t since;
	struct unplug_poll *poll;
	struct rcu_head rcu;
	struct unplug_dummies dummies;
	struct list_head populated;
};

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
	struct unplug_file *uf;
	struct module *owner;
	int err = -ENXIO;

	if (!unplug_guard_enter(dev, "open")) {
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

static struct unplug_file *file_find(struct unplug_dev *dev, struct file *file)
{
	struct unplug_file *uf;

	hash_for_each_possible_rcu(dev->files, uf, node, (unsigned long)file,
				   lockdep_is_held(&dev->files_lock)) {
		if (uf->file == file)
			return uf;
	}
	return NULL;
}

/**
 * unplug_file_wants_signals() - the driver is about to be told to send SIGIO
 * @dev: the device
 * @file: an open file of it, which the caller keeps open
 *
 * It may be switched off when the device is dying, which the driver is not told; so this
 * is for ever.
 *
 * Context: Any.
 */
void unplug_file_wants_signals(struct unplug_dev *dev, struct file *file)
{
	rcu_read_lock();
	WRITE_ONCE(file_find(dev, file)->fasync, true);
	rcu_read_unlock();
}

/**
 * unplug_file_poll() - where an open file keeps its queue of pollers
 * @dev: the device
 * @file: an open file of it, which the caller keeps open
 *
 * Context: Any.
 * Return: the place; valid as long as the file is open.
 */
struct unplug_poll **unplug_file_poll(struct unplug_dev *dev, struct file *file)
{
	struct unplug_file *uf;

	rcu_read_lock();
	uf = file_find(dev, file);
	rcu_read_unlock();
	return &uf->poll;
}

/**
 * unplug_file_dummies() - the dummy pages of a file
 * @dev: the device; the caller holds its files_lock
 * @file: an open file of it
 *
 * Context: Any.
 * Return: the pages.
 */
struct unplug_dummies *unplug_file_dummies(struct unplug_dev *dev,
					   struct file *file)
{
	return &file_find(dev, file)->dummies;
}

/**
 * unplug_file_populated() - the records of a file's populated mappings
 * @dev: the device; the caller holds its files_lock
 * @file: an open file of it
 *
 * Context: Any.
 * Return: the list.
 */
struct list_head *unplug_file_populated(struct unplug_dev *dev,
					struct file *file)
{
	return &file_find(dev, file)->populated;
}

/**
 * unplug_file_policy() - what the mappings of a file show after unplug
 * @dev: the device
 * @file: a file that has a mapping whose guards are the core's
 * @met: the answer is acted upon: it must not change from now on
 *
 * Context: Any, but interrupts.
 * Return: the policy.
 */
enum unplug_policy unplug_file_policy(struct unplug_dev *dev, struct file *file,
				      bool met)
{
	enum unplug_policy policy;
	struct unplug_file *uf;

	spin_lock(&dev->files_lock);
	uf = file_find(dev, file);
	uf->met |= met;
	policy = uf->policy;
	spin_unlock(&dev->files_lock);
	return policy;
}

/**
 * unplug_file_set_policy() - let a user choose what he finds in mappings after unplug
 * @file: a file of a device, in an operation of the driver
 * @policy: what; for all mappings of this file, those that exist included
 *
 * For an ioctl: the choice is that of whoever shares this open file, and nobody
 * else's. Files that do not choose have the device's (unplug_dev_set_policy()).
 *
 * Ownership: takes and puts nothing.
 * Context: Process, or with preemption off.
 * Return: 0; -EINVAL for an unknown policy, or a file that is not the device's own
 *	   (unplug_dev_adopt_file()); -ENODEV if the device is being unplugged.
 */
int unplug_file_set_policy(struct file *file, enum unplug_policy policy)
{
	struct unplug_dev *dev = unplug_dev_from_file(file);
	struct unplug_file *uf;
	int err = -ENODEV;

	if (policy != UNPLUG_POLICY_SIGBUS && policy != UNPLUG_POLICY_DUMMY)
		return -EINVAL;
	spin_lock(&dev->files_lock);
	uf = file_find(dev, file);
	if (!uf) {
		err = -EINVAL;
	} else if (!uf->met && atomic_read(&dev->state) < UNPLUG_DEV_DYING) {
		uf->policy = policy;
		err = 0;
	}
	spin_unlock(&dev->files_lock);
	return err;
}
EXPORT_SYMBOL_GPL(unplug_file_set_policy);

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
	unplug_poll_release(smp_load_acquire(&uf->poll));	/* poll_of() */
	/* The kernel's own call of it was, or will be, answered by the guard. */
	if ((READ_ONCE(uf->fasync) || file->f_flags & FASYNC) && fops->fasync)
		fops->fasync(-1, file, 0);
	if (fops->release)
		fops->release(file_inode(file), file);
	unplug_holder_release_end(dev);

	spin_lock(&dev->files_lock);
	uf->state = UNPLUG_FILE_RELEASED;
	dev->releasing--;
	dev->unreleased--;
	wake_up_all(&dev->files_wait);
	spin_unlock(&dev->files_lock);
	module_put(owner);
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
	bool claimed;

	unplug_hook(UNPLUG_HOOK_RELEASE);
	spin_lock(&dev->files_lock);
	uf = file_find(dev, file);
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
	spin_unlock(&dev->files_lock);
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
 * unplug_file_show() - list the files that are not closed yet
 * @dev: the device
 * @seq: where to
 *
 * Context: Process.
 */
void unplug_file_show(struct unplug_dev *dev, struct seq_file *seq)
{
	struct unplug_file *uf;
	int i;

	spin_lock(&dev->files_lock);
	hash_for_each(dev->files, i, uf, node)
		seq_printf(seq, "process %d (%s) %lld ms ago, flags 0%o, %s\n",
			   pid_nr(uf->process), uf->comm,
			   ktime_ms_delta(ktime_get(), uf->since),
			   uf->file->f_flags, state_names[uf->state]);
	spin_unlock(&dev->files_lock);
}

/**
 * unplug_file_opened_by() - has a process opened one of these files?
 * @dev: the device
 * @process: of a living thread group
 *
 * Context: Any, but interrupts.
 * Return: true or false.
 */
bool unplug_file_opened_by(struct unplug_dev *dev, const struct pid *process)
{
	struct unplug_file *uf;
	bool opened = false;
	int i;

	spin_lock(&dev->files_lock);
	hash_for_each(dev->files, i, uf, node)
		opened |= uf->process == process;
	spin_unlock(&dev->files_lock);
	return opened;
}

/**
 * unplug_file_end_all() - no file that is open now reaches the driver any more
 * @dev: a frozen device, drained: no file is being opened
 *
 * Context: As unplug_file_release_all().
 */
void unplug_file_end_all(struct unplug_dev *dev)
{
	struct unplug_file *uf;
	int bucket;

	spin_lock(&dev->files_lock);
	hash_for_each(dev->files, bucket, uf, node) {
		if (uf->stale)
			continue;
		WRITE_ONCE(uf->stale, true);
		WRITE_ONCE(dev->stale, dev->stale + 1);
	}
	spin_unlock(&dev->files_lock);
	/* Who tells the driver of a mapping of theirs: the release comes after that. */
	smp_mb();	/* unplug_freeze_enter() */
	wait_event(dev->files_wait, atomic_read(&dev->ends) <= UNPLUG_ENDS - 1);
	unplug_file_release_all(dev);
}

/**
 * unplug_file_is_stale() - was a file ended by thaw?
 * @dev: the device
 * @file: an open file of it, which the caller keeps open
 *
 * Context: Any.
 * Return: true if so.
 */
bool unplug_file_is_stale(struct unplug_dev *dev, struct file *file)
{
	struct unplug_file *uf;
	bool stale;

	rcu_read_lock();
	uf = file_find(dev, file);
	stale = uf && READ_ONCE(uf->stale);
	rcu_read_unlock();
	return stale;
}

/**
 * unplug_guard_stale() - turn away who has entered through a file that was ended
 * @dev: the device, entered
 * @file: an open file of it
 *
 * Context: Any; by unplug_cold_ask().
 * Return: not 0 if so: the caller is no longer inside.
 */
unsigned long unplug_guard_stale(struct unplug_dev *dev, struct file *file)
{
	if (!unplug_file_is_stale(dev, file))
		return 0;
	unplug_guard_leave(dev);
	return 1;
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

/**
 * unplug_file_policy_anew() - what mappings have shown does not count any more
 * @dev: a device that is being thawed: dummy pages go
 *
 * Context: Process.
 */
void unplug_file_policy_anew(struct unplug_dev *dev)
{
	struct unplug_file *uf;
	int bucket;

	spin_lock(&dev->files_lock);
	hash_for_each(dev->files, bucket, uf, node)
		uf->met = uf->stale;
	spin_unlock(&dev->files_lock);
}
