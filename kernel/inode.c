// SPDX-License-Identifier: GPL-2.0-only
/*
 * One inode of the core per device. Nobody can name it; its address space owns
 * all mappings of the device, whichever node (a device may have several: mknod)
 * they were opened through, so that one zap finds them all.
 */

#include <linux/err.h>
#include <linux/export.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <unplug/mmap.h>
#include "internal.h"

#define UNPLUG_FS_MAGIC 0x756e706c	/* "unpl" */

static int unplug_fs_init_context(struct fs_context *fc)
{
	return init_pseudo(fc, UNPLUG_FS_MAGIC) ? 0 : -ENOMEM;
}

/*
 * Without an owner: the mount would pin the module it is made by. The module's
 * exit runs only when no device, so no inode, is left.
 */
static struct file_system_type unplug_fs = {
	.name = "unplug",
	.init_fs_context = unplug_fs_init_context,
	.kill_sb = kill_anon_super,
};

static struct vfsmount *unplug_mount;

int unplug_inode_init(void)
{
	unplug_mount = kern_mount(&unplug_fs);
	return PTR_ERR_OR_ZERO(unplug_mount);
}

void unplug_inode_exit(void)
{
	kern_unmount(unplug_mount);
}

/**
 * unplug_inode_new() - an inode for a device
 *
 * Context: Process. May sleep.
 * Return: an inode, to be given back by iput(), or an ERR_PTR.
 */
struct inode *unplug_inode_new(void)
{
	return alloc_anon_inode(unplug_mount->mnt_sb);
}

/**
 * unplug_dev_adopt_file() - have the mappings of another file revoked with the device's
 * @dev: the device
 * @file: a file the driver has made that is no open file of the device, and that nobody
 *	  has mapped or can map yet: of a dma-buf, before its descriptor is given out
 *
 * The file's ->mmap maps by unplug_iomem_mmap(), and nothing else: these mappings have no
 * guards but that helper's own, which is enough. After unplug they raise SIGBUS,
 * whatever the policy. The file's operations have no guards at all and run after gone,
 * too: what ->gone frees they may not use, and the file has to keep the driver's module.
 *
 * Ownership: the file's maker takes a reference of @dev for it (unplug_dev_get()), and puts
 *	    it when the file is released; with a front end, one of what keeps the inode
 *	    (unplug_front_alloc()): the drm_device.
 * Context: Process.
 */
void unplug_dev_adopt_file(struct unplug_dev *dev, struct file *file)
{
	file->f_mapping = dev->mapping;
}
EXPORT_SYMBOL_GPL(unplug_dev_adopt_file);
