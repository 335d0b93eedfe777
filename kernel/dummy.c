// SPDX-License-Identifier: GPL-2.0-only
/*
 * What users find in a revoked mapping if the device's policy is not SIGBUS: a page
 * of system memory that reads as zeroes and keeps what is written to it.
 *
 * There is one for each process and open file, whatever the size of its mappings:
 * who maps a gigabyte of a card must not take a gigabyte of memory when it goes. It
 * is allocated by the first touch and charged to who touches. Mappings do not
 * count it (VM_PFNMAP); it is freed at the last close of the file, when
 * no mapping of the file is left, or before that if its process is gone.
 *
 * No process sees another's: a page belongs to one struct mm_struct, which is kept
 * so that no later process can be taken for it; and children do not inherit
 * page table entries (VM_WIPEONFORK), they fault for themselves.
 */

#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "internal.h"

/**
 * struct unplug_dummy - a page of one process
 * @node: in the list of the file; under the device's files_lock
 * @mm: the process; its structure is kept, not its memory
 * @page: its page
 */
struct unplug_dummy {
	struct list_head node;
	struct mm_struct *mm;
	struct page *page;
};

static struct unplug_dummy *dummy_find(struct list_head *dummies,
				       struct mm_struct *mm)
{
	struct unplug_dummy *dummy;

	list_for_each_entry(dummy, dummies, node) {
		if (dummy->mm == mm)
			return dummy;
	}
	return NULL;
}

/*
 * Nobody runs, nor will run, in a process without users; its entries need not be
 * gone: taking them away does not touch the page.
 */
static void dummies_move_dead(struct list_head *dummies, struct list_head *dead)
{
	struct unplug_dummy *dummy, *next;

	list_for_each_entry_safe(dummy, next, dummies, node) {
		if (!atomic_read(&dummy->mm->mm_users))
			list_move(&dummy->node, dead);
	}
}

static struct unplug_dummy *dummy_new(struct mm_struct *mm)
{
	struct unplug_dummy *dummy = kmalloc(sizeof(*dummy), GFP_KERNEL_ACCOUNT);

	if (!dummy)
		return NULL;
	dummy->page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!dummy->page) {
		kfree(dummy);
		return NULL;
	}
	dummy->mm = mm;
	mmgrab(mm);
	return dummy;
}

/**
 * unplug_dummy_free() - give dummy pages back
 * @dummies: a list nobody else can reach, of pages that nobody can
 *
 * Context: Process. May sleep.
 */
void unplug_dummy_free(struct list_head *dummies)
{
	struct unplug_dummy *dummy, *next;

	list_for_each_entry_safe(dummy, next, dummies, node) {
		mmdrop(dummy->mm);
		__free_page(dummy->page);
		kfree(dummy);
	}
}

/* The page of the process @mm for @file, made if it has none; NULL: no memory. */
static struct page *dummy_page(struct file *file, struct mm_struct *mm)
{
	struct unplug_dev *dev = unplug_dev_from_file(file);
	struct unplug_dummy *dummy, *fresh;
	struct list_head *dummies;
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
	dummies_move_dead(dummies, &unused);
	dummy = dummy_find(dummies, mm);	/* of another thread */
	list_add(&fresh->node, dummy ? &unused : dummies);
	spin_unlock(&dev->files_lock);
	unplug_dummy_free(&unused);
	return (dummy ?: fresh)->page;
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
