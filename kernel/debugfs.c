// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an administrator may want to know of a device that does not go:
 *
 *	/sys/kernel/debug/unplug/tracking	write down who is inside: 0 or 1
 *	/sys/kernel/debug/unplug/NAME#GENERATION/
 *		state		of the device and its gates
 *		files		who opened what is not closed yet
 *		mappings	whose they are, and where
 *		holders		who is inside, and where he sleeps
 *
 * The folder is there from register until the last reference is put: what is left of a
 * device that was pulled is what one looks for. To remove it waits for who reads in it;
 * so a worker does that, and nobody who puts a reference waits.
 */

#include <linux/debugfs.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include "internal.h"

static struct dentry *debugfs_root;

static int state_show(struct seq_file *seq, void *unused)
{
	struct unplug_dev *dev = seq->private;
	int state = atomic_read(&dev->state);

	seq_printf(seq, "name: %s\n", unplug_dev_name(dev));
	seq_printf(seq, "generation: %llu\n", dev->generation);
	seq_printf(seq, "state: %s\n", unplug_dev_state_name(state));
	if (state > UNPLUG_DEV_LIVE && dev->when_called)
		seq_printf(seq, "unplugged: %lld ms ago\n",
			   ktime_ms_delta(ktime_get(), dev->when_called));
	seq_printf(seq, "inside: %u\n", unplug_gate_inside(&dev->gate));
	seq_printf(seq, "hardware sections: %u\n",
		   unplug_gate_inside(&dev->hw));
	seq_printf(seq, "unreleased files: %u\n", READ_ONCE(dev->unreleased));
	seq_printf(seq, "policy: %s\n", dev->policy == UNPLUG_POLICY_DUMMY ?
		   "dummy" : "sigbus");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

static int files_show(struct seq_file *seq, void *unused)
{
	unplug_file_show(seq->private, seq);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(files);

static void mapping_show(struct seq_file *seq, const struct vm_area_struct *vma)
{
	struct task_struct *owner = NULL;

	rcu_read_lock();
#ifdef CONFIG_MEMCG
	owner = rcu_dereference(vma->vm_mm->owner);
#endif
	seq_printf(seq, "%lx-%lx pgoff %lx process %d (%s)\n", vma->vm_start,
		   vma->vm_end, vma->vm_pgoff, owner ? owner->tgid : 0,
		   owner ? owner->comm : "unknown");
	rcu_read_unlock();
}

/* A mapping that is found there stays, and so does its process's memory map. */
static int mappings_show(struct seq_file *seq, void *unused)
{
	struct unplug_dev *dev = seq->private;
	struct rb_node *node;

	i_mmap_lock_read(dev->mapping);
	for (node = rb_first_cached(&dev->mapping->i_mmap); node;
	     node = rb_next(node))
		mapping_show(seq, rb_entry(node, struct vm_area_struct,
					   shared.rb));
	i_mmap_unlock_read(dev->mapping);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mappings);

static int holders_show(struct seq_file *seq, void *unused)
{
	unplug_report_holders(seq->private, seq, UINT_MAX);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(holders);

static ssize_t tracking_read(struct file *file, char __user *to, size_t count,
			     loff_t *pos)
{
	char text[] = "0\n";

	text[0] += unplug_tracking_is_on();
	return simple_read_from_buffer(to, count, pos, text, 2);
}

static ssize_t tracking_write(struct file *file, const char __user *from,
			      size_t count, loff_t *pos)
{
	static const char values[] = "0n1y";
	char text[2] = "\n\n";
	const char *value;

	if (count > sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, count))
		return -EFAULT;
	/* Not kstrtobool(), which looks at the first letter: "foo" is no. */
	value = memchr(values, text[0], strlen(values));
	if (!value || text[1] != '\n')
		return -EINVAL;
	unplug_tracking_set(value >= values + 2);
	return count;
}

static const struct file_operations tracking_fops = {
	.owner = THIS_MODULE,
	.read = tracking_read,
	.write = tracking_write,
	.llseek = default_llseek,
};

/* As in the log: a name may come back while an old device is still there. */
#define NAME_SIZE 80

static void debugfs_name(const struct unplug_dev *dev, char *name)
{
	snprintf(name, NAME_SIZE, "%s#%llu", unplug_dev_name(dev),
		 dev->generation);
}

/**
 * unplug_debugfs_add() - show a device that was given a name and a number
 * @dev: the device
 *
 * Context: Process. May sleep. Nothing depends on it: failures are ignored.
 */
void unplug_debugfs_add(struct unplug_dev *dev)
{
	char name[NAME_SIZE];

	debugfs_name(dev, name);
	dev->debugfs = debugfs_create_dir(name, debugfs_root);
	debugfs_create_file("state", 0400, dev->debugfs, dev, &state_fops);
	debugfs_create_file("files", 0400, dev->debugfs, dev, &files_fops);
	debugfs_create_file("mappings", 0400, dev->debugfs, dev,
			    &mappings_fops);
	debugfs_create_file("holders", 0400, dev->debugfs, dev, &holders_fops);
}

/**
 * unplug_debugfs_renew() - the device has a new generation
 * @dev: the device
 *
 * Context: Process. May sleep.
 */
void unplug_debugfs_renew(struct unplug_dev *dev)
{
	char name[NAME_SIZE];

	debugfs_name(dev, name);
	if (!IS_ERR_OR_NULL(dev->debugfs))
		unplug_debugfs_rename(debugfs_root, dev->debugfs, name);
}

/**
 * unplug_debugfs_remove() - the last reference is gone
 * @dev: a device, shown or not
 *
 * Context: Process. Waits for who is reading.
 */
void unplug_debugfs_remove(struct unplug_dev *dev)
{
	debugfs_remove(dev->debugfs);
}

void unplug_debugfs_init(void)
{
	debugfs_root = debugfs_create_dir("unplug", NULL);
	debugfs_create_file("tracking", 0600, debugfs_root, NULL,
			    &tracking_fops);
}

void unplug_debugfs_exit(void)
{
	debugfs_remove(debugfs_root);
}
