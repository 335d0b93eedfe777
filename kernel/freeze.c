// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hot reset: a device that is not to be touched for a while, and comes back under its
 * open files, or without them.
 *
 *	LIVE --freeze--> FREEZING ---> FROZEN --thaw--> THAWING ---> LIVE
 *				       |
 *				       +--unplug--> DYING --- as ever
 *
 * FROZEN is about the hardware: the gates are closed, hardware sections are over, mappings
 * revoked, interrupts off. Who is inside then may still be there: thaw fails until he
 * has left, as he would take the new hardware for the old. Unplug need not wait for that;
 * in the two states that pass by themselves it leaves a mark, and whoever ends them
 * follows it.
 *
 * model/freeze.pml follows these steps: change both.
 */

#include <linux/export.h>
#include <linux/kobject.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <unplug/wait.h>
#include "internal.h"

/**
 * unplug_dev_is_frozen() - is it being frozen, frozen, or being thawed?
 * @dev: the device
 *
 * Context: Any.
 * Return: true if so.
 */
bool unplug_dev_is_frozen(const struct unplug_dev *dev)
{
	int state = atomic_read(&dev->state);

	return state >= UNPLUG_DEV_FREEZING && state <= UNPLUG_DEV_THAWING_PULLED;
}

/* One look: between two it may be thawed, or frozen again. */
static bool unplug_dev_stays(const struct unplug_dev *dev)
{
	int state = atomic_read(&dev->state);

	return state >= UNPLUG_DEV_LIVE && state < UNPLUG_DEV_DYING;
}

/* On behalf of io_uring there is none. */
static bool in_system_call(void)
{
	return !(current->flags & (PF_KTHREAD | PF_IO_WORKER));
}

/*
 * Begin the system call again, as if a signal had come that nobody handles: so the guards
 * need not keep what the operation was called with. @err: -ERESTARTSYS, if the operation
 * copes with signals; -ERESTARTNOINTR. What it has to return: @err, or -EAGAIN.
 */
static int freeze_restart(int err)
{
	if (!in_system_call())
		return -EAGAIN;
	set_thread_flag(TIF_NOTIFY_SIGNAL);
	return err;
}

/**
 * unplug_dev_error() - what an operation returns that finds the device is not live
 * @dev: the device
 *
 * After a hardware section that was refused, or a sleep.
 *
 * Ownership: takes and puts nothing; the caller is inside.
 * Context: Process, in an operation that has done nothing yet, or can be begun again.
 * Return: -ENODEV if it is being unplugged; -ERESTARTSYS, or -EAGAIN, if it is frozen: the
 *	   system call begins again when the operation has returned it.
 */
int unplug_dev_error(struct unplug_dev *dev)
{
	/* Not: is it frozen? It may have been thawed since the caller was refused. */
	return unplug_dev_stays(dev) ? freeze_restart(-ERESTARTSYS) :
				       -ENODEV;
}
EXPORT_SYMBOL_GPL(unplug_dev_error);

static bool freeze_may_wait(const struct unplug_dev *dev, const struct file *file)
{
	return dev->waits && !(file->f_flags & O_NONBLOCK) &&
	       in_system_call();
}

/**
 * unplug_freeze_stays() - is a file refused but for a while?
 * @dev: the device
 * @file: an open file of it, refused
 *
 * Context: Any.
 * Return: true while the device is frozen, or if it was thawed since.
 */
bool unplug_freeze_stays(struct unplug_dev *dev, struct file *file)
{
	return !unplug_file_is_stale(dev, file) && unplug_dev_stays(dev);
}

/**
 * unplug_freeze_refused() - what to tell who was refused
 * @dev: the device
 * @file: an open file of it, or one that is being opened
 * @waits: the operation waits for thaw if the driver has chosen so
 *
 * Context: Process; sleeps if @waits.
 * Return: what the operation returns: -ENODEV; -EAGAIN; or what restarts the system call.
 */
int unplug_freeze_refused(struct unplug_dev *dev, struct file *file, bool waits)
{
	if (!unplug_freeze_stays(dev, file))
		return -ENODEV;
	if (!waits || !freeze_may_wait(dev, file))
		return -EAGAIN;
	/* If it is gone then, that is said next time. */
	return wait_event_interruptible(dev->thawed, !unplug_dev_is_frozen(dev)) ?:
	       freeze_restart(-ERESTARTNOINTR);
}

