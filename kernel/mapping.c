// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules a mapping has to fulfil to be revocable: see include/unplug/mmap.h.
 *
 * model/mmap.pml follows a mapping from here to its end: change both.
 */

#include <linux/err.h>
#include <linux/ratelimit.h>
#include <unplug/mmap.h>
#include "internal.h"

/* For drivers that have none: populated mappings do not need any. */
static const struct vm_operations_struct no_vm_ops;

static int mapping_slot(struct unplug_dev *dev,
			const struct vm_operations_struct *ops)
{
	int slot;

	spin_lock(&dev->files_lock);
	for (slot = 0; slot < UNPLUG_VM_OPS_MAX; slot++) {
		if (!dev->vm_ops[slot])
			dev->vm_ops[slot] = ops;
		if (dev->vm_ops[slot] == ops)
			break;
	}
	spin_unlock(&dev->files_lock);
	return slot < UNPLUG_VM_OPS_MAX ? slot : -ENOSPC;
}

/* Why a mapping the driver made cannot be revoked, or NULL. */
static const char *mapping_fault(struct file *file, struct vm_area_struct *vma)
{
	const struct vm_operations_struct *ops = vma->vm_ops ?: &no_vm_ops;

	if (vma->vm_file != file)
		return "it belongs to another file";
	if ((vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP)) != VM_PFNMAP)
		return "it is not VM_PFNMAP";
	if (is_cow_mapping(vma->vm_flags))
		return "it is private";
	if (unplug_vm_ops_find_page(ops) || ops->pagesize)
		return "its vm_ops have members that cannot be guarded";
#ifdef CONFIG_NUMA
	if (ops->set_policy || ops->get_policy)
		return "its vm_ops have members that cannot be guarded";
#endif
	return NULL;
}

/*
 * What ->mmap mapped itself, also before it failed, would escape unplug: the mapping
 * is not yet where zaps look. VM_MIXEDMAP is refused, but by then it may have entries
 * of the device's, too; zap_special_vma_range() wants to see VM_PFNMAP.
 */
static void mapping_clear_entries(struct vm_area_struct *vma)
{
	bool mixed = (vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP)) ==
		     VM_MIXEDMAP;

	if (mixed)
		vm_flags_set(vma, VM_PFNMAP);
	zap_special_vma_range(vma, vma->vm_start, vma->vm_end - vma->vm_start);
	if (mixed)
		vm_flags_clear(vma, VM_PFNMAP);
}

/*
 * The kernel does not call ->close for a mapping that failed; to the driver this
 * one did not.
 */
