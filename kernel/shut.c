// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a device is taken away: from LIVE over DYING, SHUT and DRAINED to GONE.
 *
 *	begin	whoever is first to move the state from LIVE, or FROZEN, to DYING; any
 *		context; takes what the rest needs: a reference of the device and
 *		one of the driver's module
 *	shut	the same caller, or a worker for unplug_dev_unplug_async; of many
 *		devices at once for unplug_dev_unplug_many
 *	gone	a worker, started by the last one out of the gate: drained, gone
 *
 * model/unplug.pml follows these steps: change both.
 *
 * No worker waits for an insider: its work is queued when the gate is dead, so
 * any number of devices may be stuck without holding up each other.
 */

#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "internal.h"
#include "trace.h"

static unsigned int drain_ms = 100;
module_param(drain_ms, uint, 0644);
MODULE_PARM_DESC(drain_ms,
		 "how long unplug waits for gone before it leaves the rest to a worker, in milliseconds (default 100)");

struct workqueue_struct *unplug_wq;

static s64 unplug_dev_us(struct unplug_dev *dev, ktime_t when)
{
	return ktime_us_delta(when, dev->when_called);
}

/**
 * unplug_dev_ended() - one of what gone needs is there
 * @dev: the device: its gate is dead, or it is shut
 *
 * Context: Any.
 */
void unplug_dev_ended(struct unplug_dev *dev)
{
	if (refcount_dec_and_test(&dev->ends))
		queue_work(unplug_wq, &dev->gone_work);
}

/* How long to wait for who may take for ever; jiffies */
unsigned long unplug_drain_jiffies(void)
{
	return msecs_to_jiffies(READ_ONCE(drain_ms));
}

/**
 * unplug_dev_wait_drain() - wait for those inside, but not for ever
 * @event: when they have left
 *
 * Context: Process. Sleeps up to drain_ms.
 * Return: true if they have.
 */
bool unplug_dev_wait_drain(struct completion *event)
{
	return wait_for_completion_timeout(event, unplug_drain_jiffies());
}

/**
 * unplug_dev_wait_hw() - wait for the end of hardware sections
 * @dev: a device whose hardware gate was folded
 *
 * Context: Process. Sleeps.
 */
void unplug_dev_wait_hw(struct unplug_dev *dev)
{
	while (!wait_for_completion_timeout(&dev->hw_drained, 10 * HZ))
		unplug_dev_err(dev, "%u hardware sections have not ended yet: %s must not wait for users in one\n",
			       unplug_gate_inside(&dev->hw), dev->drv->name);
}

/**
 * unplug_dev_zap() - take all of a device's mappings back
 * @dev: the device
 *
 * Private copies included: never a range.
 *
 * Context: Process.
 */
void unplug_dev_zap(struct unplug_dev *dev)
{
	unmap_mapping_range(dev->mapping, 0, 0, 1);
}

/*
 * The node is removed after the gate was folded, so that the rest does not wait
 * for it: devtmpfs takes the lock of /dev, which readers of that directory can
 * hold. The bus has to wait: the node's device is a child of its own.
 */
static void unplug_dev_hide(struct unplug_dev *dev)
{
	if (dev->front)
		dev->front->hide(dev);
	else
		device_del(&dev->device);
	unplug_minor_free_name(dev);
	complete_all(&dev->hidden);
}

/* Nobody comes any more. Somebody may sleep in a hardware section, too. */
static void unplug_dev_closed(struct unplug_dev *dev)
{
	unplug_stall_begin(dev);
	if (dev->front)
		dev->front->closed(dev);
	unplug_wait_wake(dev);
	if (!dev->frozen)
		unplug_gate_fold(&dev->hw);
}

