/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_COMPAT_H
#define _UNPLUG_COMPAT_H

/*
 * Every difference between kernel versions, and the only place that asks for
 * one. Code elsewhere is written for the newest kernel; what older ones lack is
 * defined here.
 */

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#include <linux/filelock.h>
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#include <linux/io_uring/cmd.h>
#else
#include <linux/io_uring.h>
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma,
				  unsigned long flags)
{
	vma->vm_flags &= ~flags;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 1, 0)
static inline void zap_special_vma_range(struct vm_area_struct *vma,
					 unsigned long addr, unsigned long size)
{
	zap_vma_ptes(vma, addr, size);
}
#endif

/* The frame an address of a VM_PFNMAP mapping leads to: 0, or an error. */
static inline int unplug_follow_pfn(struct vm_area_struct *vma,
				    unsigned long addr, unsigned long *pfn)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return follow_pfn(vma, addr, pfn);
#else
	struct follow_pfnmap_args args = { .vma = vma, .address = addr };
	int err = follow_pfnmap_start(&args);

	if (!err) {
		*pfn = args.pfn;
		follow_pfnmap_end(&args);
	}
	return err;
#endif
}

/*
 * On x86, remap_pfn_range() of a whole mapping reserves the memory type of what it
 * maps until the mapping's entries go (since 6.16 until the mapping itself goes): what
 * is inserted into it later gets the reserved type. Take over the reservation of the
 * mapping, which is new: bytes from @pfn on, 0 if there is none.
 */
static inline unsigned long unplug_memtype_take(struct vm_area_struct *vma,
						unsigned long pfn)
{
	unsigned long bytes = 0;

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#ifdef VM_PAT
	if (vma->vm_flags & VM_PAT)
		bytes = vma->vm_end - vma->vm_start;
	vm_flags_clear(vma, VM_PAT);
#endif
#elif defined(__HAVE_PFNMAP_TRACKING)
	if (vma->pfnmap_track_ctx)
		bytes = vma->pfnmap_track_ctx->size;
	kfree(vma->pfnmap_track_ctx);
	vma->pfnmap_track_ctx = NULL;
#endif
	/* Of system memory nothing is reserved. */
	return bytes && !page_is_ram(pfn) ? bytes : 0;
}

static inline void unplug_memtype_free(unsigned long pfn, unsigned long bytes)
{
	/* Of any type: the name says what it is mostly used for. */
	if (bytes)
		arch_io_free_memtype_wc(PFN_PHYS(pfn), bytes);
}

/* The name space of the functions of dma-bufs */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define UNPLUG_IMPORT_DMA_BUF MODULE_IMPORT_NS(DMA_BUF)
#else
#define UNPLUG_IMPORT_DMA_BUF MODULE_IMPORT_NS("DMA_BUF")
#endif

/* A string of a tracepoint, which says itself since 6.10 what it is made from */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define unplug_assign_str(to, from)	__assign_str(to, from)
#else
#define unplug_assign_str(to, from)	__assign_str(to)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define unplug_devnode_const
#else
#define unplug_devnode_const const
#endif

static inline struct class *unplug_class_create(const char *name)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	return class_create(THIS_MODULE, name);
#else
	return class_create(name);
#endif
}

/* What a file without get_unmapped_area of its own gets. */
static inline unsigned long
unplug_get_unmapped_area(struct file *file, unsigned long addr,
			 unsigned long len, unsigned long pgoff,
			 unsigned long flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	return current->mm->get_unmapped_area(file, addr, len, pgoff, flags);
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
	return mm_get_unmapped_area(current->mm, file, addr, len, pgoff, flags);
#else
	return mm_get_unmapped_area(file, addr, len, pgoff, flags);
#endif
}

/* ->sendpage, gone with 6.5. (->splice_eof came then; Debian's 6.1 has both.) */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define UNPLUG_HAVE_SENDPAGE
#endif

/*
 * Flags that stand in the table since 6.12. Of FOP_UNSIGNED_OFFSET's kind is what the
 * kernel takes for a permission (and DRM for a condition of open; before it was a
 * mode that open sets). FOP_BUFFER_RASYNC and its like are hints, and do without.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define UNPLUG_HAVE_FOP_FLAGS
static inline bool unplug_fops_unsigned(const struct file_operations *fops)
{
	return fops->fop_flags & FOP_UNSIGNED_OFFSET;
}

/* What changes the meaning of mmap. */
static inline bool unplug_fops_mmap_flags(const struct file_operations *fops)
{
	return fops->fop_flags & (FOP_MMAP_SYNC | FOP_HUGE_PAGES);
}
#else
static inline bool unplug_fops_unsigned(const struct file_operations *fops)
{
	return false;
}

static inline bool unplug_fops_mmap_flags(const struct file_operations *fops)
{
	return fops->mmap_supported_flags;
}
#endif

/* ->mmap_prepare, as far as it can be called as ->mmap is: it came with 6.16. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0)
#define UNPLUG_HAVE_MMAP_PREPARE
#endif

/* Has the driver's table what a mapping is made with? */
static inline bool unplug_fops_can_mmap(const struct file_operations *fops)
{
#ifdef UNPLUG_HAVE_MMAP_PREPARE
	return fops->mmap || fops->mmap_prepare;
#else
	return fops->mmap;
#endif
}

