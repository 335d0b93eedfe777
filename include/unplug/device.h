/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_DEVICE_H
#define _UNPLUG_DEVICE_H

/**
 * DOC: device
 *
 * A device that can be pulled while it is in use: a character device node in
 * front of it, two gates, the list of its open files, and one inode of the core
 * whose address space owns all its mappings.
 *
 * Life
 * ----
 *
 *	dev = unplug_dev_alloc(&driver, parent, struct card, dev);
 *	      nobody sees the device; the driver fills its structure
 *	unplug_dev_register(dev, "card%d", n);
 *	      node, uevent, sysfs; operations of the driver run
 *	unplug_dev_unplug(dev);
 *	      irreversible; usually in ->remove of the bus
 *	unplug_dev_put(dev);
 *	      the driver's own reference
 *
 * The driver's structure embeds struct unplug_dev but is memory of the core: it
 * is freed, by RCU, when the last of driver and open files let go of it,
 * without calling into the driver, which may have been unloaded by then.
 *
 * Unplug has three events
 * -----------------------
 *
 * shut	   Newcomers fail, hardware sections (below) are over and will not begin
 *	   again, mappings are revoked. Bounded: an interrupt on each CPU and
 *	   the longest hardware section. The node follows, which takes the lock of
 *	   /dev like the node of any driver.
 * drained  Nobody is inside an operation or a fault.
 * gone	   Every open file was released, at its last close or by force, and the
 *	   driver's ->gone was called. No code of the driver runs afterwards, and
 *	   nothing its structure points to is used. The module may be unloaded,
 *	   while descriptors and mappings of the device are still open.
 *
 * Hot reset
 * ---------
 *
 * A device that has to be reset stays plugged in, and is not to be touched meanwhile:
 *
 *	unplug_dev_freeze(dev);	  newcomers fail with EAGAIN or wait, insiders leave, mappings are
 *				  revoked, interrupts off
 *	(the driver resets the hardware and sets it up again)
 *	unplug_dev_thaw(dev, UNPLUG_THAW_KEEP);	a new generation begins
 *
 * unplug may come at any time, also in between.
 *
 * Two gates
 * ---------
 *
 * Every file operation and fault runs inside the first gate, and may sleep there
 * as long as its user likes: a copy to user memory waits for whoever serves that
 * memory. Unplug cannot wait for these users while it holds the locks of a bus,
 * so what they do late must be harmless. Therefore the hardware has a gate of
 * its own: a driver touches registers and memory of the device only in a
 *
 *	if (!unplug_dev_hw_enter(dev))
 *		return -ENODEV;
 *	memcpy_fromio(buffer, card->bar + offset, count);
 *	unplug_dev_hw_exit(dev);
 *
 * hardware section, which is short: it may sleep, but never for a user and never
 * for user memory. shut waits for hardware sections. After it the driver's
 * ->remove gives BARs and interrupts back to the bus while late operations are
 * still inside: none of them can reach the hardware, or another card that
 * has been put into its place.
 */

#include <linux/completion.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <unplug/gate.h>

struct attribute_group;
struct unplug_dev;
struct vm_operations_struct;

enum unplug_dev_state {
	UNPLUG_DEV_NEW,
	UNPLUG_DEV_REGISTERING,
	UNPLUG_DEV_PULLED,	/* unplug_async was called while registering */
	UNPLUG_DEV_LIVE,
	UNPLUG_DEV_FREEZING,
	UNPLUG_DEV_FREEZING_PULLED, /* unplug was called meanwhile */
	UNPLUG_DEV_FROZEN,
	UNPLUG_DEV_THAWING,
	UNPLUG_DEV_THAWING_PULLED, /* likewise */
	UNPLUG_DEV_DYING,	/* unplug was called */
	UNPLUG_DEV_SHUT,
	UNPLUG_DEV_DRAINED,
	UNPLUG_DEV_GONE,
};

/**
 * enum unplug_policy - what users find in a mapping after unplug
 * @UNPLUG_POLICY_SIGBUS: nothing: SIGBUS, or EFAULT for the kernel on their behalf
 * @UNPLUG_POLICY_DUMMY: memory that reads as zeroes and keeps what is written: one
 *	page of each process and open file, wherever in its mappings they look. It
 *	is charged to the process; children get their own
 */
