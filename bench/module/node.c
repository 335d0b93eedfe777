// SPDX-License-Identifier: GPL-2.0-only
/*
 * Three nodes with the same operations, for bench/ops to call:
 *
 *	unplug-bench-plain	nothing guards it
 *	unplug-bench-gates	enters the two gates and does nothing else about them: what
 *				a guard cannot cost less than
 *	unplug-bench-guarded	a device of the core whose driver enters hardware
 *				sections where it should
 *
 * What is read and mapped is a page of memory, so that the difference is not lost in
 * what a card costs.
 */

#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <unplug/device.h>
#include "bench.h"
#include "compat.h"

enum node_kind {
	NODE_PLAIN,
	NODE_GATES,
	NODE_GUARDED,
};

struct node {
	struct unplug_dev dev;
};

static struct node *node_guarded;
static struct page *node_page;

static __always_inline struct unplug_dev *node_dev(enum node_kind kind,
						   struct file *file)
{
	switch (kind) {
	case NODE_GATES:
		return &node_guarded->dev;
	case NODE_GUARDED:
		return unplug_dev_from_file(file);
	default:
		return NULL;
	}
}

/* What the core does for a guarded node, less how it finds device and driver */
static __always_inline bool node_enter(enum node_kind kind)
{
	return kind != NODE_GATES || unplug_dev_get_active(&node_guarded->dev);
}

static __always_inline void node_leave(enum node_kind kind)
{
	if (kind == NODE_GATES)
		unplug_dev_put_active(&node_guarded->dev);
}

static __always_inline long node_ioctl(enum node_kind kind)
{
	if (!node_enter(kind))
		return -ENODEV;
	node_leave(kind);
	return 0;
}

/* What drivers do with hardware: a buffer of their own, then to the user */
static __always_inline ssize_t node_copy(struct unplug_dev *dev, char __user *to,
					 size_t count)
{
	void *buffer = (void *)__get_free_page(GFP_KERNEL);
	ssize_t ret = -ENODEV;

	if (!buffer)
		return -ENOMEM;
	count = min_t(size_t, count, PAGE_SIZE);
	if (dev && !unplug_dev_hw_enter(dev))
		goto free;
	memcpy(buffer, page_address(node_page), count);
	if (dev)
		unplug_dev_hw_exit(dev);
	ret = copy_to_user(to, buffer, count) ? -EFAULT : count;
free:
	free_page((unsigned long)buffer);
	return ret;
}

static __always_inline ssize_t node_read(struct file *file, char __user *to,
					 size_t count, enum node_kind kind)
{
	ssize_t ret;

	if (!node_enter(kind))
		return -ENODEV;
	ret = node_copy(node_dev(kind, file), to, count);
	node_leave(kind);
	return ret;
}

static __always_inline vm_fault_t node_insert(struct unplug_dev *dev,
					      struct vm_fault *vmf)
{
	vm_fault_t ret;

	if (dev && !unplug_dev_hw_enter(dev))
		return VM_FAULT_SIGBUS;
	ret = vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(node_page));
	if (dev)
		unplug_dev_hw_exit(dev);
	return ret;
}

static __always_inline vm_fault_t node_fault(struct vm_fault *vmf,
					     enum node_kind kind)
{
	vm_fault_t ret;

	if (!node_enter(kind))
		return VM_FAULT_SIGBUS;
	ret = node_insert(node_dev(kind, vmf->vma->vm_file), vmf);
	node_leave(kind);
	return ret;
}

/* The operations of one kind, in functions of their own */
#define NODE_FOPS(name, kind)						\
static long node_ioctl_##name(struct file *file, unsigned int cmd,	\
			      unsigned long arg)			\
{									\
	return node_ioctl(kind);					\
}									\
									\
static ssize_t node_read_##name(struct file *file, char __user *to,	\
				size_t count, loff_t *pos)		\
{									\
	return node_read(file, to, count, kind);			\
}									\
									\
static vm_fault_t node_fault_##name(struct vm_fault *vmf)		\
{									\
	return node_fault(vmf, kind);					\
}									\
									\
static const struct vm_operations_struct node_vm_ops_##name = {		\
	.fault = node_fault_##name,					\
};									\
									\
static int node_mmap_##name(struct file *file, struct vm_area_struct *vma) \
{									\
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP); \
	vma->vm_ops = &node_vm_ops_##name;				\
	return 0;							\
}									\
									\
static const struct file_operations node_fops_##name = {		\
	.owner = THIS_MODULE,						\
	.open = nonseekable_open,					\
	.unlocked_ioctl = node_ioctl_##name,				\
	.read = node_read_##name,					\
	.mmap = node_mmap_##name,					\
}

NODE_FOPS(plain, NODE_PLAIN);
NODE_FOPS(gates, NODE_GATES);
NODE_FOPS(guarded, NODE_GUARDED);

static struct miscdevice node_misc[] = {
	{
		.minor = MISC_DYNAMIC_MINOR,
		.name = "unplug-bench-plain",
		.fops = &node_fops_plain,
	}, {
		.minor = MISC_DYNAMIC_MINOR,
		.name = "unplug-bench-gates",
		.fops = &node_fops_gates,
	},
};

static const struct unplug_driver node_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-bench",
	.fops = &node_fops_guarded,
};

static int node_init_guarded(void)
{
	int err;

	node_guarded = unplug_dev_alloc(&node_driver, NULL, struct node, dev);
	if (IS_ERR(node_guarded))
		return PTR_ERR(node_guarded);
	err = unplug_dev_register(&node_guarded->dev, "unplug-bench-guarded");
	if (err)
		unplug_dev_put(&node_guarded->dev);
	return err;
}

static void node_exit_guarded(void)
{
	unplug_dev_unplug(&node_guarded->dev);
	unplug_dev_wait_gone(&node_guarded->dev);
	unplug_dev_put(&node_guarded->dev);
}

int node_init(void)
{
	int err = -ENOMEM;

	node_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!node_page)
		return err;
	err = node_init_guarded();
	if (err)
		goto free;
	err = misc_register(&node_misc[0]);
	if (err)
		goto guarded;
	err = misc_register(&node_misc[1]);
	if (err)
		goto misc;
	return 0;
misc:
	misc_deregister(&node_misc[0]);
guarded:
	node_exit_guarded();
free:
	__free_page(node_page);
	return err;
}

void node_exit(void)
{
	misc_deregister(&node_misc[1]);
	misc_deregister(&node_misc[0]);
	node_exit_guarded();
	__free_page(node_page);
}
