// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver whose users wait, for the cases of ../sleeper.c: a byte can be read for each
 * that was fed. How a read waits is said by ioctl, see sleeper-uapi.h.
 *
 * Its wait queue heads lie where they hurt: one in memory that ->release frees, or that is
 * freed at any time, if "free" is fed, and pollers are told by POLLFREE; one in memory that is
 * freed at gone.
 *
 * The node is /dev/unplug-sleeper; writing to the parameter feed feeds a byte, to pull
 * unplugs it. With textbook=1 nobody is woken by unplug, as if the core were a gate and
 * nothing else.
 */

#include <linux/completion.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <unplug/device.h>
#include <unplug/wait.h>
#include "sleeper-uapi.h"

static bool textbook;
module_param(textbook, bool, 0444);
MODULE_PARM_DESC(textbook, "sleep in the kernel's own way, and register nothing");

/* Not in the device's structure, where it would outlive the driver */
struct sleeper_heads {
	wait_queue_head_t wait;
};

struct sleeper {
	struct unplug_dev dev;
	struct unplug_wake wake;
	struct sleeper_heads *heads;
	struct completion done;
	spinlock_t lock;
	atomic_t bytes;
	struct fasync_struct *fasync;
};

/* An open file's: its pollers' head, and its way to wait */
struct sleeper_file {
	wait_queue_head_t *wait;
	struct list_head node;
	int way;
};

static struct sleeper *sleeper;
static LIST_HEAD(files);
static DEFINE_SPINLOCK(files_lock);

static bool take(void)
{
	return atomic_dec_if_positive(&sleeper->bytes) >= 0;
}

static int wait_in_section(void)
{
	int err;

	if (!unplug_dev_hw_enter(&sleeper->dev))
		return -ENODEV;
	err = unplug_wait_event(&sleeper->dev, sleeper->heads->wait, take());
	unplug_dev_hw_exit(&sleeper->dev);
	return err;
}

static int wait_locked(void)
{
	int err;

	spin_lock_irq(&sleeper->lock);
	err = unplug_wait_event_interruptible_lock_irq(&sleeper->dev,
						       sleeper->heads->wait,
						       take(), sleeper->lock);
	spin_unlock_irq(&sleeper->lock);
	return err;
}

static int wait_timeout(void)
{
	long left = unplug_wait_event_interruptible_timeout(&sleeper->dev,
							    sleeper->heads->wait,
							    take(), 3600 * HZ);

	if (!left)
		return -ETIME;
	return left < 0 ? left : 0;
}

static int wait_queue(void)
{
	bool taken = false;
	int err;

	err = wait_event_interruptible(sleeper->heads->wait,
				       (taken = take()) ||
				       !unplug_dev_is_live(&sleeper->dev));
	return err ?: taken ? 0 : -ENODEV;
}

static int wait_cancel(void)
{
	int err = wait_for_completion_interruptible(&sleeper->done);

	return err ?: take() ? 0 : -ENODEV;
}

static int wait_textbook(void)
{
	return wait_event_interruptible(sleeper->heads->wait, take());
}

static int wait_byte(int way)
{
	struct unplug_dev *dev = &sleeper->dev;

	if (textbook)
		return wait_textbook();
	switch (way) {
	case SLEEPER_UNINTERRUPTIBLE:
		return unplug_wait_event(dev, sleeper->heads->wait, take());
	case SLEEPER_INTERRUPTIBLE:
		return unplug_wait_event_interruptible(dev, sleeper->heads->wait,
						       take());
	case SLEEPER_KILLABLE:
		return unplug_wait_event_killable(dev, sleeper->heads->wait,
						  take());
	case SLEEPER_TIMEOUT:
		return wait_timeout();
	case SLEEPER_LOCKED:
		return wait_locked();
	case SLEEPER_SECTION:
		return wait_in_section();
	case SLEEPER_QUEUE:
		return wait_queue();
	case SLEEPER_CANCEL:
		return wait_cancel();
	default:
		return -EINVAL;
	}
}

static ssize_t sleeper_read(struct file *file, char __user *to, size_t count,
			    loff_t *pos)
{
	struct sleeper_file *own = file->private_data;
	int err;

	if (!count)
		return 0;
	err = file->f_flags & O_NONBLOCK ? (take() ? 0 : -EAGAIN) :
					   wait_byte(own->way);
	return err ?: put_user('z', to) ?: 1;
}

static __poll_t sleeper_poll(struct file *file, struct poll_table_struct *table)
{
	struct sleeper_file *own = file->private_data;

	poll_wait(file, own->wait, table);
	poll_wait(file, &sleeper->heads->wait, table);
	return atomic_read(&sleeper->bytes) > 0 ? EPOLLIN | EPOLLRDNORM : 0;
}

static int sleeper_fasync(int fd, struct file *file, int on)
{
	return fasync_helper(fd, file, on, &sleeper->fasync);
}

static long sleeper_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct sleeper_file *own = file->private_data;

	if (arg >= SLEEPER_WAYS)
		return -EINVAL;
	own->way = arg;
	return 0;
}

static wait_queue_head_t *head_new(void)
{
	wait_queue_head_t *head = kmalloc(sizeof(*head), GFP_KERNEL);

	if (head)
		init_waitqueue_head(head);
	return head;
}

