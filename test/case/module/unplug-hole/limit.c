// SPDX-License-Identifier: GPL-2.0-only
/*
 * What cannot be taken back: a driver that looks up the frames of somebody's mapping, to use
 * them later, as VFIO does for the IOMMU. It is told of nothing. Writing an address to the
 * parameter follow looks it up; followed is the byte that is seen there since.
 */

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sysfs.h>
#include "hole.h"

static unsigned long follow_pfn_found;	/* 0: none yet */

static int follow_set(const char *text, const struct kernel_param *param)
{
	struct vm_area_struct *vma;
	unsigned long addr;
	int err = kstrtoul(text, 0, &addr);

	if (err)
		return err;
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	err = vma ? unplug_follow_pfn(vma, addr, &follow_pfn_found) : -EFAULT;
	mmap_read_unlock(current->mm);
	return err;
}

static int followed_get(char *text, const struct kernel_param *param)
{
	u8 *at;

	if (!follow_pfn_found)
		return -ENODATA;
	at = page_address(pfn_to_page(follow_pfn_found));
	return sysfs_emit(text, "%d\n", READ_ONCE(*at));
}

static const struct kernel_param_ops follow_ops = {
	.set = follow_set,
};
module_param_cb(follow, &follow_ops, NULL, 0200);

static const struct kernel_param_ops followed_ops = {
	.get = followed_get,
};
module_param_cb(followed, &followed_ops, NULL, 0400);
