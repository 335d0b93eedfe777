// SPDX-License-Identifier: GPL-2.0-only
/*
 * What users find in a revoked mapping if the device's policy is not SIGBUS: a page
 * of system memory that reads as zeroes and keeps what is written to it.
 *
 * There is one for each process and open file, whatever the size of its mappings:
 * who maps a gigabyte of a card must not take a gigabyte of memory when it goes. It
 * is allocated by the first touch and charged to who touches. Mappings do not
 * count it (VM_PFNMAP), so it is freed when no mapping can have it any more: at the
 * last close of the file, which its mappings hold; or when its process has been
 * taken apart.
 *
 * No process sees another's. A page belongs to one struct mm_struct, which is kept
 * so that no later process can be taken for it; and children inherit no page table
 * entries. VM_WIPEONFORK would say that, but a user may take it back
 * (MADV_KEEPONFORK), and with the page of a parent that ends a child would have
 * somebody else's memory: so unplug_dummy_inherit() sees to it at each fork.
 */

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "internal.h"

/* Those that are left when the core is unloaded were leaked. */
static atomic_long_t dummies_live = ATOMIC_LONG_INIT(0);

/**
 * struct unplug_mm - a process that has dummy pages, of whichever files and devices
 * @node: in mms
 * @mm: its structure is kept, not its memory: one reference
 * @dummies: its pages; under mms_lock
 */
struct unplug_mm {
	struct hlist_node node;
	struct mm_struct *mm;
	unsigned long dummies;
};

/*
 * The lock is the core's third spinlock, for all devices; taken when a page is made
 * or freed. It nests in nothing.
 */
static DEFINE_HASHTABLE(mms, 8);
static DEFINE_SPINLOCK(mms_lock);

/**
 * struct unplug_dummy - a page of one process
 * @node: in the tree of the file, by @mm; under the device's files_lock
 * @aged: in its list; likewise
 * @mm: the process
 * @page: its page
 */
struct unplug_dummy {
	struct rb_node node;
	struct list_head aged;
	struct unplug_mm *mm;
	struct page *page;
};

static struct unplug_dummy *to_dummy(const struct rb_node *node)
{
	return rb_entry(node, struct unplug_dummy, node);
}

static int dummy_compare(const void *mm, const struct rb_node *node)
{
	const struct mm_struct *other = to_dummy(node)->mm->mm;

	return (const struct mm_struct *)mm < other ? -1 : mm != other;
}

static int dummy_compare_nodes(struct rb_node *node, const struct rb_node *other)
{
	return dummy_compare(to_dummy(node)->mm->mm, other);
}

static struct unplug_dummy *dummy_find(struct unplug_dummies *dummies,
				       struct mm_struct *mm)
{
	struct rb_node *node = rb_find(mm, &dummies->tree, dummy_compare);

	return node ? to_dummy(node) : NULL;
}

/*
 * Of two that were not looked at for longest, take those whose process is no more:
 * so there are never many, and nobody walks them all with a lock held. The only
 * reference to the mm_struct being that of struct unplug_mm means that its address space was taken
 * apart: tables, entries, and what devices that share it have of them.
 */
static void dummies_age(struct unplug_dummies *dummies, struct list_head *dead)
{
	struct unplug_dummy *dummy;
	int i;

	for (i = 0; i < 2; i++) {
		dummy = list_first_entry_or_null(&dummies->aged,
						 struct unplug_dummy, aged);
		if (!dummy)
			return;
		if (atomic_read(&dummy->mm->mm->mm_count) == 1) {
			rb_erase(&dummy->node, &dummies->tree);
			list_move(&dummy->aged, dead);
		} else {
			list_move_tail(&dummy->aged, &dummies->aged);
		}
	}
}

static struct unplug_mm *mm_find(struct mm_struct *mm)
{
	struct unplug_mm *known;

	lockdep_assert_held(&mms_lock);
	hash_for_each_possible(mms, known, node, (unsigned long)mm) {
		if (known->mm == mm)
			return known;
	}
	return NULL;
}

/* For one page more; NULL: no memory. */
static struct unplug_mm *mm_get(struct mm_struct *mm)
{
	struct unplug_mm *fresh = kmalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	struct unplug_mm *known;

	if (!fresh)
		return NULL;
	spin_lock(&mms_lock);
	known = mm_find(mm);
	if (!known) {
		mmgrab(mm);
		fresh->mm = mm;
		fresh->dummies = 0;
		hash_add(mms, &fresh->node, (unsigned long)mm);
		swap(known, fresh);
	}
	known->dummies++;
	spin_unlock(&mms_lock);
	kfree(fresh);
	return known;
}

