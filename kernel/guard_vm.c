// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables that stand before a driver's vm_operations_struct.
 *
 * A guard has to find the driver's table, and the VMA's own fields belong to the
 * driver. So the device remembers the few different tables its mappings use, in
 * slots, and there is a constant table of guards for each slot and each set of
 * members whose presence the kernel asks for: which of them a VMA points to
 * says both.
 */

#include <linux/pagemap.h>
#include <linux/ratelimit.h>
#include <unplug/mmap.h>
#include <unplug/wait.h>
#include "internal.h"

#define HAS_PAGE_MKWRITE	BIT(0)
#define HAS_PFN_MKWRITE		BIT(1)
#define HAS_MAP_PAGES		BIT(2)
#define POPULATED		BIT(3)	/* by ->mmap: see populate.c */
#define SETS			16	/* of the four above */

static const struct vm_operations_struct guard_vm_ops[];

static struct unplug_dev *vma_dev(const struct vm_area_struct *vma)
{
	return unplug_dev_from_file(vma->vm_file);
}

/* The driver's table; only inside: it is the driver's memory. */
static const struct vm_operations_struct *
driver_vm_ops(const struct vm_area_struct *vma)
{
	return vma_dev(vma)->vm_ops[(vma->vm_ops - guard_vm_ops) / SETS];
}

/* The tables are in memory that outlives the driver: no need to be inside. */
static bool is_populated(const struct vm_area_struct *vma)
{
	return (vma->vm_ops - guard_vm_ops) & POPULATED;
}

/* Does a revoked mapping show a dummy page? */
static bool shows_dummy(const struct vm_area_struct *vma)
{
	return unplug_file_policy(vma_dev(vma), vma->vm_file, false) ==
	       UNPLUG_POLICY_DUMMY;
}

/* As guard_call() of guard.c. */
#define guard_vm_call(vma, dead, absent, op, ...)			\
({									\
	struct unplug_dev *__dev = vma_dev(vma);			\
	const struct vm_operations_struct *__ops;			\
	typeof(__ops->op(__VA_ARGS__)) __ret;				\
									\
	if (unplug_guard_enter_file(__dev, (vma)->vm_file, #op)) {	\
		__ops = driver_vm_ops(vma);				\
		__ret = __ops->op ? __ops->op(__VA_ARGS__) : (absent);	\
		unplug_guard_leave(__dev);				\
	} else {							\
		__ret = (dead);						\
	}								\
	__ret;								\
})

/* How somebody got in: past the gate of a frozen device, as he must not be missed */
enum guard_vm_way {
	GUARD_VM_NO_WAY,
	GUARD_VM_GATE,
	GUARD_VM_PAST,
};

static __always_inline enum guard_vm_way
guard_vm_begin(struct vm_area_struct *vma, const char *op)
{
	if (unplug_guard_enter_file(vma_dev(vma), vma->vm_file, op))
		return GUARD_VM_GATE;
	if (!unplug_freeze_enter(vma_dev(vma), vma->vm_file))
		return GUARD_VM_NO_WAY;
	unplug_hook(UNPLUG_HOOK_TELL);
	return GUARD_VM_PAST;
}

static void guard_vm_end(struct vm_area_struct *vma, enum guard_vm_way way)
{
	if (way == GUARD_VM_GATE)
		unplug_guard_leave(vma_dev(vma));
	else if (way == GUARD_VM_PAST)
		unplug_freeze_leave(vma_dev(vma));
}

/*
 * What begins, changes or ends a mapping the driver is told, or asked, frozen or not: it
 * would lose count. After unplug it is not: its ->gone says it all. With a front end it
 * is told of beginning and end always: the file keeps the driver.
 */
static void guard_open(struct vm_area_struct *vma)
{
	enum guard_vm_way way = guard_vm_begin(vma, "vma open");

	if (is_populated(vma))
		unplug_populate_get(vma);
	if (shows_dummy(vma))
		unplug_dummy_inherit(vma);
	if ((way || vma_dev(vma)->front) && driver_vm_ops(vma)->open)
		driver_vm_ops(vma)->open(vma);
	guard_vm_end(vma, way);
}

static void guard_close(struct vm_area_struct *vma)
{
	enum guard_vm_way way = guard_vm_begin(vma, "vma close");

	if ((way || vma_dev(vma)->front) && driver_vm_ops(vma)->close)
		driver_vm_ops(vma)->close(vma);
	guard_vm_end(vma, way);
	if (is_populated(vma))
		unplug_populate_put(vma);
}

/*
 * After unplug there is nothing in a mapping that could be in the way; and who
 * got SIGBUS has to be able to unmap it, in part too, or to map over it.
 */
static int guard_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	enum guard_vm_way way = guard_vm_begin(vma, "may_split");
	int err = 0;

	if (way && driver_vm_ops(vma)->may_split)
		err = driver_vm_ops(vma)->may_split(vma, addr);
	guard_vm_end(vma, way);
	return err;
}

