// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that populates in ->mmap, as drivers do that know nothing of unplug, for
 * the cases of ../populate.c. The offset of a mapping says what is mapped:
 *
 *	0		four pages in a row, page n filled with n + 1
 *	SCATTERED	three: the last of them, none, the first
 *	FAILING		as 0, but ->mmap fails after it
 *	BUS		@size bytes from @start: a BAR of somebody's, not cached
 *	BUS_WC		the same, writes combined
 *	BUS_FAILING	as BUS, but ->mmap fails after it
 *	NOTHING		nothing
 *
 * The node is /dev/unplug-populate; writing to the parameter pull unplugs it, to the
 * parameter freeze freezes it (1), or thaws it (0).
 */

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pfn.h>
#include <linux/string.h>
#include <unplug/device.h>
#include "compat.h"

#define PAGES 4
#define ORDER 2

#define SCATTERED	16
#define FAILING		32
#define BUS		48
#define BUS_WC		64
#define BUS_FAILING	80
#define NOTHING		96

static unsigned long start;
module_param(start, ulong, 0444);
MODULE_PARM_DESC(start, "physical address of memory to map");

static unsigned long size;
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "its size in bytes");

static bool dummy;
module_param(dummy, bool, 0444);
MODULE_PARM_DESC(dummy, "a page of zeroes instead of SIGBUS");

struct populate {
	struct unplug_dev dev;
};

static struct populate *populate;
static struct page *pages;

static const struct vm_operations_struct populate_vm_ops = {
	.access = generic_access_phys,
};

static int map_page(struct vm_area_struct *vma, unsigned long at,
		    unsigned long page)
{
	return remap_pfn_range(vma, vma->vm_start + at * PAGE_SIZE,
			       page_to_pfn(pages) + page, PAGE_SIZE,
			       vma->vm_page_prot);
}

static int map_row(struct vm_area_struct *vma)
{
	if (vma_pages(vma) > PAGES)
		return -EINVAL;
	return remap_pfn_range(vma, vma->vm_start, page_to_pfn(pages),
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static int map_scattered(struct vm_area_struct *vma)
{
	int err;

	if (vma_pages(vma) != 3)
		return -EINVAL;
	err = map_page(vma, 0, PAGES - 1);
	return err ?: map_page(vma, 2, 0);
}

static int map_bus(struct vm_area_struct *vma, pgprot_t prot)
{
	if (vma->vm_end - vma->vm_start > size)
		return -EINVAL;
	vma->vm_page_prot = prot;
	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(start),
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static int populate_mmap(struct file *file, struct vm_area_struct *vma)
{
	switch (vma->vm_pgoff) {
	case 0:
		return map_row(vma);
	case SCATTERED:
		return map_scattered(vma);
	case FAILING:
		return map_row(vma) ?: -EPROTO;
	case BUS:
		/* The others have no operations at all, as in most such drivers. */
		vma->vm_ops = &populate_vm_ops;
		return map_bus(vma, pgprot_noncached(vma->vm_page_prot));
	case BUS_WC:
		return map_bus(vma, pgprot_writecombine(vma->vm_page_prot));
	case BUS_FAILING:
		return map_bus(vma, pgprot_noncached(vma->vm_page_prot)) ?: -EPROTO;
	case NOTHING:
		vm_flags_set(vma, VM_PFNMAP);
		return 0;
	default:
		return -EINVAL;
	}
}

static const struct file_operations populate_fops = {
	.owner = THIS_MODULE,
	.mmap = populate_mmap,
};

static const struct unplug_driver populate_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-populate",
	.fops = &populate_fops,
	.populates = true,
};

static int populate_pull(const char *text, const struct kernel_param *param)
{
	if (!populate)
		return -ENODEV;
	unplug_dev_unplug(&populate->dev);
	return 0;
}

static const struct kernel_param_ops pull_ops = {
	.set = populate_pull,
};
module_param_cb(pull, &pull_ops, NULL, 0200);

static int populate_freeze(const char *text, const struct kernel_param *param)
{
	bool freeze;
	int err = kstrtobool(text, &freeze);

	if (err || !populate)
		return err ?: -ENODEV;
	return freeze ? unplug_dev_freeze(&populate->dev) :
			unplug_dev_thaw(&populate->dev, UNPLUG_THAW_KEEP);
}

static const struct kernel_param_ops freeze_ops = {
	.set = populate_freeze,
};
module_param_cb(freeze, &freeze_ops, NULL, 0200);

static int __init populate_init(void)
{
	int i, err;

	pages = alloc_pages(GFP_KERNEL, ORDER);
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < PAGES; i++)
		memset(page_address(pages + i), i + 1, PAGE_SIZE);
	populate = unplug_dev_alloc(&populate_driver, NULL, struct populate, dev);
	err = PTR_ERR_OR_ZERO(populate);
	if (err)
		goto free_pages;
	if (dummy)
		unplug_dev_set_policy(&populate->dev, UNPLUG_POLICY_DUMMY);
	err = unplug_dev_register(&populate->dev, "unplug-populate");
	if (!err)
		return 0;
	unplug_dev_put(&populate->dev);
free_pages:
	__free_pages(pages, ORDER);
	return err;
}

static void __exit populate_exit(void)
{
	unplug_dev_unplug(&populate->dev);
	unplug_dev_wait_gone(&populate->dev);
	unplug_dev_put(&populate->dev);
	__free_pages(pages, ORDER);
}

module_init(populate_init);
module_exit(populate_exit);
MODULE_DESCRIPTION("A driver that populates its mappings, for the tests of unplug");
MODULE_LICENSE("GPL");
