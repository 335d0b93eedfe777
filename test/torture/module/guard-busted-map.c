// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings, all of an inode of the device's own, so that one zap finds them: see
 * guard-busted.h. The driver's table is one for all of them.
 */

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include "guard-busted.h"

#define BUSTED_FS_MAGIC 0x62757374	/* "bust" */

static struct vfsmount *mount;
static const struct vm_operations_struct *driver_ops;

static int fs_init_context(struct fs_context *fc)
{
	return init_pseudo(fc, BUSTED_FS_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type busted_fs = {
	.name = "torture-busted",
	.init_fs_context = fs_init_context,
	.kill_sb = kill_anon_super,
};

int busted_maps_init(void)
{
	mount = kern_mount(&busted_fs);
	return PTR_ERR_OR_ZERO(mount);
}

void busted_maps_exit(void)
{
	kern_unmount(mount);
}

int busted_map_init(struct busted_dev *dev)
{
	struct inode *inode = alloc_anon_inode(mount->mnt_sb);

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	inode->i_private = dev;
	dev->inode = inode;
	return 0;
}

static vm_fault_t guard_fault(struct vm_fault *vmf)
{
	struct busted_dev *dev = busted_of(vmf->vma->vm_file);
	int token = busted_enter_file(dev, vmf->vma->vm_file);
	vm_fault_t ret;

	if (token < 0)
		return VM_FAULT_SIGBUS;
	ret = READ_ONCE(driver_ops)->fault(vmf);
	busted_leave(dev, token);
	return ret;
}

static int guard_access(struct vm_area_struct *vma, unsigned long addr,
			void *buffer, int count, int write)
{
	struct busted_dev *dev = busted_of(vma->vm_file);
	int token = busted_enter_file(dev, vma->vm_file);
	int ret;

	if (token < 0)
		return -EIO;
	ret = READ_ONCE(driver_ops)->access(vma, addr, buffer, count, write);
	busted_leave(dev, token);
	return ret;
}

static const struct vm_operations_struct guard_vm_ops = {
	.fault = guard_fault,
	.access = guard_access,
};

/**
 * busted_map() - the driver's ->mmap, and the guard before its faults
 * @file: a file of a device, entered
 * @vma: the mapping to be
 *
 * Context: Process, mmap_lock held for writing.
 * Return: what the driver says.
 */
int busted_map(struct file *file, struct vm_area_struct *vma)
{
	int err = torture_fops.mmap(file, vma);

	if (err || busted(BUSTED_BARE_FAULT))
		return err;
	WRITE_ONCE(driver_ops, vma->vm_ops);
	vma->vm_ops = &guard_vm_ops;
	return 0;
}

/* Private copies included */
void busted_zap(struct busted_dev *dev)
{
	unmap_mapping_range(dev->inode->i_mapping, 0, 0, 1);
}

/**
 * busted_map_enter() - the driver is about to make a page table entry
 * @card: the card; in a fault
 *
 * Entries made in a hardware section are found by the zap at shut. With ONE_ZAP they are
 * made without, as they may be where there is another zap at drained.
 *
 * Context: Process. May sleep with a mistake.
 * Return: true if it may.
 */
bool busted_map_enter(struct torture_card *card)
{
	struct busted_dev *dev = to_busted(card);

	if (!busted(BUSTED_ONE_ZAP) && !busted(BUSTED_BARE_FAULT) &&
	    !busted_hw_enter(dev))
		return false;
	busted_window(BUSTED_ZAP_FIRST);
	busted_window(BUSTED_ONE_ZAP);
	return true;
}

void busted_map_exit(struct torture_card *card)
{
	if (!busted(BUSTED_ONE_ZAP) && !busted(BUSTED_BARE_FAULT))
		busted_hw_exit(to_busted(card));
}