/* From DYING to SHUT. The end of it may start unplug_dev_gone_work at once. */
static void unplug_dev_revoke(struct unplug_dev *dev)
{
	/*
	 * Entries made in hardware sections are all there and no new ones come.
	 * Those a driver may have made elsewhere wait for the zap at drained.
	 */
	unplug_dev_zap(dev);
	unplug_populate_shut(dev);
	trace_unplug_revoked(dev, unplug_dev_us(dev, ktime_get()),
			     unplug_gate_inside(&dev->gate));
	unplug_callbacks_quiet(dev);
	/* Before the gate is folded: these lead to the driver, which may go at gone. */
	unplug_attrs_remove(dev);
	dev->when_shut = ktime_get();
	atomic_set(&dev->state, UNPLUG_DEV_SHUT);
	unplug_dev_info(dev, "shut after %lld us\n",
			unplug_dev_us(dev, dev->when_shut));
	trace_unplug_shut(dev, unplug_dev_us(dev, dev->when_shut),
			  unplug_gate_inside(&dev->gate));
	complete_all(&dev->shut);
	if (dev->front)
		dev->front->begin(dev);

	unplug_hook(UNPLUG_HOOK_SHUT);
	unplug_dev_get(dev);	/* until hidden; the other one goes with gone */
	if (!dev->frozen)
		unplug_gate_fold(&dev->gate);
	unplug_dev_ended(dev);
}

/* All whose hardware sections are over. How many are left; @stuck: one of them. */
static unsigned int unplug_devs_revoke(struct unplug_dev *const devs[],
				       unsigned int n, struct unplug_dev **stuck)
{
	unsigned int i, left = 0;

	for (i = 0; i < n; i++) {
		if (completion_done(&devs[i]->shut))
			continue;
		if (completion_done(&devs[i]->hw_drained)) {
			unplug_dev_revoke(devs[i]);
		} else {
			*stuck = devs[i];
			left++;
		}
	}
	return left;
}

/* One whose hardware sections do not end holds up none of the others for longer than this. */
#define HW_WAIT (HZ / 10)

static void unplug_devs_wait_hw(struct unplug_dev *const devs[], unsigned int n)
{
	struct unplug_dev *stuck;
	unsigned int left;

	while ((left = unplug_devs_revoke(devs, n, &stuck)))
		wait_for_completion_timeout(&stuck->hw_drained, left > 1 ?
					    HW_WAIT : 10 * HZ);
}

/*
 * From DYING to SHUT, @n devices, by one interrupt on each CPU. A node that cannot be
 * removed yet holds up those of the others, but by then all are shut.
 */
static void unplug_devs_shut(struct unplug_dev *const devs[], unsigned int n,
			     struct unplug_gate *gates[])
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		gates[2 * i] = &devs[i]->hw;
		gates[2 * i + 1] = &devs[i]->gate;
	}
	unplug_gates_close(gates, 2 * n);
	unplug_hook(UNPLUG_HOOK_CLOSED);
	for (i = 0; i < n; i++)
		unplug_dev_closed(devs[i]);
	unplug_devs_wait_hw(devs, n);
	for (i = 0; i < n; i++) {
		unplug_dev_hide(devs[i]);
		unplug_dev_put(devs[i]);
	}
}

static void unplug_dev_shut(struct unplug_dev *dev)
{
	struct unplug_gate *gates[2];

	unplug_devs_shut(&dev, 1, gates);
}

void unplug_dev_shut_work(struct work_struct *work)
{
	unplug_dev_shut(container_of(work, struct unplug_dev, shut_work));
}

/* From SHUT over DRAINED to GONE; the last put of the gate started it. */
void unplug_dev_gone_work(struct work_struct *work)
{
	struct unplug_dev *dev = container_of(work, struct unplug_dev,
					      gone_work);
	struct module *owner = dev->drv->owner;
	ktime_t when_gone;

	unplug_dev_zap(dev);
	dev->when_drained = ktime_get();
	atomic_set(&dev->state, UNPLUG_DEV_DRAINED);
	unplug_dev_info(dev, "drained after %lld us\n",
			unplug_dev_us(dev, dev->when_drained));
	trace_unplug_drained(dev, unplug_dev_us(dev, dev->when_drained), 0);
	unplug_hook(UNPLUG_HOOK_DRAINED);

	unplug_callbacks_cancel(dev);
	if (!dev->front)
		unplug_file_release_all(dev);
	if (dev->drv->gone)
		dev->drv->gone(dev);
	unplug_stall_end(dev);
	if (!dev->front)
		dev->drv = NULL;
	atomic_set(&dev->state, UNPLUG_DEV_GONE);

	/* In this order: who waited for gone may unload the driver next. */
	if (dev->pinned)
		module_put(owner);
	when_gone = ktime_get();
	unplug_dev_info(dev, "gone after %lld us\n",
			unplug_dev_us(dev, when_gone));
	trace_unplug_gone(dev, unplug_dev_us(dev, when_gone), 0);
	complete_all(&dev->gone);
	unplug_dev_put(dev);
}

