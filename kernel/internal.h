/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_INTERNAL_H
#define _UNPLUG_INTERNAL_H

/*
 * What the core's files need of each other.
 *
 * Lock order, outermost first; all of it is the core's own:
 *
 *	(locks of the caller of unplug: a bus)
 *	|
 *	+-- an operation in progress (dep_map; see unplug_dev_unplug)
 *	    |
 *	    +-- dev->files_lock		spinlock, one per device
 *	    |   +-- dev->files_wait.lock
 *	    +-- dev->populated.xa_lock	spinlock, one per device
 *	    +-- minors.xa_lock		spinlock of all devices: numbers, names
 *	    +-- mms_lock (dummy.c)	spinlock of all devices: dummy pages
 *	    +-- dev->holders_lock	spinlock, one per device; in interrupts, too
 *	    +-- poll->lock (poll.c)	spinlock, one per file that was polled
 *	        +-- (locks of the driver's wait queues)
 *	            +-- poll->wait.lock	of the queue of pollers; so under dev->wait.lock
 *
 *	tracking_lock (holder.c)	mutex: who switches tracking; over holders_lock
 *
 * The others do not nest in each other. Nothing sleeps under a spinlock, and none of
 * the driver's functions is called under any of these.
 */

#ifdef pr_fmt
#undef pr_fmt
#endif
#define pr_fmt(fmt) "unplug: " fmt

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/printk.h>
#include <linux/rbtree.h>
#include <unplug/device.h>
#include <unplug/hook.h>
#include "cold.h"
#include "compat.h"
#include "holder.h"

