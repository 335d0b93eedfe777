// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device: see include/unplug/device.h for its life. Here it is made, shown to
 * the world, and freed; how it is taken away is in shut.c.
 */

#include <linux/err.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "internal.h"
#include "trace.h"

static struct lock_class_key unplug_dep_key;

static void unplug_dev_free_rcu(struct rcu_head *rcu)
{
	struct unplug_dev *dev = container_of(rcu, struct unplug_dev, rcu);

	WARN_ON(!xa_empty(&dev->populated));
	WARN_ON(dev->stale);
	unplug_gate_destroy(&dev->hw);
	unplug_gate_destroy(&dev->gate);
	kfree(dev->memory);
	/* The rest of this function is waited for by rcu_barrier on exit. */
	module_put(THIS_MODULE);
}

static void unplug_dev_free_work(struct work_struct *work)
{
	struct unplug_dev *dev = container_of(work, struct unplug_dev,
					      free_work);

	unplug_debugfs_remove(dev);
	unplug_holder_forget(dev);
	unplug_minor_free(dev);
	iput(dev->inode);
	call_rcu(&dev->rcu, unplug_dev_free_rcu);
}

/* The last reference is gone. Whoever had it does not wait for who reads debugfs. */
static void unplug_dev_release(struct device *device)
{
	struct unplug_dev *dev = container_of(device, struct unplug_dev, device);
	int state = atomic_read(&dev->state);

	WARN_ON(state != UNPLUG_DEV_NEW && state != UNPLUG_DEV_GONE);
	unplug_irqs_release(dev);
	queue_work(unplug_wq, &dev->free_work);
}

/*
 * At freeze, or at unplug. As soon as the end is counted, somebody else may count the
 * last one, and free the device: by RCU.
 */
static void unplug_dev_gate_drained(struct unplug_gate *gate)
{
	struct unplug_dev *dev = container_of(gate, struct unplug_dev, gate);

	rcu_read_lock();
	unplug_dev_ended(dev);
	complete_all(&dev->idle);	/* last: thaw counts this end once more */
	rcu_read_unlock();
}

static void unplug_dev_hw_drained(struct unplug_gate *hw)
{
	complete_all(&container_of(hw, struct unplug_dev, hw)->hw_drained);
}

static void unplug_dev_init(struct unplug_dev *dev,
			    const struct unplug_driver *drv,
			    struct device *parent, void *memory)
{
	dev->memory = memory;
	dev->drv = drv;
	dev->front = drv->front;
	dev->mode = drv->mode;
	dev->waits = drv->frozen_waits;
	refcount_set(&dev->ends, UNPLUG_ENDS);
	init_completion(&dev->idle);
	init_completion(&dev->hw_drained);
	init_completion(&dev->shut);
	init_completion(&dev->hidden);
	init_completion(&dev->gone);
	xa_init_flags(&dev->populated, XA_FLAGS_ALLOC);
	spin_lock_init(&dev->files_lock);
	hash_init(dev->files);
	INIT_LIST_HEAD(&dev->open);
	init_waitqueue_head(&dev->files_wait);
	init_waitqueue_head(&dev->wait);
	mutex_init(&dev->reset);
	init_waitqueue_head(&dev->thawed);
	INIT_LIST_HEAD(&dev->wakes);
	spin_lock_init(&dev->holders_lock);
	INIT_LIST_HEAD(&dev->holders);
	INIT_LIST_HEAD(&dev->callbacks);
	INIT_LIST_HEAD(&dev->irqs);
	INIT_WORK(&dev->shut_work, unplug_dev_shut_work);
	INIT_WORK(&dev->gone_work, unplug_dev_gone_work);
	INIT_WORK(&dev->free_work, unplug_dev_free_work);
	INIT_DELAYED_WORK(&dev->stall_work, unplug_stall_work);
	lockdep_init_map(&dev->dep_map, "unplug_active", &unplug_dep_key, 0);

	device_initialize(&dev->device);
	dev->device.class = unplug_class;
	dev->device.parent = parent;
	dev->device.release = unplug_dev_release;
}

