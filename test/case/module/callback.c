// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that is called by work, timers, interrupts and attributes, for the cases of
 * ../callback.c. What each of them does is said by ioctl, see callback-uapi.h.
 *
 * Its device is a platform device, unplugged by unbinding it. The node is
 * /dev/unplug-callback. Parameters say what has happened, also after gone. With
 * textbook=1 work and timers are the kernel's own, and nobody stops them; and so is an attribute.
 */

#include <linux/completion.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sysfs.h>
#include <unplug/attr.h>
#include <unplug/callback.h>
#include "callback-line.h"
#include "callback-uapi.h"
#include "compat.h"

#define NAME "unplug-callback"

static bool textbook;
module_param(textbook, bool, 0444);
MODULE_PARM_DESC(textbook, "use the kernel's own work and timers, and stop nothing");

static bool fail;
module_param(fail, bool, 0444);
MODULE_PARM_DESC(fail, "fail to probe, when the interrupt is there already");

static bool shared;
module_param(shared, bool, 0444);
MODULE_PARM_DESC(shared, "share the interrupt with others");

static bool thread;
module_param(thread, bool, 0444);
MODULE_PARM_DESC(thread, "answer interrupts in a thread, too");

struct caller {
	struct unplug_dev dev;
	struct unplug_work work;
	struct unplug_delayed_work dwork;
	struct unplug_timer timer;
	struct unplug_hrtimer hrtimer;
	struct unplug_irq irq;
	struct completion answered;
};

static struct caller *caller;
static int line;
static struct workqueue_struct *wq;	/* ordered: what is behind another waits for it */
static unsigned int what[CALLBACK_KINDS];

static int ran[CALLBACK_KINDS];
module_param_array(ran, int, NULL, 0444);
MODULE_PARM_DESC(ran, "how often each kind has run");

static int late = -1;
module_param(late, int, 0444);
MODULE_PARM_DESC(late, "did somebody who was held start something? 0, 1; -1: nobody yet");

static int speed;

static DECLARE_WAIT_QUEUE_HEAD(let_wait);
static bool let;

/* A program that is held can be killed: what waits for it is not to wait for ever. */
static void hold(const char *who)
{
	pr_info(NAME ": %s held\n", who);
	if (wait_event_killable(let_wait, READ_ONCE(let)))
		pr_info(NAME ": %s killed\n", who);
}

static void blocker_work(struct work_struct *work)
{
	wait_event_idle(let_wait, READ_ONCE(let));
}

static DECLARE_WORK(blocker, blocker_work);

/* The usual kind */
static void act(enum callback_kind kind);

static void plain_work_func(struct work_struct *work)
{
	act(CALLBACK_WORK);
}

static void plain_dwork_func(struct work_struct *work)
{
	act(CALLBACK_DELAYED_WORK);
}

static void plain_timer_func(struct timer_list *timer)
{
	act(CALLBACK_TIMER);
}

static enum hrtimer_restart plain_hrtimer_func(struct hrtimer *timer)
{
	act(CALLBACK_HRTIMER);
	hrtimer_forward_now(timer, NSEC_PER_MSEC);
	return HRTIMER_RESTART;
}

static DECLARE_WORK(plain_work, plain_work_func);
static DECLARE_DELAYED_WORK(plain_dwork, plain_dwork_func);
static DEFINE_TIMER(plain_timer, plain_timer_func);
static struct hrtimer plain_hrtimer;

static bool plain_start(enum callback_kind kind, unsigned long delay)
{
	switch (kind) {
	case CALLBACK_WORK:
		return schedule_work(&plain_work);
	case CALLBACK_DELAYED_WORK:
		return schedule_delayed_work(&plain_dwork, delay);
	case CALLBACK_TIMER:
		mod_timer(&plain_timer, jiffies + delay);
		return true;
	default:
		hrtimer_start(&plain_hrtimer, NSEC_PER_MSEC, HRTIMER_MODE_REL_SOFT);
		return true;
	}
}