/**
 * unplug_freeze_enter() - let somebody into a frozen device
 * @dev: the device
 * @file: an open file of it
 *
 * For what the driver has to be told, or asked, and nobody can be refused: that a mapping
 * begins, changes or ends. Such an insider does not keep the device from being thawed,
 * but from gone. Who comes when it has just been thawed is let in likewise.
 *
 * Ownership: the caller owes unplug_freeze_leave() if it succeeds.
 * Context: Any.
 * Return: true if the caller may call the driver.
 */
bool unplug_freeze_enter(struct unplug_dev *dev, struct file *file)
{
	if (!unplug_dev_stays(dev) || !refcount_inc_not_zero(&dev->ends))
		return false;
	/* Count first, then look: unplug_file_end_all() marks first, then waits. */
	smp_mb__after_atomic();
	if (!unplug_file_is_stale(dev, file))
		return true;
	unplug_freeze_leave(dev);
	return false;
}

/**
 * unplug_freeze_leave() - the driver was told
 * @dev: the device, entered by unplug_freeze_enter()
 *
 * Context: Any.
 */
void unplug_freeze_leave(struct unplug_dev *dev)
{
	rcu_read_lock();	/* as unplug_dev_gate_drained() */
	unplug_dev_ended(dev);
	wake_up_all(&dev->files_wait);
	rcu_read_unlock();
}

static void freeze_tell(struct unplug_dev *dev, char *event)
{
	char *env[2] = { event };

	kobject_uevent_env(&dev->device.kobj, KOBJ_CHANGE, env);
}

/* From FREEZING to FROZEN; as unplug_devs_shut(). */
static void freeze_begin(struct unplug_dev *dev)
{
	struct unplug_gate *gates[] = { &dev->hw, &dev->gate };
	ktime_t called = ktime_get();

	unplug_gate_kill(&dev->hw);
	unplug_gate_kill(&dev->gate);
	unplug_gates_close(gates, ARRAY_SIZE(gates));
	unplug_hook(UNPLUG_HOOK_CLOSED);
	unplug_wait_restart(dev);
	unplug_gate_fold(&dev->hw);
	unplug_dev_wait_hw(dev);
	if (dev->drv->quiesce)
		dev->drv->quiesce(dev);
	unplug_irqs_disable(dev);
	unplug_dev_zap(dev);
	dev->frozen = true;
	unplug_dev_info(dev, "frozen after %lld us\n",
			ktime_us_delta(ktime_get(), called));
	unplug_gate_fold(&dev->gate);
	freeze_tell(dev, "UNPLUG=frozen");
	unplug_dev_settle(dev, UNPLUG_DEV_FREEZING, UNPLUG_DEV_FROZEN);
}

static int freeze(struct unplug_dev *dev)
{
	bool drained;

	switch (atomic_cmpxchg(&dev->state, UNPLUG_DEV_LIVE,
			       UNPLUG_DEV_FREEZING)) {
	case UNPLUG_DEV_NEW:
	case UNPLUG_DEV_REGISTERING:
	case UNPLUG_DEV_PULLED:
		return -EINVAL;
	case UNPLUG_DEV_LIVE:
		freeze_begin(dev);
		break;
	case UNPLUG_DEV_FROZEN:
		break;
	default:
		return -ENODEV;
	}
	drained = unplug_dev_wait_drain(&dev->idle);
	if (!unplug_dev_is_frozen(dev))
		return -ENODEV;
	if (!drained)
		return -EINPROGRESS;
	/* What insiders have mapped since, outside of hardware sections */
	unplug_dev_zap(dev);
	return 0;
}

/**
 * unplug_dev_freeze() - keep everybody from a device for a while
 * @dev: a registered device
 *
 * For ->reset_prepare of a bus, and whoever resets hardware under its users. On return the
 * hardware is the caller's alone, unless the call fails with another error than
 * -EINPROGRESS: hardware sections are over, mappings revoked. Waits for those inside no
 * longer than drain_ms, then returns -EINPROGRESS: they cannot touch the hardware, but
 * the device cannot be thawed before they have left; to call it again is to
 * wait for them again.
 * Freezes do not add up: of two who reset a device at once the first thaw ends it for both,
 * so they exclude each other themselves.
 *
 * Newcomers: EAGAIN, or they wait (@frozen_waits of struct unplug_driver). Who sleeps in
 * helpers of include/unplug/wait.h is sent away: his system call begins again, as after
 * a signal, and fares as a newcomer. Faults: as after unplug. poll: nothing happens.
 * Callbacks that are due are dropped.
 *
 * Ownership: the caller owes unplug_dev_thaw() or unplug_dev_unplug(), if the call does not
 *	    fail with another error than -EINPROGRESS.
 * Context: Process. May sleep. Not from inside, as unplug_dev_unplug(). Waits for another
 *	    freeze or thaw.
 * Return: 0; -EINPROGRESS; -ENODEV: the device is, or has been meanwhile, unplugged;
 *	   -EINVAL: not registered; -EDEADLK, with a line in the log: the caller is
 *	   inside; -EOPNOTSUPP: a front end's device.
 */