enum unplug_policy {
	UNPLUG_POLICY_SIGBUS,
	UNPLUG_POLICY_DUMMY,
};

/**
 * enum unplug_thaw - what becomes of files that were open when a device was frozen
 * @UNPLUG_THAW_KEEP: they go on, and their mappings with them
 * @UNPLUG_THAW_END: they are released, as at unplug: ENODEV, SIGBUS (or what the policy
 *	says), EPOLLHUP | EPOLLERR. Users open the device again
 */
enum unplug_thaw {
	UNPLUG_THAW_KEEP,
	UNPLUG_THAW_END,
};

/* How many different vm_operations_struct the mappings of a device may use. */
#define UNPLUG_VM_OPS_MAX 4

#define UNPLUG_FILES_BITS 6

/**
 * struct unplug_driver - what the core has to know of a driver
 * @owner: THIS_MODULE
 * @name: for messages, no newline
 * @fops: the driver's operations, as for cdev_init(); must stay valid until the
 *	  module is unloaded. @fops->owner is not used. Mind ->release: when the
 *	  device is pulled it is called by a worker, with the worker's credentials
 *	  and mm, while users still have the file. Who returns -EIOCBQUEUED holds
 *	  active of his own (unplug_dev_get_active()) until he has completed that, and
 *	  ->uring_cmd may be called with IO_URING_F_CANCEL until then. ->iopoll is not called
 *	  any more: what only that would complete is left to ->cancel
 * @mode: permissions of the device node; 0 for 0600
 * @populates: ->mmap may populate (remap_pfn_range() and its like): what it maps there
 *	  stays valid until ->close of the mapping, or ->gone, and is not unmapped by
 *	  offset; the other functions do not look at vm_pgoff of such a mapping. See
 *	  include/unplug/mmap.h
 * @frozen_waits: who calls read, write, ioctl, open while the device is frozen waits until
 *	  it is thawed (or fails with EAGAIN if the file is O_NONBLOCK); otherwise all of
 *	  them fail with EAGAIN
 * @cancel: optional; called when nobody enters any more: sends home who sleeps inside
 *	  in a way that include/unplug/wait.h has nothing for, and completes commands of
 *	  io_uring that are kept (io_uring_cmd_complete_in_task()). What it does has to
 *	  last (complete_all() does): an insider may reach his sleep after it. Must
 *	  not wait; hardware sections may still run. Called by freeze, too: then the driver
 *	  undoes what it does before it thaws the device; and again if it is unplugged
 *	  frozen
 * @quiesce: optional; called in shut, and by freeze, when no hardware section runs any more and
 *	     before interrupts are given back, or switched off: the hardware is told to
 *	     send none and to leave memory alone. It is touched without a section, and may
 *	     be away already (registers read all ones). May sleep, but not for long: the
 *	     bus waits
 * @groups: optional; attributes, see include/unplug/attr.h; must stay valid as @fops
 * @gone: optional; called exactly once per device that was registered, after the
 *	  last operation and the last release of any file. Frees what the
 *	  driver's structure points to. May sleep; may not call unplug_dev_*
 *	  but unplug_dev_put().
 * @front: for front ends, whose nodes are not the core's; NULL for drivers
 */
struct unplug_driver {
	struct module *owner;
	const char *name;
	const struct file_operations *fops;
	umode_t mode;
	bool populates;
	bool frozen_waits;
	void (*cancel)(struct unplug_dev *dev);
	void (*quiesce)(struct unplug_dev *dev);
	void (*gone)(struct unplug_dev *dev);
	const struct attribute_group *const *groups;
	const struct unplug_front *front;
};

/**
 * struct unplug_front - a subsystem that makes the nodes itself
 * @closed: called when nobody enters any more, before anything is revoked: tells those who
 *	    do not ask the gate. Must not wait
 * @begin: called at shut, before drained and gone may follow: takes what ->gone
 *	   puts, wakes sleepers. Must not wait for users
 * @hide: called after it, beside drained and gone: removes the nodes
 * @read: what read answers from shut on, without the driver, until the last close;
 *	  must not wait. -ENODEV if NULL
 * @poll: what poll says besides EPOLLHUP | EPOLLERR from shut on; likewise
 *
 * Its files belong to the subsystem until their last close: release is not
 * forced, which keeps the driver's module in memory as long as one is open, and
 * open and close of mappings are told the driver at any time.
 *
 * The front end's open calls unplug_front_open() on a device that was made by
 * unplug_front_alloc() and registered by unplug_front_register(), then unplug_front_live().
 */
