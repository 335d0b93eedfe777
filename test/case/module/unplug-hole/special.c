// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways to reach a device by a mapping that not all drivers have, and that a textbook
 * forgets to guard:
 *
 *	access		->access copies from and to the device itself
 *	pfn-mkwrite	->pfn_mkwrite tells the device that it is written to
 *	around		->map_pages inserts what lies beside the page that is touched
 *	huge		->huge_fault inserts an entry of 2 MiB
 *	file		->mmap makes the mapping belong to another file
 *
 * See hole.h.
 */

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <linux/string.h>
#include "hole.h"
#include "hole-compat.h"

static int access_access(struct vm_area_struct *vma, unsigned long addr,
			 void *buf, int len, int write)
{
	struct hole *hole = hole_of(vma);
	void *at = page_address(hole->page) + (vma->vm_pgoff << PAGE_SHIFT) +
		   (addr - vma->vm_start);

	if (!hole->kind->enter(hole, true))
		return -EIO;
	hole_touched(hole);
	len = min_t(unsigned long, len, vma->vm_end - addr);
	if (write)
		memcpy(at, buf, len);
	else
		memcpy(buf, at, len);
	hole->kind->leave(hole, true);
	return len;
}

static const struct vm_operations_struct access_vm_ops = {
	.fault = hole_fault_pfn,
	.access = access_access,
};

int hole_mmap_access(struct hole *hole, struct vm_area_struct *vma)
{
	return hole_mmap_pfn(hole, vma, &access_vm_ops);
}

static vm_fault_t mkwrite_pfn_mkwrite(struct vm_fault *vmf)
{
	struct hole *hole = hole_of(vmf->vma);

	if (!hole->kind->enter(hole, true))
		return VM_FAULT_SIGBUS;
	hole_touched(hole);
	hole->kind->leave(hole, true);
	return 0;
}

static const struct vm_operations_struct mkwrite_vm_ops = {
	.fault = hole_fault_pfn,
	.pfn_mkwrite = mkwrite_pfn_mkwrite,
};

int hole_mmap_mkwrite(struct hole *hole, struct vm_area_struct *vma)
{
	return hole_mmap_pfn(hole, vma, &mkwrite_vm_ops);
}

/* The page tables are there: whoever calls sees to that, and this must not sleep. */
static vm_fault_t around_map_pages(struct vm_fault *vmf, pgoff_t start,
				   pgoff_t end)
{
	struct vm_area_struct *vma = vmf->vma;
	struct hole *hole = hole_of(vma);
	vm_fault_t ret;

	if (pmd_none(*vmf->pmd) || !hole->kind->enter(hole, true))
		return 0;
	ret = vmf_insert_pfn(vma, vmf->address,
			     hole_pfn(hole, vma, vmf->address));
	if (ret == VM_FAULT_NOPAGE)
		hole_touched(hole);
	hole->kind->leave(hole, true);
	return ret;
}

static const struct vm_operations_struct around_vm_ops = {
	.fault = hole_fault_pfn,
	.map_pages = around_map_pages,
};

int hole_mmap_around(struct hole *hole, struct vm_area_struct *vma)
{
	return hole_mmap_pfn(hole, vma, &around_vm_ops);
}

static vm_fault_t huge_huge_fault(struct vm_fault *vmf, unplug_huge_order order)
{
	struct hole *hole = hole_of(vmf->vma);
	vm_fault_t ret;

	if (!hole_order_is_pmd(order))
		return VM_FAULT_FALLBACK;
	if (!hole->kind->enter(hole, true))
		return VM_FAULT_SIGBUS;
	ret = hole_insert_pmd(vmf, page_to_pfn(hole->page));
	if (ret == VM_FAULT_NOPAGE)
		hole_touched(hole);
	hole->kind->leave(hole, true);
	return ret;
}

static const struct vm_operations_struct huge_vm_ops = {
	.fault = hole_fault_pfn,
	.huge_fault = huge_huge_fault,
};

int hole_mmap_huge(struct hole *hole, struct vm_area_struct *vma)
{
	if (!hole_huge_is_called())
		return -EOPNOTSUPP;
	inode_lock(vma->vm_file->f_mapping->host);
	vma->vm_file->f_mapping->host->i_flags |= S_DAX;
	inode_unlock(vma->vm_file->f_mapping->host);
	return hole_mmap_pfn(hole, vma, &huge_vm_ops);
}

int hole_mmap_file(struct hole *hole, struct vm_area_struct *vma)
{
	struct file *other = hole->other;

	if (!other)
		other = shmem_file_setup(HOLE_NODE, hole->way->pages * PAGE_SIZE,
					 EMPTY_VMA_FLAGS);
	if (IS_ERR(other))
		return PTR_ERR(other);
	hole->other = other;
	vma_set_file(vma, other);
	return hole_mmap_pfn(hole, vma, &access_vm_ops);
}
