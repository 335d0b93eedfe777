// SPDX-License-Identifier: GPL-2.0-only
/* ioctls: DRM's, but for what late users leave behind. */

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <unplug/drm.h>
#include "internal.h"

/*
 * Who was inside when the card was pulled may have begun a commit after begin had looked for
 * fences. Of this one and begin, the second finds it: both look under the locks of
 * fence.c, begin after it has set the flag, this before it reads the flag.
 */
static long ioctl_end(struct file *file, long ret)
{
	struct drm_file *priv = file->private_data;

	if (unlikely(READ_ONCE(priv->minor->dev->unplugged)))
		unplug_drm_fail_fences(priv->minor->dev);
	return ret;
}

/**
 * unplug_drm_ioctl() - ->unlocked_ioctl of DRM drivers behind the gate
 * @file: an open file of the device
 * @cmd: request
 * @arg: its argument
 *
 * Ownership: as drm_ioctl().
 * Context: Process. May sleep.
 * Return: what drm_ioctl() says: -ENODEV from shut on, -ENOTTY for an unknown request.
 */
long unplug_drm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return ioctl_end(file, drm_ioctl(file, cmd, arg));
}
EXPORT_SYMBOL_GPL(unplug_drm_ioctl);

#ifdef CONFIG_COMPAT
/**
 * unplug_drm_compat_ioctl() - ->compat_ioctl of DRM drivers behind the gate
 * @file: an open file of the device
 * @cmd: request
 * @arg: its argument
 *
 * Ownership: as drm_compat_ioctl().
 * Context: Process. May sleep.
 * Return: what drm_compat_ioctl() says, see unplug_drm_ioctl(): -ENODEV.
 */
long unplug_drm_compat_ioctl(struct file *file, unsigned int cmd,
			     unsigned long arg)
{
	return ioctl_end(file, drm_compat_ioctl(file, cmd, arg));
}
EXPORT_SYMBOL_GPL(unplug_drm_compat_ioctl);
#endif
