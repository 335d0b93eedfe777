// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plain algorithm: a lock around each operation and fault, a flag set under it by
 * unplug, then a zap. What it zaps, and the functions it forgets, are its mistakes; they
 * are kept on purpose. See hole.h.
 */

#include <linux/err.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <unplug/hook.h>
#include "hole.h"

/**
 * struct textbook - the device
 * @hole: what it does
 * @misc: its node
 * @active: read side: an operation; write side: unplug
 * @unplugged: set under @active
 * @inode: of the node first opened; kept
 * @vmas_lock: protects @vmas
 * @vmas: the mappings it knows
 */
struct textbook {
	struct hole hole;
	struct miscdevice misc;
	struct rw_semaphore active;
	bool unplugged;
	struct inode *inode;
	struct mutex vmas_lock;
	struct list_head vmas;
};

struct textbook_vma {
	struct list_head node;
	struct vm_area_struct *vma;
};

static struct textbook *to_textbook(struct hole *hole)
{
	return container_of(hole, struct textbook, hole);
}

static bool textbook_enter(struct hole *hole, bool forgotten)
{
	struct textbook *card = to_textbook(hole);

	if (forgotten) {
		unplug_hook(UNPLUG_HOOK_OPERATION);
		return true;
	}
	down_read(&card->active);
	if (!card->unplugged)
		return true;
	up_read(&card->active);
	return false;
}

static void textbook_leave(struct hole *hole, bool forgotten)
{
	if (!forgotten)
		up_read(&to_textbook(hole)->active);
}

/* The newest first, as lists are made by list_add(). */
static void textbook_track(struct hole *hole, struct vm_area_struct *vma,
			   bool by_open)
{
	struct textbook *card = to_textbook(hole);
	struct textbook_vma *entry;

	if (!hole_zap_list || (by_open && !hole_opens))
		return;
	entry = kmalloc(sizeof(*entry), GFP_KERNEL | __GFP_NOFAIL);
	entry->vma = vma;
	mutex_lock(&card->vmas_lock);
	list_add(&entry->node, &card->vmas);
	mutex_unlock(&card->vmas_lock);
}

static void textbook_untrack(struct hole *hole, struct vm_area_struct *vma)
{
	struct textbook *card = to_textbook(hole);
	struct textbook_vma *entry, *next;

	mutex_lock(&card->vmas_lock);
	list_for_each_entry_safe(entry, next, &card->vmas, node) {
		if (entry->vma != vma)
			continue;
		list_del(&entry->node);
		kfree(entry);
	}
	mutex_unlock(&card->vmas_lock);
}

static void textbook_zap_list(struct textbook *card)
{
	struct textbook_vma *entry;

	mutex_lock(&card->vmas_lock);
	list_for_each_entry(entry, &card->vmas, node) {
		zap_special_vma_range(entry->vma, entry->vma->vm_start,
				      entry->vma->vm_end -
					      entry->vma->vm_start);
	}
	mutex_unlock(&card->vmas_lock);
}

static void textbook_unplug(struct hole *hole)
{
	struct textbook *card = to_textbook(hole);

	down_write(&card->active);
	card->unplugged = true;
	up_write(&card->active);
	if (hole_zap_list)
		textbook_zap_list(card);
	else if (card->inode)
		unmap_mapping_range(card->inode->i_mapping, 0, 0, hole_cows);
}

static struct textbook *textbook_of(const struct file *file)
{
	return container_of(file->private_data, struct textbook, misc);
}

static int textbook_open(struct inode *inode, struct file *file)
{
	struct textbook *card = textbook_of(file);

	if (!textbook_enter(&card->hole, false))
		return -ENODEV;
	ihold(inode);
	if (cmpxchg(&card->inode, NULL, inode))
		iput(inode);
	textbook_leave(&card->hole, false);
	return 0;
}

static int textbook_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct textbook *card = textbook_of(file);
	int err;

	if (!textbook_enter(&card->hole, false))
		return -ENODEV;
	err = hole_mmap(&card->hole, vma);
	textbook_leave(&card->hole, false);
	unplug_hook(UNPLUG_HOOK_MMAP);
	return err;
}

static const struct file_operations textbook_fops = {
	.owner = THIS_MODULE,
	.open = textbook_open,
	.mmap = textbook_mmap,
};

static struct hole *textbook_make(void)
{
	struct textbook *card = kzalloc(sizeof(*card), GFP_KERNEL);
	int err;

	if (!card)
		return ERR_PTR(-ENOMEM);
	init_rwsem(&card->active);
	mutex_init(&card->vmas_lock);
	INIT_LIST_HEAD(&card->vmas);
	err = hole_init(&card->hole, &hole_textbook);
	if (err)
		goto free;
	card->misc.minor = MISC_DYNAMIC_MINOR;
	card->misc.name = HOLE_NODE;
	card->misc.fops = &textbook_fops;
	err = misc_register(&card->misc);
	if (!err)
		return &card->hole;
	hole_deinit(&card->hole);
free:
	kfree(card);
	return ERR_PTR(err);
}

/* No file is open: they hold the module. So there are no mappings either. */
static void textbook_unmake(struct hole *hole)
{
	struct textbook *card = to_textbook(hole);

	misc_deregister(&card->misc);
	if (card->inode)
		iput(card->inode);
	hole_deinit(hole);
	kfree(card);
}

const struct hole_kind hole_textbook = {
	.name = "textbook",
	.make = textbook_make,
	.unmake = textbook_unmake,
	.unplug = textbook_unplug,
	.enter = textbook_enter,
	.leave = textbook_leave,
	.track = textbook_track,
	.untrack = textbook_untrack,
};