static int guard_mremap(struct vm_area_struct *vma)
{
	enum guard_vm_way way = guard_vm_begin(vma, "mremap");
	int err = 0;

	if (way && driver_vm_ops(vma)->mremap)
		err = driver_vm_ops(vma)->mremap(vma);
	guard_vm_end(vma, way);
	return err;
}

/* A dummy page must not get the caching of the device's memory: it comes back. */
static int guard_mprotect(struct vm_area_struct *vma, unsigned long start,
			  unsigned long end, unsigned long flags)
{
	enum guard_vm_way way = guard_vm_begin(vma, "mprotect");
	int err = 0;

	if (way && driver_vm_ops(vma)->mprotect)
		err = driver_vm_ops(vma)->mprotect(vma, start, end, flags);
	if (way != GUARD_VM_GATE && !err && shows_dummy(vma))
		zap_special_vma_range(vma, start, end - start);
	guard_vm_end(vma, way);
	return err;
}

/* What guard_fault_result() says of a handler that was refused the hardware */
#define GUARD_REFUSED	((__force vm_fault_t)BIT(31))

/*
 * A handler may be inside, and be refused the hardware: that is not its user's
 * fault. With VM_FAULT_RETRY the mapping may be gone: not to be looked at, whatever else is said.
 */
static bool guard_was_refused(struct vm_fault *vmf, vm_fault_t ret)
{
	return (ret & (VM_FAULT_SIGBUS | VM_FAULT_RETRY)) == VM_FAULT_SIGBUS &&
	       READ_ONCE(vma_dev(vmf->vma)->hw.state) != UNPLUG_GATE_LIVE;
}

/*
 * A handler that returns a page leaves it to the kernel to map it, after the
 * guard: unplug may be over by then. Such a page is not mapped at all.
 */
static vm_fault_t guard_fault_result(struct vm_fault *vmf, vm_fault_t ret)
{
	/* As long as we are inside, who froze the device cannot thaw it. */
	if (guard_was_refused(vmf, ret))
		return GUARD_REFUSED;
	if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY |
		   VM_FAULT_FALLBACK))
		return ret;

	pr_err_ratelimited("%s: fault refused: the handler returned a page instead of inserting it\n",
			   unplug_dev_name(vma_dev(vmf->vma)));
	if (vmf->page) {
		if (ret & VM_FAULT_LOCKED)
			unlock_page(vmf->page);
		put_page(vmf->page);
		vmf->page = NULL;
	}
	return VM_FAULT_SIGBUS;
}

/* What an access of a revoked mapping meets. */
static vm_fault_t guard_revoked(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct unplug_dev *dev = vma_dev(vma);
	vm_fault_t ret;

	if (unplug_file_policy(dev, vma->vm_file, true) != UNPLUG_POLICY_DUMMY)
		return VM_FAULT_SIGBUS;
	ret = unplug_dummy_fault(vmf);
	smp_mb();	/* thaw_end() */
	/* Thaw opens the gate, then takes dummies out: one that is late goes, too. */
	if (unplug_dev_is_live(dev) && !unplug_file_is_stale(dev, vma->vm_file))
		zap_special_vma_range(vma, vmf->address & PAGE_MASK, PAGE_SIZE);
	return ret;
}

