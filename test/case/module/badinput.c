// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that calls the core the wrong way, for the cases of ../input.c. What
 * it does is said by its parameter; what it was answered is the error of its
 * loading. The ways that need a user (page, locked, mixed, nothing, populate, large, many,
 * replace) stay loaded, with the node /dev/unplug-bad0.
 */

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/string.h>
#include <unplug/device.h>
#include "compat.h"

static char *what = "";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "which mistake to make");

struct bad {
	struct unplug_dev dev;
};

static struct bad *bad;
static struct page *bad_page;

static vm_fault_t bad_fault(struct vm_fault *vmf)
{
	get_page(bad_page);
	vmf->page = bad_page;
	if (strcmp(what, "locked"))
		return 0;
	lock_page(bad_page);
	return VM_FAULT_LOCKED;
}

static const struct vm_operations_struct bad_vm_ops = {
	.fault = bad_fault,
};

static unsigned long bad_pagesize(struct vm_area_struct *vma)
{
	return PAGE_SIZE;
}

static void bad_close(struct vm_area_struct *vma)
{
	pr_info("unplug-badinput: mapping closed\n");
}

static const struct vm_operations_struct large_vm_ops = {
	.close = bad_close,
	.fault = bad_fault,
	.pagesize = bad_pagesize,
};

/* Each mapping has a table of its own, until there are none left. */
static struct vm_operations_struct many_vm_ops[UNPLUG_VM_OPS_MAX + 1];

static int bad_mmap_many(struct vm_area_struct *vma)
{
	static atomic_t made;
	unsigned int i = atomic_inc_return(&made) - 1;

	if (i >= ARRAY_SIZE(many_vm_ops))
		return -ENOSR;
	many_vm_ops[i] = bad_vm_ops;
	vma->vm_ops = &many_vm_ops[i];
	vm_flags_set(vma, VM_PFNMAP);
	return 0;
}

static int bad_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (!strcmp(what, "page") || !strcmp(what, "locked") || !strcmp(what, "mixed")) {
		vma->vm_ops = &bad_vm_ops;
		if (!strcmp(what, "mixed"))
			return vm_insert_page(vma, vma->vm_start, bad_page);
		vm_flags_set(vma, VM_PFNMAP);
		return 0;
	}
	if (!strcmp(what, "populate")) {
		vma->vm_ops = &bad_vm_ops;
		return remap_pfn_range(vma, vma->vm_start,
				       page_to_pfn(bad_page), PAGE_SIZE,
				       vma->vm_page_prot);
	}
	if (!strcmp(what, "many"))
		return bad_mmap_many(vma);
	if (!strcmp(what, "large"))
		vma->vm_ops = &large_vm_ops;
	if (!strcmp(what, "nothing") || !strcmp(what, "large"))
		vm_flags_set(vma, VM_PFNMAP);
	return 0;
}

static int other_release(struct inode *inode, struct file *file)
{
	pr_info("unplug-badinput: released by the other table\n");
	return 0;
}

static const struct file_operations other_fops = {
	.owner = THIS_MODULE,
	.release = other_release,
};

static int bad_open(struct inode *inode, struct file *file)
{
	const struct file_operations *other = &other_fops;

	if (!strcmp(what, "replace"))
		replace_fops(file, fops_get(other));
	return 0;
}

static const struct file_operations bad_fops = {
	.owner = THIS_MODULE,
	.open = bad_open,
	.mmap = bad_mmap,
};

static const struct unplug_driver bad_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-badinput",
	.fops = &bad_fops,
};

static const struct unplug_driver empty_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-badinput",
};

static struct bad *bad_make(void)
{
	struct bad *made;
	int err;

	made = unplug_dev_alloc(&bad_driver, NULL, struct bad, dev);
	if (IS_ERR(made))
		return made;
	err = unplug_dev_register(&made->dev, "unplug-bad0");
	if (!err)
		return made;
	unplug_dev_put(&made->dev);
	return ERR_PTR(err);
}

static void bad_unmake(struct bad *made)
{
	unplug_dev_unplug(&made->dev);
	unplug_dev_put(&made->dev);
}

/* The first device is as it should be; then something goes wrong. */
static int bad_after_first(void)
{
	struct bad *first = bad_make(), *second;
	int err = -EIO;

	if (IS_ERR(first))
		return PTR_ERR(first);
	if (!strcmp(what, "twice")) {
		err = unplug_dev_register(&first->dev, "unplug-bad1");
	} else if (!strcmp(what, "again")) {
		unplug_dev_unplug(&first->dev);
		err = unplug_dev_register(&first->dev, "unplug-bad1");
	} else if (!strcmp(what, "late")) {
		err = unplug_dev_set_policy(&first->dev, UNPLUG_POLICY_DUMMY);
	} else if (!strcmp(what, "name")) {
		second = bad_make();
		err = PTR_ERR_OR_ZERO(second);
		if (!err)
			bad_unmake(second);
		/* Newer kernels keep this answer to loading for themselves. */
		if (err == -EEXIST)
			err = -ENOTUNIQ;
	}
	bad_unmake(first);
	return err ?: -EPROTO;	/* loading has to fail in any case */
}

static int bad_unregistered(void)
{
	struct bad *made;
	int err = -EIO;

	made = unplug_dev_alloc(strcmp(what, "operations") ? &bad_driver :
							     &empty_driver,
				NULL, struct bad, dev);
	if (IS_ERR(made))
		return PTR_ERR(made);
	if (!strcmp(what, "unregistered"))
		err = unplug_dev_unplug(&made->dev);
	else if (!strcmp(what, "empty"))
		err = unplug_dev_register(&made->dev, "%s", "");
	else if (!strcmp(what, "policy"))
		err = unplug_dev_set_policy(&made->dev, UNPLUG_POLICY_DUMMY + 1);
	unplug_dev_put(&made->dev);
	return err ?: -EPROTO;
}

static int __init bad_init(void)
{
	if (!strcmp(what, "twice") || !strcmp(what, "again") ||
	    !strcmp(what, "name") || !strcmp(what, "late") ||
	    !strcmp(what, "probe"))
		return bad_after_first();
	if (!strcmp(what, "operations") || !strcmp(what, "unregistered") ||
	    !strcmp(what, "alloc") || !strcmp(what, "empty") ||
	    !strcmp(what, "policy"))
		return bad_unregistered();
	if (strcmp(what, "nothing") && strcmp(what, "page") &&
	    strcmp(what, "populate") && strcmp(what, "large") &&
	    strcmp(what, "many") && strcmp(what, "mixed") && strcmp(what, "replace") &&
	    strcmp(what, "locked")) {
		pr_err("unplug-badinput: what=%s: no such mistake\n", what);
		return -ENOENT;
	}

	bad_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!bad_page)
		return -ENOMEM;
	bad = bad_make();
	if (!IS_ERR(bad))
		return 0;
	__free_page(bad_page);
	return PTR_ERR(bad);
}

static void __exit bad_exit(void)
{
	bad_unmake(bad);
	/* What a handler returned was given back. */
	WARN_ON(PageLocked(bad_page) || page_count(bad_page) != 1);
	__free_page(bad_page);
}

module_init(bad_init);
module_exit(bad_exit);
MODULE_DESCRIPTION("A driver that makes mistakes, for the tests of unplug");
MODULE_LICENSE("GPL");