struct unplug_front {
	void (*closed)(struct unplug_dev *dev);
	void (*begin)(struct unplug_dev *dev);
	void (*hide)(struct unplug_dev *dev);
	ssize_t (*read)(struct file *file, char __user *to, size_t count,
			loff_t *pos);
	__poll_t (*poll)(struct file *file);
};

/**
 * struct unplug_dev - embedded in the driver's structure; all fields private
 * @gate: operations and faults
 * @hw: hardware sections
 * @hw_drained: hw is dead
 * @device: parent, name, node, sysfs; its count is the reference count
 * @drv: the driver; NULL from gone on
 * @guard: the core's table that stands before the driver's operations
 * @vm_ops: the driver's tables its mappings use; slots filled under files_lock,
 *	    never emptied
 * @populated: records of populate.c, by the upper half of vm_pgoff
 * @mapping: address space of @inode: owns all mappings
 * @inode: the core's; none of the file system's. NULL with a front end, which
 *	   keeps the one @mapping belongs to
 * @state: enum unplug_dev_state; NEW to LIVE, or to GONE, by register; LIVE to FROZEN by
 *	   freeze, and back by thaw; LIVE or FROZEN to DYING by whoever wins, later ones
 *	   by unplug alone
 * @minor: kept until the memory is freed
 * @generation: different for every device since the core was loaded, and after each thaw
 * @policy: of files that do not choose; set while NEW
 * @front: copied from @drv, as that may be gone
 * @mode: permissions of the node; likewise
 * @waits: copied from @drv
 * @frozen: the gates are closed already; by freeze and thaw, read by who is first to unplug
 * @pinned: unplug holds a reference of the driver's module
 * @files_lock: protects @files, @open, @unreleased, the files' states, @vm_ops
 * @files: files until their last close, by address
 * @open: those nobody has claimed for release
 * @unreleased: those whose release has not been done
 * @releasing: those whose release is running
 * @stale: files that thaw has released and that are still open
 * @files_wait: woken when a file was released
 * @wait: sleepers inside, and relays to those in poll; woken when nobody comes any more
 * @wakes: queues of the driver's that are woken then; filled while NEW
 * @fasync: who wants SIGIO
 * @holders_lock: protects the next two
 * @holders: who is inside, while that is written down
 * @holders_last: number of the last one
 * @callbacks: work and timers of the driver; filled while NEW
 * @irqs: interrupts, until shut; filled while NEW
 * @debugfs: its folder, until @free_work
 * @stall_work: tells the log, again and again, what an unplug waits for
 * @stall_delay: how long until it does so next, in jiffies
 * @reset: freeze and thaw, one at a time; unplug does not take it
 * @thawed: newcomers that wait until it is not frozen any more
 * @idle: @gate is dead
 * @ends: of what gone needs, how many are to come: that @gate is dead, and shut
 * @shut_work: unplug_dev_unplug_async
 * @gone_work: from the last put of @gate to gone
 * @free_work: from the last reference on
 * @shut: completed for ever at shut
 * @hidden: likewise when the node is gone
 * @gone: completed for ever at gone
 * @when_called: times of the events
 * @when_shut: "
 * @when_drained: "
 * @dep_map: an operation in progress, for lockdep
 * @rcu: frees @memory
 * @memory: what was allocated: the driver's structure
 */
struct unplug_dev {
	struct unplug_gate gate;
	struct unplug_gate hw;
	struct completion hw_drained;

	struct device device;
	const struct unplug_driver *drv;
	const struct file_operations *guard;
	const struct vm_operations_struct *vm_ops[UNPLUG_VM_OPS_MAX];
	struct xarray populated;
	struct address_space *mapping;
	struct inode *inode;

	atomic_t state;
	u32 minor;
	u64 generation;
	enum unplug_policy policy;
	const struct unplug_front *front;
	umode_t mode;
	bool waits;
	bool frozen;
	bool pinned;