/* All but the usual end, out of line, so that the usual way has few registers to save. */
static noinline vm_fault_t guard_fault_end(struct unplug_dev *dev, struct vm_fault *vmf,
					   vm_fault_t ret)
{
	/* With VM_FAULT_RETRY mmap_lock was dropped: the mapping may be gone, but not @dev. */
	ret = guard_fault_result(vmf, ret);
	unplug_guard_leave(dev);
	return ret == GUARD_REFUSED ? guard_revoked(vmf) : ret;
}

/* Whoever is not populated has a handler: see mapping.c. */
static vm_fault_t guard_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct unplug_dev *dev = vma_dev(vma);
	size_t table = vma->vm_ops - guard_vm_ops;
	vm_fault_t ret;

	if (!unplug_guard_enter_file(dev, vma->vm_file, "fault"))
		return guard_revoked(vmf);
	/* As driver_vm_ops(), which would look for the device once more */
	ret = dev->vm_ops[table / SETS]->fault(vmf);
	if (unlikely(ret != VM_FAULT_NOPAGE))
		return guard_fault_end(dev, vmf, ret);
	unplug_guard_leave(dev);
	return VM_FAULT_NOPAGE;
}

static vm_fault_t guard_fault_populated(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct unplug_dev *dev = vma_dev(vma);
	const struct vm_operations_struct *ops;
	vm_fault_t ret;

	if (!unplug_guard_enter_file(dev, vma->vm_file, "fault"))
		return guard_revoked(vmf);
	ret = unplug_populate_insert(vma, vmf->address);
	if (!ret) {
		ops = driver_vm_ops(vma);
		ret = ops->fault ? ops->fault(vmf) : VM_FAULT_SIGBUS;
	}
	return guard_fault_end(dev, vmf, ret);
}

/* Page by page it is guard_fault() that says what a revoked mapping shows. */
static vm_fault_t guard_huge_fault(struct vm_fault *vmf,
				   unplug_huge_order order)
{
	vm_fault_t ret = guard_vm_call(vmf->vma, VM_FAULT_FALLBACK,
				       VM_FAULT_FALLBACK, huge_fault, vmf, order);

	return guard_was_refused(vmf, ret) ? VM_FAULT_FALLBACK : ret;
}

static vm_fault_t guard_map_pages(struct vm_fault *vmf, pgoff_t start,
				  pgoff_t end)
{
	return guard_vm_call(vmf->vma, 0, 0, map_pages, vmf, start, end);
}

/*
 * An entry that may not be written to is still there: unplug has not come to it
 * yet, or an insider has put it back.
 */
static vm_fault_t guard_mkwrite_revoked(struct vm_fault *vmf)
{
	if (shows_dummy(vmf->vma))
		zap_special_vma_range(vmf->vma, vmf->address & PAGE_MASK, PAGE_SIZE);
	return guard_revoked(vmf);
}

static vm_fault_t guard_page_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret = guard_vm_call(vmf->vma, VM_FAULT_SIGBUS,
				       VM_FAULT_SIGBUS, page_mkwrite, vmf);

	return guard_was_refused(vmf, ret) ? guard_mkwrite_revoked(vmf) : ret;
}

static vm_fault_t guard_pfn_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret = guard_vm_call(vmf->vma, VM_FAULT_SIGBUS,
				       VM_FAULT_SIGBUS, pfn_mkwrite, vmf);

	return guard_was_refused(vmf, ret) ? guard_mkwrite_revoked(vmf) : ret;
}

/*
 * Reaches the device past the page table: ptrace, /proc/PID/mem. The kernel hands
 * down all that the tracer wants, also beyond the page and the mapping, where
 * another device may lie; it comes back for the rest of a short answer.
 */