/* See unplug_dev_alloc(). */
struct unplug_dev *__unplug_dev_alloc(const struct unplug_driver *drv,
				      struct device *parent, size_t size,
				      size_t offset, struct inode *inode)
{
	const struct file_operations *guard;
	struct unplug_dev *dev;
	void *memory;
	int err;

	guard = unplug_guard_fops(drv->fops);
	if (IS_ERR(guard)) {
		pr_err("%s: %s\n", drv->name ?: "(no name)", drv->fops ?
		       "check_flags, mmap_supported_flags or this mmap_prepare cannot be guarded" :
		       "a driver without file operations");
		return ERR_CAST(guard);
	}
	err = unplug_attrs_check(drv);
	if (err)
		return ERR_PTR(err);

	err = -ENOMEM;
	memory = kzalloc(size, GFP_KERNEL);
	if (!memory)
		return ERR_PTR(err);
	dev = memory + offset;
	dev->guard = guard;
	err = unplug_gate_init(&dev->gate, unplug_dev_gate_drained);
	if (err)
		goto free_memory;
	err = unplug_gate_init(&dev->hw, unplug_dev_hw_drained);
	if (err)
		goto free_gate;
	if (!inode) {
		inode = unplug_inode_new();
		err = PTR_ERR_OR_ZERO(inode);
		if (err)
			goto free_hw;
		dev->inode = inode;
	}
	dev->mapping = inode->i_mapping;

	unplug_dev_init(dev, drv, parent, memory);
	/* A front end's inode is there already: pairs with READ_ONCE() in unplug_dev_from_drm(). */
	smp_store_release(&inode->i_private, dev);
	/* The caller's module depends on this one: it is there. */
	__module_get(THIS_MODULE);
	return dev;

free_hw:
	unplug_gate_destroy(&dev->hw);
free_gate:
	unplug_gate_destroy(&dev->gate);
free_memory:
	kfree(memory);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(__unplug_dev_alloc);

/**
 * unplug_dev_set_policy() - choose what users find in mappings after unplug
 * @dev: a device that was not registered yet
 * @policy: what; UNPLUG_POLICY_SIGBUS if this is never called
 *
 * Ownership: takes and puts nothing.
 * Context: Any. The caller serialises this with register.
 * Return: 0; -EBUSY if the device was registered; -EINVAL for an unknown policy.
 */
int unplug_dev_set_policy(struct unplug_dev *dev, enum unplug_policy policy)
{
	if (policy != UNPLUG_POLICY_SIGBUS && policy != UNPLUG_POLICY_DUMMY)
		return -EINVAL;
	if (atomic_read(&dev->state) != UNPLUG_DEV_NEW)
		return -EBUSY;
	dev->policy = policy;
	return 0;
}
EXPORT_SYMBOL_GPL(unplug_dev_set_policy);

/**
 * unplug_dev_get() - take a reference
 * @dev: a device the caller may use, or NULL
 *
 * A reference keeps the memory, not the hardware, and not the driver.
 *
 * Ownership: the caller owes one more unplug_dev_put().
 * Context: Any.
 * Return: @dev.
 */
struct unplug_dev *unplug_dev_get(struct unplug_dev *dev)
{
	if (dev)
		get_device(&dev->device);
	return dev;
}
EXPORT_SYMBOL_GPL(unplug_dev_get);

/**
 * unplug_dev_tryget() - take a reference unless the last one is gone
 * @dev: a device found under RCU
 *
 * Ownership: the caller owes unplug_dev_put() if it succeeds.
 * Context: Any.
 * Return: true if the caller has a reference now.
 */
bool unplug_dev_tryget(struct unplug_dev *dev)
{
	return kobject_get_unless_zero(&dev->device.kobj);
}
EXPORT_SYMBOL_GPL(unplug_dev_tryget);

/**
 * unplug_dev_put() - give back a reference
 * @dev: a device, or NULL
 *
 * A registered device must have been unplugged before the driver puts its own.
 *
 * Ownership: the caller's reference is gone, and with the last one, a grace
 *	    period later, the memory.
 * Context: Process. May sleep.
 */
void unplug_dev_put(struct unplug_dev *dev)
{
	if (dev)
		put_device(&dev->device);
}
EXPORT_SYMBOL_GPL(unplug_dev_put);

static void unplug_dev_open_gates(struct unplug_dev *dev)
{
	unplug_gate_open(&dev->hw);
	unplug_gate_open(&dev->gate);
}

/* Last of all: from here on the device may be taken away, by an operation too. */
static bool unplug_dev_live(struct unplug_dev *dev)
{
	return unplug_dev_settle(dev, UNPLUG_DEV_REGISTERING, UNPLUG_DEV_LIVE);
}

static int unplug_dev_add(struct unplug_dev *dev)
{
	int err;

	dev->device.devt = MKDEV(MAJOR(unplug_devt), dev->minor);
	/*
	 * Node first, then open the gates, then tell the world: a failure before
	 * a gate is open has let nobody in, and who waits for the event finds
	 * the device live.
	 */
	dev_set_uevent_suppress(&dev->device, true);
	err = device_add(&dev->device);
	if (err)
		return err;
	err = unplug_attrs_create(dev);
	if (err) {
		device_del(&dev->device);
		return err;
	}
	unplug_debugfs_add(dev);
	unplug_hook(UNPLUG_HOOK_NODE);
	unplug_dev_open_gates(dev);
	unplug_dev_info(dev, "registered, %u:%u\n", MAJOR(dev->device.devt),
			MINOR(dev->device.devt));
	trace_unplug_registered(dev);
	dev_set_uevent_suppress(&dev->device, false);
	kobject_uevent(&dev->device.kobj, KOBJ_ADD);
	unplug_dev_live(dev);
	return 0;
}

static const char *unplug_dev_why(int err)
{
	switch (err) {
	case -EBUSY:
		return "it was registered before";
	case -EINVAL:
		return "it has no name";
	case -EEXIST:
		return "the name is in use";
	case -ENOTUNIQ:
		return "the name of an attribute is in use";
	case -ENOSPC:
		return "all minor numbers are in use";
	case -ENOMEM:
		return "out of memory";
	default:
		return "device_add failed";
	}
}

static int unplug_dev_complain(struct unplug_dev *dev, int err)
{
	pr_err("%s: cannot register: %s (%d)\n",
	       dev_name(&dev->device) ?: "(no name)", unplug_dev_why(err), err);
	return err;
}

/* From NEW to REGISTERING, with a name, a number and a generation. */
static int unplug_dev_reserve(struct unplug_dev *dev, const char *name)
{
	int err;

	if (!name)
		return unplug_dev_complain(dev, -ENOMEM);
	if (!*name)
		return unplug_dev_complain(dev, -EINVAL);
	/* The name of a live device must not change: look first. */
	if (atomic_cmpxchg(&dev->state, UNPLUG_DEV_NEW,
			   UNPLUG_DEV_REGISTERING) != UNPLUG_DEV_NEW)
		return unplug_dev_complain(dev, -EBUSY);

	err = dev_set_name(&dev->device, "%s", name);
	if (!err)
		err = unplug_minor_reserve(dev);
	if (!err)
		return 0;
	atomic_set(&dev->state, UNPLUG_DEV_NEW);
	return unplug_dev_complain(dev, err);
}

/**
 * unplug_dev_register() - let users in
 * @dev: a new device, set up by the driver: operations may run before this
 *	 returns
 * @fmt: name of the device and of its node
 *
 * After -EEXIST and -EINVAL the driver may try another name; after any other failure
 * the device is of no use but for unplug_dev_put().
 *
 * Ownership: takes no reference. After success the caller owes
 *	    unplug_dev_unplug() before it puts its own; after a failure that
 *	    put alone.
 * Context: Process. May sleep. The caller does not unplug the device meanwhile.
 * Return: 0, or with a line in the log: -EBUSY (registered before), -EINVAL (no
 *	   name), -EEXIST (name in use), -ENOSPC, -ENOMEM, what device_add says.
 */
int unplug_dev_register(struct unplug_dev *dev, const char *fmt, ...)
{
	va_list args;
	char *name;
	int err;

	va_start(args, fmt);
	name = kvasprintf(GFP_KERNEL, fmt, args);
	va_end(args);
	err = unplug_dev_reserve(dev, name);
	kfree(name);
	if (err)
		return err;
	err = unplug_dev_add(dev);
	if (!err)
		return 0;
	unplug_minor_free_name(dev);
	atomic_set(&dev->state, UNPLUG_DEV_GONE);
	return unplug_dev_complain(dev, err);
}
EXPORT_SYMBOL_GPL(unplug_dev_register);

/**
 * unplug_front_register() - unplug_dev_register() for a front end
 * @dev: a new device, made by unplug_front_alloc()
 * @name: for messages; not in use
 *
 * From now on operations run, but nobody can unplug. The front end makes the nodes,
 * then, whether or not it succeeded, calls unplug_front_live().
 *
 * Ownership: as unplug_dev_register().
 * Context: Process. May sleep.
 * Return: as unplug_dev_register().
 */
int unplug_front_register(struct unplug_dev *dev, const char *name)
{
	int err = unplug_dev_reserve(dev, name);

	if (err)
		return err;
	unplug_debugfs_add(dev);
	unplug_dev_open_gates(dev);
	unplug_dev_info(dev, "registered\n");
	trace_unplug_registered(dev);
	return 0;
}
EXPORT_SYMBOL_GPL(unplug_front_register);

/**
 * unplug_front_live() - a front end has done its part of registering
 * @dev: the device
 *
 * Ownership: takes and puts nothing.
 * Context: Process. May sleep.
 * Return: 0; -ENODEV: somebody has asked to unplug it meanwhile, which begins now.
 */
int unplug_front_live(struct unplug_dev *dev)
{
	return unplug_dev_live(dev) ? 0 : -ENODEV;
}
EXPORT_SYMBOL_GPL(unplug_front_live);

/**
 * unplug_front_forget() - the inode of a front end's device is about to be freed
 * @dev: the device
 *
 * Nobody looks at its mappings after this: debugfs does until the last reference is put.
 *
 * Ownership: takes and puts nothing.
 * Context: Process. Waits for who is reading.
 */
void unplug_front_forget(struct unplug_dev *dev)
{
	unplug_debugfs_remove(dev);
	dev->debugfs = NULL;
}
EXPORT_SYMBOL_GPL(unplug_front_forget);