	spinlock_t files_lock;
	DECLARE_HASHTABLE(files, UNPLUG_FILES_BITS);
	struct list_head open;
	unsigned int unreleased;
	unsigned int releasing;
	unsigned int stale;
	wait_queue_head_t files_wait;
	wait_queue_head_t wait;
	struct list_head wakes;
	struct fasync_struct *fasync;
	struct list_head callbacks;
	struct list_head irqs;

	spinlock_t holders_lock;
	struct list_head holders;
	u64 holders_last;

	struct dentry *debugfs;
	struct delayed_work stall_work;
	unsigned long stall_delay;
	struct mutex reset;
	wait_queue_head_t thawed;
	struct completion idle;
	refcount_t ends;
	struct work_struct shut_work;
	struct work_struct gone_work;
	struct work_struct free_work;
	struct completion shut;
	struct completion hidden;
	struct completion gone;
	ktime_t when_called;
	ktime_t when_shut;
	ktime_t when_drained;

	struct lockdep_map dep_map;
	struct rcu_head rcu;
	void *memory;
};

struct unplug_dev *__unplug_dev_alloc(const struct unplug_driver *drv,
				      struct device *parent, size_t size,
				      size_t offset, struct inode *inode);

/**
 * unplug_dev_alloc() - allocate a device and the driver's structure around it
 * @drv: the driver
 * @parent: the bus device it sits on, or NULL
 * @type: the driver's structure
 * @member: its member of type struct unplug_dev
 *
 * The structure is zeroed and belongs to the core: it lives until the last
 * reference is put. A device that was never registered is disposed of by
 * unplug_dev_put(); ->gone is not called then.
 *
 * Ownership: the caller has one reference, and owes unplug_dev_put(). @drv
 *	    has to stay until the device is gone.
 * Context: Process. May sleep.
 * Return: pointer to @type with one reference of the caller, or an ERR_PTR:
 *	   -EINVAL (no operations, or some that cannot be guarded), -ENOMEM.
 */
#define unplug_dev_alloc(drv, parent, type, member)			\
({									\
	struct unplug_dev *__dev;					\
									\
	BUILD_BUG_ON(!__same_type(((type *)NULL)->member, *__dev));	\
	__dev = __unplug_dev_alloc((drv), (parent), sizeof(type),	\
				   offsetof(type, member), NULL);	\
	IS_ERR(__dev) ? ERR_CAST(__dev) :				\
			container_of(__dev, type, member);		\
})

__printf(2, 3)
int unplug_dev_register(struct unplug_dev *dev, const char *fmt, ...);
int unplug_dev_unplug(struct unplug_dev *dev);
int unplug_dev_unplug_many(struct unplug_dev *const devs[], unsigned int n);
void unplug_dev_unplug_async(struct unplug_dev *dev);
int unplug_dev_wait_gone(struct unplug_dev *dev);
int unplug_dev_freeze(struct unplug_dev *dev);
int unplug_dev_thaw(struct unplug_dev *dev, enum unplug_thaw files);
int unplug_dev_error(struct unplug_dev *dev);

/**
 * unplug_front_alloc() - unplug_dev_alloc() for a front end
 * @drv: the driver, with a front end
 * @parent: the bus device it sits on, or NULL
 * @type: the front end's structure
 * @member: its member of type struct unplug_dev
 * @inode: the inode whose address space owns all mappings of the device. Its
 *	   i_private must be free: it is the device's from now on. The front
 *	   end keeps the inode as long as a file or a mapping is there, and
 *	   until gone
 *
 * Ownership: as unplug_dev_alloc(); @inode stays the front end's.
 * Context: Process. May sleep.
 * Return: as unplug_dev_alloc().
 */
#define unplug_front_alloc(drv, parent, type, member, inode)		\
({									\
	struct unplug_dev *__dev;					\
									\
	BUILD_BUG_ON(!__same_type(((type *)NULL)->member, *__dev));	\
	__dev = __unplug_dev_alloc((drv), (parent), sizeof(type),	\
				   offsetof(type, member), (inode));	\
	IS_ERR(__dev) ? ERR_CAST(__dev) :				\
			container_of(__dev, type, member);		\
})

