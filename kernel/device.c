// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device: see include/unplug/device.h for its life.
 *
 * Who does what of an unplug:
 *
 *	begin	whoever is first to move the state from LIVE to DYING; any
 *		context; takes what the rest needs: a reference of the device and
 *		one of the driver's module
 *	shut	the same caller, or a worker for unplug_dev_unplug_async
 *	finish	a worker, started by the last one out of the gate: drained, gone
 *
 * No worker waits for an insider: finish is queued when the gate is dead, so any
 * number of devices may be stuck without holding up each other.
 */

#include <linux/err.h>
#include <linux/moduleparam.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "internal.h"

static unsigned int drain_ms = 100;
module_param(drain_ms, uint, 0644);
MODULE_PARM_DESC(drain_ms,
		 "how long unplug waits for gone before it leaves the rest to a worker, in milliseconds (default 100)");

struct workqueue_struct *unplug_wq;
static struct lock_class_key unplug_dep_key;

static s64 unplug_dev_us(struct unplug_dev *dev, ktime_t when)
{
	return ktime_us_delta(when, dev->when_called);
}

/* -- memory ------------------------------------------------------------- */

static void unplug_dev_free_rcu(struct rcu_head *rcu)
{
	struct unplug_dev *dev = container_of(rcu, struct unplug_dev, rcu);

	unplug_gate_destroy(&dev->hw);
	unplug_gate_destroy(&dev->gate);
	kfree(dev->memory);
	/* The rest of this function is waited for by rcu_barrier on exit. */
	module_put(THIS_MODULE);
}

/* The last reference is gone. */
static void unplug_dev_release(struct device *device)
{
	struct unplug_dev *dev = container_of(device, struct unplug_dev, device);
	int state = atomic_read(&dev->state);

	WARN_ON(state != UNPLUG_DEV_NEW && state != UNPLUG_DEV_GONE);
	unplug_minor_free(dev);
	iput(dev->inode);
	call_rcu(&dev->rcu, unplug_dev_free_rcu);
}

static void unplug_dev_gate_drained(struct unplug_gate *gate)
{
	struct unplug_dev *dev = container_of(gate, struct unplug_dev, gate);

	queue_work(unplug_wq, &dev->gone_work);
}

static void unplug_dev_hw_drained(struct unplug_gate *hw)
{
	complete_all(&container_of(hw, struct unplug_dev, hw)->hw_drained);
}

static void unplug_dev_shut_work(struct work_struct *work);
static void unplug_dev_gone_work(struct work_struct *work);

static void unplug_dev_init(struct unplug_dev *dev,
			    const struct unplug_driver *drv,
			    struct device *parent, void *memory)
{
	dev->memory = memory;
	dev->drv = drv;
	dev->mode = drv->mode;
	dev->mapping = dev->inode->i_mapping;
	init_completion(&dev->hw_drained);
	init_completion(&dev->shut);
	init_completion(&dev->gone);
	spin_lock_init(&dev->files_lock);
	hash_init(dev->files);
	init_waitqueue_head(&dev->files_wait);
	init_waitqueue_head(&dev->wait);
	INIT_WORK(&dev->shut_work, unplug_dev_shut_work);
	INIT_WORK(&dev->gone_work, unplug_dev_gone_work);
	lockdep_init_map(&dev->dep_map, "unplug_active", &unplug_dep_key, 0);

	device_initialize(&dev->device);
	dev->device.class = unplug_class;
	dev->device.parent = parent;
	dev->device.release = unplug_dev_release;
}

