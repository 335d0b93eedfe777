// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a card, behind two nodes: unplug-bench-bare, which nothing guards, and
 * unplug-bench-card, a device of the core that is made anew each time. Mappings are
 * filled by an ioctl, without being touched: what is to be taken away are entries, and the
 * memory is a file on the host.
 */

#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/srcu.h>
#include <unplug/device.h>
#include <unplug/mmap.h>
#include "bench.h"
#include "compat.h"

#define CARD_VENDOR	0x1af4
#define CARD_DEVICE	0x1110
#define CARD_BAR	2

/* A device of the core */
struct card_guarded {
	struct unplug_dev dev;
};

static struct pci_dev *card_pdev;
static struct unplug_iomem card_mem;
static void __iomem *card_bar;

/* The node that nothing guards: where its mappings are, and whether it is gone */
static struct address_space *card_mapping;
static bool card_gone;

/* What drm_dev_unplug() waits for: the readers of all devices */
DEFINE_STATIC_SRCU(card_srcu);

/* All pages of a mapping, which begins with the first of the card */
static int card_fill_mapping(struct vm_area_struct *vma)
{
	unsigned long pfn = PHYS_PFN(card_mem.start), addr;

	for (addr = vma->vm_start; addr < vma->vm_end; addr += PAGE_SIZE) {
		if (vmf_insert_pfn(vma, addr, pfn++) != VM_FAULT_NOPAGE)
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

/* In a hardware section, if there is a device */
static long card_fill(struct file *file, unsigned long addr,
		      struct unplug_dev *dev)
{
	struct vm_area_struct *vma;
	long err = -EINVAL;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	if (!vma || vma->vm_file != file || vma->vm_start != addr)
		goto unlock;
	err = -ENODEV;
	if (dev && !unplug_dev_hw_enter(dev))
		goto unlock;
	err = card_fill_mapping(vma);
	if (dev)
		unplug_dev_hw_exit(dev);
unlock:
	mmap_read_unlock(current->mm);
	return err;
}

static int bare_open(struct inode *inode, struct file *file)
{
	WRITE_ONCE(card_mapping, file->f_mapping);
	return nonseekable_open(inode, file);
}

static vm_fault_t bare_fault(struct vm_fault *vmf)
{
	if (READ_ONCE(card_gone))
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vmf->vma, vmf->address,
			      PHYS_PFN(card_mem.start) + vmf->pgoff);
}

static const struct vm_operations_struct bare_vm_ops = {
	.fault = bare_fault,
};

static int bare_mmap(struct file *file, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	vma->vm_ops = &bare_vm_ops;
	return 0;
}

static long bare_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return cmd == REVOKE_FILL ? card_fill(file, arg, NULL) : -ENOTTY;
}

static const struct file_operations bare_fops = {
	.owner = THIS_MODULE,
	.open = bare_open,
	.mmap = bare_mmap,
	.unlocked_ioctl = bare_ioctl,
};

static struct miscdevice bare_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "unplug-bench-bare",
	.fops = &bare_fops,
};

static int guarded_mmap(struct file *file, struct vm_area_struct *vma)
{
	return unplug_iomem_mmap(&card_mem, vma);
}

static int populated_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long size = vma->vm_end - vma->vm_start;

	if (vma->vm_pgoff || size > card_mem.size)
		return -EINVAL;
	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(card_mem.start), size,
			       pgprot_writecombine(vma->vm_page_prot));
}

static long guarded_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return cmd == REVOKE_FILL ?
		card_fill(file, arg, unplug_dev_from_file(file)) : -ENOTTY;
}

static const struct file_operations guarded_fops = {
	.owner = THIS_MODULE,
	.mmap = guarded_mmap,
	.unlocked_ioctl = guarded_ioctl,
};

static const struct file_operations populated_fops = {
	.owner = THIS_MODULE,
	.mmap = populated_mmap,
	.unlocked_ioctl = guarded_ioctl,
};

static const struct unplug_driver guarded_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-bench-card",
	.fops = &guarded_fops,
};

static const struct unplug_driver populated_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-bench-card",
	.fops = &populated_fops,
	.populates = true,
};

/* NULL for the kinds that are no device of the core */
struct unplug_dev *card_make(enum revoke_kind kind)
{
	struct card_guarded *card;
	int err;

	WRITE_ONCE(card_gone, false);
	if (kind == REVOKE_ZAP || kind == REVOKE_SRCU)
		return NULL;
	card = unplug_dev_alloc(kind == REVOKE_POPULATED ? &populated_driver :
							   &guarded_driver,
				NULL, struct card_guarded, dev);
	if (IS_ERR(card))
		return ERR_CAST(card);
	if (kind == REVOKE_DUMMY)
		unplug_dev_set_policy(&card->dev, UNPLUG_POLICY_DUMMY);
	err = unplug_dev_register(&card->dev, "unplug-bench-card");
	if (err) {
		unplug_dev_put(&card->dev);
		return ERR_PTR(err);
	}
	return &card->dev;
}

/* What nothing guards is taken away; the address space is there while a file is. */
void card_pull_bare(enum revoke_kind kind)
{
	WRITE_ONCE(card_gone, true);
	if (kind == REVOKE_SRCU)
		synchronize_srcu(&card_srcu);
	unmap_mapping_range(READ_ONCE(card_mapping), 0, 0, 1);
}

/* As drivers do it; the memory type of mappings is that of the kernel's own. */
static int card_get_hw(void)
{
	int err = pci_enable_device_mem(card_pdev);

	if (err)
		return err;
	err = pci_request_region(card_pdev, CARD_BAR, "unplug-bench");
	if (err)
		goto disable;
	card_mem.start = pci_resource_start(card_pdev, CARD_BAR);
	card_mem.size = pci_resource_len(card_pdev, CARD_BAR);
	card_mem.cache = UNPLUG_IOMEM_WC;
	card_bar = pci_iomap_wc(card_pdev, CARD_BAR, 0);
	if (card_bar)
		return 0;
	err = -ENOMEM;
	pci_release_region(card_pdev, CARD_BAR);
disable:
	pci_disable_device(card_pdev);
	return err;
}

static void card_put_hw(void)
{
	pci_iounmap(card_pdev, card_bar);
	pci_release_region(card_pdev, CARD_BAR);
	pci_disable_device(card_pdev);
}

/* -ENODEV: the machine has no card. */
int card_init(void)
{
	int err;

	card_pdev = pci_get_device(CARD_VENDOR, CARD_DEVICE, NULL);
	if (!card_pdev)
		return -ENODEV;
	err = card_get_hw();
	if (err)
		goto put;
	err = misc_register(&bare_misc);
	if (!err)
		return 0;
	card_put_hw();
put:
	pci_dev_put(card_pdev);
	return err;
}

void card_exit(void)
{
	misc_deregister(&bare_misc);
	card_put_hw();
	pci_dev_put(card_pdev);
}
