/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_HOLE_H
#define _UNPLUG_HOLE_H

/*
 * hole: a device whose mappings can be made in all the ways of doc/mmap-races.md, guarded
 * in two ways
 *
 *	kind=textbook	each operation and the fault handler under a lock; unplug sets a
 *			flag under it, and zaps: the plain algorithm
 *	kind=gated	behind the gate of the core
 *
 * The node is /dev/unplug-hole. Parameters of the module choose the mistake:
 *
 *	way	how mappings get their entries: see way.c
 *	zap	what the textbook zaps: the address space of the node first opened
 *		(inode), or mappings that it keeps a list of (list)
 *	opens	the list learns of new parts of a mapping, by ->open
 *	cows	the textbook zaps copies of private mappings, too
 *	pfnmap	pages that ->fault returns are of a VM_PFNMAP mapping
 *
 * Writing to pull unplugs it; a byte written to fill is what its memory holds from then on,
 * as if somebody else's data came there: who reads it through an old mapping has a hole.
 * byte is the first one of its memory. late counts how often the device was reached after
 * unplug, early before it, by functions that the textbook forgets to guard. at_copy,
 * at_move and at_zap are windows: see window.c.
 *
 * For follow and followed, see limit.c.
 *
 * What mappings do is the same code for both kinds: enter() and leave() differ. Functions
 * that the textbook forgets to guard say so when they enter.
 *
 * Held by hooks, as the core's: "mmap", when ->mmap has returned; "operation", unguarded
 * functions; "fault", when ->fault has returned a page.
 */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/types.h>
#include "compat.h"

#define HOLE_ORDER 9			/* one entry of 2 MiB */
#define HOLE_PAGES 4			/* that are the device's, else */
#define HOLE_NODE "unplug-hole"
#define HOLE_BYTE 0x5c			/* its memory, at first */
#define HOLE_NEIGHBOUR 0xdd		/* what follows it */

struct hole;

/**
 * struct hole_kind - a way to guard the device
 * @name: as in the parameter
 * @make: allocate, and make the node; or an ERR_PTR
 * @unmake: unplug if that was not done, and free; nobody uses it any more
 * @unplug: take the device away
 * @enter: may the device be touched? @forgotten: the textbook does not ask here
 * @leave: end of that
 * @track: a mapping came to be; optional
 * @untrack: and ended
 */
struct hole_kind {
	const char *name;
	struct hole *(*make)(void);
	void (*unmake)(struct hole *hole);
	void (*unplug)(struct hole *hole);
	bool (*enter)(struct hole *hole, bool forgotten);
	void (*leave)(struct hole *hole, bool forgotten);
	void (*track)(struct hole *hole, struct vm_area_struct *vma,
		      bool by_open);
	void (*untrack)(struct hole *hole, struct vm_area_struct *vma);
};

/**
 * struct hole_way - a way to make mappings
 * @name: as in the parameter
 * @mmap: with the device entered, and a mapping that lies in the device
 * @pages: of the device
 */
struct hole_way {
	const char *name;
	int (*mmap)(struct hole *hole, struct vm_area_struct *vma);
	unsigned int pages;
};

/**
 * struct hole - the device; embedded in what its kind needs in addition
 * @kind: how it is guarded
 * @way: how it is mapped
 * @page: its memory, and more behind it
 * @parent: for DMA
 * @coherent: way=coherent: the memory is this
 * @handle: likewise
 * @other: way=file: the file that mappings are made to belong to
 * @pulled: unplug has returned
 */
struct hole {
	const struct hole_kind *kind;
	const struct hole_way *way;
	struct page *page;
	struct device *parent;
	void *coherent;
	dma_addr_t handle;
	struct file *other;
	bool pulled;
};

extern const struct hole_kind hole_textbook;
extern const struct hole_kind hole_gated;

/* The parameters, for textbook.c, gated.c, way.c */
extern bool hole_zap_list, hole_opens, hole_cows, hole_pfnmap, hole_dummy;

/* main.c: shared by the kinds */
int hole_init(struct hole *hole, const struct hole_kind *kind);
void hole_deinit(struct hole *hole);
int hole_mmap(struct hole *hole, struct vm_area_struct *vma);
void hole_touched(struct hole *hole);
bool hole_is_ours(const struct vm_area_struct *vma);

/* window.c: windows in functions of the kernel, see there */
void hole_windows_init(void);
void hole_windows_exit(void);

/* way.c, special.c */
extern const struct hole_way hole_ways[];
struct hole *hole_of(const struct vm_area_struct *vma);
unsigned long hole_pfn(struct hole *hole, struct vm_area_struct *vma,
		       unsigned long addr);
bool hole_populates(const struct hole *hole);
vm_fault_t hole_fault_pfn(struct vm_fault *vmf);
int hole_mmap_pfn(struct hole *hole, struct vm_area_struct *vma,
		  const struct vm_operations_struct *ops);
int hole_mmap_huge(struct hole *hole, struct vm_area_struct *vma);
int hole_mmap_around(struct hole *hole, struct vm_area_struct *vma);
int hole_mmap_access(struct hole *hole, struct vm_area_struct *vma);
int hole_mmap_mkwrite(struct hole *hole, struct vm_area_struct *vma);
int hole_mmap_file(struct hole *hole, struct vm_area_struct *vma);

#endif /* _UNPLUG_HOLE_H */
