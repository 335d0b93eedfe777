// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver with ->mmap_prepare, for the cases of ../prepare.c; it cannot be loaded where
 * the kernel has none that the core could call (EOPNOTSUPP). The offset of a mapping says
 * what is mapped:
 *
 *	0		four pages in a row, page n filled with n + 1, by the kernel
 *	FAULTS		the same, by a fault handler (kind=gated)
 *	FAILING		as 0, but the last step, ->mapped, fails
 *	BUS_WC		@size bytes from @start: a BAR of somebody's, writes combined
 *
 * The node is /dev/unplug-prepare; writing to the parameter pull unplugs it. It is guarded
 *
 *	kind=gated	by the core
 *	kind=textbook	by a lock around each operation, a flag, and a zap
 *
 * The kernel does what ->mmap_prepare asked for after it has linked the mapping, which is
 * what the parameter window (window.h) holds up.
 */

#include <linux/module.h>
#include "compat.h"

#ifdef UNPLUG_HAVE_MMAP_PREPARE

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/rwsem.h>
#include <linux/string.h>
#include <unplug/device.h>
#include "window.h"

#define NODE "unplug-prepare"
#define PAGES 4
#define ORDER 2

#define FAULTS		16
#define FAILING		32
#define BUS_WC		48

static char *kind = "gated";
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "gated, or textbook");

static unsigned long start;
module_param(start, ulong, 0444);
MODULE_PARM_DESC(start, "physical address of memory to map");

static unsigned long size;
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "its size in bytes");

/* The first mapping, and ends of mappings, that the driver was told of */
static int mapped, closed;
module_param(mapped, int, 0444);
module_param(closed, int, 0444);

static struct page *pages;

struct prepare {
	struct unplug_dev dev;
};

static struct prepare *prepare;

/*
 * What is mapped
 */

static int row_mapped(unsigned long from, unsigned long to, pgoff_t pgoff,
		      const struct file *file, void **private)
{
	mapped++;
	return 0;
}

static int failing_mapped(unsigned long from, unsigned long to, pgoff_t pgoff,
			  const struct file *file, void **private)
{
	return -EPROTO;
}

static void row_close(struct vm_area_struct *vma)
{
	closed++;
}

static vm_fault_t faults_fault(struct vm_fault *vmf)
{
	unsigned long pfn = page_to_pfn(pages) + vmf->pgoff - FAULTS;
	vm_fault_t ret;

	if (!unplug_dev_hw_enter(&prepare->dev))
		return VM_FAULT_SIGBUS;
	ret = vmf_insert_pfn(vmf->vma, vmf->address, pfn);
	unplug_dev_hw_exit(&prepare->dev);
	return ret;
}

static const struct vm_operations_struct row_vm_ops = {
	.mapped = row_mapped,
	.close = row_close,
};

static const struct vm_operations_struct failing_vm_ops = {
	.mapped = failing_mapped,
};

static const struct vm_operations_struct faults_vm_ops = {
	.fault = faults_fault,
};

static int prepare_map(struct vm_area_desc *desc)
{
	unsigned long bytes = vma_desc_size(desc);

	if (bytes > (desc->pgoff == BUS_WC ? size : PAGES * PAGE_SIZE))
		return -EINVAL;
	switch (desc->pgoff) {
	case 0:
		desc->vm_ops = &row_vm_ops;
		mmap_action_remap_full(desc, page_to_pfn(pages));
		return 0;
	case FAULTS:
		desc->vm_ops = &faults_vm_ops;
		vma_desc_set_flags(desc, VMA_IO_BIT, VMA_PFNMAP_BIT);
		return 0;
	case FAILING:
		desc->vm_ops = &failing_vm_ops;
		mmap_action_remap_full(desc, page_to_pfn(pages));
		return 0;
	case BUS_WC:
		desc->page_prot = pgprot_writecombine(desc->page_prot);
		mmap_action_ioremap_full(desc, PHYS_PFN(start));
		return 0;
	default:
		return -EINVAL;
	}
}

/*
 * kind=gated
 */

