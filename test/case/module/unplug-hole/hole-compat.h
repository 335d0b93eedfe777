/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_HOLE_COMPAT_H
#define _UNPLUG_HOLE_COMPAT_H

/* Differences between kernel versions that nobody but this module feels; see compat.h */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#include <linux/pfn_t.h>
#endif
#include "compat.h"

/* The flags of a mapping have a type of their own on newer kernels. */
#ifndef EMPTY_VMA_FLAGS
#define EMPTY_VMA_FLAGS 0
#endif

/* Linux before 6.12 calls ->huge_fault of DAX alone, which it need not have. */
static inline bool hole_huge_is_called(void)
{
	return LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0) || S_DAX;
}

/* What move_page_tables() is called with first: the old mapping, or what begins with it */
static inline const struct vm_area_struct *hole_moved_vma(unsigned long first)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
	return (const struct vm_area_struct *)first;
#else
	return *(const struct vm_area_struct **)first;
#endif
}

/* What zaps one mapping, and which of its arguments that is */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 1, 0)
#define HOLE_ZAP "zap_page_range_single"
#define hole_zapped_vma(regs) ((const struct vm_area_struct *)(regs)->di)
#else
#define HOLE_ZAP "__zap_vma_range"
#define hole_zapped_vma(regs) ((const struct vm_area_struct *)(regs)->si)
#endif

static inline bool hole_order_is_pmd(unplug_huge_order order)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return order == PE_SIZE_PMD;
#else
	return order == PMD_ORDER;
#endif
}

static inline vm_fault_t hole_insert_pmd(struct vm_fault *vmf,
					 unsigned long pfn)
{
	bool write = vmf->flags & FAULT_FLAG_WRITE;

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
	return vmf_insert_pfn_pmd(vmf, pfn_to_pfn_t(pfn), write);
#else
	return vmf_insert_pfn_pmd(vmf, pfn, write);
#endif
}

#endif /* _UNPLUG_HOLE_COMPAT_H */
