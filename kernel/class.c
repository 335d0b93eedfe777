// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space sees of a device: /sys/class/unplug/NAME with the attributes
 * generation and state, and the mode of /dev/NAME.
 */

#include <linux/sysfs.h>
#include "internal.h"

struct class *unplug_class;

static const char *const state_names[] = {
	[UNPLUG_DEV_NEW] = "new",
	[UNPLUG_DEV_REGISTERING] = "registering",
	[UNPLUG_DEV_PULLED] = "registering",
	[UNPLUG_DEV_LIVE] = "live",
	[UNPLUG_DEV_FREEZING] = "freezing",
	[UNPLUG_DEV_FREEZING_PULLED] = "freezing",
	[UNPLUG_DEV_FROZEN] = "frozen",
	[UNPLUG_DEV_THAWING] = "thawing",
	[UNPLUG_DEV_THAWING_PULLED] = "thawing",
	[UNPLUG_DEV_DYING] = "dying",
	[UNPLUG_DEV_SHUT] = "shut",
	[UNPLUG_DEV_DRAINED] = "drained",
	[UNPLUG_DEV_GONE] = "gone",
};

/**
 * unplug_dev_state_name() - the name of a state
 * @state: enum unplug_dev_state
 *
 * Context: Any.
 * Return: a literal.
 */
const char *unplug_dev_state_name(int state)
{
	return state_names[state];
}

static struct unplug_dev *to_unplug_dev(struct device *device)
{
	return container_of(device, struct unplug_dev, device);
}

static ssize_t generation_show(struct device *device,
			       struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", unplug_dev_generation(to_unplug_dev(device)));
}
static DEVICE_ATTR_RO(generation);

static ssize_t state_show(struct device *device, struct device_attribute *attr,
			  char *buf)
{
	int state = atomic_read(&to_unplug_dev(device)->state);

	return sysfs_emit(buf, "%s\n", unplug_dev_state_name(state));
}
static DEVICE_ATTR_RO(state);

static struct attribute *unplug_attrs[] = {
	&dev_attr_generation.attr,
	&dev_attr_state.attr,
	NULL
};
ATTRIBUTE_GROUPS(unplug);

/* @device is const in some kernels, not in others. */
static char *unplug_devnode(unplug_devnode_const struct device *device,
			    umode_t *mode)
{
	const struct unplug_dev *dev =
		container_of(device, struct unplug_dev, device);

	if (mode && dev->mode)
		*mode = dev->mode;
	return NULL;
}

int unplug_class_init(void)
{
	unplug_class = unplug_class_create("unplug");
	if (IS_ERR(unplug_class))
		return PTR_ERR(unplug_class);
	unplug_class->dev_groups = unplug_groups;
	unplug_class->devnode = unplug_devnode;
	return 0;
}

void unplug_class_exit(void)
{
	class_destroy(unplug_class);
}
