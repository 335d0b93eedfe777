// SPDX-License-Identifier: GPL-2.0-only
/* The control node: see torture-uapi.h */

#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include "torture.h"

static int facts_show(struct seq_file *file, void *unused)
{
	torture_facts_show(file);
	return 0;
}

static int control_open(struct inode *inode, struct file *file)
{
	file->private_data = NULL;	/* the node's own */
	return single_open(file, facts_show, NULL);
}

static long control_pull(const struct torture_pull __user *from)
{
	struct torture_pull pull;

	if (copy_from_user(&pull, from, sizeof(pull)))
		return -EFAULT;
	if (pull.how > TORTURE_PULL_ASYNC)
		return -EINVAL;
	return torture_pull(pull.slots, pull.how);
}

static long control_slot(unsigned int cmd, unsigned long number)
{
	if (number >= torture_slots_used)
		return -EINVAL;
	switch (cmd) {
	case TORTURE_CTL_PLUG:
		return torture_plug(number);
	case TORTURE_CTL_FREEZE:
		return torture_freeze(number);
	case TORTURE_CTL_THAW_KEEP:
		return torture_thaw(number, false);
	case TORTURE_CTL_THAW_END:
		return torture_thaw(number, true);
	case TORTURE_CTL_LET_GO:
		return torture_let_go(number);
	default:
		return -ENOTTY;
	}
}

static long control_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case TORTURE_CTL_PULL:
		return control_pull((void __user *)arg);
	case TORTURE_CTL_GIVE_UP:
		if (torture_guard->give_up)
			torture_guard->give_up();
		return 0;
	case TORTURE_CTL_ALIVE:
		return torture_guard->alive ? torture_guard->alive() : 0;
	default:
		return control_slot(cmd, arg);
	}
}

static int control_mmap(struct file *file, struct vm_area_struct *vma)
{
	return torture_board_mmap(vma);
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.open = control_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
	.unlocked_ioctl = control_ioctl,
	.mmap = control_mmap,
};

static struct miscdevice control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "torture-control",
	.fops = &control_fops,
	.mode = 0600,
};

int torture_control_init(void)
{
	return misc_register(&control);
}

void torture_control_exit(void)
{
	misc_deregister(&control);
}
