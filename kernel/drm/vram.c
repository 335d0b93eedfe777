// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings that show memory of the card's: see DEFINE_UNPLUG_DRM_VRAM_FOPS.
 *
 * The fault handler of such drivers is TTM's. It looks at DRM's own flag, in a section
 * that is not waited for: who has passed it could insert a page of the card's between shut
 * and drained, when the bus has the card back already. So the handler runs in a
 * hardware section, by a table that stands between it and the guards.
 */

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <unplug/drm.h>
#include "internal.h"

static const struct vm_operations_struct *vma_ops(struct vm_area_struct *vma)
{
	return *unplug_drm_vram_ops(unplug_dev_from_file(vma->vm_file));
}

/*
 * What it waits for in the section is the buffer's reservation, which nobody holds while
 * he waits for user memory (it comes after mmap_lock), and fences. It may not drop
 * mmap_lock meanwhile, which is an offer of the kernel's: with it the mapping could go.
 */
static vm_fault_t vram_fault(struct vm_fault *vmf)
{
	struct unplug_dev *dev = unplug_dev_from_file(vmf->vma->vm_file);
	vm_fault_t ret;

	if (!unplug_dev_hw_enter(dev))
		return VM_FAULT_SIGBUS;	/* the guard knows what that means */
	vmf->flags &= ~FAULT_FLAG_ALLOW_RETRY;
	ret = vma_ops(vmf->vma)->fault(vmf);
	unplug_dev_hw_exit(dev);
	return ret;
}

static void vram_open(struct vm_area_struct *vma)
{
	vma_ops(vma)->open(vma);
}

static void vram_close(struct vm_area_struct *vma)
{
	vma_ops(vma)->close(vma);
}

static int vram_access(struct vm_area_struct *vma, unsigned long addr,
		       void *buf, int len, int write)
{
	struct unplug_dev *dev = unplug_dev_from_file(vma->vm_file);
	int ret = -EIO;

	if (unplug_dev_hw_enter(dev)) {
		ret = vma_ops(vma)->access(vma, addr, buf, len, write);
		unplug_dev_hw_exit(dev);
	}
	return ret;
}

static const struct vm_operations_struct vram_vm_ops = {
	.open = vram_open,
	.close = vram_close,
	.fault = vram_fault,
	.access = vram_access,
};

/* What has members that ours lacks is not TTM's. */
static bool vram_can_stand_before(const struct vm_operations_struct *ops)
{
	return ops && ops->open && ops->close && ops->fault && ops->access &&
	       !ops->huge_fault && !ops->map_pages && !ops->page_mkwrite &&
	       !ops->pfn_mkwrite && !ops->may_split && !ops->mprotect;
}

/**
 * unplug_drm_vram_mmap() - ->mmap of drivers whose buffers lie in memory of the card's
 * @file: an open file of the device
 * @vma: the mapping to be
 *
 * Ownership: as drm_gem_mmap().
 * Context: Process, mmap_lock held for writing.
 * Return: 0; -EOPNOTSUPP, and a line in the log, if the mapping is not one of TTM's, or not
 *	   of the same kind as the first; what drm_gem_mmap() says.
 */
int unplug_drm_vram_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct vm_operations_struct **ops, *first;
	struct drm_file *priv = file->private_data;
	int err = drm_gem_mmap(file, vma);

	if (err || vma->vm_file != file)
		return err;	/* of an imported buffer: the core refuses it */
	ops = unplug_drm_vram_ops(unplug_dev_from_file(file));
	if (vram_can_stand_before(vma->vm_ops)) {
		first = cmpxchg(ops, NULL, vma->vm_ops);
		if (!first || first == vma->vm_ops) {
			vma->vm_ops = &vram_vm_ops;
			return 0;
		}
	}
	pr_err_ratelimited("unplug-drm: %s: mapping refused: it is not TTM's\n",
			   priv->minor->dev->driver->name);
	if (vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	vma->vm_ops = NULL;
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_GPL(unplug_drm_vram_mmap);