static bool unplug_dev_wait(struct unplug_dev *dev, unsigned long until)
{
	bool gone = true;
	long left;

	/* Tell lockdep: an operation must not want what our caller holds. */
	rwsem_acquire(&dev->dep_map, 0, 0, _RET_IP_);
	left = until - jiffies;
	if (dev->pinned)
		gone = wait_for_completion_timeout(&dev->gone, max(left, 0L));
	else
		wait_for_completion(&dev->gone);
	rwsem_release(&dev->dep_map, _RET_IP_);
	return gone;
}

/**
 * unplug_dev_refuse_wait() - may somebody wait for those inside?
 * @dev: the device, for the message
 * @caller: return address of the function that is to wait
 *
 * Who is inside, of this device or of another, waits for himself, or for somebody who
 * waits for him.
 *
 * Context: Any.
 * Return: true, with a line in the log, if not.
 */
bool unplug_dev_refuse_wait(struct unplug_dev *dev, unsigned long caller)
{
	if (!unplug_stack_inside(caller))
		return false;
	unplug_dev_err(dev, "%pS is inside an operation and cannot wait for those inside: see unplug_dev_unplug_async()\n",
		       (void *)caller);
	return true;
}

/* What unplug says of a device that is shut: see there. */
static int unplug_dev_end(struct unplug_dev *dev, unsigned long until,
			  unsigned long caller)
{
	wait_for_completion(&dev->hidden);

	/* A module that is being unloaded has to be waited for nevertheless. */
	if (dev->pinned && unplug_dev_refuse_wait(dev, caller))
		return -EDEADLK;
	if (unplug_dev_wait(dev, until))
		return 0;
	if (atomic_read(&dev->state) == UNPLUG_DEV_SHUT)
		unplug_dev_info(dev, "%u operations still inside, continues in the background\n",
				unplug_gate_inside(&dev->gate));
	else
		unplug_dev_info(dev, "releases still running, continues in the background\n");
	return -EINPROGRESS;
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
 * May be called again, and concurrently. Inside an operation, a fault, a release, a
 * callback or ->gone of any device, unplug_dev_unplug_async() is to be used. If
 * a bus calls ->remove from there, as usb_reset_device() does in the ioctl of
 * a driver: this call finds out, shuts the device, which the bus needs, and does not wait
 * any further. Not from a hardware section of this device, or the thread of its interrupt: it
 * would wait for itself.
 *
 * Ownership: the caller keeps its reference, and still owes the put.
 * Context: Process. May sleep.
 * Return: 0 if the device is gone; -EINPROGRESS if a worker goes on; -EDEADLK, with a
 *	   line in the log: likewise, and the caller is inside; -EINVAL if the device is
 *	   not registered.
 */
int unplug_dev_unplug(struct unplug_dev *dev)
{
	might_sleep();

	if (!unplug_dev_was_live(dev))
		return -EINVAL;
	if (unplug_dev_ask(dev))
		unplug_dev_shut(dev);
	return unplug_dev_end(dev, jiffies + unplug_drain_jiffies(), _RET_IP_);
}
EXPORT_SYMBOL_GPL(unplug_dev_unplug);

/* Without memory it takes an interrupt for each device. */
static void unplug_devs_begin(struct unplug_dev *const devs[], unsigned int n)
{
	struct unplug_gate **gates = kvmalloc_array(n, 2 * sizeof(*gates),
						    GFP_KERNEL);
	struct unplug_dev **begun = kvmalloc_array(n, sizeof(*begun),
						   GFP_KERNEL);
	unsigned int i, m = 0;

	for (i = 0; i < n; i++) {
		if (!unplug_dev_was_live(devs[i]) || !unplug_dev_ask(devs[i]))
			continue;
		if (gates && begun)
			begun[m++] = devs[i];
		else
			unplug_dev_shut(devs[i]);
	}
	if (m)
		unplug_devs_shut(begun, m, gates);
	kvfree(begun);
	kvfree(gates);
}

/**
 * unplug_dev_unplug_many() - take devices away, all at once
 * @devs: the devices; the caller's references stay the caller's. They may be of
 *	  different drivers. One that is there twice, or unplugged already, does no harm
 * @n: how many
 *
 * As unplug_dev_unplug() for each, but all refuse newcomers before the first is waited
 * for; all CPUs are interrupted once, not once for each device; and the time that
 * drain_ms allows is for all together. A device that cannot be drained yet
 * holds up none.
 *
 * Ownership: as unplug_dev_unplug().
 * Context: As unplug_dev_unplug().
 * Return: 0 if all are gone; -EINPROGRESS if a worker goes on with some, or -EDEADLK;
 *	   -EINVAL if some are not registered: the others are unplugged all the same.
 */
int unplug_dev_unplug_many(struct unplug_dev *const devs[], unsigned int n)
{
	unsigned long until;
	unsigned int i;
	int ret = 0, err;

	might_sleep();
	unplug_devs_begin(devs, n);
	until = jiffies + unplug_drain_jiffies();
	for (i = 0; i < n; i++) {
		err = unplug_dev_was_live(devs[i]) ?
			      unplug_dev_end(devs[i], until, _RET_IP_) :
			      -EINVAL;
		if (ret != -EINVAL && err)
			ret = err;
	}
	return ret;
}
EXPORT_SYMBOL_GPL(unplug_dev_unplug_many);

/**
 * unplug_dev_unplug_async() - take a device away, without waiting
 * @dev: the device; the caller's reference stays the caller's
 *
 * Who comes after this returned is refused; all the rest is done by a worker of
 * the core. The hardware must not be given back before unplug_dev_wait_gone(), or
 * unplug_dev_unplug(), returned. While the device is being registered, frozen or thawed, takes
 * effect when that is done. Does nothing if it is not registered, or being
 * unplugged.
 *
 * Ownership: the caller keeps its reference. The core takes one of its own
 *	    until gone.
 * Context: Any, up to hard interrupt, and inside operations of any device.
 */
void unplug_dev_unplug_async(struct unplug_dev *dev)
{
	if (unplug_dev_ask(dev))
		queue_work(unplug_wq, &dev->shut_work);
}
EXPORT_SYMBOL_GPL(unplug_dev_unplug_async);

/**
 * unplug_dev_wait_gone() - wait until a device is gone
 * @dev: a device that was unplugged, with a reference of the caller
 *
 * Without a limit: as long as its users keep operations inside.
 *
 * Ownership: the caller keeps its reference.
 * Context: Process. May sleep.
 * Return: 0; -EINVAL: the device is not registered; -EDEADLK, with a line in the log: the
 *	   caller is inside this device, or another.
 */
int unplug_dev_wait_gone(struct unplug_dev *dev)
{
	might_sleep();

	if (!unplug_dev_was_live(dev))
		return -EINVAL;
	if (unplug_dev_refuse_wait(dev, _RET_IP_))
		return -EDEADLK;
	wait_for_completion(&dev->hidden);
	wait_for_completion(&dev->gone);
	return 0;
}
EXPORT_SYMBOL_GPL(unplug_dev_wait_gone);

int unplug_shut_init(void)
{
	unplug_wq = alloc_workqueue("unplug", WQ_UNBOUND,
				    WQ_UNBOUND_MAX_ACTIVE);
	return unplug_wq ? 0 : -ENOMEM;
}

/* No device is left: each one holds the module. What freed the last may run. */
void unplug_shut_exit(void)
{
	destroy_workqueue(unplug_wq);
	rcu_barrier();
}