/* See unplug_dev_alloc(). */
struct unplug_dev *__unplug_dev_alloc(const struct unplug_driver *drv,
				      struct device *parent, size_t size,
				      size_t offset)
{
	const struct file_operations *guard;
	struct unplug_dev *dev;
	void *memory;
	int err = -ENOMEM;

	guard = unplug_guard_fops(drv->fops);
	if (IS_ERR(guard)) {
		pr_err("%s: %s\n", drv->name ?: "(no name)",
		       drv->fops ? "check_flags cannot be guarded"
				 : "a driver without file operations");
		return ERR_CAST(guard);
	}

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
	dev->inode = unplug_inode_new(dev);
	if (IS_ERR(dev->inode)) {
		err = PTR_ERR(dev->inode);
		goto free_hw;
	}

	unplug_dev_init(dev, drv, parent, memory);
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
 * unplug_dev_get() - take a reference
 * @dev: a device the caller may use, or NULL
 *
 * A reference keeps the memory, not the hardware, and not the driver.
 *
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
 * unplug_dev_put() - give back a reference
 * @dev: a device, or NULL
 *
 * A registered device must have been unplugged before the driver puts its own.
 *
 * Context: Process. May sleep.
 */
void unplug_dev_put(struct unplug_dev *dev)
{
	if (dev)
		put_device(&dev->device);
}
EXPORT_SYMBOL_GPL(unplug_dev_put);

/* -- register ------------------------------------------------------------ */

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
	unplug_gate_open(&dev->hw);
	unplug_gate_open(&dev->gate);
	atomic_set(&dev->state, UNPLUG_DEV_LIVE);
	unplug_dev_info(dev, "registered, %u:%u\n", MAJOR(dev->device.devt),
			MINOR(dev->device.devt));
	dev_set_uevent_suppress(&dev->device, false);
	kobject_uevent(&dev->device.kobj, KOBJ_ADD);
	return 0;
}

static const char *unplug_dev_why(int err)
{
	switch (err) {
	case -EBUSY:
		return "it was registered before";
	case -EEXIST:
		return "the name is in use";
	case -ENOSPC:
		return "all minor numbers are in use";
	case -ENOMEM:
		return "out of memory";
	default:
		return "device_add failed";
	}
}

/**
 * unplug_dev_register() - let users in
 * @dev: a new device, set up by the driver: operations may run before this
 *	 returns
 * @fmt: name of the device and of its node
 *
 * After -EEXIST the driver may try another name; after any other failure the
 * device is of no use but for unplug_dev_put().
 *
 * Context: Process. May sleep. The caller does not unplug the device meanwhile.
 * Return: 0, or with a line in the log: -EBUSY (registered before), -EEXIST (name
 *	   in use), -ENOSPC, -ENOMEM, what device_add says.
 */
int unplug_dev_register(struct unplug_dev *dev, const char *fmt, ...)
{
	va_list args;
	char *name;
	int err;

	/* The name of a live device must not change: look first. */
	if (atomic_cmpxchg(&dev->state, UNPLUG_DEV_NEW,
			   UNPLUG_DEV_REGISTERING) != UNPLUG_DEV_NEW) {
		err = -EBUSY;
		goto err_log;
	}

	va_start(args, fmt);
	name = kvasprintf(GFP_KERNEL, fmt, args);
	va_end(args);
	err = name ? dev_set_name(&dev->device, "%s", name) : -ENOMEM;
	kfree(name);
	if (err)
		goto err_state;
	err = unplug_minor_reserve(dev);
	if (err)
		goto err_state;
	err = unplug_dev_add(dev);
	if (err)
		goto err_name;
	return 0;

err_name:
	unplug_minor_free_name(dev);
err_state:
	atomic_set(&dev->state,
		   err == -EEXIST && !dev->generation ? UNPLUG_DEV_NEW :
							UNPLUG_DEV_GONE);
err_log:
	pr_err("%s: cannot register: %s (%d)\n",
	       dev_name(&dev->device) ?: "(no name)", unplug_dev_why(err), err);
	return err;
}
EXPORT_SYMBOL_GPL(unplug_dev_register);

/* -- unplug ------------------------------------------------------------- */