/* Has it what cannot be called as ->mmap is? (The kernel refuses both at once, too.) */
static inline bool unplug_fops_odd_mmap(const struct file_operations *fops)
{
#ifdef UNPLUG_HAVE_MMAP_PREPARE
	return fops->mmap && fops->mmap_prepare;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return fops->mmap_prepare;
#else
	return false;
#endif
}

/*
 * ->mmap of a driver. ->mmap_prepare says what to map, and the kernel does it after linking
 * the mapping, out of every operation; here it is done at once, as ->mmap does.
 */
static inline int unplug_fops_mmap(const struct file_operations *fops,
				   struct file *file, struct vm_area_struct *vma)
{
#ifdef UNPLUG_HAVE_MMAP_PREPARE
	struct vm_area_desc desc;
	int err;

	if (!fops->mmap_prepare)
		return fops->mmap(file, vma);
	compat_set_desc_from_vma(&desc, file, vma);
	err = fops->mmap_prepare(&desc);
	if (err)
		return err;
	/* No rmap finds a mapping that is not linked yet. */
	desc.action.hide_from_rmap_until_complete = false;
	return __compat_vma_mmap(&desc, vma);
#else
	return fops->mmap(file, vma);
#endif
}

/* A member whose name changed. */
static inline bool unplug_vm_ops_find_page(const struct vm_operations_struct *ops)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
	return ops->find_special_page;
#elif defined(CONFIG_FIND_NORMAL_PAGE)
	return ops->find_normal_page;
#else
	return false;
#endif
}

/* Second argument of ->huge_fault. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define unplug_huge_order enum page_entry_size
#else
#define unplug_huge_order unsigned int
#endif

/* Third argument of ->setlease. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define unplug_lease_arg long
#else
#define unplug_lease_arg int
#endif

/* Leases have a structure of their own since 6.9. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#define unplug_lease file_lock
static inline bool unplug_lock_is_unlock(const struct file_lock *fl)
{
	return fl->fl_type == F_UNLCK;
}
#else
#define unplug_lease file_lease
static inline bool unplug_lock_is_unlock(const struct file_lock *fl)
{
	return fl->c.flc_type == F_UNLCK;
}
#endif

/* The flag of a call of ->uring_cmd that asks to cancel a command: it came with 6.7. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define UNPLUG_URING_CANCEL 0
#define unplug_uring_cmd_mark_cancelable(cmd, flags) do { } while (0)
#else
#define UNPLUG_URING_CANCEL IO_URING_F_CANCEL
#define unplug_uring_cmd_mark_cancelable io_uring_cmd_mark_cancelable
#endif

/* The completion of a command, which has lost its second result */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define unplug_uring_cmd_done(cmd, result, flags)			\
	io_uring_cmd_done(cmd, result, 0, flags)
#else
#define unplug_uring_cmd_done io_uring_cmd_done
#endif

/* Begins the definition of a function for io_uring_cmd_complete_in_task() */
#ifdef IO_URING_CMD_TASK_WORK_ISSUE_FLAGS
#define UNPLUG_URING_TASK(name, cmd, flags)				\
	static void name##_cmd(struct io_uring_cmd *cmd,		\
			       unsigned int flags);			\
	static void name(struct io_tw_req req, io_tw_token_t token)	\
	{								\
		name##_cmd(io_uring_cmd_from_tw(req),			\
			   IO_URING_CMD_TASK_WORK_ISSUE_FLAGS);		\
	}								\
	static void name##_cmd(struct io_uring_cmd *cmd, unsigned int flags)
#else
#define UNPLUG_URING_TASK(name, cmd, flags)				\
	static void name(struct io_uring_cmd *cmd, unsigned int flags)
#endif

/* Another name for something in debugfs */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define unplug_debugfs_rename(dir, dentry, name)			\
	debugfs_rename(dir, dentry, dir, name)
#else
#define unplug_debugfs_rename(dir, dentry, name)			\
	debugfs_change_name(dentry, "%s", name)
#endif

/* A platform driver's ->remove that has no status */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define unplug_platform_remove remove_new
#else
#define unplug_platform_remove remove
#endif

/* DRM drivers have a date until 6.14. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define UNPLUG_DRM_DATE(text) .date = (text),
#else
#define UNPLUG_DRM_DATE(text)
#endif

/*
 * Can a stack be read, another task's too? Guesses (CONFIG_UNWINDER_GUESS) are of no
 * use, and a stack has to be freed by RCU.
 */
#if defined(CONFIG_X86_64) && defined(CONFIG_VMAP_STACK) && \
	(defined(CONFIG_UNWINDER_ORC) || defined(CONFIG_UNWINDER_FRAME_POINTER))
#define UNPLUG_HAVE_UNWINDER
#endif

/* A timer and its function in one since 6.13. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*func)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = func;
}
#endif

/* Neither function writes to the list; newer kernels may say so. */
static inline int
unplug_sysfs_create_groups(struct kobject *kobj,
			   const struct attribute_group *const *groups)
{
	return sysfs_create_groups(kobj, (const struct attribute_group **)groups);
}

static inline void
unplug_sysfs_remove_groups(struct kobject *kobj,
			   const struct attribute_group *const *groups)
{
	sysfs_remove_groups(kobj, (const struct attribute_group **)groups);
}

#endif /* _UNPLUG_COMPAT_H */