static int guard_access(struct vm_area_struct *vma, unsigned long addr,
			void *buf, int len, int write)
{
	len = min_t(int, len, PAGE_SIZE - offset_in_page(addr));
	return guard_vm_call(vma, -EIO, -EINVAL, access, vma, addr, buf, len,
			     write);
}

/*
 * The driver's ->access expects its entries in the page table: usually it is
 * generic_access_phys().
 */
static int guard_access_populated(struct vm_area_struct *vma,
				  unsigned long addr, void *buf, int len,
				  int write)
{
	struct unplug_dev *dev = vma_dev(vma);
	const struct vm_operations_struct *ops;
	int ret = -EIO;

	if (!unplug_guard_enter_file(dev, vma->vm_file, "access"))
		return ret;
	ops = driver_vm_ops(vma);
	len = min_t(int, len, PAGE_SIZE - offset_in_page(addr));
	if (!ops->access) {
		ret = -EINVAL;
	} else if (unplug_populate_insert(vma, addr & PAGE_MASK) ==
			 VM_FAULT_NOPAGE && unplug_dev_hw_enter(dev)) {
		ret = ops->access(vma, addr, buf, len, write);
		unplug_dev_hw_exit(dev);
	}
	unplug_guard_leave(dev);
	return ret;
}

static const char *guard_name(struct vm_area_struct *vma)
{
	return guard_vm_call(vma, NULL, NULL, name, vma);
}

#define IF(bit, guard) ((bit) ? (guard) : NULL)

#define TABLE(i)							\
	[i] = {								\
		.open = guard_open,					\
		.close = guard_close,					\
		.may_split = guard_may_split,				\
		.mremap = guard_mremap,					\
		.mprotect = guard_mprotect,				\
		.fault = (i) & POPULATED ? guard_fault_populated :	\
					   guard_fault,			\
		.huge_fault = guard_huge_fault,				\
		.map_pages = IF((i) & HAS_MAP_PAGES, guard_map_pages),	\
		.page_mkwrite = IF((i) & HAS_PAGE_MKWRITE,		\
				   guard_page_mkwrite),			\
		.pfn_mkwrite = IF((i) & HAS_PFN_MKWRITE,		\
				  guard_pfn_mkwrite),			\
		.access = (i) & POPULATED ? guard_access_populated :	\
					    guard_access,		\
		.name = guard_name,					\
	},

#define TABLES_2(i)	TABLE(i) TABLE((i) + 1)
#define TABLES_4(i)	TABLES_2(i) TABLES_2((i) + 2)
#define TABLES_8(i)	TABLES_4(i) TABLES_4((i) + 4)

#define TABLES_16(i)	TABLES_8(i) TABLES_8((i) + 8)

static const struct vm_operations_struct guard_vm_ops[] = {
	TABLES_16(0 * SETS)
	TABLES_16(1 * SETS)
	TABLES_16(2 * SETS)
	TABLES_16(3 * SETS)
};

static_assert(ARRAY_SIZE(guard_vm_ops) == UNPLUG_VM_OPS_MAX * SETS);

/**
 * unplug_guard_vm_ops() - the table to stand before a driver's
 * @slot: of the driver's table, in @dev->vm_ops
 * @ops: that table
 * @populated: the mapping has a record in populate.c
 *
 * Context: Any.
 * Return: a constant table of the core.
 */
const struct vm_operations_struct *
unplug_guard_vm_ops(unsigned int slot, const struct vm_operations_struct *ops,
		    bool populated)
{
	unsigned int set = populated ? POPULATED : 0;

	set |= ops->page_mkwrite ? HAS_PAGE_MKWRITE : 0;
	set |= ops->pfn_mkwrite ? HAS_PFN_MKWRITE : 0;
	set |= ops->map_pages ? HAS_MAP_PAGES : 0;
	return &guard_vm_ops[slot * SETS + set];
}
