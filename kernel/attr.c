// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of drivers in sysfs: see include/unplug/attr.h.
 *
 * Two things keep the driver from going away under who is in an attribute: kernfs's
 * active protection, which its removal, and so shut, waits for; and being inside the
 * device, which gone waits for. The first is there when the entry point is called, and ends
 * when the second begins:
 *
 *	kernfs: find the attribute (the driver's memory), call the entry point
 *		enter the device, or -ENODEV
 *		drop the active protection	removal may be done from here on
 *		call the driver
 *		leave the device		gone may come, and rmmod
 *		restore the protection		of a node that was removed, maybe
 *	kernfs: end
 *
 * After the device was left nothing looks at the attribute: kernfs has the node, which the
 * open file holds, and whoever called us looks at it again only if the result is
 * too long, which it is not; nor does lockdep (UNPLUG_ATTR_RO()).
 */

#include <linux/export.h>
#include <linux/rcupdate.h>
#include <linux/sysfs.h>
#include <unplug/attr.h>
#include "internal.h"

/* Attributes have been in use, and so may still be somebody's who has left the device. */
static bool attr_used;

static struct unplug_attr *to_unplug_attr(struct device_attribute *attr)
{
	return container_of(attr, struct unplug_attr, attr);
}

/**
 * struct attr_visit - who is in an attribute
 * @dev: the device
 * @node: holds node and device until the end
 */
struct attr_visit {
	struct unplug_dev *dev;
	struct kernfs_node *node;
};

static int attr_enter(struct attr_visit *visit, struct device *device,
		      struct device_attribute *attr)
{
	visit->dev = container_of(device, struct unplug_dev, device);
	if (!__unplug_guard_enter(visit->dev, "attribute"))
		return unplug_freeze_refused(visit->dev, NULL, false);
	visit->node = sysfs_break_active_protection(&device->kobj, &attr->attr);
	if (WARN_ON(!visit->node)) {
		unplug_guard_leave(visit->dev);
		return -ENODEV;
	}
	unplug_hook(UNPLUG_HOOK_OPERATION);
	return 0;
}

static void attr_leave(struct attr_visit *visit)
{
	unplug_guard_leave(visit->dev);
	/* Puts a reference of the device: maybe the last one. */
	sysfs_unbreak_active_protection(visit->node);
}

/**
 * unplug_attr_show() - read an attribute
 * @device: of the device
 * @attr: of a struct unplug_attr
 * @buf: a page
 *
 * For sysfs alone: UNPLUG_ATTR_RO() and its like name it.
 *
 * Ownership: takes and puts nothing; sysfs keeps @attr until the device was entered.
 * Context: Process. May sleep.
 * Return: bytes; -ENODEV: the device is not live; what the driver says.
 */
ssize_t unplug_attr_show(struct device *device, struct device_attribute *attr,
			 char *buf)
{
	struct attr_visit visit;
	ssize_t ret;

	ret = attr_enter(&visit, device, attr);
	if (ret)
		return ret;
	ret = to_unplug_attr(attr)->show(visit.dev, buf);
	if (WARN_ONCE(ret >= (ssize_t)PAGE_SIZE,
		      "unplug: %s: %s: more than a page\n",
		      unplug_dev_name(visit.dev), attr->attr.name))
		ret = PAGE_SIZE - 1;
	attr_leave(&visit);
	return ret;
}
EXPORT_SYMBOL_GPL(unplug_attr_show);

/**
 * unplug_attr_store() - write an attribute
 * @device: of the device
 * @attr: of a struct unplug_attr
 * @buf: text, with a zero behind it
 * @count: bytes, without that
 *
 * For sysfs alone: UNPLUG_ATTR_RW() and its like name it.
 *
 * Ownership: as unplug_attr_show().
 * Context: Process. May sleep.
 * Return: bytes; -ENODEV: the device is not live; what the driver says.
 */
ssize_t unplug_attr_store(struct device *device, struct device_attribute *attr,
			  const char *buf, size_t count)
{
	struct attr_visit visit;
	ssize_t ret;

	ret = attr_enter(&visit, device, attr);
	if (ret)
		return ret;
	ret = to_unplug_attr(attr)->store(visit.dev, buf, count);
	attr_leave(&visit);
	return ret;
}
EXPORT_SYMBOL_GPL(unplug_attr_store);

static bool attr_is_ours(struct attribute *attr)
{
	struct device_attribute *dev_attr =
		container_of(attr, struct device_attribute, attr);

	if (dev_attr->show && dev_attr->show != unplug_attr_show)
		return false;
	if (dev_attr->store && dev_attr->store != unplug_attr_store)
		return false;
	return dev_attr->show || dev_attr->store;
}

static const char *attr_group_wrong(const struct attribute_group *group)
{
	struct attribute **attr;

	if (group->name)
		return "a group with a name";
	if (group->bin_attrs)
		return "binary attributes";
	for (attr = group->attrs; attr && *attr; attr++)
		if (!attr_is_ours(*attr))
			return "an attribute that was not made by UNPLUG_ATTR_RO() or its like";
	return NULL;
}

/**
 * unplug_attrs_check() - can the attributes of a driver be guarded?
 * @drv: the driver
 *
 * Context: Process.
 * Return: 0; -EINVAL with a line in the log.
 */
int unplug_attrs_check(const struct unplug_driver *drv)
{
	const struct attribute_group *const *group;
	const char *wrong = NULL;

	if (!drv->groups)
		return 0;
	if (drv->front)
		wrong = "attributes, with a front end that makes the node";
	for (group = drv->groups; !wrong && *group; group++)
		wrong = attr_group_wrong(*group);
	if (!wrong)
		return 0;
	pr_err("%s: groups: %s cannot be guarded\n", drv->name ?: "(no name)",
	       wrong);
	return -EINVAL;
}

/**
 * unplug_attrs_create() - show the attributes
 * @dev: a device that has been added, and of which nobody was told
 *
 * Context: Process. May sleep.
 * Return: 0; -ENOTUNIQ: a name is in use, by the core's too; what sysfs says.
 */
int unplug_attrs_create(struct unplug_dev *dev)
{
	int err;

	if (!dev->drv->groups)
		return 0;
	WRITE_ONCE(attr_used, true);
	err = unplug_sysfs_create_groups(&dev->device.kobj, dev->drv->groups);
	return err == -EEXIST ? -ENOTUNIQ : err;
}

/**
 * unplug_attrs_remove() - remove the attributes
 * @dev: a device whose gate is closed, but not folded: the driver is there
 *
 * Context: Process. May sleep: waits for who has not entered the device, or has left it.
 */
void unplug_attrs_remove(struct unplug_dev *dev)
{
	if (dev->drv->groups)
		unplug_sysfs_remove_groups(&dev->device.kobj, dev->drv->groups);
}

/*
 * No device is left, but somebody who was in an attribute may be, in his last instructions in
 * this module: he has put the last reference, or found the node removed. Nothing but his
 * next sleep tells that he is out.
 */
void unplug_attr_exit(void)
{
	if (attr_used)
		synchronize_rcu_tasks();
}
