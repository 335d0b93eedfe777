/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_MMAP_H
#define _UNPLUG_MMAP_H

/**
 * DOC: mmap
 *
 * Mappings of device memory that can be taken back.
 *
 * A mapping is revocable if every one of its page table entries is made inside
 * a guarded fault handler: unplug lets no new fault in, waits for those inside,
 * and then zaps the device's address space. What ->mmap itself puts into the
 * page tables escapes that, because the kernel links the mapping into the
 * address space only after ->mmap returned. The helper here therefore maps
 * nothing at mmap time, and inserts page by page as they are touched, each in a
 * hardware section: after shut no process reaches the BAR any more, and none
 * ever will.
 *
 *	static int card_mmap(struct file *file, struct vm_area_struct *vma)
 *	{
 *		struct card *card = ...;
 *
 *		return unplug_iomem_mmap(&card->bar, vma);
 *	}
 *
 * A driver that populates in ->mmap (remap_pfn_range(), dma_mmap_coherent()) may go
 * on doing so if it can sign what struct unplug_driver says of @populates. The core
 * writes down what was mapped, takes it out again, and makes the same entries when
 * they are touched, as the helper would. Caching is kept on x86; elsewhere it has to
 * be set in vm_page_prot, not only in what remap_pfn_range() is given.
 *
 * ->mmap of such a driver runs in a hardware section, so it should allocate nothing but
 * the page tables. The kernel calls it with the lock of the user's memory held: it
 * cannot wait for user memory anyway. Drivers of a front end (DRM) populate system
 * memory only, outside of one.
 *
 * One that does not say so is refused if its mapping is found to be populated.
 *
 * A driver may also bring a ->fault of its own if it inserts by vmf_insert_pfn(), for
 * device memory in a hardware section; an ->access of its own takes one, too. Where the
 * section is refused it returns VM_FAULT_SIGBUS, which the policy turns into a dummy page.
 * Its ->mmap sets VM_PFNMAP (vm_flags_set(); before Linux 6.3 in vma->vm_flags) and maps
 * nothing. That, or @populates, is for system memory, too. A driver has at most
 * UNPLUG_VM_OPS_MAX different vm_ops.
 *
 * Mappings have to be shared (or of a file that is not open for writing): others are
 * refused with EINVAL; and VM_PFNMAP: others with EOPNOTSUPP and a line in the log.
 *
 * Offsets of unplug_iomem_mmap() count from the start of what is mapped: a driver with
 * several areas in one node subtracts that of the area from vm_pgoff before.
 *
 * Device memory can also be mapped through a file that is not the device's: a driver that
 * exports a dma-buf has made one. Its mappings lie in an address space of their own,
 * where unplug does not look, until unplug_dev_adopt_file().
 */

#include <linux/mm_types.h>
#include <linux/types.h>

struct file;
struct unplug_dev;

/**
 * enum unplug_iomem_cache - how the processor caches the memory
 * @UNPLUG_IOMEM_UC: not at all: registers; matches ioremap()
 * @UNPLUG_IOMEM_WC: writes combined: prefetchable memory; matches ioremap_wc()
 */
enum unplug_iomem_cache {
	UNPLUG_IOMEM_UC,
	UNPLUG_IOMEM_WC,
};

/**
 * struct unplug_iomem - a range of device memory users may map
 * @start: physical address, page aligned
 * @size: bytes; mappings may cover the pages that lie in it entirely
 * @cache: caching
 *
 * Embedded in the driver's structure, filled before unplug_dev_register(), not
 * changed afterwards.
 */
struct unplug_iomem {
	phys_addr_t start;
	resource_size_t size;
	enum unplug_iomem_cache cache;
};

int unplug_iomem_mmap(struct unplug_iomem *iomem, struct vm_area_struct *vma);
void unplug_dev_adopt_file(struct unplug_dev *dev, struct file *file);

#endif /* _UNPLUG_MMAP_H */
