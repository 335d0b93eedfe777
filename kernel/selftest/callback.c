// SPDX-License-Identifier: GPL-2.0-only
/* Callbacks: what is refused, and when. test/case/callback.c has them run. */

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <unplug/attr.h>
#include <unplug/callback.h>
#include "selftest.h"

struct caller {
	struct unplug_dev dev;
	struct unplug_work work;
	struct unplug_delayed_work dwork;
	struct unplug_timer timer;
	struct unplug_hrtimer hrtimer;
	struct unplug_irq irq;
};

static atomic_t ran;

static void caller_work(struct unplug_work *work)
{
	atomic_inc(&ran);
}

static void caller_dwork(struct unplug_delayed_work *dwork)
{
	atomic_inc(&ran);
}

static void caller_timer(struct unplug_timer *timer)
{
	atomic_inc(&ran);
}

static enum hrtimer_restart caller_hrtimer(struct unplug_hrtimer *timer)
{
	atomic_inc(&ran);
	return HRTIMER_NORESTART;
}

static const struct file_operations caller_fops = {
	.owner = THIS_MODULE,
	.llseek = noop_llseek,
};

static const struct unplug_driver caller_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-selftest",
	.fops = &caller_fops,
};

static struct caller *caller_new(void)
{
	struct caller *caller = unplug_dev_alloc(&caller_driver, NULL,
						 struct caller, dev);

	atomic_set(&ran, 0);
	if (IS_ERR(caller))
		return caller;
	unplug_work_init(&caller->dev, &caller->work, caller_work);
	unplug_delayed_work_init(&caller->dev, &caller->dwork, caller_dwork);
	unplug_timer_init(&caller->dev, &caller->timer, caller_timer);
	unplug_hrtimer_init(&caller->dev, &caller->hrtimer, CLOCK_MONOTONIC,
			    HRTIMER_MODE_REL, caller_hrtimer);
	return caller;
}

/* How many of the four ways to start something are open? All for an hour from now. */
static int caller_start(struct caller *caller)
{
	return unplug_delayed_work_queue(system_wq, &caller->dwork, 3600 * HZ) +
	       unplug_delayed_work_mod(system_wq, &caller->dwork, 3600 * HZ) +
	       unplug_timer_mod(&caller->timer, jiffies + 3600 * HZ) +
	       unplug_hrtimer_start(&caller->hrtimer, ktime_set(3600, 0),
				    HRTIMER_MODE_REL);
}

static int start_unregistered(void)
{
	struct caller *caller = caller_new();

	CHECK(!IS_ERR(caller));
	CHECK(!unplug_work_queue(system_wq, &caller->work));
	CHECK(caller_start(caller) == 0);
	/* Never asked for: nothing to give back. */
	unplug_irq_free(&caller->irq);
	unplug_dev_put(&caller->dev);
	CHECK(atomic_read(&ran) == 0);
	return 0;
}

static int start_cancel(void)
{
	struct caller *caller = caller_new();

	CHECK(!IS_ERR(caller));
	CHECK(!unplug_dev_register(&caller->dev, "unplug-selftest0"));
	CHECK(unplug_work_queue(system_wq, &caller->work));
	flush_work(&caller->work.work);
	CHECK(atomic_read(&ran) == 1);
	CHECK(!unplug_work_cancel(&caller->work));

	CHECK(caller_start(caller) == 4);
	CHECK(!unplug_delayed_work_queue(system_wq, &caller->dwork, 0));
	CHECK(unplug_delayed_work_cancel(&caller->dwork));
	CHECK(unplug_timer_cancel(&caller->timer));
	CHECK(unplug_hrtimer_cancel(&caller->hrtimer));
	CHECK(!unplug_hrtimer_cancel(&caller->hrtimer));

	CHECK(unplug_dev_unplug(&caller->dev) == 0);
	CHECK(!unplug_work_queue(system_wq, &caller->work));
	CHECK(caller_start(caller) == 0);
	CHECK(atomic_read(&ran) == 1);
	unplug_dev_put(&caller->dev);
	return 0;
}

static ssize_t one_show(struct unplug_dev *dev, char *buf)
{
	return sysfs_emit(buf, "1\n");
}
static UNPLUG_ATTR_RO(one);

static ssize_t plain_show(struct device *device, struct device_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "1\n");
}
static DEVICE_ATTR_RO(plain);

static struct attribute *one_attrs[] = { &unplug_attr_one.attr.attr, NULL };
static struct attribute *plain_attrs[] = { &dev_attr_plain.attr, NULL };

static int group_refused(const struct attribute_group *group)
{
	const struct attribute_group *const groups[] = { group, NULL };
	const struct unplug_driver driver = {
		.owner = THIS_MODULE,
		.name = "unplug-selftest-groups",
		.fops = &caller_fops,
		.groups = groups,
	};
	struct caller *caller = unplug_dev_alloc(&driver, NULL, struct caller,
						 dev);

	if (IS_ERR(caller))
		return PTR_ERR(caller);
	unplug_dev_put(&caller->dev);
	return 0;
}

static int groups_refused(void)
{
	static const struct attribute_group good = { .attrs = one_attrs };
	static const struct attribute_group named = {
		.name = "name",
		.attrs = one_attrs,
	};
	static const struct attribute_group plain = { .attrs = plain_attrs };

	CHECK(group_refused(&good) == 0);
	CHECK(group_refused(&named) == -EINVAL);
	CHECK(group_refused(&plain) == -EINVAL);
	return 0;
}

/* One without a handler; and one that was never asked for may be given back. */
static int irq_refused(void)
{
	struct caller *caller = unplug_dev_alloc(&caller_driver, NULL,
						 struct caller, dev);

	CHECK(!IS_ERR(caller));
	CHECK(unplug_irq_request(&caller->dev, &caller->irq, 1, NULL, NULL, 0) ==
	      -EINVAL);
	unplug_irq_free(&caller->irq);
	unplug_dev_put(&caller->dev);
	return 0;
}

const struct selftest selftests_callback[] = {
	{ "callback start-unregistered", start_unregistered, "K1" },
	{ "callback start-cancel", start_cancel, "K1, K2" },
	{ "callback groups-refused", groups_refused, "bad input" },
	{ "callback irq-refused", irq_refused, "bad input" },
	{ }
};