/*
 * A module that is loading or unloading cannot be kept: its init, when it
 * fails, and its exit end with the module gone, whatever its count says. Who
 * unplugs from there has to wait for gone instead.
 */
static bool unplug_dev_pin_driver(struct unplug_dev *dev)
{
	struct module *owner = dev->drv->owner;

	if (!owner)
		return true;
	return READ_ONCE(owner->state) == MODULE_STATE_LIVE &&
	       try_module_get(owner);
}

static bool unplug_dev_begin(struct unplug_dev *dev)
{
	if (atomic_cmpxchg(&dev->state, UNPLUG_DEV_LIVE, UNPLUG_DEV_DYING) !=
	    UNPLUG_DEV_LIVE)
		return false;

	dev->when_called = ktime_get();
	unplug_dev_get(dev);
	dev->pinned = unplug_dev_pin_driver(dev);
	unplug_gate_kill(&dev->hw);
	unplug_gate_kill(&dev->gate);
	return true;
}

static void unplug_dev_wait_hw(struct unplug_dev *dev)
{
	unplug_gate_fold(&dev->hw);
	while (!wait_for_completion_timeout(&dev->hw_drained, 10 * HZ))
		unplug_dev_err(dev, "%u hardware sections have not ended yet: %s must not wait for users in one\n",
			       unplug_gate_inside(&dev->hw), dev->drv->name);
}

/* All of the device's mappings, private copies included: never a range. */
static void unplug_dev_zap(struct unplug_dev *dev)
{
	unmap_mapping_range(dev->mapping, 0, 0, 1);
}

/*
 * From DYING to SHUT. The last step, folding the operations' gate, may start
 * unplug_dev_gone_work at once.
 */
static void unplug_dev_shut(struct unplug_dev *dev)
{
	unplug_hook(UNPLUG_HOOK_MARKED);
	synchronize_rcu_expedited();
	unplug_dev_wait_hw(dev);
	/*
	 * Entries made in hardware sections are all there and no new ones come.
	 * Those a driver may have made elsewhere wait for the zap at drained.
	 */
	unplug_dev_zap(dev);
	dev->when_shut = ktime_get();
	atomic_set(&dev->state, UNPLUG_DEV_SHUT);
	__wake_up(&dev->wait, TASK_NORMAL, 0,
		  poll_to_key(EPOLLHUP | EPOLLERR));

	device_del(&dev->device);
	unplug_minor_free_name(dev);
	unplug_dev_info(dev, "shut after %lld us\n",
			unplug_dev_us(dev, dev->when_shut));
	complete_all(&dev->shut);
	unplug_hook(UNPLUG_HOOK_SHUT);
	unplug_gate_fold(&dev->gate);
}

static void unplug_dev_shut_work(struct work_struct *work)
{
	unplug_dev_shut(container_of(work, struct unplug_dev, shut_work));
}

/* From SHUT over DRAINED to GONE; the last put of the gate started it. */
static void unplug_dev_gone_work(struct work_struct *work)
{
	struct unplug_dev *dev = container_of(work, struct unplug_dev,
					      gone_work);
	struct module *owner = dev->drv->owner;

	unplug_dev_zap(dev);
	dev->when_drained = ktime_get();
	atomic_set(&dev->state, UNPLUG_DEV_DRAINED);
	unplug_dev_info(dev, "drained after %lld us\n",
			unplug_dev_us(dev, dev->when_drained));
	unplug_hook(UNPLUG_HOOK_DRAINED);

	unplug_file_release_all(dev);
	if (dev->drv->gone)
		dev->drv->gone(dev);
	dev->drv = NULL;
	atomic_set(&dev->state, UNPLUG_DEV_GONE);
	unplug_dev_info(dev, "gone after %lld us\n",
			unplug_dev_us(dev, ktime_get()));

	/* In this order: who waited for gone may unload the driver next. */
	if (dev->pinned)
		module_put(owner);
	complete_all(&dev->gone);
	unplug_dev_put(dev);
}