/* The core's */
static bool start(enum callback_kind kind, unsigned long delay)
{
	if (textbook)
		return plain_start(kind, delay);
	switch (kind) {
	case CALLBACK_WORK:
		return unplug_work_queue(wq, &caller->work);
	case CALLBACK_DELAYED_WORK:
		return unplug_delayed_work_queue(wq, &caller->dwork, delay);
	case CALLBACK_TIMER:
		return unplug_timer_mod(&caller->timer, jiffies + delay);
	case CALLBACK_HRTIMER:
		return unplug_hrtimer_start(&caller->hrtimer,
					    ns_to_ktime(jiffies_to_nsecs(delay)),
					    HRTIMER_MODE_REL_SOFT);
	default:
		line_raise();
		return true;
	}
}

/* Here nobody may sleep. It is inside, but does not hold up shut. */
static void spin_until_shut(void)
{
	ktime_t end = ktime_add_ms(ktime_get(), 20 * MSEC_PER_SEC);

	pr_info(NAME ": callback held\n");
	while (!completion_done(&caller->dev.shut)) {
		if (ktime_after(ktime_get(), end)) {
			pr_err(NAME ": not shut while a timer runs\n");
			return;
		}
		cpu_relax();
	}
}

static void act(enum callback_kind kind)
{
	if (++ran[kind] == 10)
		pr_info(NAME ": ran 10 times\n");
	switch (what[kind]) {
	case CALLBACK_AGAIN:
		if (kind != CALLBACK_HRTIMER)
			start(kind, 1);
		break;
	case CALLBACK_HOLD:
		if (kind == CALLBACK_TIMER || kind == CALLBACK_HRTIMER)
			spin_until_shut();
		else
			hold("callback");
		late = kind < CALLBACK_HANDLER && start(kind, 0);
		break;
	case CALLBACK_PULL:
		unplug_dev_unplug_async(&caller->dev);
		late = kind < CALLBACK_HANDLER && start(kind, 0);
		break;
	}
}

static void caller_work(struct unplug_work *work)
{
	act(CALLBACK_WORK);
}

static void caller_dwork(struct unplug_delayed_work *dwork)
{
	act(CALLBACK_DELAYED_WORK);
}

static void caller_timer(struct unplug_timer *timer)
{
	act(CALLBACK_TIMER);
}

static enum hrtimer_restart caller_hrtimer(struct unplug_hrtimer *timer)
{
	act(CALLBACK_HRTIMER);
	hrtimer_forward_now(&timer->timer, NSEC_PER_MSEC);
	/* When it has pulled the device, too: that is not to be obeyed then. */
	return what[CALLBACK_HRTIMER] == CALLBACK_ONCE ? HRTIMER_NORESTART :
							 HRTIMER_RESTART;
}

static irqreturn_t caller_handler(struct unplug_irq *irq)
{
	act(CALLBACK_HANDLER);
	complete_all(&caller->answered);
	return thread ? IRQ_WAKE_THREAD : IRQ_HANDLED;
}

static irqreturn_t caller_thread(struct unplug_irq *irq)
{
	act(CALLBACK_THREAD);
	return IRQ_HANDLED;
}

/* As a driver that waits for the hardware it has told to do something */
static long wait_in_section(void)
{
	if (!unplug_dev_hw_enter(&caller->dev))
		return -ENODEV;
	reinit_completion(&caller->answered);
	pr_info(NAME ": section waits\n");
	wait_for_completion(&caller->answered);
	pr_info(NAME ": section ends\n");
	unplug_dev_hw_exit(&caller->dev);
	return 0;
}

static long caller_ioctl(struct file *file, unsigned int cmd, unsigned long kind)
{
	if (kind >= CALLBACK_KINDS)
		return -EINVAL;
	switch (cmd) {
	case CALLBACK_SECTION:
		return wait_in_section();
	case CALLBACK_LATE:
		hold("ioctl");
		late = start(kind, 0);
		return late;
	case CALLBACK_PENDING:
		queue_work(wq, &blocker);
		return start(kind, 3600 * HZ);
	default:
		what[kind] = cmd;
		return start(kind, 0);
	}
}

