// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings that show memory of the card's: see DEFINE_UNPLUG_DRM_VRAM_FOPS.
 *
 * The fault handler of such drivers is TTM's. It looks at DRM's own flag, in a section
 * that is not waited for: who has passed it could insert a page of the card's between shut
 * and drained, when the bus has the card back already. So the handler runs in a
 * hardware section, by a table that stands between it and the guards; or, where the
 * mapping is one of a dma-buf (export.c), between it and the kernel.
 */

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <unplug/drm.h>
#include "internal.h"

static const struct vm_operations_struct shared_vm_ops;

/* To a dma-buf's mapping the object is what DRM keeps in it (drm_gem_prime_mmap()). */
static struct unplug_dev *vma_dev(struct vm_area_struct *vma)
{
	struct drm_gem_object *obj = vma->vm_private_data;

	return vma->vm_ops == &shared_vm_ops ?
		       unplug_dev_from_drm(obj->dev) :
		       unplug_dev_from_file(vma->vm_file);
}

static const struct vm_operations_struct *vma_ops(struct vm_area_struct *vma)
{
	return *unplug_drm_vram_ops(vma_dev(vma));
}

/*
 * What it waits for in the section is the buffer's reservation, which nobody holds while
 * he waits for user memory (it comes after mmap_lock), and fences. It may not drop
 * mmap_lock meanwhile, which is an offer of the kernel's: with it the mapping could go. It
 * is told so by the flag that makes the offer; without that FAULT_FLAG_RETRY_NOWAIT
 * means nothing to it: who asked not to wait waits for them, too.
 */
static vm_fault_t vram_fault(struct vm_fault *vmf)
{
	struct unplug_dev *dev = vma_dev(vmf->vma);
	vm_fault_t ret;

	if (!unplug_dev_hw_enter(dev))
		return VM_FAULT_SIGBUS;	/* the guard, if there is one, knows what that means */
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

/* As the guard's: not beyond the page. That TTM keeps within the buffer is not said of 6.1. */
static int vram_access(struct vm_area_struct *vma, unsigned long addr,
		       void *buf, int len, int write)
{
	struct unplug_dev *dev = vma_dev(vma);
	int ret = -EIO;

	len = min_t(int, len, PAGE_SIZE - offset_in_page(addr));
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

/*
 * A dma-buf's: no guard stands before it, so SIGBUS it is, whatever the policy. TTM's own dummy
 * is no choice: not every driver's handler looks at DRM's flag before it shows the card.
 */
static const struct vm_operations_struct shared_vm_ops = {
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

/* Have @by stand before the table of a new mapping; that is ended if it cannot. */
static int vram_stand_before(struct drm_device *drm, struct vm_area_struct *vma,
			     const struct vm_operations_struct *by)
{
	const struct vm_operations_struct **ops, *first;

	ops = unplug_drm_vram_ops(unplug_dev_from_drm(drm));
	if (vram_can_stand_before(vma->vm_ops)) {
		first = cmpxchg(ops, NULL, vma->vm_ops);
		if (!first || first == vma->vm_ops) {
			vma->vm_ops = by;
			return 0;
		}
	}
	pr_err_ratelimited("unplug-drm: %s: mapping refused: it is not TTM's\n",
			   drm->driver->name);
	if (vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	vma->vm_ops = NULL;
	return -EOPNOTSUPP;
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
	struct drm_file *priv = file->private_data;
	int err = drm_gem_mmap(file, vma);

	if (err || vma->vm_file != file)
		return err;	/* of an imported buffer: the core refuses it */
	/* The buffer was shared before. */
	if (vma->vm_ops == &shared_vm_ops) {
		vma->vm_ops = &vram_vm_ops;
		return 0;
	}
	return vram_stand_before(priv->minor->dev, vma, &vram_vm_ops);
}
EXPORT_SYMBOL_GPL(unplug_drm_vram_mmap);

/**
 * unplug_drm_vram_share() - a buffer was mapped, by its dma-buf it may be
 * @obj: the buffer
 * @vma: the mapping
 *
 * Ownership: the mapping has what its driver gave it; if this fails that was given back, but
 *	    for the caller's own reference of @obj, which is there again.
 * Context: As ->mmap of a GEM object.
 * Return: 0; -EOPNOTSUPP, see unplug_drm_vram_mmap().
 */
int unplug_drm_vram_share(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	int err;

	/* TTM's mappings have one of the buffer in its place, which ->close puts. */
	drm_gem_object_get(obj);
	err = vram_stand_before(obj->dev, vma, &shared_vm_ops);
	if (!err)
		drm_gem_object_put(obj);
	return err;
}
