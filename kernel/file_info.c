// SPDX-License-Identifier: GPL-2.0-only
/* What is kept with an open file, for the other parts of the core: see file.h. */

#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/rculist.h>
#include <linux/seq_file.h>
#include "file.h"
#include "internal.h"

static const char *const state_names[] = {
	[UNPLUG_FILE_OPEN] = "open",
	[UNPLUG_FILE_CLAIMED] = "releasing",
	[UNPLUG_FILE_RELEASED] = "released",
};

/**
 * unplug_file_find() - the record of an open file
 * @dev: the device
 * @file: the file
 *
 * Context: With rcu_read_lock(), or dev->files_lock. Who keeps @file open keeps the record.
 * Return: the record, or NULL: it is not the device's own.
 */
struct unplug_file *unplug_file_find(struct unplug_dev *dev, struct file *file)
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
	WRITE_ONCE(unplug_file_find(dev, file)->fasync, true);
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
	uf = unplug_file_find(dev, file);
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
	return &unplug_file_find(dev, file)->dummies;
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
	return &unplug_file_find(dev, file)->populated;
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
	uf = unplug_file_find(dev, file);
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
	uf = unplug_file_find(dev, file);
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
	uf = unplug_file_find(dev, file);
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
