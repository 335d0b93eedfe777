// SPDX-License-Identifier: GPL-2.0-only
/* The module: its parameters, the device's memory, what both kinds share; see hole.h */

#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include "hole.h"

static char *kind = "textbook";
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "how the device is guarded: textbook, gated");

static char *way = "pfn";
module_param(way, charp, 0444);
MODULE_PARM_DESC(way, "how its mappings get their entries");

static char *zap = "inode";
module_param(zap, charp, 0444);
MODULE_PARM_DESC(zap, "what the textbook zaps: inode, list");

bool hole_zap_list;	/* the same, understood */

bool hole_opens;
module_param_named(opens, hole_opens, bool, 0444);
MODULE_PARM_DESC(opens, "the list is told of new parts of a mapping");

bool hole_cows = true;
module_param_named(cows, hole_cows, bool, 0444);
MODULE_PARM_DESC(cows, "private copies are zapped, too");

bool hole_pfnmap;
module_param_named(pfnmap, hole_pfnmap, bool, 0444);
MODULE_PARM_DESC(pfnmap, "pages are returned for a VM_PFNMAP mapping");

bool hole_dummy;
module_param_named(dummy, hole_dummy, bool, 0444);
MODULE_PARM_DESC(dummy, "revoked mappings show a page of zeroes, if it is gated");

static atomic_t hole_late = ATOMIC_INIT(0);
module_param_named(late, hole_late.counter, int, 0444);
MODULE_PARM_DESC(late, "how often the device was reached after unplug");

static atomic_t hole_early = ATOMIC_INIT(0);
module_param_named(early, hole_early.counter, int, 0444);
MODULE_PARM_DESC(early, "the same before unplug, by what a textbook forgets");

static struct hole *hole;
static struct platform_device *parent;

/* The device is reached by code of the driver's. */
void hole_touched(struct hole *hole)
{
	atomic_inc(READ_ONCE(hole->pulled) ? &hole_late : &hole_early);
}

bool hole_is_ours(const struct vm_area_struct *vma)
{
	return vma->vm_file && hole && vma->vm_private_data == hole;
}

static void hole_fill(struct hole *hole, int byte)
{
	memset(hole->coherent ?: page_address(hole->page), byte,
	       hole->way->pages * PAGE_SIZE);
}

static int hole_get_byte(char *text, const struct kernel_param *param)
{
	u8 *memory = hole->coherent ?: page_address(hole->page);

	return sysfs_emit(text, "%d\n", READ_ONCE(*memory));
}

static int hole_set_pull(const char *text, const struct kernel_param *param)
{
	if (!hole)
		return -ENODEV;
	/* All parameters of a module have one lock; windows are left by parameters. */
	kernel_param_unlock(THIS_MODULE);
	hole->kind->unplug(hole);
	kernel_param_lock(THIS_MODULE);
	WRITE_ONCE(hole->pulled, true);
	return 0;
}

static int hole_set_fill(const char *text, const struct kernel_param *param)
{
	u8 byte;
	int err = kstrtou8(text, 0, &byte);

	if (err || !hole)
		return err ?: -ENODEV;
	hole_fill(hole, byte);
	return 0;
}

static const struct kernel_param_ops pull_ops = {
	.set = hole_set_pull,
};
module_param_cb(pull, &pull_ops, NULL, 0200);

static const struct kernel_param_ops fill_ops = {
	.set = hole_set_fill,
};
module_param_cb(fill, &fill_ops, NULL, 0200);

static const struct kernel_param_ops byte_ops = {
	.get = hole_get_byte,
};
module_param_cb(byte, &byte_ops, NULL, 0444);

/**
 * hole_mmap() - what ->mmap of both kinds does
 * @hole: the device, entered
 * @vma: the mapping to be
 *
 * Context: Process, mmap_lock held for writing.
 * Return: 0; -EINVAL if it does not lie in the device; what the way says.
 */
int hole_mmap(struct hole *hole, struct vm_area_struct *vma)
{
	unsigned long pages = hole->way->pages;
	int err;

	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	vma->vm_private_data = hole;
	err = hole->way->mmap(hole, vma);
	if (!err && hole->kind->track)
		hole->kind->track(hole, vma, false);
	return err;
}

static int hole_init_coherent(struct hole *hole)
{
	size_t size = hole->way->pages * PAGE_SIZE;
	int err = dma_coerce_mask_and_coherent(&parent->dev, DMA_BIT_MASK(64));

	if (err)
		return err;
	hole->coherent = dma_alloc_coherent(&parent->dev, size, &hole->handle,
					    GFP_KERNEL);
	return hole->coherent ? 0 : -ENOMEM;
}

int hole_init(struct hole *hole, const struct hole_kind *kind)
{
	const struct hole_way *at;
	int err = 0;

	for (at = hole_ways; at->name && strcmp(at->name, way); at++)
		;
	if (!at->name)
		return -EINVAL;
	hole->kind = kind;
	hole->way = at;
	hole->parent = &parent->dev;
	hole->page = alloc_pages(GFP_KERNEL, HOLE_ORDER);
	if (!hole->page)
		return -ENOMEM;
	/* Each of them may be pinned, and mapped, on its own. */
	split_page(hole->page, HOLE_ORDER);
	memset(page_address(hole->page), HOLE_NEIGHBOUR, PAGE_SIZE << HOLE_ORDER);
	if (!strcmp(way, "coherent"))
		err = hole_init_coherent(hole);
	if (err)
		hole_deinit(hole);
	else
		hole_fill(hole, HOLE_BYTE);
	return err;
}

/* Pages that somebody has pinned stay until he lets them go. */
void hole_deinit(struct hole *hole)
{
	unsigned int i;

	if (hole->other)
		fput(hole->other);
	if (hole->coherent)
		dma_free_coherent(hole->parent, hole->way->pages * PAGE_SIZE,
				  hole->coherent, hole->handle);
	for (i = 0; i < 1 << HOLE_ORDER; i++)
		__free_page(hole->page + i);
}

static int __init hole_module_init(void)
{
	int err;

	if (strcmp(zap, "inode") && strcmp(zap, "list"))
		return -EINVAL;
	hole_zap_list = !strcmp(zap, "list");
	parent = platform_device_register_simple("unplug-hole", -1, NULL, 0);
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	if (!strcmp(kind, hole_textbook.name))
		hole = hole_textbook.make();
	else if (!strcmp(kind, hole_gated.name))
		hole = hole_gated.make();
	else
		hole = ERR_PTR(-EINVAL);
	err = PTR_ERR_OR_ZERO(hole);
	if (err)
		platform_device_unregister(parent);
	else
		hole_windows_init();
	return err;
}

static void __exit hole_module_exit(void)
{
	hole_windows_exit();
	hole->kind->unmake(hole);
	platform_device_unregister(parent);
}

module_init(hole_module_init);
module_exit(hole_module_exit);
MODULE_DESCRIPTION("Mappings with and without holes, for the tests of unplug");
MODULE_LICENSE("GPL");