int unplug_dev_freeze(struct unplug_dev *dev)
{
	int err;

	might_sleep();

	if (dev->front)
		return -EOPNOTSUPP;
	if (unplug_dev_refuse_wait(dev, _RET_IP_))
		return -EDEADLK;
	mutex_lock(&dev->reset);
	err = freeze(dev);
	mutex_unlock(&dev->reset);
	return err;
}
EXPORT_SYMBOL_GPL(unplug_dev_freeze);

/* From THAWING to LIVE; nobody is inside, nobody gets in. Unless it was unplugged: true */
static bool thaw_end(struct unplug_dev *dev, enum unplug_thaw files)
{
	reinit_completion(&dev->hw_drained);
	reinit_completion(&dev->idle);
	refcount_inc(&dev->ends);
	dev->frozen = false;
	unplug_minor_renew(dev);
	unplug_debugfs_renew(dev);
	unplug_file_policy_anew(dev);
	/* First the one, then the other: who is in the one gets into the other. */
	unplug_gate_thaw(&dev->hw);
	unplug_gate_thaw(&dev->gate);
	/* Not before: a handler may want to queue work. */
	unplug_irqs_enable(dev);
	unplug_hook(UNPLUG_HOOK_THAWED);
	/* Dummy pages; who has been refused and brings one later looks: guard_revoked() */
	smp_mb();
	unplug_dev_zap(dev);
	unplug_dev_info(dev, "thawed\n");
	freeze_tell(dev, "UNPLUG=thawed");
	if (!unplug_dev_settle(dev, UNPLUG_DEV_THAWING, UNPLUG_DEV_LIVE))
		return false;
	wake_up_all(&dev->thawed);
	wake_up_all(&dev->wait);
	if (files == UNPLUG_THAW_END)
		kill_fasync(&dev->fasync, SIGIO, POLL_HUP);
	return true;
}

/*
 * Files end while it is still frozen: what the driver's ->release takes is not what unplug
 * has to wait for. If that begins meanwhile, it does the same.
 */
static int thaw(struct unplug_dev *dev, enum unplug_thaw files)
{
	int state = atomic_read(&dev->state);

	if (state != UNPLUG_DEV_FROZEN)
		return state < UNPLUG_DEV_DYING ? -EINVAL : -ENODEV;
	if (!unplug_dev_wait_drain(&dev->idle) ||
	    !unplug_file_wait_releases(dev))
		return unplug_dev_is_frozen(dev) ? -EBUSY : -ENODEV;
	unplug_callbacks_cancel(dev);
	if (files == UNPLUG_THAW_END)
		unplug_file_end_all(dev);
	if (atomic_cmpxchg(&dev->state, UNPLUG_DEV_FROZEN,
			   UNPLUG_DEV_THAWING) != UNPLUG_DEV_FROZEN)
		return -ENODEV;
	return thaw_end(dev, files) ? 0 : -ENODEV;
}

/**
 * unplug_dev_thaw() - give a frozen device back to its users
 * @dev: a device whose hardware is ready again
 * @files: what becomes of the files that are open
 *
 * Waits for those still inside, and for releases that are running, no longer than drain_ms
 * each. The device has a new generation afterwards. What was queued of callbacks has been
 * dropped: the driver queues what it needs when this has returned.
 *
 * Ownership: ends what the caller owes for unplug_dev_freeze() if it succeeds.
 * Context: Process. May sleep. Not from inside, as unplug_dev_unplug(). Waits for another
 *	    freeze or thaw; and for the driver's ->release of all files that are to end.
 * Return: 0; -EBUSY: somebody is still inside, and the device stays frozen; -EINVAL: it is
 *	   not frozen; -ENODEV: it is, or has been meanwhile, unplugged; -EDEADLK, with
 *	   a line in the log: the caller is inside.
 */
int unplug_dev_thaw(struct unplug_dev *dev, enum unplug_thaw files)
{
	int err;

	might_sleep();
	if (unplug_dev_refuse_wait(dev, _RET_IP_))
		return -EDEADLK;
	mutex_lock(&dev->reset);
	err = thaw(dev, files);
	mutex_unlock(&dev->reset);
	return err;
}
EXPORT_SYMBOL_GPL(unplug_dev_thaw);