static const struct file_operations gated_fops = {
	.owner = THIS_MODULE,
	.mmap_prepare = prepare_map,
};

static const struct unplug_driver gated_driver = {
	.owner = THIS_MODULE,
	.name = NODE,
	.fops = &gated_fops,
	.populates = true,
};

static int gated_make(void)
{
	int err;

	prepare = unplug_dev_alloc(&gated_driver, NULL, struct prepare, dev);
	if (IS_ERR(prepare))
		return PTR_ERR(prepare);
	err = unplug_dev_register(&prepare->dev, NODE);
	if (err)
		unplug_dev_put(&prepare->dev);
	return err;
}

static void gated_unmake(void)
{
	unplug_dev_unplug(&prepare->dev);
	unplug_dev_wait_gone(&prepare->dev);
	unplug_dev_put(&prepare->dev);
}

/*
 * kind=textbook
 */

static DECLARE_RWSEM(active);
static bool dead;		/* written under active, for writing */
static struct inode *node;	/* the first one opened, kept */

static int textbook_open(struct inode *inode, struct file *file)
{
	ihold(inode);
	if (cmpxchg(&node, NULL, inode))
		iput(inode);
	return 0;
}

static int textbook_mmap_prepare(struct vm_area_desc *desc)
{
	int err = -ENODEV;

	down_read(&active);
	if (!dead)
		err = prepare_map(desc);
	up_read(&active);
	return err;
}

static void textbook_unplug(void)
{
	down_write(&active);
	dead = true;
	up_write(&active);
	if (node)
		unmap_mapping_range(node->i_mapping, 0, 0, 1);
}

static const struct file_operations textbook_fops = {
	.owner = THIS_MODULE,
	.open = textbook_open,
	.mmap_prepare = textbook_mmap_prepare,
};

static struct miscdevice textbook_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = NODE,
	.fops = &textbook_fops,
};

static void textbook_unmake(void)
{
	misc_deregister(&textbook_misc);
	iput(node);
}

/*
 * The window
 */

/* The guards' table is not there yet. */
static bool is_ours(const struct pt_regs *regs)
{
	const struct vm_area_struct *vma = (void *)regs->di;

	return vma->vm_ops == &row_vm_ops;
}

static struct window window = {
	WINDOW_AT("mmap_action_complete"),
	.is_ours = is_ours,
};

module_param_cb(window, &window_ops, &window, 0600);

/*
 * The module
 */

static bool is_textbook(void)
{
	return !strcmp(kind, "textbook");
}

static int prepare_pull(const char *text, const struct kernel_param *param)
{
	/* All parameters of a module have one lock; ours waits for the window, which is one. */
	kernel_param_unlock(THIS_MODULE);
	if (is_textbook())
		textbook_unplug();
	else if (prepare)
		unplug_dev_unplug(&prepare->dev);
	kernel_param_lock(THIS_MODULE);
	return 0;
}

static const struct kernel_param_ops pull_ops = {
	.set = prepare_pull,
};
module_param_cb(pull, &pull_ops, NULL, 0200);

static int __init prepare_init(void)
{
	int i, err;

	pages = alloc_pages(GFP_KERNEL, ORDER);
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < PAGES; i++)
		memset(page_address(pages + i), i + 1, PAGE_SIZE);
	window_init(&window);
	err = is_textbook() ? misc_register(&textbook_misc) : gated_make();
	if (!err)
		return 0;
	window_exit(&window);
	__free_pages(pages, ORDER);
	return err;
}

static void __exit prepare_exit(void)
{
	if (is_textbook())
		textbook_unmake();
	else
		gated_unmake();
	window_exit(&window);
	__free_pages(pages, ORDER);
}

#else

static int __init prepare_init(void)
{
	return -EOPNOTSUPP;
}

static void __exit prepare_exit(void)
{
}

#endif

module_init(prepare_init);
module_exit(prepare_exit);
MODULE_DESCRIPTION("A driver with ->mmap_prepare, for the tests of unplug");
MODULE_LICENSE("GPL");