static int sleeper_open(struct inode *inode, struct file *file)
{
	struct sleeper_file *own = kzalloc(sizeof(*own), GFP_KERNEL);

	if (!own)
		return -ENOMEM;
	own->wait = head_new();
	if (!own->wait) {
		kfree(own);
		return -ENOMEM;
	}
	file->private_data = own;
	spin_lock(&files_lock);
	list_add(&own->node, &files);
	spin_unlock(&files_lock);
	return stream_open(inode, file);
}

static int sleeper_release(struct inode *inode, struct file *file)
{
	struct sleeper_file *own = file->private_data;

	spin_lock(&files_lock);
	list_del(&own->node);
	spin_unlock(&files_lock);
	kfree(own->wait);
	kfree(own);
	return 0;
}

static const struct file_operations sleeper_fops = {
	.owner = THIS_MODULE,
	.open = sleeper_open,
	.release = sleeper_release,
	.read = sleeper_read,
	.poll = sleeper_poll,
	.fasync = sleeper_fasync,
	.unlocked_ioctl = sleeper_ioctl,
};

static void sleeper_cancel(struct unplug_dev *dev)
{
	if (!textbook)
		complete_all(&sleeper->done);
}

static void sleeper_gone(struct unplug_dev *dev)
{
	/* Files in it were released without being taken off. */
	WARN_ON(sleeper->fasync);
	kfree(sleeper->heads);
	sleeper->heads = NULL;
}

static const struct unplug_driver sleeper_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-sleeper",
	.fops = &sleeper_fops,
	.cancel = sleeper_cancel,
	.gone = sleeper_gone,
};

/*
 * The head of the newest file goes, as POLLFREE wants it, and there is another one. Whoever
 * tests that does not poll meanwhile.
 */
static int sleeper_free_head(void)
{
	wait_queue_head_t *fresh = head_new(), *old = NULL;
	struct sleeper_file *own;

	if (!fresh)
		return -ENOMEM;
	spin_lock(&files_lock);
	own = list_first_entry_or_null(&files, struct sleeper_file, node);
	if (own) {
		old = own->wait;
		own->wait = fresh;
	}
	spin_unlock(&files_lock);
	if (!own) {
		kfree(fresh);
		return -ENOENT;
	}
	__wake_up(old, TASK_NORMAL, 0, poll_to_key(EPOLLHUP | POLLFREE));
	synchronize_rcu();
	/* Nobody adds himself any more. */
	WARN_ON(waitqueue_active(old));
	kfree(old);
	return 0;
}

/* Through the file's own head, if it has one: relays of both kinds are tried. */
static int sleeper_feed(const char *text, const struct kernel_param *param)
{
	struct sleeper_file *own;

	if (strstarts(text, "free"))
		return sleeper_free_head();
	if (!sleeper || !unplug_dev_get_active(&sleeper->dev))
		return -ENODEV;
	atomic_inc(&sleeper->bytes);
	complete(&sleeper->done);
	if (strstarts(text, "file")) {
		spin_lock(&files_lock);
		list_for_each_entry(own, &files, node)
			wake_up_interruptible_poll(own->wait, EPOLLIN);
		spin_unlock(&files_lock);
	} else {
		wake_up_all(&sleeper->heads->wait);
	}
	kill_fasync(&sleeper->fasync, SIGIO, POLL_IN);
	unplug_dev_put_active(&sleeper->dev);
	return 0;
}

static int sleeper_pull(const char *text, const struct kernel_param *param)
{
	if (!sleeper)
		return -ENODEV;
	unplug_dev_unplug(&sleeper->dev);
	return 0;
}

static const struct kernel_param_ops feed_ops = {
	.set = sleeper_feed,
};
module_param_cb(feed, &feed_ops, NULL, 0200);

static const struct kernel_param_ops pull_ops = {
	.set = sleeper_pull,
};
module_param_cb(pull, &pull_ops, NULL, 0200);

static int __init sleeper_init(void)
{
	int err = -ENOMEM;

	sleeper = unplug_dev_alloc(&sleeper_driver, NULL, struct sleeper, dev);
	if (IS_ERR(sleeper))
		return PTR_ERR(sleeper);
	sleeper->heads = kzalloc(sizeof(*sleeper->heads), GFP_KERNEL);
	if (!sleeper->heads)
		goto put;
	init_waitqueue_head(&sleeper->heads->wait);
	init_completion(&sleeper->done);
	spin_lock_init(&sleeper->lock);
	if (!textbook)
		unplug_dev_wake_queue(&sleeper->dev, &sleeper->wake,
				      &sleeper->heads->wait);
	err = unplug_dev_register(&sleeper->dev, "unplug-sleeper");
	if (!err)
		return 0;
	kfree(sleeper->heads);
put:
	unplug_dev_put(&sleeper->dev);
	return err;
}

static void __exit sleeper_exit(void)
{
	unplug_dev_unplug(&sleeper->dev);
	unplug_dev_wait_gone(&sleeper->dev);
	unplug_dev_put(&sleeper->dev);
}

module_init(sleeper_init);
module_exit(sleeper_exit);
MODULE_DESCRIPTION("A driver whose users wait, for the tests of unplug");
MODULE_LICENSE("GPL");
