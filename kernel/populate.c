// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings that a driver's ->mmap populates: remap_pfn_range(), dma_mmap_wc() and
 * their like.
 *
 * The kernel links a mapping into the address space after ->mmap returned, so an
 * unplug that comes between would not find these entries. Therefore none is left
 * there: what ->mmap has put into the page table is written down, taken out, and put
 * back entry by entry as users touch it, by a fault handler. All this happens in
 * hardware sections: no entry is there after shut.
 *
 * Parts of a mapping (split, moved, inherited) have to find the record. The fields
 * of the VMA are the driver's, but for its offset: that is what the kernel keeps in
 * order through all this. Populated mappings get one that names their record,
 *
 *	vm_pgoff = index of the record << PGOFF_BITS | page within it
 *
 * which is why drivers have to agree (struct unplug_driver, populates). No index is
 * 0, which is the offset of a part that could not be made: the kernel clears it, so
 * such a part keeps its record until the file is closed.
 *
 * model/mmap.pml follows the record, too: change both.
 */

#include <linux/pagemap.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include "internal.h"

#define PGOFF_BITS (BITS_PER_LONG / 2)
#define PGOFF_MASK (BIT(PGOFF_BITS) - 1)

#define PFN_NONE ULONG_MAX

/**
 * struct unplug_populated - what ->mmap has mapped
 * @mappings: that use it; each one's ->close puts it
 * @node: in the list of the file; under the device's files_lock
 * @index: in dev->populated
 * @first: frame of the first page; the others follow it unless @frame is there
 * @frame: frames of all pages; PFN_NONE where nothing was mapped
 * @reserved: bytes from @first on whose memory type the mapping had reserved; under the
 *	      lock of dev->populated, in which it is given back
 */
struct unplug_populated {
	refcount_t mappings;
	struct list_head node;
	u32 index;
	unsigned long first;
	unsigned long *frame;
	unsigned long reserved;
};

static unsigned long frame_at(struct vm_area_struct *vma, unsigned long page)
{
	unsigned long pfn;

	if (unplug_follow_pfn(vma, vma->vm_start + (page << PAGE_SHIFT), &pfn))
		return PFN_NONE;
	return pfn;
}

/* How many pages from the first on lie in a row */
static unsigned long frames_in_row(struct vm_area_struct *vma,
				   unsigned long first)
{
	unsigned long i, pages = vma_pages(vma);

	if (first == PFN_NONE)
		return 0;
	for (i = 1; i < pages && frame_at(vma, i) == first + i; i++)
		cond_resched();
	return i;
}

/* Sets @any if there was something to write down. */
static int frames_write_down(struct unplug_populated *populated,
			     struct vm_area_struct *vma, bool *any)
{
	unsigned long i, row, pages = vma_pages(vma);

	populated->first = frame_at(vma, 0);
	row = frames_in_row(vma, populated->first);
	*any = row > 0;
	if (row == pages)
		return 0;

	populated->frame = kvmalloc_array(pages, sizeof(*populated->frame),
					  GFP_KERNEL_ACCOUNT);
	if (!populated->frame)
		return -ENOMEM;
	for (i = 0; i < pages; i++) {
		populated->frame[i] = i < row ? populated->first + i :
						frame_at(vma, i);
		*any |= populated->frame[i] != PFN_NONE;
		cond_resched();
	}
	return 0;
}

/*
 * By the end of the record, or at shut: whoever is first. Under the lock: or shut would find
 * nothing to give back, and go on, while a mapping that ends is still about to.
 */
static void populated_unreserve(struct unplug_populated *populated)
{
	unplug_memtype_free(populated->first, populated->reserved);
	populated->reserved = 0;
}

/* What a front end's drivers may populate, as they do it in no hardware section */
static bool frames_are_memory(const struct unplug_populated *populated,
			      unsigned long pages)
{
	unsigned long i;

	if (!populated->frame)
		return page_is_ram(populated->first) &&
		       page_is_ram(populated->first + pages - 1);
	for (i = 0; i < pages; i++) {
		if (populated->frame[i] != PFN_NONE &&
		    !page_is_ram(populated->frame[i]))
			return false;
		cond_resched();
	}
	return true;
}

static void populated_free(struct unplug_populated *populated)
{
	kvfree(populated->frame);
	kfree(populated);
}

static void populated_end(struct unplug_dev *dev,
			  struct unplug_populated *populated)
{
	xa_lock(&dev->populated);
	__xa_erase(&dev->populated, populated->index);
	populated_unreserve(populated);
	xa_unlock(&dev->populated);
	populated_free(populated);
}

/* NULL for a part that could not be made: see above. */
static struct unplug_populated *populated_find(struct vm_area_struct *vma)
{
	struct unplug_dev *dev = unplug_dev_from_file(vma->vm_file);

	return xa_load(&dev->populated, vma->vm_pgoff >> PGOFF_BITS);
}

static int populated_add(struct unplug_dev *dev, struct file *file,
			 struct unplug_populated *populated)
{
	int err = xa_alloc(&dev->populated, &populated->index, populated,
			   XA_LIMIT(1, PGOFF_MASK), GFP_KERNEL_ACCOUNT);