static const struct file_operations caller_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = caller_ioctl,
};

static ssize_t speed_show(struct unplug_dev *dev, char *buf)
{
	return sysfs_emit(buf, "%d\n", speed);
}

static ssize_t speed_store(struct unplug_dev *dev, const char *buf, size_t count)
{
	return kstrtoint(buf, 0, &speed) ?: count;
}
static UNPLUG_ATTR_RW(speed);

static ssize_t slow_show(struct unplug_dev *dev, char *buf)
{
	hold("attribute");
	return sysfs_emit(buf, "slow\n");
}
static UNPLUG_ATTR_RO(slow);

static ssize_t pull_store(struct unplug_dev *dev, const char *buf, size_t count)
{
	unplug_dev_unplug_async(dev);
	hold("attribute");
	return count;
}
static UNPLUG_ATTR_WO(pull);

static struct attribute *caller_attrs[] = {
	&unplug_attr_speed.attr.attr,
	&unplug_attr_slow.attr.attr,
	&unplug_attr_pull.attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(caller);

static ssize_t plain_slow_show(struct device *device,
			       struct device_attribute *attr, char *buf)
{
	return slow_show(NULL, buf);
}

static struct device_attribute plain_slow = __ATTR(slow, 0444, plain_slow_show,
						   NULL);

static struct attribute *plain_attrs[] = {
	&plain_slow.attr,
	NULL
};
ATTRIBUTE_GROUPS(plain);

/* An interrupt that comes now: how many handlers answer? */
static int line_answers(void)
{
	int before = ran[CALLBACK_HANDLER];

	line_raise();
	return ran[CALLBACK_HANDLER] - before;
}

static void caller_quiesce(struct unplug_dev *dev)
{
	bool section = unplug_dev_hw_enter(dev);

	if (section)
		unplug_dev_hw_exit(dev);
	pr_info(NAME ": quiesce: %u sections, %d answers\n",
		unplug_gate_inside(&dev->hw) + section, line_answers());
}

static const struct unplug_driver caller_driver = {
	.owner = THIS_MODULE,
	.name = NAME,
	.fops = &caller_fops,
	.quiesce = caller_quiesce,
	.groups = caller_groups,
};

static int caller_register(void)
{
	int err = fail ? -EIO : unplug_dev_register(&caller->dev, NAME);

	if (!err)
		return 0;
	unplug_irq_free(&caller->irq);
	unplug_irq_free(&caller->irq);
	unplug_dev_put(&caller->dev);
	caller = NULL;
	return err;
}

static int caller_probe(struct platform_device *pdev)
{
	struct unplug_dev *dev;
	int err;

	if (caller)
		return -EBUSY;
	caller = unplug_dev_alloc(&caller_driver, &pdev->dev, struct caller, dev);
	if (IS_ERR(caller))
		return PTR_ERR(xchg(&caller, NULL));
	dev = &caller->dev;
	init_completion(&caller->answered);
	unplug_work_init(dev, &caller->work, caller_work);
	unplug_timer_init(dev, &caller->timer, caller_timer);
	err = unplug_irq_request(dev, &caller->irq, line, caller_handler,
				 thread ? caller_thread : NULL,
				 shared ? IRQF_SHARED : 0);
	if (err) {
		unplug_dev_put(dev);
		caller = NULL;
		return err;
	}
	unplug_delayed_work_init(dev, &caller->dwork, caller_dwork);
	unplug_hrtimer_init(dev, &caller->hrtimer, CLOCK_MONOTONIC,
			    HRTIMER_MODE_REL_SOFT, caller_hrtimer);
	/* Too early: before there is a device, the line alone is alive. */
	if (!textbook && (start(CALLBACK_WORK, 0) || start(CALLBACK_TIMER, 0) ||
			  line_answers() != 1))
		pr_err(NAME ": alive before it is registered\n");
	ran[CALLBACK_HANDLER] = 0;
	return caller_register();
}

/* The reference is kept until the module goes: parameters look at the device. */
static void caller_remove(struct platform_device *pdev)
{
	unplug_dev_unplug(&caller->dev);
	pr_info(NAME ": remove: %d answers\n", line_answers());
	/* Done already */
	unplug_irq_free(&caller->irq);
}

static struct platform_driver caller_platform = {
	.probe = caller_probe,
	.unplug_platform_remove = caller_remove,
	.driver = { .name = NAME },
};

static struct platform_device *caller_device;

static int let_set(const char *text, const struct kernel_param *param)
{
	WRITE_ONCE(let, true);
	wake_up_all(&let_wait);
	return 0;
}

static const struct kernel_param_ops let_ops = {
	.set = let_set,
};
module_param_cb(let, &let_ops, NULL, 0200);
MODULE_PARM_DESC(let, "let go who is held");

static int frozen_set(const char *text, const struct kernel_param *param)
{
	bool frozen;
	int err = kstrtobool(text, &frozen);

	if (err)
		return err;
	return frozen ? unplug_dev_freeze(&caller->dev) :
			unplug_dev_thaw(&caller->dev, UNPLUG_THAW_KEEP);
}

static const struct kernel_param_ops frozen_ops = {
	.set = frozen_set,
};
module_param_cb(frozen, &frozen_ops, NULL, 0200);
MODULE_PARM_DESC(frozen, "freeze the device, or thaw it");

static int raise_set(const char *text, const struct kernel_param *param)
{
	line_raise();
	return 0;
}

static const struct kernel_param_ops raise_ops = {
	.set = raise_set,
};
module_param_cb(raise, &raise_ops, NULL, 0200);
MODULE_PARM_DESC(raise, "raise the interrupt");

static int line_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%d\n", line_in_use());
}