static bool unplug_dev_wait(struct unplug_dev *dev)
{
	bool gone = true;

	/* Tell lockdep: an operation must not want what our caller holds. */
	rwsem_acquire(&dev->dep_map, 0, 0, _RET_IP_);
	if (dev->pinned)
		gone = wait_for_completion_timeout(&dev->gone,
						   msecs_to_jiffies(drain_ms));
	else
		wait_for_completion(&dev->gone);
	rwsem_release(&dev->dep_map, _RET_IP_);
	return gone;
}

/**
 * unplug_dev_unplug() - take a device away
 * @dev: the device; the caller's reference stays the caller's
 *
 * For ->remove of a bus: on return the device is shut, so that the hardware and
 * what belongs to the bus (BARs, interrupts) may be given back. Waits for gone
 * no longer than the module parameter drain_ms, then leaves the rest to a
 * worker of the core; the driver's module stays pinned until that is done. Only
 * when the module is being loaded or unloaded, and so cannot be pinned, does it
 * wait for gone in any case; there are no open files then, except those that
 * raced a failing init.
 *
 * May be called again, and concurrently. Not from inside an operation, a
 * fault, a hardware section or ->gone of any device: unplug_dev_unplug_async()
 * is for those.
 *
 * Context: Process. May sleep.
 * Return: 0 if the device is gone; -EINPROGRESS if a worker goes on; -EINVAL if
 *	   the device is not registered.
 */
int unplug_dev_unplug(struct unplug_dev *dev)
{
	might_sleep();

	if (unplug_dev_begin(dev))
		unplug_dev_shut(dev);
	else if (atomic_read(&dev->state) < UNPLUG_DEV_LIVE || !dev->generation)
		return -EINVAL;
	wait_for_completion(&dev->shut);

	if (unplug_dev_wait(dev))
		return 0;
	if (atomic_read(&dev->state) == UNPLUG_DEV_SHUT)
		unplug_dev_info(dev, "%u operations still inside, continues in the background\n",
				unplug_gate_inside(&dev->gate));
	else
		unplug_dev_info(dev, "releases still running, continues in the background\n");
	return -EINPROGRESS;
}
EXPORT_SYMBOL_GPL(unplug_dev_unplug);

/**
 * unplug_dev_unplug_async() - take a device away, without waiting
 * @dev: the device; the caller's reference stays the caller's
 *
 * No newcomer gets in once this returned and an RCU grace period passed; all the
 * rest is done by a worker of the core. The hardware must not be given back
 * before unplug_dev_wait_gone(), or unplug_dev_unplug(), returned. Does
 * nothing if the device is not registered or being unplugged.
 *
 * Context: Any, up to hard interrupt, and inside operations of any device.
 */
void unplug_dev_unplug_async(struct unplug_dev *dev)
{
	if (unplug_dev_begin(dev))
		queue_work(unplug_wq, &dev->shut_work);
}
EXPORT_SYMBOL_GPL(unplug_dev_unplug_async);

/**
 * unplug_dev_wait_gone() - wait until a device is gone
 * @dev: a device that was unplugged, with a reference of the caller
 *
 * Without a limit: as long as its users keep operations inside. Not from where
 * unplug_dev_unplug() must not be called.
 *
 * Context: Process. May sleep.
 */
void unplug_dev_wait_gone(struct unplug_dev *dev)
{
	wait_for_completion(&dev->gone);
}
EXPORT_SYMBOL_GPL(unplug_dev_wait_gone);

int unplug_device_init(void)
{
	unplug_wq = alloc_workqueue("unplug", WQ_UNBOUND,
				    WQ_UNBOUND_MAX_ACTIVE);
	return unplug_wq ? 0 : -ENOMEM;
}

/* No device is left: each one holds the module. What freed the last may run. */
void unplug_device_exit(void)
{
	destroy_workqueue(unplug_wq);
	rcu_barrier();
}