	if (err)
		return err == -EBUSY ? -ENOSPC : err;
	spin_lock(&dev->files_lock);
	list_add(&populated->node, unplug_file_populated(dev, file));
	spin_unlock(&dev->files_lock);
	return 0;
}

/**
 * unplug_populate_record() - write down what ->mmap has mapped
 * @dev: the device
 * @vma: the mapping, VM_PFNMAP, not yet linked; its offset is changed on success
 *
 * The caller takes the entries out. On success the mapping owes
 * unplug_populate_put(), and a reservation of memory type that the mapping had is
 * the record's: the entries that come back are of that type.
 *
 * Context: Process, mmap_lock held for writing.
 * Return: 0; -ENODATA: nothing is mapped; -EPERM: a front end's driver maps device
 *	   memory; -EINVAL: longer than 2^32 pages; -ENOSPC, -ENOMEM.
 */
int unplug_populate_record(struct unplug_dev *dev, struct vm_area_struct *vma)
{
	struct unplug_populated *populated;
	bool any;
	int err;

	if (vma_pages(vma) > PGOFF_MASK)
		return -EINVAL;
	populated = kzalloc(sizeof(*populated), GFP_KERNEL_ACCOUNT);
	if (!populated)
		return -ENOMEM;
	refcount_set(&populated->mappings, 1);

	err = frames_write_down(populated, vma, &any);
	if (!err && !any)
		err = -ENODATA;
	if (!err && dev->front && !frames_are_memory(populated, vma_pages(vma)))
		err = -EPERM;
	if (!err)
		err = populated_add(dev, vma->vm_file, populated);
	if (err) {
		populated_free(populated);
		return err;
	}
	populated->reserved = unplug_memtype_take(vma, populated->first);
	vma->vm_pgoff = (unsigned long)populated->index << PGOFF_BITS;
	return 0;
}

/**
 * unplug_populate_get() - a mapping has become two
 * @vma: the new one, populated
 *
 * Context: As ->open of a mapping.
 */
void unplug_populate_get(struct vm_area_struct *vma)
{
	refcount_inc(&populated_find(vma)->mappings);
}

/**
 * unplug_populate_put() - a mapping ends
 * @vma: the mapping, populated
 *
 * Context: As ->close of a mapping.
 */
void unplug_populate_put(struct vm_area_struct *vma)
{
	struct unplug_dev *dev = unplug_dev_from_file(vma->vm_file);
	struct unplug_populated *populated = populated_find(vma);

	if (!populated || !refcount_dec_and_test(&populated->mappings))
		return;
	spin_lock(&dev->files_lock);
	list_del(&populated->node);
	spin_unlock(&dev->files_lock);
	populated_end(dev, populated);
}

/**
 * unplug_populate_shut() - give memory types back
 * @dev: a device whose hardware sections are over: no entry will be made again
 *
 * Users may keep the mappings, whose records have the reservations; the next card at
 * these addresses must not meet them.
 *
 * Context: Process.
 */
void unplug_populate_shut(struct unplug_dev *dev)
{
	struct unplug_populated *populated;
	unsigned long index;

	/*
	 * The lock keeps a record that is found: it is erased before it is freed. Not
	 * all at once: the kernel looks for a reservation among all that overlap it, of
	 * which users make as many as they like.
	 */
	xa_lock(&dev->populated);
	xa_for_each(&dev->populated, index, populated) {
		populated_unreserve(populated);
		xa_unlock(&dev->populated);
		cond_resched();
		xa_lock(&dev->populated);
	}
	xa_unlock(&dev->populated);
}

/**
 * unplug_populate_free() - give records back
 * @dev: the device
 * @list: those of a file no mapping of which is left
 *
 * Context: Process.
 */
void unplug_populate_free(struct unplug_dev *dev, struct list_head *list)
{
	struct unplug_populated *populated, *next;

	list_for_each_entry_safe(populated, next, list, node)
		populated_end(dev, populated);
}

/**
 * unplug_populate_insert() - put back an entry
 * @vma: a populated mapping
 * @addr: page-aligned address in it
 *
 * Final at shut like unplug_iomem_mmap(): see iomem_insert().
 *
 * Context: As ->fault, inside the device.
 * Return: as ->fault; 0 if nothing was mapped there.
 */
vm_fault_t unplug_populate_insert(struct vm_area_struct *vma,
				  unsigned long addr)
{
	struct unplug_dev *dev = unplug_dev_from_file(vma->vm_file);
	const struct unplug_populated *populated = populated_find(vma);
	pgoff_t page = linear_page_index(vma, addr) & PGOFF_MASK;
	unsigned long pfn;
	vm_fault_t ret;

	pfn = populated->frame ? populated->frame[page] :
				 populated->first + page;
	if (pfn == PFN_NONE)
		return 0;
	if (!unplug_dev_hw_enter(dev))
		return VM_FAULT_SIGBUS;
	unplug_hook(UNPLUG_HOOK_FAULT);
	ret = vmf_insert_pfn(vma, addr, pfn);
	unplug_dev_hw_exit(dev);
	return ret;
}
