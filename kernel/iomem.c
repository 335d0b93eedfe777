// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of device memory: see include/unplug/mmap.h.
 *
 * The operations here are what a driver's own would be; the guards of
 * guard_vm.c stand before them as well.
 */

#include <linux/export.h>
#include <linux/pagemap.h>
#include <unplug/mmap.h>
#include "internal.h"

/*
 * Why this leaves nothing behind: the entry is made in a hardware section. If
 * the section began before unplug closed the gate, shut waits for its end and
 * zaps afterwards; if not, it is refused. The mapping is linked into the
 * device's address space before its first fault, so the zap finds it.
 */
static vm_fault_t iomem_insert(struct vm_area_struct *vma, unsigned long addr)
{
	struct unplug_dev *dev = unplug_dev_from_file(vma->vm_file);
	const struct unplug_iomem *iomem = vma->vm_private_data;
	pgoff_t page = linear_page_index(vma, addr);
	vm_fault_t ret;

	/* Checked at mmap, and the mapping cannot grow; kept as a second lock. */
	if (page >= iomem->size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	if (!unplug_dev_hw_enter(dev))
		return VM_FAULT_SIGBUS;
	unplug_hook(UNPLUG_HOOK_FAULT);
	ret = vmf_insert_pfn(vma, addr, PHYS_PFN(iomem->start) + page);
	unplug_dev_hw_exit(dev);
	return ret;
}

static vm_fault_t iomem_fault(struct vm_fault *vmf)
{
	return iomem_insert(vmf->vma, vmf->address);
}

static int iomem_access(struct vm_area_struct *vma, unsigned long addr,
			void *buf, int len, int write)
{
	struct unplug_dev *dev = unplug_dev_from_file(vma->vm_file);
	int ret = -EIO;

	/* generic_access_phys() reads the page table: the page must be there. */
	if (iomem_insert(vma, addr & PAGE_MASK) != VM_FAULT_NOPAGE)
		return ret;
	if (!unplug_dev_hw_enter(dev))
		return ret;
	ret = generic_access_phys(vma, addr, buf, len, write);
	unplug_dev_hw_exit(dev);
	return ret;
}

static const struct vm_operations_struct iomem_vm_ops = {
	.fault = iomem_fault,
	.access = iomem_access,
};

/**
 * unplug_iomem_mmap() - map device memory
 * @iomem: what to map; lives as long as the device
 * @vma: the mapping, in the driver's ->mmap; its offset counts from
 *	 @iomem->start
 *
 * Nothing is mapped before it is touched.
 *
 * Ownership: @iomem stays the driver's; @vma->vm_private_data and ->vm_ops
 *	    are the helper's from now on.
 * Context: Process, mmap_lock held for writing.
 * Return: 0; -EINVAL if the mapping does not lie in @iomem, or is private (unless
 *	   the file is read-only).
 */
int unplug_iomem_mmap(struct unplug_iomem *iomem, struct vm_area_struct *vma)
{
	unsigned long pages = iomem->size >> PAGE_SHIFT;

	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	if (is_cow_mapping(vma->vm_flags) || !PAGE_ALIGNED(iomem->start))
		return -EINVAL;

	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = iomem->cache == UNPLUG_IOMEM_WC ?
				    pgprot_writecombine(vma->vm_page_prot) :
				    pgprot_noncached(vma->vm_page_prot);
	vma->vm_private_data = iomem;
	vma->vm_ops = &iomem_vm_ops;
	return 0;
}
EXPORT_SYMBOL_GPL(unplug_iomem_mmap);
