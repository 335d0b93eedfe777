// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that unplugs from wherever it is called, for the cases of ../inside.c.
 *
 * There are two devices, /dev/unplug-inside0 and 1. Writing "WHERE HOW TARGET" to the parameter
 * arm says what is to be done the next time that WHERE is reached on device 0, HOW being
 * one of async, sync, many (both devices) and wait (async, and for gone), TARGET a number;
 * reading result waits until it was done, and says what it returned and whether the
 * hardware could be touched still. Callbacks, and what is not inside at all (a param, a
 * kthread, a worker), are reached by writing WHERE to trigger. Writing a number to unplug
 * unplugs that device, from outside.
 *
 * It counts releases as well: a file that is released twice, or never, shows.
 */

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <unplug/attr.h>
#include <unplug/callback.h>
#include <unplug/device.h>
#include "compat.h"
#include "inside-uapi.h"

#define INSIDES 2

struct inside {
	struct unplug_dev dev;
	struct unplug_work work;
	struct unplug_timer timer;
};

/* Kept until the module goes, to see whether it is released again */
struct inside_file {
	struct list_head node;
	bool released;
};

static struct inside *insides[INSIDES];

static LIST_HEAD(files);
static DEFINE_SPINLOCK(files_lock);
static unsigned int opened, released, twice, forced;
module_param(opened, uint, 0444);
module_param(released, uint, 0444);
module_param(twice, uint, 0444);
module_param(forced, uint, 0444);

static char armed_where[16], armed_how[8];
static unsigned int armed_target;
static atomic_t armed;
static int acted, touchable;
static DECLARE_COMPLETION(done);

static int act(const char *how, unsigned int target)
{
	struct unplug_dev *both[] = { &insides[0]->dev, &insides[1]->dev };

	if (!strcmp(how, "sync"))
		return unplug_dev_unplug(both[target]);
	if (!strcmp(how, "many"))
		return unplug_dev_unplug_many(both, INSIDES);
	unplug_dev_unplug_async(both[target]);
	return strcmp(how, "wait") ? 0 : unplug_dev_wait_gone(both[target]);
}

static void inside_reach(struct unplug_dev *dev, const char *where)
{
	struct unplug_dev *target;

	if (dev != &insides[0]->dev || strcmp(where, armed_where) ||
	    !atomic_xchg(&armed, 0))
		return;
	target = &insides[armed_target]->dev;
	acted = act(armed_how, armed_target);
	touchable = unplug_dev_hw_enter(target);
	if (touchable)
		unplug_dev_hw_exit(target);
	complete_all(&done);
}

static vm_fault_t inside_fault(struct vm_fault *vmf)
{
	inside_reach(unplug_dev_from_file(vmf->vma->vm_file), "fault");
	return VM_FAULT_SIGBUS;
}

static void inside_vm_close(struct vm_area_struct *vma)
{
	inside_reach(unplug_dev_from_file(vma->vm_file), "unmap");
}

static const struct vm_operations_struct inside_vm_ops = {
	.fault = inside_fault,
	.close = inside_vm_close,
};

static int inside_mmap(struct file *file, struct vm_area_struct *vma)
{
	inside_reach(unplug_dev_from_file(file), "mmap");
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &inside_vm_ops;
	return 0;
}

static __poll_t inside_poll(struct file *file, struct poll_table_struct *table)
{
	inside_reach(unplug_dev_from_file(file), "poll");
	return 0;
}

static DECLARE_COMPLETION(let);
static DECLARE_WAIT_QUEUE_HEAD(met_wait);
static atomic_t met;

/* Both are inside when the first begins. */
static int inside_meet(struct unplug_dev *dev)
{
	int err;

	atomic_inc(&met);
	wake_up_all(&met_wait);
	err = wait_event_killable(met_wait, atomic_read(&met) == INSIDES);
	return err ?: act("sync", dev == &insides[0]->dev);
}

static long inside_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct unplug_dev *dev = unplug_dev_from_file(file);

	switch (cmd) {
	case INSIDE_ACT:
		inside_reach(dev, "ioctl");
		return 0;
	case INSIDE_MEET:
		return inside_meet(dev);
	case INSIDE_HOLD:
		return wait_for_completion_killable(&let);
	default:
		return -ENOTTY;
	}
}

static int inside_open(struct inode *inode, struct file *file)
{
	struct inside_file *own = kzalloc(sizeof(*own), GFP_KERNEL);

	if (!own)
		return -ENOMEM;
	file->private_data = own;
	spin_lock(&files_lock);
	list_add(&own->node, &files);
	opened++;
	spin_unlock(&files_lock);
	inside_reach(unplug_dev_from_file(file), "open");
	return 0;
}

static int inside_release(struct inode *inode, struct file *file)
{
	struct inside_file *own = file->private_data;

	spin_lock(&files_lock);
	released++;
	twice += own->released;
	forced += !!(current->flags & PF_WQ_WORKER);
	own->released = true;
	spin_unlock(&files_lock);
	inside_reach(unplug_dev_from_file(file), "release");
	return 0;
}

static const struct file_operations inside_fops = {
	.owner = THIS_MODULE,
	.open = inside_open,
	.release = inside_release,
	.poll = inside_poll,
	.mmap = inside_mmap,
	.unlocked_ioctl = inside_ioctl,
};

static void inside_work(struct unplug_work *work)
{
	inside_reach(&container_of(work, struct inside, work)->dev, "work");
}

