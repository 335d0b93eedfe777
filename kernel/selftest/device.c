// SPDX-License-Identifier: GPL-2.0-only
/* The device: its life as the driver's side sees it. */

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <unplug/device.h>
#include "selftest.h"

struct widget {
	struct unplug_dev dev;
	atomic_t *gone;
	char content[16];
};

static atomic_t widgets_gone;

static void widget_gone(struct unplug_dev *dev)
{
	atomic_inc(container_of(dev, struct widget, dev)->gone);
}

static const struct file_operations widget_fops = {
	.owner = THIS_MODULE,
	.llseek = noop_llseek,
};

static const struct unplug_driver widget_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-selftest",
	.fops = &widget_fops,
	.gone = widget_gone,
};

static struct widget *widget_new(void)
{
	struct widget *widget;

	atomic_set(&widgets_gone, 0);
	widget = unplug_dev_alloc(&widget_driver, NULL, struct widget, dev);
	if (!IS_ERR(widget))
		widget->gone = &widgets_gone;
	return widget;
}

static int alloc_put(void)
{
	struct widget *widget = widget_new();

	CHECK(!IS_ERR(widget));
	CHECK(!memchr_inv(widget->content, 0, sizeof(widget->content)));
	CHECK(!unplug_dev_get_active(&widget->dev));
	CHECK(!unplug_dev_hw_enter(&widget->dev));
	CHECK(unplug_dev_unplug(&widget->dev) == -EINVAL);
	unplug_dev_put(&widget->dev);
	unplug_dev_put(NULL);
	CHECK(atomic_read(&widgets_gone) == 0);
	return 0;
}

static int alloc_without_operations(void)
{
	static const struct unplug_driver none = {
		.owner = THIS_MODULE,
		.name = "unplug-selftest-none",
	};

	CHECK(unplug_dev_alloc(&none, NULL, struct widget, dev) ==
	      ERR_PTR(-EINVAL));
	return 0;
}

static int unplug_live(void)
{
	struct widget *widget = widget_new();

	CHECK(!IS_ERR(widget));
	CHECK(!unplug_dev_register(&widget->dev, "unplug-selftest%d", 0));
	CHECK(!strcmp(unplug_dev_name(&widget->dev), "unplug-selftest0"));
	CHECK(unplug_dev_generation(&widget->dev));
	CHECK(unplug_dev_get_active(&widget->dev));
	unplug_dev_put_active(&widget->dev);
	CHECK(unplug_dev_hw_enter(&widget->dev));
	unplug_dev_hw_exit(&widget->dev);

	CHECK(unplug_dev_unplug(&widget->dev) == 0);
	CHECK(atomic_read(&widgets_gone) == 1);
	CHECK(!unplug_dev_get_active(&widget->dev));
	CHECK(!unplug_dev_hw_enter(&widget->dev));

	/* Again, in both ways: nothing happens. */
	CHECK(unplug_dev_unplug(&widget->dev) == 0);
	unplug_dev_unplug_async(&widget->dev);
	CHECK(atomic_read(&widgets_gone) == 1);
	unplug_dev_put(&widget->dev);
	return 0;
}

static int unplug_async(void)
{
	struct widget *widget = widget_new();

	CHECK(!IS_ERR(widget));
	CHECK(!unplug_dev_register(&widget->dev, "unplug-selftest0"));
	CHECK(unplug_dev_get_active(&widget->dev));
	/* From inside: an insider may not wait for himself. */
	unplug_dev_unplug_async(&widget->dev);
	CHECK(!unplug_dev_get_active(&widget->dev));
	wait_for_completion(&widget->dev.shut);
	CHECK(!unplug_dev_hw_enter(&widget->dev));
	CHECK(atomic_read(&widgets_gone) == 0);
	unplug_dev_put_active(&widget->dev);
	unplug_dev_wait_gone(&widget->dev);
	CHECK(atomic_read(&widgets_gone) == 1);
	unplug_dev_put(&widget->dev);
	return 0;
}

/*
 * The module is loading: it cannot be pinned, and unplug would wait for gone.
 * So the insider leaves from a work item, after unplug was seen to be shut.
 */
struct insider {
	struct work_struct work;
	struct widget *widget;
	bool was_gone;
};

static void insider_work(struct work_struct *work)
{
	struct insider *insider = container_of(work, struct insider, work);

	wait_for_completion(&insider->widget->dev.shut);
	insider->was_gone = atomic_read(&widgets_gone);
	unplug_dev_put_active(&insider->widget->dev);
}

static int unplug_loading(void)
{
	struct insider insider = { .widget = widget_new() };
	int err;

	CHECK(!IS_ERR(insider.widget));
	CHECK(!unplug_dev_register(&insider.widget->dev, "unplug-selftest0"));
	CHECK(unplug_dev_get_active(&insider.widget->dev));
	INIT_WORK_ONSTACK(&insider.work, insider_work);
	queue_work(system_unbound_wq, &insider.work);
	err = unplug_dev_unplug(&insider.widget->dev);
	flush_work(&insider.work);
	destroy_work_on_stack(&insider.work);
	CHECK(err == 0);
	CHECK(!insider.was_gone);
	CHECK(atomic_read(&widgets_gone) == 1);
	unplug_dev_put(&insider.widget->dev);
	return 0;
}