static void mapping_undo(struct vm_area_struct *vma)
{
	if (vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	vma->vm_ops = NULL;
}

static void *mapping_refuse(struct unplug_dev *dev, const char *fault, int err)
{
	pr_err_ratelimited("%s: mapping refused: %s\n", unplug_dev_name(dev),
			   fault);
	return ERR_PTR(err);
}

/* Its ends tell: to look at every page would cost more than the mapping. */
static bool mapping_is_populated(struct vm_area_struct *vma)
{
	unsigned long pfn;

	return !unplug_follow_pfn(vma, vma->vm_start, &pfn) ||
	       !unplug_follow_pfn(vma, vma->vm_end - PAGE_SIZE, &pfn);
}

/* Which table guards a mapping the driver made, or an ERR_PTR. */
static const struct vm_operations_struct *
mapping_guards(struct unplug_dev *dev, struct file *file,
	       struct vm_area_struct *vma)
{
	const struct vm_operations_struct *ops = vma->vm_ops ?: &no_vm_ops;
	const char *fault = mapping_fault(file, vma);
	int slot, err = -ENODATA;

	if (fault)
		return mapping_refuse(dev, fault, -EOPNOTSUPP);
	slot = mapping_slot(dev, ops);
	if (slot < 0)
		return mapping_refuse(dev, "the driver's vm_ops are too many",
				      slot);
	if (dev->drv->populates)
		err = unplug_populate_record(dev, vma);
	else if (!ops->fault || mapping_is_populated(vma))
		return mapping_refuse(dev, "it is populated, or has no fault handler",
				      -EOPNOTSUPP);
	if (err == -EPERM)
		return mapping_refuse(dev, "it maps what is not system memory",
				      -EOPNOTSUPP);
	if (err == -ENODATA && !ops->fault)
		return mapping_refuse(dev, "it has neither a fault handler nor entries",
				      -EOPNOTSUPP);
	if (err && err != -ENODATA)
		return ERR_PTR(err);
	return unplug_guard_vm_ops(slot, ops, !err);
}

/*
 * What the driver maps can be reached from the moment it does, by other threads of the
 * process, though the mapping is not there yet: so a hardware section stands around it,
 * until nothing is mapped any more. It may be one: the user's mmap_lock is held,
 * which whoever waits for user memory wants. What it may wait for is page tables. A front
 * end's drivers populate system memory, of which they may allocate much, at the pace
 * of the user's memory group: that is not waited for, and gone with drained.
 */
static int mapping_make(struct unplug_dev *dev, struct file *file,
			struct vm_area_struct *vma,
			const struct vm_operations_struct **guards)
{
	bool section = dev->drv->populates && !dev->front;
	int err;

	unplug_hook(UNPLUG_HOOK_MAPPING);
	if (section && !unplug_dev_hw_enter(dev))
		return unplug_dev_error(dev);
	err = unplug_fops_mmap(dev->drv->fops, file, vma);
	*guards = err ? ERR_PTR(err) : mapping_guards(dev, file, vma);
	unplug_hook(UNPLUG_HOOK_POPULATED);
	mapping_clear_entries(vma);
	if (section)
		unplug_dev_hw_exit(dev);
	return err;
}

/**
 * unplug_mapping_is_dummy() - may a mapping be made that shows the dummy page from the first?
 * @dev: the device, which refused @file
 * @file: an open file of it
 * @met: it is about to be made: the file's policy stays from now on
 *
 * Those of a front end: DRM's plan for hot-unplug wants mmap() to succeed after the pull if
 * mappings that are there go on. Other devices answer ENODEV, whatever their policy.
 *
 * Context: Process.
 * Return: true if it may.
 */
bool unplug_mapping_is_dummy(struct unplug_dev *dev, struct file *file,
			     bool met)
{
	return dev->front && unplug_fops_can_mmap(dev->drv->fops) &&
	       unplug_file_policy(dev, file, met) == UNPLUG_POLICY_DUMMY;
}

/**
 * unplug_guard_mapping() - let the driver map, then put the guards before it
 * @dev: the device, entered
 * @file: an open file of it
 * @vma: the mapping to be
 *
 * Context: Process, mmap_lock held for writing.
 * Return: 0; -EINVAL for a private mapping; -EOPNOTSUPP, and a line in
 *	   the log, for one that could not be revoked; -ENOSPC, and a line, if the
 *	   driver uses more than UNPLUG_VM_OPS_MAX different vm_ops; -ENOMEM; what
 *	   the driver says.
 */
int unplug_guard_mapping(struct unplug_dev *dev, struct file *file,
			 struct vm_area_struct *vma)
{
	const struct vm_operations_struct *guards;
	int err;

	/*
	 * Private, whether writable now or later: no copies of device memory, and
	 * no BUG_ON in vmf_insert_pfn().
	 */
	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;

	err = mapping_make(dev, file, vma, &guards);
	if (err)
		return err;
	if (IS_ERR(guards)) {
		mapping_undo(vma);
		return PTR_ERR(guards);
	}

	vma->vm_ops = guards;
	/* Neither grown by mremap nor merged, which would go past ->mmap. */
	vm_flags_set(vma, VM_DONTEXPAND);
	return 0;
}
