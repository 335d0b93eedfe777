// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver whose users poll for completions, for the cases of ../uring-iopoll.c: it keeps
 * reads and commands of io_uring, and completes them when it is polled and the hardware is
 * ready, which the parameter ready says; asked counts how often it was polled.
 *
 * The node is /dev/unplug-iopoll; what is written to the parameter do is done: freeze, thaw,
 * pull, or complete the newest one, with an error. With keep=1 unplug and freeze leave them to
 * that.
 */

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <unplug/device.h>
#include <unplug/wait.h>
#include "compat.h"
#include "iopoll-uapi.h"

#define NODE "unplug-iopoll"

static bool keep;
module_param(keep, bool, 0444);
MODULE_PARM_DESC(keep, "unplug and freeze complete nothing");

static bool ready;
module_param(ready, bool, 0600);
MODULE_PARM_DESC(ready, "who polls finds what he has asked for");

static atomic_t asked = ATOMIC_INIT(0);
module_param_named(asked, asked.counter, int, 0400);
MODULE_PARM_DESC(asked, "how often the driver was polled");

/* One of the two */
struct kept {
	struct kiocb *iocb;
	struct io_uring_cmd *cmd;
};

struct iopoll {
	struct unplug_dev dev;
	spinlock_t lock;	/* for the rest */
	struct kept kept[IOPOLL_KEPT];
	unsigned int n;
};

static struct iopoll *iopoll;

/* Kept, and inside, until it is completed */
static int kept_add(struct kiocb *iocb, struct io_uring_cmd *cmd)
{
	int ret = -ENODEV;

	if (!unplug_dev_get_active(&iopoll->dev))
		return ret;
	/* Either ->cancel finds it, or the device is known to go. */
	spin_lock(&iopoll->lock);
	if (keep || unplug_dev_is_live(&iopoll->dev)) {
		ret = -EBUSY;
		if (iopoll->n < IOPOLL_KEPT) {
			iopoll->kept[iopoll->n++] = (struct kept){ iocb, cmd };
			ret = -EIOCBQUEUED;
		}
	}
	spin_unlock(&iopoll->lock);
	if (ret != -EIOCBQUEUED)
		unplug_dev_put_active(&iopoll->dev);
	return ret;
}

/* This one, or the newest if both are NULL. Whoever takes it completes it. */
static bool kept_take(struct kept *kept, struct kiocb *iocb, struct io_uring_cmd *cmd)
{
	unsigned int i;
	bool found;

	spin_lock(&iopoll->lock);
	for (i = iopoll->n; i > 0; i--)
		if ((!iocb && !cmd) || (iopoll->kept[i - 1].iocb == iocb &&
					iopoll->kept[i - 1].cmd == cmd))
			break;
	found = i > 0;
	if (found) {
		*kept = iopoll->kept[i - 1];
		iopoll->kept[i - 1] = iopoll->kept[--iopoll->n];
	}
	spin_unlock(&iopoll->lock);
	return found;
}

static bool kept_complete(struct kiocb *iocb, struct io_uring_cmd *cmd, int result)
{
	struct kept kept;

	if (!kept_take(&kept, iocb, cmd))
		return false;
	if (kept.iocb)
		kept.iocb->ki_complete(kept.iocb, result);
	else
		unplug_uring_cmd_done(kept.cmd, result, IO_URING_F_UNLOCKED);
	unplug_dev_put_active(&iopoll->dev);
	return true;
}

static ssize_t iopoll_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return iocb->ki_flags & IOCB_HIPRI ? kept_add(iocb, NULL) : -EINVAL;
}

static int iopoll_uring_cmd(struct io_uring_cmd *cmd, unsigned int flags)
{
	return flags & IO_URING_F_IOPOLL ? kept_add(NULL, cmd) : -EINVAL;
}

/* How many were completed */
static int iopoll_ask(struct kiocb *iocb, struct io_uring_cmd *cmd)
{
	atomic_inc(&asked);
	return ready && kept_complete(iocb, cmd, IOPOLL_ANSWER);
}

static int iopoll_iopoll(struct kiocb *iocb, struct io_comp_batch *batch,
			 unsigned int flags)
{
	return iopoll_ask(iocb, NULL);
}

static int iopoll_uring_cmd_iopoll(struct io_uring_cmd *cmd,
				   struct io_comp_batch *batch, unsigned int flags)
{
	return iopoll_ask(NULL, cmd);
}

/* io_uring polls for what is done by O_DIRECT, and at once. */
static int iopoll_open(struct inode *inode, struct file *file)
{
	file->f_mode |= FMODE_CAN_ODIRECT | FMODE_NOWAIT;
	return 0;
}

static const struct file_operations iopoll_fops = {
	.owner = THIS_MODULE,
	.open = iopoll_open,
	.read_iter = iopoll_read_iter,
	.iopoll = iopoll_iopoll,
	.uring_cmd = iopoll_uring_cmd,
	.uring_cmd_iopoll = iopoll_uring_cmd_iopoll,
};

static void iopoll_cancel(struct unplug_dev *dev)
{
	while (!keep && kept_complete(NULL, NULL, -ENODEV))
		;
}

static const struct unplug_driver iopoll_driver = {
	.owner = THIS_MODULE,
	.name = NODE,
	.fops = &iopoll_fops,
	.cancel = iopoll_cancel,
};

static int iopoll_do(const char *text, const struct kernel_param *param)
{
	if (!iopoll)
		return -ENODEV;
	if (sysfs_streq(text, "complete"))
		return kept_complete(NULL, NULL, -EIO) ? 0 : -ENOENT;
	if (sysfs_streq(text, "freeze"))
		return unplug_dev_freeze(&iopoll->dev);
	if (sysfs_streq(text, "thaw"))
		return unplug_dev_thaw(&iopoll->dev, UNPLUG_THAW_KEEP);
	if (!sysfs_streq(text, "pull"))
		return -EINVAL;
	unplug_dev_unplug(&iopoll->dev);
	return 0;
}

static const struct kernel_param_ops do_ops = {
	.set = iopoll_do,
};
module_param_cb(do, &do_ops, NULL, 0200);

static int __init iopoll_init(void)
{
	struct iopoll *made = unplug_dev_alloc(&iopoll_driver, NULL, struct iopoll, dev);
	int err;

	if (IS_ERR(made))
		return PTR_ERR(made);
	spin_lock_init(&made->lock);
	iopoll = made;
	err = unplug_dev_register(&iopoll->dev, NODE);
	if (err)
		unplug_dev_put(&iopoll->dev);
	return err;
}
module_init(iopoll_init);

static void __exit iopoll_exit(void)
{
	unplug_dev_unplug(&iopoll->dev);
	unplug_dev_wait_gone(&iopoll->dev);
	unplug_dev_put(&iopoll->dev);
}
module_exit(iopoll_exit);

MODULE_DESCRIPTION("A driver whose users poll for completions, for the tests of unplug");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
