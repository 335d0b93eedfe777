/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_ATTR_H
#define _UNPLUG_ATTR_H

/**
 * DOC: attr
 *
 * Attributes of a device in sysfs, /sys/class/unplug/NAME/ATTRIBUTE, that run like file
 * operations: inside the device, refused with ENODEV once it is unplugged.
 *
 *	static ssize_t speed_show(struct unplug_dev *dev, char *buf)
 *	{
 *		return sysfs_emit(buf, "%d\n", to_card(dev)->speed);
 *	}
 *	static UNPLUG_ATTR_RO(speed);
 *
 *	static struct attribute *card_attrs[] = {
 *		&unplug_attr_speed.attr.attr,
 *		NULL
 *	};
 *	ATTRIBUTE_GROUPS(card);
 *
 * and .groups = card_groups in struct unplug_driver. They are there before the world is
 * told of the device, and go in shut.
 *
 * Usually the removal of an attribute waits for who is in one of its functions, and so does
 * whoever removes the device. Here it does not: a function that takes long, or sleeps until
 * unplug wakes it, is an insider as any other, and keeps the device from being
 * drained, not from being shut; a store may unplug its own device
 * (unplug_dev_unplug_async()).
 *
 * Groups have no name, and no binary attributes.
 */

#include <linux/device.h>
#include <linux/sysfs.h>
#include <unplug/device.h>

/**
 * struct unplug_attr - an attribute
 * @attr: &attr.attr goes into the group
 * @show: reads it; private
 * @store: writes it; private
 */
struct unplug_attr {
	struct device_attribute attr;
	ssize_t (*show)(struct unplug_dev *dev, char *buf);
	ssize_t (*store)(struct unplug_dev *dev, const char *buf, size_t count);
};

/* The entry points; for the macros below */
ssize_t unplug_attr_show(struct device *device, struct device_attribute *attr,
			 char *buf);
ssize_t unplug_attr_store(struct device *device, struct device_attribute *attr,
			  const char *buf, size_t count);

/*
 * Lockdep does not watch them: who is in one is no reason to wait for the removal of it, and
 * the kernel would look at the driver's structure when the driver may be gone.
 */
#define UNPLUG_ATTR_RO(_name)						\
	struct unplug_attr unplug_attr_##_name = {			\
		.attr = __ATTR_IGNORE_LOCKDEP(_name, 0444,		\
					      unplug_attr_show, NULL),	\
		.show = _name##_show,					\
	}

#define UNPLUG_ATTR_WO(_name)						\
	struct unplug_attr unplug_attr_##_name = {			\
		.attr = __ATTR_IGNORE_LOCKDEP(_name, 0200, NULL,	\
					      unplug_attr_store),	\
		.store = _name##_store,					\
	}

#define UNPLUG_ATTR_RW(_name)						\
	struct unplug_attr unplug_attr_##_name = {			\
		.attr = __ATTR_IGNORE_LOCKDEP(_name, 0644,		\
					      unplug_attr_show,		\
					      unplug_attr_store),	\
		.show = _name##_show,					\
		.store = _name##_store,					\
	}

/**
 * unplug_dev_from_kobj() - the device behind its directory in sysfs
 * @kobj: what is_visible of a group gets
 *
 * Ownership: takes no reference.
 * Context: Any.
 * Return: the device.
 */
static inline struct unplug_dev *unplug_dev_from_kobj(struct kobject *kobj)
{
	return container_of(kobj_to_dev(kobj), struct unplug_dev, device);
}

#endif /* _UNPLUG_ATTR_H */
