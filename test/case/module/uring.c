// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver with ->uring_cmd, for the cases of ../uring-cmd.c: commands that it answers
 * at once, and commands that it keeps, and completes when the parameter complete is
 * written.
 *
 * A command that is kept is not inside the device: ->uring_cmd has returned. So it holds
 * active of its own until it is done.
 *
 * The node is /dev/unplug-uring; writing to the parameter pull unplugs it. With keep=1
 * unplug leaves the commands to whoever completes them; with textbook=1 they hold nothing
 * as well.
 */

#include <linux/module.h>
#include <linux/slab.h>
#include <unplug/device.h>
#include <unplug/wait.h>
#include "compat.h"
#include "uring-uapi.h"

static bool keep;
module_param(keep, bool, 0444);
MODULE_PARM_DESC(keep, "unplug completes no command");

static bool textbook;
module_param(textbook, bool, 0444);
MODULE_PARM_DESC(textbook, "unplug completes no command, and commands do not hold the device");

struct uring {
	struct unplug_dev dev;
	spinlock_t lock;
	struct list_head kept;
};

/* In the room a command has for its driver */
struct kept {
	struct list_head node;
	struct io_uring_cmd *cmd;
	int result;
};

static struct uring *uring;

static struct kept *kept_of(struct io_uring_cmd *cmd)
{
	BUILD_BUG_ON(sizeof(struct kept) > sizeof(cmd->pdu));
	return (struct kept *)cmd->pdu;
}

/* Nothing of the command may be used after it is done, and nothing of the driver's after put. */
static void kept_done(struct io_uring_cmd *cmd, int result, unsigned int flags)
{
	unplug_uring_cmd_done(cmd, result, flags);
	if (!textbook)
		unplug_dev_put_active(&uring->dev);
}

/* In the user's task, which is the one place to complete a command from that waits for nobody */
UNPLUG_URING_TASK(kept_task, cmd, flags)
{
	kept_done(cmd, kept_of(cmd)->result, flags);
}

static void kept_complete(struct io_uring_cmd *cmd, int result)
{
	kept_of(cmd)->result = result;
	io_uring_cmd_complete_in_task(cmd, kept_task);
}

/* Whoever takes it off the list completes it. */
static void kept_complete_all(int result)
{
	struct kept *kept, *next;
	LIST_HEAD(list);

	spin_lock(&uring->lock);
	list_splice_init(&uring->kept, &list);
	list_for_each_entry(kept, &list, node)
		kept->result = result;
	spin_unlock(&uring->lock);
	list_for_each_entry_safe(kept, next, &list, node)
		kept_complete(kept->cmd, result);
}

/* Since 6.7: the user is exiting, or closes his ring. */
static int uring_cancel_cmd(struct io_uring_cmd *cmd, unsigned int flags)
{
	struct kept *kept, *found = NULL;

	spin_lock(&uring->lock);
	list_for_each_entry(kept, &uring->kept, node)
		if (kept->cmd == cmd)
			found = kept;
	if (found)
		list_del(&found->node);
	spin_unlock(&uring->lock);
	if (found)
		kept_done(cmd, -ECANCELED, flags);
	return 0;
}

static int uring_keep_cmd(struct io_uring_cmd *cmd, unsigned int flags)
{
	struct kept *kept = kept_of(cmd);
	bool live;

	if (!textbook && !unplug_dev_get_active(&uring->dev))
		return -ENODEV;
	kept->cmd = cmd;
	unplug_uring_cmd_mark_cancelable(cmd, flags);

	/* Either it is on the list when ->cancel looks, or the device is known to go. */
	spin_lock(&uring->lock);
	live = textbook || keep || unplug_dev_is_live(&uring->dev);
	if (live)
		list_add_tail(&kept->node, &uring->kept);
	spin_unlock(&uring->lock);
	if (!live)
		kept_complete(cmd, -ENODEV);
	return -EIOCBQUEUED;
}

static int uring_cmd(struct io_uring_cmd *cmd, unsigned int flags)
{
	if (flags & UNPLUG_URING_CANCEL)
		return uring_cancel_cmd(cmd, flags);
	switch (cmd->cmd_op) {
	case URING_NOW:
		return URING_ANSWER;
	case URING_LATER:
		return uring_keep_cmd(cmd, flags);
	default:
		return -EINVAL;
	}
}

static const struct file_operations uring_fops = {
	.owner = THIS_MODULE,
	.uring_cmd = uring_cmd,
};

static void uring_cancel(struct unplug_dev *dev)
{
	if (!keep && !textbook)
		kept_complete_all(-ENODEV);
}

static const struct unplug_driver uring_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-uring",
	.fops = &uring_fops,
	.cancel = uring_cancel,
};

static int uring_complete(const char *text, const struct kernel_param *param)
{
	int result, err = kstrtoint(text, 10, &result);

	if (err || !uring)
		return err ?: -ENODEV;
	kept_complete_all(result);
	return 0;
}

static int uring_pull(const char *text, const struct kernel_param *param)
{
	if (!uring)
		return -ENODEV;
	unplug_dev_unplug(&uring->dev);
	return 0;
}

static const struct kernel_param_ops complete_ops = {
	.set = uring_complete,
};
module_param_cb(complete, &complete_ops, NULL, 0200);

static const struct kernel_param_ops pull_ops = {
	.set = uring_pull,
};
module_param_cb(pull, &pull_ops, NULL, 0200);

static int __init uring_init(void)
{
	int err;

	uring = unplug_dev_alloc(&uring_driver, NULL, struct uring, dev);
	if (IS_ERR(uring))
		return PTR_ERR(uring);
	spin_lock_init(&uring->lock);
	INIT_LIST_HEAD(&uring->kept);
	err = unplug_dev_register(&uring->dev, "unplug-uring");
	if (err)
		unplug_dev_put(&uring->dev);
	return err;
}

static void __exit uring_exit(void)
{
	unplug_dev_unplug(&uring->dev);
	unplug_dev_wait_gone(&uring->dev);
	unplug_dev_put(&uring->dev);
}

module_init(uring_init);
module_exit(uring_exit);
MODULE_DESCRIPTION("A driver with commands of io_uring, for the tests of unplug");
MODULE_LICENSE("GPL");
