// SPDX-License-Identifier: GPL-2.0-only
/*
 * A card whose ->mmap populates, behind the gate, as that of GEM's DMA helpers does. Where a
 * mapping begins says what it shows:
 *
 *	0		two pages of system memory, the second one first
 *	SCREEN		two of the screen of old, which is a card's
 */

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pfn.h>
#include <unplug/drm.h>

#define PAGES 2
#define SCREEN 16
#define SCREEN_ADDRESS 0xa0000

static struct page *pages;

static int populate_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long screen = vma->vm_pgoff == SCREEN, i, pfn;
	int err = vma_pages(vma) == PAGES ? 0 : -EINVAL;

	for (i = 0; i < PAGES && !err; i++) {
		pfn = screen ? PHYS_PFN(SCREEN_ADDRESS) + i :
			       page_to_pfn(pages) + PAGES - 1 - i;
		err = remap_pfn_range(vma, vma->vm_start + i * PAGE_SIZE, pfn,
				      PAGE_SIZE, vma->vm_page_prot);
	}
	return err;
}

static const struct file_operations populate_fops = {
	.owner = THIS_MODULE,
	UNPLUG_DRM_FOP_FLAGS
	.open = unplug_drm_open,
	.mmap = populate_mmap,
};

static const struct file_operations populate_fops_gated = {
	.owner = THIS_MODULE,
	UNPLUG_DRM_FOP_FLAGS
	.open = drm_open,
	.release = drm_release,
	.unlocked_ioctl = unplug_drm_ioctl,
	.read = unplug_drm_read,
	.mmap = populate_mmap,
};

static const struct drm_driver populate_driver = {
	.fops = &populate_fops,
	.name = "unplug-populate",
	.desc = "populates its mappings",
};

static struct device *parent;
static struct drm_device *drm;

static int populate_register(void)
{
	int err;

	drm = drm_dev_alloc(&populate_driver, parent);
	if (IS_ERR(drm))
		return PTR_ERR(drm);
	err = unplug_drm_register(drm, 0, &populate_fops_gated);
	if (err)
		drm_dev_put(drm);
	return err;
}

static int __init populate_init(void)
{
	int err = -ENOMEM;

	pages = alloc_pages(GFP_KERNEL | __GFP_ZERO, get_order(PAGES * PAGE_SIZE));
	if (!pages)
		return err;
	parent = root_device_register("unplug-drm-populate");
	err = PTR_ERR_OR_ZERO(parent);
	if (err)
		goto free;
	err = populate_register();
	if (!err)
		return 0;
	root_device_unregister(parent);
free:
	__free_pages(pages, get_order(PAGES * PAGE_SIZE));
	return err;
}
module_init(populate_init);

/* No file is open, and no mapping there: each holds this module. */
static void __exit populate_exit(void)
{
	unplug_drm_unplug(drm);
	drm_dev_put(drm);
	root_device_unregister(parent);
	__free_pages(pages, get_order(PAGES * PAGE_SIZE));
}
module_exit(populate_exit);

MODULE_DESCRIPTION("A card whose mappings are populated, for tests");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
