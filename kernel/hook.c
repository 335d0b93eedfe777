// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delay hooks for tests: see include/unplug/hook.h. Built into the hook build
 * only.
 */

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <unplug/hook.h>
#include "internal.h"

/**
 * struct hook - one point
 * @stop: tasks that arrive are held
 * @held: tasks held now
 * @wait: woken by each change of the two
 */
struct hook {
	bool stop;
	atomic_t held;
	wait_queue_head_t wait;
};

static struct hook hooks[UNPLUG_HOOK_MAX];
static struct dentry *hook_dir;

static const char *const hook_names[] = {
#define HOOK_NAME(id, name) [UNPLUG_HOOK_##id] = name,
	UNPLUG_HOOK_POINTS(HOOK_NAME)
#undef HOOK_NAME
};

/**
 * unplug_hook() - hold the caller here if a test asked for it
 * @point: this place
 *
 * Ownership: takes and puts nothing.
 * Context: Process. May sleep, without a limit.
 */
void unplug_hook(enum unplug_hook_point point)
{
	struct hook *hook = &hooks[point];

	if (!READ_ONCE(hook->stop))
		return;
	atomic_inc(&hook->held);
	wake_up_all(&hook->wait);
	/* Idle: the hung task detector is for real hangs. */
	wait_event_idle(hook->wait, !READ_ONCE(hook->stop));
	atomic_dec(&hook->held);
}
EXPORT_SYMBOL_GPL(unplug_hook);

static ssize_t hook_write(struct file *file, const char __user *from,
			  size_t count, loff_t *pos)
{
	struct hook *hook = file_inode(file)->i_private;
	char text[8] = "";
	int err;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, count))
		return -EFAULT;

	if (sysfs_streq(text, "stop")) {
		WRITE_ONCE(hook->stop, true);
	} else if (sysfs_streq(text, "go")) {
		WRITE_ONCE(hook->stop, false);
		wake_up_all(&hook->wait);
	} else if (sysfs_streq(text, "wait")) {
		err = wait_event_interruptible(hook->wait,
					       atomic_read(&hook->held));
		if (err)
			return err;
	} else {
		return -EINVAL;
	}
	return count;
}

static const struct file_operations hook_fops = {
	.owner = THIS_MODULE,
	.write = hook_write,
	.llseek = default_llseek,
};

int __init unplug_hook_init(void)
{
	int i;

	hook_dir = debugfs_create_dir("unplug-hooks", NULL);
	if (IS_ERR(hook_dir)) {
		pr_err("hook build needs debugfs\n");
		return PTR_ERR(hook_dir);
	}
	for (i = 0; i < UNPLUG_HOOK_MAX; i++) {
		init_waitqueue_head(&hooks[i].wait);
		debugfs_create_file_unsafe(hook_names[i], 0600, hook_dir,
					   &hooks[i], &hook_fops);
	}
	return 0;
}

void unplug_hook_exit(void)
{
	debugfs_remove(hook_dir);
}