static void inside_timer(struct unplug_timer *timer)
{
	inside_reach(&container_of(timer, struct inside, timer)->dev, "timer");
}

static ssize_t act_store(struct unplug_dev *dev, const char *text, size_t count)
{
	inside_reach(dev, "attribute");
	return count;
}
static UNPLUG_ATTR_WO(act);

static struct attribute *inside_attrs[] = {
	&unplug_attr_act.attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(inside);

static void inside_gone(struct unplug_dev *dev)
{
	inside_reach(dev, "gone");
}

static const struct unplug_driver inside_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-inside",
	.fops = &inside_fops,
	.groups = inside_groups,
	.gone = inside_gone,
};

/* Outside: neither a kthread, nor a work item of the kernel's, nor who writes a parameter */
static struct task_struct *thread;

static int outside_thread(void *data)
{
	inside_reach(&insides[0]->dev, "kthread");
	return 0;
}

static void outside_work(struct work_struct *work)
{
	inside_reach(&insides[0]->dev, "worker");
}

static DECLARE_WORK(worker, outside_work);

static int outside_start_thread(void)
{
	thread = kthread_create(outside_thread, NULL, "unplug-outside");
	if (IS_ERR(thread))
		return PTR_ERR(xchg(&thread, NULL));
	get_task_struct(thread);
	wake_up_process(thread);
	return 0;
}

static int trigger_set(const char *text, const struct kernel_param *param)
{
	struct inside *inside = insides[0];

	if (!inside)
		return -ENODEV;
	if (sysfs_streq(text, "work"))
		return unplug_work_queue(system_wq, &inside->work) ? 0 : -ENODEV;
	if (sysfs_streq(text, "timer"))
		return unplug_timer_mod(&inside->timer, jiffies), 0;
	if (sysfs_streq(text, "kthread"))
		return outside_start_thread();
	if (sysfs_streq(text, "worker"))
		return schedule_work(&worker), 0;
	if (!sysfs_streq(text, "param"))
		return -EINVAL;
	inside_reach(&inside->dev, "param");
	return 0;
}

static int arm_set(const char *text, const struct kernel_param *param)
{
	if (sscanf(text, "%15s %7s %u", armed_where, armed_how,
		   &armed_target) != 3 || armed_target >= INSIDES)
		return -EINVAL;
	reinit_completion(&done);
	atomic_set(&armed, 1);
	return 0;
}

static int result_get(char *text, const struct kernel_param *param)
{
	int err = wait_for_completion_killable(&done);

	return err ?: sprintf(text, "%d %d\n", acted, touchable);
}

static int unplug_set(const char *text, const struct kernel_param *param)
{
	unsigned int target;
	int err = kstrtouint(text, 10, &target);

	if (err || target >= INSIDES || !insides[target])
		return err ?: -EINVAL;
	unplug_dev_unplug(&insides[target]->dev);
	return 0;
}

static int let_set(const char *text, const struct kernel_param *param)
{
	complete_all(&let);
	return 0;
}

static const struct kernel_param_ops trigger_ops = { .set = trigger_set };
static const struct kernel_param_ops arm_ops = { .set = arm_set };
static const struct kernel_param_ops result_ops = { .get = result_get };
static const struct kernel_param_ops unplug_ops = { .set = unplug_set };
static const struct kernel_param_ops let_ops = { .set = let_set };
module_param_cb(trigger, &trigger_ops, NULL, 0200);
module_param_cb(arm, &arm_ops, NULL, 0200);
module_param_cb(result, &result_ops, NULL, 0400);
module_param_cb(unplug, &unplug_ops, NULL, 0200);
module_param_cb(let, &let_ops, NULL, 0200);

static struct inside *inside_new(int number)
{
	struct inside *inside;
	int err;

	inside = unplug_dev_alloc(&inside_driver, NULL, struct inside, dev);
	if (IS_ERR(inside))
		return inside;
	unplug_work_init(&inside->dev, &inside->work, inside_work);
	unplug_timer_init(&inside->dev, &inside->timer, inside_timer);
	err = unplug_dev_register(&inside->dev, "unplug-inside%d", number);
	if (!err)
		return inside;
	unplug_dev_put(&inside->dev);
	return ERR_PTR(err);
}

static void inside_free(struct inside *inside)
{
	unplug_dev_unplug(&inside->dev);
	unplug_dev_wait_gone(&inside->dev);
	unplug_dev_put(&inside->dev);
}

static int __init inside_init(void)
{
	struct inside *inside;
	int i;

	for (i = 0; i < INSIDES; i++) {
		inside = inside_new(i);
		if (!IS_ERR(inside)) {
			insides[i] = inside;
			continue;
		}
		while (i--)
			inside_free(insides[i]);
		return PTR_ERR(inside);
	}
	return 0;
}

static void __exit inside_exit(void)
{
	struct inside_file *own, *next;
	int i;

	if (thread) {
		kthread_stop(thread);
		put_task_struct(thread);
	}
	flush_work(&worker);
	for (i = 0; i < INSIDES; i++)
		inside_free(insides[i]);
	list_for_each_entry_safe(own, next, &files, node)
		kfree(own);
}

module_init(inside_init);
module_exit(inside_exit);
MODULE_DESCRIPTION("A driver that unplugs from inside, for the tests of unplug");
MODULE_LICENSE("GPL");
