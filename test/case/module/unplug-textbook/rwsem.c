// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device as in the mail of 2013: every operation and fault holds the read
 * side of the device's own rwsem, and waits for it; unplug sets a flag under
 * the write side, which it gets when the last one has left, and unmaps. See
 * textbook.h.
 *
 * Kept as it is on purpose, with its deadlocks, for the cases of
 * ../../textbook.c.
 */

#include <linux/err.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu-rwsem.h>
#include <linux/slab.h>
#include "textbook.h"

/**
 * struct rwsem_card - a device
 * @card: what both kinds have
 * @active: read side: an operation; write side: unplug
 * @unplugged: written under the write side
 * @inode: the first one opened: its address space is the one that unplug
 *	   unmaps. Kept from then on
 * @misc: the node
 */
struct rwsem_card {
	struct textbook card;
	struct percpu_rw_semaphore active;
	bool unplugged;
	struct inode *inode;
	struct miscdevice misc;
};

static struct rwsem_card *to_rwsem(const struct textbook *card)
{
	return container_of(card, struct rwsem_card, card);
}

/*
 * Not inlined: tests look for the name where the kernel says who sleeps where.
 */
static noinline bool rwsem_enter(struct textbook *card,
				 struct textbook_visit *visit, const char *what)
{
	struct rwsem_card *rwsem = to_rwsem(card);

	textbook_visit_begin(visit, card, what);
	percpu_down_read(&rwsem->active);
	if (!rwsem->unplugged) {
		textbook_visit_inside(visit);
		return true;
	}
	percpu_up_read(&rwsem->active);
	textbook_visit_end(visit);
	return false;
}

static void rwsem_leave(struct textbook *card, struct textbook_visit *visit)
{
	textbook_visit_end(visit);
	percpu_up_read(&to_rwsem(card)->active);
}

static int rwsem_unplug(struct textbook *card)
{
	struct rwsem_card *rwsem = to_rwsem(card);
	struct textbook_visit visit;

	textbook_visit_begin(&visit, card, "unplug");
	percpu_down_write(&rwsem->active);
	rwsem->unplugged = true;
	percpu_up_write(&rwsem->active);
	textbook_visit_end(&visit);
	if (rwsem->inode)
		unmap_mapping_range(rwsem->inode->i_mapping, 0, 0, 1);
	return 0;
}

static bool rwsem_closed(const struct textbook *card)
{
	/* Set when the writer announces himself, cleared by his up_write. */
	return atomic_read(&to_rwsem(card)->active.block);
}

static struct textbook *card_of(const struct file *file)
{
	struct miscdevice *misc = file->private_data;

	return &container_of(misc, struct rwsem_card, misc)->card;
}

static int rwsem_open(struct inode *inode, struct file *file)
{
	struct textbook *card = card_of(file);
	struct textbook_visit visit;

	if (!rwsem_enter(card, &visit, "open"))
		return -ENODEV;
	ihold(inode);
	if (cmpxchg(&to_rwsem(card)->inode, NULL, inode))
		iput(inode);
	rwsem_leave(card, &visit);
	return 0;
}

static long rwsem_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct textbook *card = card_of(file);
	struct textbook_visit visit;
	long ret;

	if (!rwsem_enter(card, &visit, "ioctl"))
		return -ENODEV;
	ret = textbook_ioctl(card, cmd, arg);
	rwsem_leave(card, &visit);
	return ret;
}

static vm_fault_t rwsem_fault(struct vm_fault *vmf)
{
	struct textbook *card = vmf->vma->vm_private_data;
	struct textbook_visit visit;
	vm_fault_t ret;

	if (!rwsem_enter(card, &visit, "fault"))
		return VM_FAULT_SIGBUS;
	ret = textbook_fault(card, vmf);
	rwsem_leave(card, &visit);
	return ret;
}

static const struct vm_operations_struct rwsem_vm_ops = {
	.fault = rwsem_fault,
};

static int rwsem_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct textbook *card = card_of(file);
	struct textbook_visit visit;
	int err;

	if (!rwsem_enter(card, &visit, "mmap"))
		return -ENODEV;
	err = textbook_mmap(card, vma, &rwsem_vm_ops);
	rwsem_leave(card, &visit);
	return err;
}

static const struct file_operations rwsem_fops = {
	.owner = THIS_MODULE,
	.open = rwsem_open,
	.unlocked_ioctl = rwsem_ioctl,
	.mmap = rwsem_mmap,
};

static struct textbook *rwsem_find(const struct file *file)
{
	return file->f_op == &rwsem_fops ? card_of(file) : NULL;
}

static struct textbook *rwsem_make(unsigned int number)
{
	struct rwsem_card *rwsem;
	int err = -ENOMEM;

	rwsem = kzalloc(sizeof(*rwsem), GFP_KERNEL);
	if (!rwsem)
		return ERR_PTR(err);
	err = textbook_init(&rwsem->card, &textbook_rwsem, number);
	if (err)
		goto free;
	err = percpu_init_rwsem(&rwsem->active);
	if (err)
		goto deinit;
	rwsem->misc.minor = MISC_DYNAMIC_MINOR;
	rwsem->misc.name = rwsem->card.name;
	rwsem->misc.fops = &rwsem_fops;
	err = misc_register(&rwsem->misc);
	if (err)
		goto free_rwsem;
	return &rwsem->card;

free_rwsem:
	percpu_free_rwsem(&rwsem->active);
deinit:
	textbook_deinit(&rwsem->card);
free:
	kfree(rwsem);
	return ERR_PTR(err);
}

/* No file is open: they hold the module. So there are no mappings either. */
static void rwsem_unmake(struct textbook *card)
{
	struct rwsem_card *rwsem = to_rwsem(card);

	misc_deregister(&rwsem->misc);
	if (rwsem->inode)
		iput(rwsem->inode);
	percpu_free_rwsem(&rwsem->active);
	textbook_deinit(card);
	kfree(rwsem);
}

const struct textbook_kind textbook_rwsem = {
	.name = "textbook",
	.make = rwsem_make,
	.unmake = rwsem_unmake,
	.find = rwsem_find,
	.enter = rwsem_enter,
	.leave = rwsem_leave,
	.unplug = rwsem_unplug,
	.closed = rwsem_closed,
};