static void mm_put(struct unplug_mm *known)
{
	bool last;

	spin_lock(&mms_lock);
	last = !--known->dummies;
	if (last)
		hash_del(&known->node);
	spin_unlock(&mms_lock);
	if (last) {
		mmdrop(known->mm);
		kfree(known);
	}
}

static struct unplug_dummy *dummy_new(struct mm_struct *mm)
{
	struct unplug_dummy *dummy = kmalloc(sizeof(*dummy), GFP_KERNEL_ACCOUNT);

	if (!dummy)
		return NULL;
	dummy->page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!dummy->page)
		goto free;
	dummy->mm = mm_get(mm);
	if (!dummy->mm)
		goto free_page;
	atomic_long_inc(&dummies_live);
	return dummy;

free_page:
	__free_page(dummy->page);
free:
	kfree(dummy);
	return NULL;
}

static void dummies_free_list(struct list_head *list)
{
	struct unplug_dummy *dummy, *next;

	list_for_each_entry_safe(dummy, next, list, aged) {
		mm_put(dummy->mm);
		__free_page(dummy->page);
		kfree(dummy);
		atomic_long_dec(&dummies_live);
	}
}

/* Another thread of the process may have been faster: then @fresh is not taken. */
static struct unplug_dummy *dummy_add(struct unplug_dummies *dummies,
				      struct unplug_dummy *fresh)
{
	struct rb_node *node = rb_find_add(&fresh->node, &dummies->tree,
					   dummy_compare_nodes);

	if (node)
		return to_dummy(node);
	list_add_tail(&fresh->aged, &dummies->aged);
	return fresh;
}

/* The page of the process @mm for @file, made if it has none; NULL: no memory. */
static struct page *dummy_page(struct file *file, struct mm_struct *mm)
{
	struct unplug_dev *dev = unplug_dev_from_file(file);
	struct unplug_dummy *dummy, *fresh;
	struct unplug_dummies *dummies;
	LIST_HEAD(unused);

	spin_lock(&dev->files_lock);
	dummy = dummy_find(unplug_file_dummies(dev, file), mm);
	spin_unlock(&dev->files_lock);
	if (dummy)
		return dummy->page;

	fresh = dummy_new(mm);
	if (!fresh)
		return NULL;
	spin_lock(&dev->files_lock);
	dummies = unplug_file_dummies(dev, file);
	dummies_age(dummies, &unused);
	dummy = dummy_add(dummies, fresh);
	if (dummy != fresh)
		list_add(&fresh->aged, &unused);
	spin_unlock(&dev->files_lock);
	dummies_free_list(&unused);
	return dummy->page;
}

/**
 * unplug_dummy_fault() - put the dummy page where a revoked mapping was touched
 * @vmf: a fault in a mapping of the device, which is VM_PFNMAP and shared
 *
 * Context: As ->fault. May sleep.
 * Return: as ->fault: VM_FAULT_NOPAGE, or VM_FAULT_OOM.
 */
vm_fault_t unplug_dummy_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct page *page = dummy_page(vma->vm_file, vma->vm_mm);

	if (!page)
		return VM_FAULT_OOM;
	/* Ordinary memory, however the device's was cached. */
	return vmf_insert_pfn_prot(vma, vmf->address, page_to_pfn(page),
				   vm_get_page_prot(vma->vm_flags));
}

/**
 * unplug_dummy_inherit() - a child starts without entries
 * @vma: a new mapping: by fork, or part of another one
 *
 * Kernels copy entries before they call ->open, or afterwards unless VM_WIPEONFORK
 * is set: both are met. Parts of a mapping fault anew, which does no harm.
 *
 * Context: As ->open of a mapping.
 */
void unplug_dummy_inherit(struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_WIPEONFORK);
	zap_special_vma_range(vma, vma->vm_start, vma->vm_end - vma->vm_start);
}

/* No driver is asked: there need be none any more. */
static const struct vm_operations_struct dummy_vm_ops = {
	.open = unplug_dummy_inherit,
	.fault = unplug_dummy_fault,
};

/**
 * unplug_dummy_mmap() - a mapping that shows nothing but the dummy page
 * @vma: the mapping to be, of a device that was unplugged
 *
 * Context: As ->mmap.
 * Return: 0; -EINVAL for a private mapping.
 */
int unplug_dummy_mmap(struct vm_area_struct *vma)
{
	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &dummy_vm_ops;
	return 0;
}

/**
 * unplug_dummy_free() - give dummy pages back
 * @dummies: of a file no mapping of which is left
 *
 * Context: Process. May sleep.
 */
void unplug_dummy_free(struct unplug_dummies *dummies)
{
	dummies_free_list(&dummies->aged);
}

/* Every file was closed. */
void unplug_dummy_exit(void)
{
	WARN_ON(atomic_long_read(&dummies_live));
}
