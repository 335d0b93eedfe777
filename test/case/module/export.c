// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that exports its memory as a dma-buf, for the case of ../export.c. The
 * mappings of a dma-buf are not the device's unless it says so: that is what the
 * parameter adopt is for.
 *
 * The node is /dev/unplug-export; an ioctl answers the descriptor of a dma-buf;
 * writing to the parameter pull unplugs it. The memory is @size bytes at @start, a BAR
 * of somebody's.
 */

#include <linux/dma-buf.h>
#include <linux/module.h>
#include <linux/string.h>
#include <unplug/device.h>
#include <unplug/mmap.h>
#include "compat.h"

static unsigned long start;
module_param(start, ulong, 0444);
MODULE_PARM_DESC(start, "physical address of memory to export");

static unsigned long size;
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "its size in bytes");

static bool adopt = true;
module_param(adopt, bool, 0444);
MODULE_PARM_DESC(adopt, "mappings of a dma-buf are the device's");

struct export {
	struct unplug_dev dev;
	struct unplug_iomem mem;
};

static struct export *export;

/* Nobody's DMA: this is about what processors map. */
static int export_attach(struct dma_buf *buf, struct dma_buf_attachment *at)
{
	return -EOPNOTSUPP;
}

static struct sg_table *export_map(struct dma_buf_attachment *at,
				   enum dma_data_direction direction)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static void export_unmap(struct dma_buf_attachment *at, struct sg_table *table,
			 enum dma_data_direction direction)
{
}

static int export_mmap(struct dma_buf *buf, struct vm_area_struct *vma)
{
	struct export *from = buf->priv;
	int err;

	if (!unplug_dev_get_active(&from->dev))
		return -ENODEV;
	err = unplug_iomem_mmap(&from->mem, vma);
	unplug_dev_put_active(&from->dev);
	return err;
}

/*
 * What the mail of 2013 proposes: a guard around the fault; unplug zaps the mappings of
 * the device's inode.
 */
static vm_fault_t textbook_fault(struct vm_fault *vmf)
{
	struct export *from = vmf->vma->vm_private_data;
	vm_fault_t ret;

	if (!unplug_dev_get_active(&from->dev))
		return VM_FAULT_SIGBUS;
	ret = vmf_insert_pfn(vmf->vma, vmf->address,
			     PHYS_PFN(from->mem.start) + vmf->pgoff);
	unplug_dev_put_active(&from->dev);
	return ret;
}

static const struct vm_operations_struct textbook_vm_ops = {
	.fault = textbook_fault,
};

static int textbook_mmap(struct dma_buf *buf, struct vm_area_struct *vma)
{
	int err = export_mmap(buf, vma);

	vma->vm_private_data = buf->priv;
	vma->vm_ops = &textbook_vm_ops;
	return err;
}

static void export_release(struct dma_buf *buf)
{
	struct export *from = buf->priv;

	unplug_dev_put(&from->dev);
}

#define EXPORT_BUF_OPS(how)						\
{									\
	.attach = export_attach,					\
	.map_dma_buf = export_map,					\
	.unmap_dma_buf = export_unmap,					\
	.mmap = how,							\
	.release = export_release,					\
}

static const struct dma_buf_ops export_buf_ops = EXPORT_BUF_OPS(export_mmap);
static const struct dma_buf_ops textbook_buf_ops = EXPORT_BUF_OPS(textbook_mmap);

static long export_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *buf;
	int fd;

	info.ops = adopt ? &export_buf_ops : &textbook_buf_ops;
	info.size = size;
	info.flags = O_RDWR;
	info.priv = export;
	buf = dma_buf_export(&info);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	unplug_dev_get(&export->dev);
	if (adopt)
		unplug_dev_adopt_file(&export->dev, buf->file);
	fd = dma_buf_fd(buf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(buf);
	return fd;
}

static const struct file_operations export_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = export_ioctl,
};

static const struct unplug_driver export_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-export",
	.fops = &export_fops,
};

static int export_pull(const char *text, const struct kernel_param *param)
{
	if (!export)
		return -ENODEV;
	unplug_dev_unplug(&export->dev);
	return 0;
}

static const struct kernel_param_ops pull_ops = {
	.set = export_pull,
};
module_param_cb(pull, &pull_ops, NULL, 0200);

static int __init export_init(void)
{
	int err;

	export = unplug_dev_alloc(&export_driver, NULL, struct export, dev);
	if (IS_ERR(export))
		return PTR_ERR(export);
	export->mem.start = start;
	export->mem.size = size;
	export->mem.cache = UNPLUG_IOMEM_WC;
	err = unplug_dev_register(&export->dev, "unplug-export");
	if (err)
		unplug_dev_put(&export->dev);
	return err;
}

static void __exit export_exit(void)
{
	unplug_dev_unplug(&export->dev);
	unplug_dev_wait_gone(&export->dev);
	unplug_dev_put(&export->dev);
}

module_init(export_init);
module_exit(export_exit);
UNPLUG_IMPORT_DMA_BUF;
MODULE_DESCRIPTION("A driver that exports dma-bufs, for the tests of unplug");
MODULE_LICENSE("GPL");