static int register_twice(void)
{
	struct widget *widget = widget_new();

	CHECK(!IS_ERR(widget));
	CHECK(!unplug_dev_register(&widget->dev, "unplug-selftest0"));
	CHECK(unplug_dev_register(&widget->dev, "unplug-other") == -EBUSY);
	CHECK(!strcmp(unplug_dev_name(&widget->dev), "unplug-selftest0"));
	CHECK(unplug_dev_unplug(&widget->dev) == 0);
	CHECK(unplug_dev_register(&widget->dev, "unplug-other") == -EBUSY);
	unplug_dev_put(&widget->dev);
	return 0;
}

static int register_name_in_use(void)
{
	struct widget *one = widget_new(), *two = widget_new();

	CHECK(!IS_ERR(one) && !IS_ERR(two));
	CHECK(!unplug_dev_register(&one->dev, "unplug-selftest0"));
	CHECK(unplug_dev_register(&two->dev, "unplug-selftest0") == -EEXIST);
	CHECK(!unplug_dev_register(&two->dev, "unplug-selftest1"));
	CHECK(unplug_dev_unplug(&two->dev) == 0);
	CHECK(unplug_dev_unplug(&one->dev) == 0);
	unplug_dev_put(&two->dev);
	unplug_dev_put(&one->dev);
	return 0;
}

static int register_without_name(void)
{
	struct widget *widget = widget_new();

	CHECK(!IS_ERR(widget));
	CHECK(unplug_dev_register(&widget->dev, "%s", "") == -EINVAL);
	CHECK(unplug_dev_unplug(&widget->dev) == -EINVAL);
	unplug_dev_wait_gone(&widget->dev);
	CHECK(!unplug_dev_register(&widget->dev, "unplug-selftest0"));
	CHECK(unplug_dev_unplug(&widget->dev) == 0);
	unplug_dev_put(&widget->dev);
	return 0;
}

/* The same name again, while the old device still has an insider. */
static int register_while_draining(void)
{
	struct widget *old = widget_new(), *new = widget_new();

	CHECK(!IS_ERR(old) && !IS_ERR(new));
	CHECK(!unplug_dev_register(&old->dev, "unplug-selftest0"));
	CHECK(unplug_dev_get_active(&old->dev));
	unplug_dev_unplug_async(&old->dev);
	wait_for_completion(&old->dev.hidden);

	CHECK(!unplug_dev_register(&new->dev, "unplug-selftest0"));
	CHECK(unplug_dev_generation(&new->dev) >
	      unplug_dev_generation(&old->dev));
	CHECK(new->dev.device.devt != old->dev.device.devt);
	CHECK(unplug_dev_get_active(&new->dev));
	unplug_dev_put_active(&new->dev);
	CHECK(unplug_dev_unplug(&new->dev) == 0);
	CHECK(atomic_read(&widgets_gone) == 1);

	unplug_dev_put_active(&old->dev);
	unplug_dev_wait_gone(&old->dev);
	CHECK(atomic_read(&widgets_gone) == 2);
	unplug_dev_put(&new->dev);
	unplug_dev_put(&old->dev);
	return 0;
}

/* Numbers freed come back last: never the next time. */
static int minor_not_reused(void)
{
	struct widget *widget;
	dev_t last = 0;
	int i;

	for (i = 0; i < 10; i++) {
		widget = widget_new();
		CHECK(!IS_ERR(widget));
		CHECK(!unplug_dev_register(&widget->dev, "unplug-selftest0"));
		CHECK(widget->dev.device.devt > last);
		last = widget->dev.device.devt;
		CHECK(unplug_dev_unplug(&widget->dev) == 0);
		unplug_dev_put(&widget->dev);
	}
	return 0;
}

/* What only a live or a frozen device can, the others refuse. */
static int states_refused(void)
{
	struct widget *widget = widget_new();
	struct unplug_dev *dev;

	CHECK(!IS_ERR(widget));
	dev = &widget->dev;
	CHECK(unplug_dev_freeze(dev) == -EINVAL);
	CHECK(unplug_dev_thaw(dev, UNPLUG_THAW_KEEP) == -EINVAL);
	CHECK(unplug_dev_wait_gone(dev) == -EINVAL);
	CHECK(!unplug_dev_register(dev, "unplug-selftest0"));
	CHECK(unplug_dev_thaw(dev, UNPLUG_THAW_KEEP) == -EINVAL);
	CHECK(unplug_dev_unplug(dev) == 0);
	CHECK(unplug_dev_freeze(dev) == -ENODEV);
	CHECK(unplug_dev_thaw(dev, UNPLUG_THAW_KEEP) == -ENODEV);
	CHECK(unplug_dev_wait_gone(dev) == 0);
	unplug_dev_put(dev);
	return 0;
}

const struct selftest selftests_device[] = {
	{ "device alloc-put", alloc_put, "K10" },
	{ "device alloc-without-operations", alloc_without_operations, "bad input" },
	{ "device unplug-live", unplug_live, "K2" },
	{ "device unplug-async", unplug_async, "K7" },
	{ "device unplug-loading", unplug_loading, "K7" },
	{ "device register-twice", register_twice, "bad input" },
	{ "device register-without-name", register_without_name, "bad input" },
	{ "device register-name-in-use", register_name_in_use, "bad input" },
	{ "device register-while-draining", register_while_draining, "K9" },
	{ "device minor-not-reused", minor_not_reused, "K9" },
	{ "device states-refused", states_refused, "bad input" },
	{ }
};
