// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways in which drivers make mappings:
 *
 *	pfn		->fault inserts frames
 *	populate	->mmap does, by remap_pfn_range()
 *	undeclared	the same, and the core was not told
 *	coherent	->mmap does, by dma_mmap_coherent()
 *	page		->fault returns a page
 *	mixed		->mmap inserts pages
 *
 * and those of special.c. See hole.h.
 */

#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/string.h>
#include <unplug/hook.h>
#include "hole.h"

struct hole *hole_of(const struct vm_area_struct *vma)
{
	return vma->vm_private_data;
}

unsigned long hole_pfn(struct hole *hole, struct vm_area_struct *vma,
		       unsigned long addr)
{
	return page_to_pfn(hole->page) + vma->vm_pgoff +
	       ((addr - vma->vm_start) >> PAGE_SHIFT);
}

/* Does the driver tell the core that it populates? */
bool hole_populates(const struct hole *hole)
{
	return !strcmp(hole->way->name, "populate") ||
	       !strcmp(hole->way->name, "coherent");
}

static void hole_vma_open(struct vm_area_struct *vma)
{
	struct hole *hole = hole_of(vma);

	if (hole->kind->track)
		hole->kind->track(hole, vma, true);
}

static void hole_vma_close(struct vm_area_struct *vma)
{
	struct hole *hole = hole_of(vma);

	if (hole->kind->untrack)
		hole->kind->untrack(hole, vma);
}

vm_fault_t hole_fault_pfn(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct hole *hole = hole_of(vma);
	vm_fault_t ret;

	if (!hole->kind->enter(hole, false))
		return VM_FAULT_SIGBUS;
	ret = vmf_insert_pfn(vma, vmf->address,
			     hole_pfn(hole, vma, vmf->address));
	hole->kind->leave(hole, false);
	return ret;
}

int hole_mmap_pfn(struct hole *hole, struct vm_area_struct *vma,
		  const struct vm_operations_struct *ops)
{
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = ops;
	return 0;
}

static const struct vm_operations_struct pfn_vm_ops = {
	.open = hole_vma_open,
	.close = hole_vma_close,
	.fault = hole_fault_pfn,
};

/* Does not look whether it is private: the core does. */
static int pfn_mmap(struct hole *hole, struct vm_area_struct *vma)
{
	return hole_mmap_pfn(hole, vma, &pfn_vm_ops);
}

static int populate_mmap(struct hole *hole, struct vm_area_struct *vma)
{
	return remap_pfn_range(vma, vma->vm_start,
			       hole_pfn(hole, vma, vma->vm_start),
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static int coherent_mmap(struct hole *hole, struct vm_area_struct *vma)
{
	return dma_mmap_coherent(hole->parent, vma, hole->coherent,
				 hole->handle, hole->way->pages * PAGE_SIZE);
}

static struct page *hole_page(struct vm_fault *vmf)
{
	return pfn_to_page(hole_pfn(hole_of(vmf->vma), vmf->vma, vmf->address));
}

/* ->mmap has seen that the mapping lies in the device: no need to look again? */
static vm_fault_t page_fault(struct vm_fault *vmf)
{
	struct hole *hole = hole_of(vmf->vma);

	if (!hole->kind->enter(hole, false))
		return VM_FAULT_SIGBUS;
	vmf->page = hole_page(vmf);
	get_page(vmf->page);
	hole->kind->leave(hole, false);
	if (hole->kind == &hole_textbook)
		unplug_hook(UNPLUG_HOOK_FAULT);
	return 0;
}

/* Without ->close, which would keep the kernel from merging mappings. */
static const struct vm_operations_struct page_vm_ops = {
	.fault = page_fault,
};

static int page_mmap(struct hole *hole, struct vm_area_struct *vma)
{
	if (hole_pfnmap)
		vm_flags_set(vma, VM_PFNMAP);
	vma->vm_ops = &page_vm_ops;
	return 0;
}

static vm_fault_t page_mkwrite(struct vm_fault *vmf)
{
	struct hole *hole = hole_of(vmf->vma);

	if (!hole->kind->enter(hole, true))
		return VM_FAULT_SIGBUS;
	hole_touched(hole);
	lock_page(vmf->page);
	hole->kind->leave(hole, true);
	return VM_FAULT_LOCKED;
}

static const struct vm_operations_struct page_mkwrite_vm_ops = {
	.fault = page_fault,
	.page_mkwrite = page_mkwrite,
};

static int page_mkwrite_mmap(struct hole *hole, struct vm_area_struct *vma)
{
	vma->vm_ops = &page_mkwrite_vm_ops;
	return 0;
}

static int mixed_mmap(struct hole *hole, struct vm_area_struct *vma)
{
	struct page *page = pfn_to_page(hole_pfn(hole, vma, vma->vm_start));
	unsigned long i;
	int err = 0;

	vma->vm_ops = &page_vm_ops;
	for (i = 0; !err && i < vma_pages(vma); i++)
		err = vm_insert_page(vma, vma->vm_start + i * PAGE_SIZE,
				     page + i);
	return err;
}

const struct hole_way hole_ways[] = {
	{ "pfn", pfn_mmap, HOLE_PAGES },
	{ "populate", populate_mmap, HOLE_PAGES },
	{ "undeclared", populate_mmap, HOLE_PAGES },
	{ "coherent", coherent_mmap, HOLE_PAGES },
	{ "page", page_mmap, HOLE_PAGES },
	{ "page-mkwrite", page_mkwrite_mmap, HOLE_PAGES },
	{ "mixed", mixed_mmap, HOLE_PAGES },
	{ "pfn-mkwrite", hole_mmap_mkwrite, HOLE_PAGES },
	{ "access", hole_mmap_access, HOLE_PAGES },
	{ "around", hole_mmap_around, HOLE_PAGES },
	{ "huge", hole_mmap_huge, 1 << HOLE_ORDER },
	{ "file", hole_mmap_file, HOLE_PAGES },
	{ }
};
