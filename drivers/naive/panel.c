// SPDX-License-Identifier: GPL-2.0-only
/*
 * naive-panel - the control: never use it, never copy from it.
 *
 * drivers/panel without the gate, as many DRM drivers are: ->remove unregisters the device and
 * leaves its users alone. What is wrong with it:
 *
 * - Open files and mappings work on. So do commits, which go on touching a card that has
 *   another driver by now, or is another card.
 * - The BAR stays mapped for ever, against the oops that this would be otherwise.
 */

#include <drm/drm_drv.h>
#include <linux/io.h>
#include <unplug/drm.h>

static void __iomem *naive_ioremap(struct device *dev, const struct resource *bar)
{
	return ioremap(bar->start, resource_size(bar)) ?: IOMEM_ERR_PTR(-ENOMEM);
}

#undef DEFINE_UNPLUG_DRM_GEM_FOPS
#define DEFINE_UNPLUG_DRM_GEM_FOPS(name)		DEFINE_DRM_GEM_FOPS(name)
#define unplug_drm_register(drm, flags, fops)		drm_dev_register(drm, flags)
#define unplug_drm_unplug(drm)				drm_dev_unregister(drm)
#define unplug_dev_from_drm(drm)			NULL
#define unplug_dev_hw_enter(dev)			((void)(dev), true)
#define unplug_dev_hw_exit(dev)				((void)(dev))
#define devm_ioremap_resource(dev, bar)			naive_ioremap(dev, bar)

#include "../panel/panel.c"