/* One name for a device in all messages: a name may come back, a number not. */
#define unplug_dev_info(dev, fmt, ...)					\
	pr_info("%s#%llu: " fmt, dev_name(&(dev)->device),		\
		(dev)->generation, ##__VA_ARGS__)
#define unplug_dev_err(dev, fmt, ...)					\
	pr_err("%s#%llu: " fmt, dev_name(&(dev)->device),		\
	       (dev)->generation, ##__VA_ARGS__)

/* shut.c: how a device is taken away */
#define UNPLUG_ENDS 2	/* what gone needs: see dev->ends */
extern struct workqueue_struct *unplug_wq;
int unplug_shut_init(void);
void unplug_shut_exit(void);
void unplug_dev_shut_work(struct work_struct *work);
void unplug_dev_gone_work(struct work_struct *work);
void unplug_dev_ended(struct unplug_dev *dev);
bool unplug_dev_refuse_wait(struct unplug_dev *dev, unsigned long caller);
void unplug_dev_wait_hw(struct unplug_dev *dev);
void unplug_dev_zap(struct unplug_dev *dev);
unsigned long unplug_drain_jiffies(void);
bool unplug_dev_wait_drain(struct completion *event);

/* state.c: which state follows which */
bool unplug_dev_ask(struct unplug_dev *dev);
bool unplug_dev_settle(struct unplug_dev *dev, int from, int to);
bool unplug_dev_was_live(struct unplug_dev *dev);

/* freeze.c: hot reset */
bool unplug_freeze_stays(struct unplug_dev *dev, struct file *file);
bool unplug_freeze_enter(struct unplug_dev *dev, struct file *file);
void unplug_freeze_leave(struct unplug_dev *dev);
bool unplug_dev_is_frozen(const struct unplug_dev *dev);
int unplug_freeze_refused(struct unplug_dev *dev, struct file *file,
			  bool waits);

/* class.c: what user space sees of a device in sysfs and /dev */
extern struct class *unplug_class;
int unplug_class_init(void);
void unplug_class_exit(void);
const char *unplug_dev_state_name(int state);

/* inode.c: the inodes whose address spaces own the mappings */
int unplug_inode_init(void);
void unplug_inode_exit(void);
struct inode *unplug_inode_new(void);

/* minor.c: numbers, names, the list of devices */
int unplug_minor_reserve(struct unplug_dev *dev);
void unplug_minor_renew(struct unplug_dev *dev);
void unplug_minor_free_name(struct unplug_dev *dev);
void unplug_minor_free(struct unplug_dev *dev);
struct unplug_dev *unplug_minor_find(unsigned int minor);
struct unplug_dev *unplug_minor_next(unsigned long *from);

/* cdev.c: the node's first open */
extern dev_t unplug_devt;
int unplug_cdev_init(void);
void unplug_cdev_exit(void);

/* file.c: open files, each released once */
struct unplug_file;
void unplug_file_close(struct unplug_dev *dev, struct inode *inode,
		       struct file *file);
void unplug_file_release_all(struct unplug_dev *dev);
void unplug_file_end_all(struct unplug_dev *dev);
bool unplug_file_wait_releases(struct unplug_dev *dev);
void unplug_file_policy_anew(struct unplug_dev *dev);
bool unplug_file_is_stale(struct unplug_dev *dev, struct file *file);

void unplug_file_wants_signals(struct unplug_dev *dev, struct file *file);
struct unplug_poll **unplug_file_poll(struct unplug_dev *dev, struct file *file);
enum unplug_policy unplug_file_policy(struct unplug_dev *dev, struct file *file,
				      bool met);
struct unplug_dummies *unplug_file_dummies(struct unplug_dev *dev,
					   struct file *file);
struct list_head *unplug_file_populated(struct unplug_dev *dev,
					struct file *file);

void unplug_file_show(struct unplug_dev *dev, struct seq_file *seq);
bool unplug_file_opened_by(struct unplug_dev *dev, const struct pid *process);

/* wait.c: who sleeps inside */
void unplug_wait_wake(struct unplug_dev *dev);
void unplug_wait_restart(struct unplug_dev *dev);

/* callback.c: work and timers of the driver */
void unplug_callbacks_cancel(struct unplug_dev *dev);

/* irq.c: its interrupts */
void unplug_callbacks_quiet(struct unplug_dev *dev);
void unplug_irqs_disable(struct unplug_dev *dev);
void unplug_irqs_enable(struct unplug_dev *dev);
void unplug_irqs_release(struct unplug_dev *dev);

/* attr.c: its attributes in sysfs */
int unplug_attrs_check(const struct unplug_driver *drv);
int unplug_attrs_create(struct unplug_dev *dev);
void unplug_attrs_remove(struct unplug_dev *dev);
void unplug_attr_exit(void);

/* stack.c: who is inside, as told by a stack */
unsigned int unplug_stack_save(struct task_struct *task, unsigned long *entries,
			       unsigned int max);
bool unplug_stack_inside(unsigned long caller);

/* report.c: who is inside, in words */
void unplug_report_holders(struct unplug_dev *dev, struct seq_file *seq,
			   unsigned int max);

/* stall.c: an unplug that takes long */
void unplug_stall_begin(struct unplug_dev *dev);
void unplug_stall_end(struct unplug_dev *dev);
void unplug_stall_work(struct work_struct *work);

/* debugfs.c: all of that to look at */
void unplug_debugfs_init(void);
void unplug_debugfs_exit(void);
void unplug_debugfs_add(struct unplug_dev *dev);
void unplug_debugfs_renew(struct unplug_dev *dev);
void unplug_debugfs_remove(struct unplug_dev *dev);

/* poll.c: who sleeps in poll, select, epoll, … */
struct unplug_poll;

struct unplug_poll_table {
	struct poll_table_struct table;
	struct unplug_poll *poll;
};

struct poll_table_struct *unplug_poll_queue(struct unplug_dev *dev,
					    struct file *file,
					    struct poll_table_struct *caller,
					    struct unplug_poll_table *ours);
void unplug_poll_release(struct unplug_poll *poll);
void unplug_poll_free(struct unplug_poll *poll);

/* dummy.c: what a revoked mapping shows, if it is not to be SIGBUS */
struct unplug_dummies {
	struct rb_root tree;
	struct list_head aged;
};

vm_fault_t unplug_dummy_fault(struct vm_fault *vmf);
void unplug_dummy_inherit(struct vm_area_struct *vma);
int unplug_dummy_mmap(struct vm_area_struct *vma);
void unplug_dummy_free(struct unplug_dummies *dummies);
void unplug_dummy_exit(void);

/* populate.c: mappings that ->mmap populates */
int unplug_populate_record(struct unplug_dev *dev, struct vm_area_struct *vma);
void unplug_populate_get(struct vm_area_struct *vma);
void unplug_populate_put(struct vm_area_struct *vma);
void unplug_populate_shut(struct unplug_dev *dev);
void unplug_populate_free(struct unplug_dev *dev, struct list_head *list);
vm_fault_t unplug_populate_insert(struct vm_area_struct *vma,
				  unsigned long addr);

/* guard.c: the tables that stand before the driver's file_operations */
const struct file_operations *
unplug_guard_fops(const struct file_operations *fops);

/* guard_vm.c: the same for mappings */
const struct vm_operations_struct *
unplug_guard_vm_ops(unsigned int slot, const struct vm_operations_struct *ops,
		    bool populated);

/* mapping.c: which mappings are allowed */
bool unplug_mapping_is_dummy(struct unplug_dev *dev, struct file *file,
			     bool met);
int unplug_guard_mapping(struct unplug_dev *dev, struct file *file,
			 struct vm_area_struct *vma);

/*
 * The guard of an operation: as get and put active, known to lockdep, and by name, @op, to
 * who wants to know. @op is a literal.
 */
static __always_inline bool __unplug_guard_enter(struct unplug_dev *dev,
						 const char *op)
{
	if (!unplug_dev_get_active(dev)) {
		if (tracepoint_enabled(unplug_refused))
			unplug_cold_call(unplug_guard_refused, dev, op);
		return false;
	}
	rwsem_acquire_read(&dev->dep_map, 0, 1, _RET_IP_);
	if (static_branch_unlikely(&unplug_tracking))
		unplug_cold_call(unplug_holder_enter, dev, op);
	return true;
}

/* Where tests may hold him. The other is for those who must not sleep there. */
static __always_inline bool unplug_guard_enter(struct unplug_dev *dev,
					       const char *op)
{
	if (!__unplug_guard_enter(dev, op))
		return false;
	unplug_hook(UNPLUG_HOOK_OPERATION);
	return true;
}

static __always_inline void unplug_guard_leave(struct unplug_dev *dev)
{
	if (static_branch_unlikely(&unplug_tracking))
		unplug_cold_call(unplug_holder_leave, dev, NULL);
	rwsem_release(&dev->dep_map, _RET_IP_);
	unplug_dev_put_active(dev);
}

/* Counts the devices with files that were ended by thaw. */
DECLARE_STATIC_KEY_FALSE(unplug_stale_files);

/*
 * The guard of an operation on an open file, which may have been ended by thaw. Who asks
 * inside the gate cannot miss that: thaw ends files while nobody is.
 */
static __always_inline bool unplug_guard_enter_file(struct unplug_dev *dev,
						    struct file *file,
						    const char *op)
{
	return unplug_guard_enter(dev, op) &&
	       (!static_branch_unlikely(&unplug_stale_files) ||
		!READ_ONCE(dev->stale) ||
		!unplug_cold_ask(unplug_guard_stale, dev, file));
}

#ifdef UNPLUG_HOOKS
int unplug_hook_init(void);
void unplug_hook_exit(void);
#else
static inline int unplug_hook_init(void)
{
	return 0;
}

static inline void unplug_hook_exit(void)
{
}
#endif

#endif /* _UNPLUG_INTERNAL_H */