static const struct kernel_param_ops line_ops = {
	.get = line_get,
};
module_param_cb(line, &line_ops, NULL, 0444);
MODULE_PARM_DESC(line, "is the interrupt line somebody's?");

static int pending_get(char *text, const struct kernel_param *param)
{
	bool pending = caller && (work_pending(&caller->work.work) ||
				  delayed_work_pending(&caller->dwork.dwork) ||
				  timer_pending(&caller->timer.timer) ||
				  hrtimer_active(&caller->hrtimer.timer));

	return sysfs_emit(text, "%d\n", pending);
}

static const struct kernel_param_ops pending_ops = {
	.get = pending_get,
};
module_param_cb(pending, &pending_ops, NULL, 0444);
MODULE_PARM_DESC(pending, "is anything of the device's pending?");

static int __init caller_init(void)
{
	int err = -ENOMEM;

	hrtimer_setup(&plain_hrtimer, plain_hrtimer_func, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
	line = line_new();
	if (line < 0)
		return line;
	wq = alloc_ordered_workqueue(NAME, 0);
	if (!wq)
		goto free_line;
	if (textbook)
		caller_platform.driver.dev_groups = plain_groups;
	err = platform_driver_register(&caller_platform);
	if (err)
		goto free_wq;
	caller_device = platform_device_register_simple(NAME, PLATFORM_DEVID_NONE,
							NULL, 0);
	err = PTR_ERR_OR_ZERO(caller_device);
	if (!err)
		return 0;
	platform_driver_unregister(&caller_platform);
free_wq:
	destroy_workqueue(wq);
free_line:
	line_free();
	return err;
}

static void __exit caller_exit(void)
{
	/* No longer than this may what was behind the blocker have waited to run. */
	let_set(NULL, NULL);
	platform_device_unregister(caller_device);
	platform_driver_unregister(&caller_platform);
	destroy_workqueue(wq);
	if (caller)
		unplug_dev_put(&caller->dev);
	line_free();
}

module_init(caller_init);
module_exit(caller_exit);
MODULE_DESCRIPTION("A driver that is called by all there is, for the tests of unplug");
MODULE_LICENSE("GPL");