int unplug_front_register(struct unplug_dev *dev, const char *name);
int unplug_front_live(struct unplug_dev *dev);
void unplug_front_forget(struct unplug_dev *dev);
int unplug_front_open(struct unplug_dev *dev, struct inode *inode,
		      struct file *file);

int unplug_dev_set_policy(struct unplug_dev *dev, enum unplug_policy policy);
int unplug_file_set_policy(struct file *file, enum unplug_policy policy);

bool unplug_dev_tryget(struct unplug_dev *dev);
struct unplug_dev *unplug_dev_get(struct unplug_dev *dev);
void unplug_dev_put(struct unplug_dev *dev);

/**
 * unplug_dev_from_file() - the device behind an open file
 * @file: a file in an operation of the driver, ->open included
 *
 * Ownership: takes no reference: the open file holds one.
 * Context: Any.
 * Return: the device.
 */
static inline struct unplug_dev *unplug_dev_from_file(const struct file *file)
{
	return file->f_mapping->host->i_private;
}

/**
 * unplug_dev_generation() - number of this plugging-in, or thaw
 * @dev: a registered device
 *
 * Ownership: takes and puts nothing; the caller has a reference.
 * Context: Any.
 * Return: a number no other device since the core was loaded had; 0 before
 *	   it was registered.
 */
static inline u64 unplug_dev_generation(const struct unplug_dev *dev)
{
	return READ_ONCE(dev->generation);
}

/**
 * unplug_dev_is_gone() - is it all over?
 * @dev: a device that was registered
 *
 * Ownership: takes and puts nothing; the caller has a reference.
 * Context: Any.
 * Return: true once the device is gone.
 */
static inline bool unplug_dev_is_gone(struct unplug_dev *dev)
{
	return atomic_read(&dev->state) == UNPLUG_DEV_GONE;
}

/**
 * unplug_dev_name() - name of the device and its node
 * @dev: a registered device
 *
 * Ownership: the name is the device's.
 * Context: Any.
 * Return: the name; valid as long as the device.
 */
static inline const char *unplug_dev_name(const struct unplug_dev *dev)
{
	return dev_name(&dev->device);
}

/**
 * unplug_dev_get_active() - enter a device
 * @dev: the device
 *
 * File operations and faults are inside already: the core entered for them.
 * This is for what the driver starts on its own account.
 *
 * Ownership: the caller has a reference of the device, and owes
 *	    unplug_dev_put_active() if it succeeds.
 * Context: Any, up to hard interrupt. Does not sleep, takes no lock.
 * Return: true if the caller owes unplug_dev_put_active(); false if the device
 *	   is not registered, or being unplugged.
 */
static inline bool unplug_dev_get_active(struct unplug_dev *dev)
{
	return unplug_gate_get_active(&dev->gate);
}

/**
 * unplug_dev_put_active() - leave a device
 * @dev: the device, entered by unplug_dev_get_active()
 *
 * Ownership: the caller is no longer inside; its reference of the device
 *	    keeps the memory.
 * Context: Any, up to hard interrupt. Does not sleep, takes no lock.
 */
static inline void unplug_dev_put_active(struct unplug_dev *dev)
{
	unplug_gate_put_active(&dev->gate);
}

/**
 * unplug_dev_hw_enter() - begin a hardware section
 * @dev: the device
 *
 * unplug waits for the end of the section while it holds locks of the bus: the
 * section may sleep for memory or for the hardware, with a time limit, but not
 * for a user, user memory, or a lock held over such a wait.
 *
 * Ownership: the caller owes unplug_dev_hw_exit() if it succeeds.
 * Context: Any, up to hard interrupt. Does not sleep, takes no lock.
 * Return: true if the hardware may be touched until unplug_dev_hw_exit();
 *	   false if it is, or is about to be, away.
 */
static inline bool unplug_dev_hw_enter(struct unplug_dev *dev)
{
	return unplug_gate_get_active(&dev->hw);
}

/**
 * unplug_dev_hw_exit() - end a hardware section
 * @dev: the device
 *
 * Ownership: the caller must not touch the hardware any more.
 * Context: Any, up to hard interrupt. Does not sleep, takes no lock.
 */
static inline void unplug_dev_hw_exit(struct unplug_dev *dev)
{
	unplug_gate_put_active(&dev->hw);
}

#endif /* _UNPLUG_DEVICE_H */
