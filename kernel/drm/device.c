// SPDX-License-Identifier: GPL-2.0-only
/*
 * DRM devices behind a gate: see include/unplug/drm.h.
 *
 * Who keeps what alive: the drm_device keeps the card's structure here (by a
 * managed action that puts it last), an unplug in progress keeps the drm_device
 * until gone, an open file keeps both.
 */

#include <drm/drm_connector.h>
#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_sysfs.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/xarray.h>
#include <unplug/drm.h>
#include "internal.h"

static enum unplug_policy mmap_policy = UNPLUG_POLICY_SIGBUS;

static const char * const policy_names[] = {
	[UNPLUG_POLICY_SIGBUS] = "sigbus",
	[UNPLUG_POLICY_DUMMY] = "dummy",
};

static int policy_set(const char *text, const struct kernel_param *param)
{
	int policy = sysfs_match_string(policy_names, text);

	if (policy < 0) {
		pr_err("unplug-drm: mmap_policy=%s: sigbus or dummy\n", text);
		return policy;
	}
	WRITE_ONCE(mmap_policy, policy);
	return 0;
}

static int policy_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%s\n", policy_names[READ_ONCE(mmap_policy)]);
}

static const struct kernel_param_ops policy_ops = {
	.set = policy_set,
	.get = policy_get,
};
module_param_cb(mmap_policy, &policy_ops, NULL, 0644);
MODULE_PARM_DESC(mmap_policy,
		 "what touching a mapping of a card that is gone meets: sigbus (default), or dummy, a page of zeroes; for cards that come from now on");

/**
 * struct unplug_drm - a card
 * @dev: the core's part
 * @drm: the DRM device
 * @registered: drm_dev_register() succeeded; set before the device is live
 * @polled: connectors were polled; set at shut
 * @vram_ops: the table of mappings of the card's memory, by the first (vram.c)
 * @end_lock: protects the next two, and is held by who writes @last
 * @end: what is to be done when nobody is inside any more
 * @ended: it has been, if it was there
 * @last: who does it in ->remove, while he does; he alone finds himself there, so that it
 *	  is never followed
 */
struct unplug_drm {
	struct unplug_dev dev;
	struct drm_device *drm;
	bool registered;
	bool polled;
	const struct vm_operations_struct *vram_ops;
	struct mutex end_lock;
	void (*end)(struct drm_device *drm);
	bool ended;
	struct task_struct *last;
};

/* By minor number of DRM's; readers under RCU. */
static DEFINE_XARRAY(cards);

static struct unplug_drm *to_unplug_drm(struct unplug_dev *dev)
{
	return container_of(dev, struct unplug_drm, dev);
}

/**
 * unplug_drm_vram_ops() - the driver's table of mappings of the card's memory
 * @dev: the device
 *
 * Context: Any.
 * Return: where it is kept; NULL there until the first mapping.
 */
const struct vm_operations_struct **unplug_drm_vram_ops(struct unplug_dev *dev)
{
	return &to_unplug_drm(dev)->vram_ops;
}

static bool card_has_modeset(const struct unplug_drm *card)
{
	return card->registered &&
	       drm_core_check_feature(card->drm, DRIVER_MODESET);
}

static int card_show_minor(struct unplug_drm *card, struct drm_minor *minor)
{
	if (!minor)
		return 0;
	return xa_err(xa_store(&cards, minor->index, card, GFP_KERNEL));
}

static void card_hide_minor(struct unplug_drm *card, struct drm_minor *minor)
{
	if (minor)
		xa_cmpxchg(&cards, minor->index, card, NULL, 0);
}

/**
 * unplug_drm_open() - ->open of what a converted driver's struct drm_driver has
 * @inode: a node of DRM's
 * @file: a file in its open
 *
 * DRM has looked at its own minor before it calls this, and answers ENODEV by
 * itself when that is gone.
 *
 * Ownership: the file holds the device until its last close if it succeeds.
 * Context: Process. May sleep.
 * Return: 0; -ENXIO: the device is not live; what drm_open() says.
 */
int unplug_drm_open(struct inode *inode, struct file *file)
{
	struct unplug_drm *card;
	int err = -ENXIO;

	rcu_read_lock();
	card = xa_load(&cards, iminor(inode));
	if (card && !unplug_dev_tryget(&card->dev))
		card = NULL;
	rcu_read_unlock();

	if (card)
		err = unplug_front_open(&card->dev, inode, file);
	if (card && err)
		unplug_dev_put(&card->dev);
	return err;
}
EXPORT_SYMBOL_GPL(unplug_drm_open);

/* Under mode_config.mutex, like everybody who writes a connector's status. */
static void card_disconnect_connectors(struct drm_device *drm)
{
	struct drm_connector_list_iter iter;
	struct drm_connector *connector;

	drm_connector_list_iter_begin(drm, &iter);
	drm_for_each_connector_iter(connector, &iter)
		connector->status = connector_status_disconnected;
	drm_connector_list_iter_end(&iter);
}

static void card_wake_readers(struct drm_device *drm)
{
	struct drm_file *file;

	mutex_lock(&drm->filelist_mutex);
	list_for_each_entry(file, &drm->filelist, lhead)
		wake_up_all(&file->event_wait);
	mutex_unlock(&drm->filelist_mutex);
}

/*
 * The worker that polls connectors may sleep behind a user who holds the modeset
 * locks; it is stopped without waiting, which is left for card_gone(). The driver's
 * own drm_kms_helper_poll_fini() finds nothing to do then.
 */
static void card_stop_poll(struct unplug_drm *card)
{
	struct drm_mode_config *config = &card->drm->mode_config;

	card->polled = config->poll_enabled;
	WRITE_ONCE(config->poll_enabled, false);
}

/*
 * Ours is the gate; DRM's flag is set for those who ask for it. The SRCU domain
 * that goes with the flag, one for all cards, is not waited for. Set before mappings are
 * revoked: a fault of a helper's that asks for it makes no entry of the card's then.
 */
static void card_closed(struct unplug_dev *dev)
{
	WRITE_ONCE(to_unplug_drm(dev)->drm->unplugged, true);
}

static void card_begin(struct unplug_dev *dev)
{
	struct unplug_drm *card = to_unplug_drm(dev);

	drm_dev_get(card->drm);		/* until gone */
	drm_dev_get(card->drm);		/* until hidden */
	card_hide_minor(card, card->drm->primary);
	card_hide_minor(card, card->drm->render);
	if (card_has_modeset(card))
		card_stop_poll(card);
	card_wake_readers(card->drm);
	unplug_drm_fail_fences(card->drm);
}

/*
 * A user inside may hold mode_config.mutex as long as he likes: then it is left to
 * card_gone() to say that nothing is connected.
 */
static void card_hide(struct unplug_dev *dev)
{
	struct unplug_drm *card = to_unplug_drm(dev);
	struct drm_device *drm = card->drm;

	if (card_has_modeset(card)) {
		if (mutex_trylock(&drm->mode_config.mutex)) {
			card_disconnect_connectors(drm);
			mutex_unlock(&drm->mode_config.mutex);
		}
		drm_sysfs_hotplug_event(drm);
	}
	if (card->registered)
		drm_dev_unregister(drm);
	drm_dev_put(drm);
}

static void card_end_modeset(struct unplug_drm *card)
{
	struct drm_device *drm = card->drm;

	if (card->polled)
		cancel_delayed_work_sync(&drm->mode_config.output_poll_work);
	mutex_lock(&drm->mode_config.mutex);
	card_disconnect_connectors(drm);
	mutex_unlock(&drm->mode_config.mutex);
	/* Of commits that are no ioctl's of ours; and what these were moving just then */
	unplug_drm_fail_fences(drm);
	unplug_drm_wait_commits(drm);
	unplug_drm_fail_fences(drm);
}

/* Nobody is inside: nobody keeps the modeset locks. Nothing new is set here. */
static void card_gone(struct unplug_dev *dev)
{
	struct unplug_drm *card = to_unplug_drm(dev);

	if (card_has_modeset(card))
		card_end_modeset(card);
	mutex_lock(&card->end_lock);
	card->ended = true;
	if (card->end)
		card->end(card->drm);
	mutex_unlock(&card->end_lock);
	drm_dev_put(card->drm);
}

static const struct unplug_front drm_front = {
	.closed = card_closed,
	.begin = card_begin,
	.hide = card_hide,
	.read = unplug_drm_read_dead,
	.poll = unplug_drm_poll_dead,
};

static void card_put(struct drm_device *drm, void *arg)
{
	struct unplug_drm *card = arg;

	drm->anon_inode->i_private = NULL;
	unplug_front_forget(&card->dev);
	unplug_dev_put(&card->dev);
}

static struct unplug_drm *card_new(struct drm_device *drm,
				   const struct file_operations *fops)
{
	struct unplug_driver *drv;
	struct unplug_drm *card;
	int err;

	drv = drmm_kzalloc(drm, sizeof(*drv), GFP_KERNEL);
	if (!drv)
		return ERR_PTR(-ENOMEM);
	drv->owner = fops->owner;
	drv->name = drm->driver->name;
	drv->fops = fops;
	drv->gone = card_gone;
	/* GEM's DMA helpers do; a mapping keeps its object. */
	drv->populates = true;
	drv->front = &drm_front;

	card = unplug_front_alloc(drv, drm->dev, struct unplug_drm, dev,
				  drm->anon_inode);
	if (IS_ERR(card))
		return card;
	card->drm = drm;
	mutex_init(&card->end_lock);
	err = drmm_add_action_or_reset(drm, card_put, card);
	return err ? ERR_PTR(err) : card;
}

/* The core's names are one space: not to be taken for a character device. */
static int card_register(struct unplug_drm *card, struct drm_minor *minor)
{
	char name[32];

	snprintf(name, sizeof(name), "drm:%s", dev_name(minor->kdev));
	return unplug_front_register(&card->dev, name);
}

/**
 * unplug_drm_register_policy() - unplug_drm_register(), with a policy for mappings
 * @drm: see there
 * @flags: see there
 * @fops: see there
 * @policy: what users find in mappings after unplug, whatever the administrator's
 *	    default
 *
 * Ownership: as unplug_drm_register().
 * Context: Process. May sleep.
 * Return: as unplug_drm_register(); -EINVAL for an unknown policy; -ENODEV if somebody
 *	   has unplugged it meanwhile.
 */
int unplug_drm_register_policy(struct drm_device *drm, unsigned long flags,
			       const struct file_operations *fops,
			       enum unplug_policy policy)
{
	struct unplug_drm *card;
	int live, err;

	if (drm->driver->fops->open != unplug_drm_open ||
	    fops->open != drm_open || fops->read == drm_read) {
		pr_err("unplug-drm: %s: the driver must open by unplug_drm_open, its files by drm_open, and not read by drm_read\n",
		       drm->driver->name);
		return -EINVAL;
	}

	card = card_new(drm, fops);
	if (IS_ERR(card))
		return PTR_ERR(card);
	err = unplug_dev_set_policy(&card->dev, policy);
	if (!err)
		err = card_register(card, drm->primary);
	if (err)
		return err;
	err = card_show_minor(card, drm->primary);
	if (!err)
		err = card_show_minor(card, drm->render);
	if (!err)
		err = drm_dev_register(drm, flags);
	card->registered = !err;
	live = unplug_front_live(&card->dev);
	err = err ?: live;
	/* A node may have been there for a moment, and somebody inside. */
	if (err)
		unplug_dev_unplug(&card->dev);
	return err;
}
EXPORT_SYMBOL_GPL(unplug_drm_register_policy);

/**
 * unplug_drm_register() - drm_dev_register() for a device that can be pulled
 * @drm: the device; its driver's fops open by unplug_drm_open()
 * @flags: as for drm_dev_register()
 * @fops: the operations of its files; ->open is drm_open(), ->read, if any,
 *	  unplug_drm_read()
 *
 * What users find in mappings after unplug is the administrator's to say: the
 * module parameter mmap_policy of unplug-drm.
 *
 * Ownership: what the core keeps of the card ends with @drm, success or not.
 *	    After success the caller owes unplug_drm_unplug(), as for
 *	    drm_dev_unplug(). @fops has to stay as long as @drm.
 * Context: Process. May sleep.
 * Return: 0; -EINVAL, and a line in the log, if the operations are not as said;
 *	   what drm_dev_register() says.
 */
int unplug_drm_register(struct drm_device *drm, unsigned long flags,
			const struct file_operations *fops)
{
	return unplug_drm_register_policy(drm, flags, fops,
					  READ_ONCE(mmap_policy));
}
EXPORT_SYMBOL_GPL(unplug_drm_register);

/**
 * unplug_drm_unplug() - drm_dev_unplug() that waits for nobody's user
 * @drm: a device registered by unplug_drm_register()
 *
 * On return nobody enters the device any more, its nodes are gone, and readers of
 * its events have been woken. Its mappings are revoked; a fault that was inside may
 * put a page of system memory back until drained, which revokes it again. See
 * unplug_dev_unplug() for what may go on in the background.
 *
 * Sections of drm_dev_enter() are not waited for: a driver that has some uses
 * unplug_drm_hw_enter() instead. Somebody may still be inside:
 * mode objects have to be managed (drmm_mode_config_init()), not cleaned up after this.
 * So may the worker that polls connectors, which is not waited for before gone: ->detect
 * touches hardware in hardware sections only. Call this first in ->remove.
 *
 * Ownership: the driver keeps its reference of @drm; the core takes one until
 *	    gone.
 * Context: Process. May sleep.
 * Return: as unplug_dev_unplug().
 */
int unplug_drm_unplug(struct drm_device *drm)
{
	return unplug_dev_unplug(unplug_dev_from_drm(drm));
}
EXPORT_SYMBOL_GPL(unplug_drm_unplug);

/* What bus can tell? Others have drivers find out, by errors of their transfers. */
static bool card_is_away(const struct unplug_drm *card)
{
	struct device *parent = card->drm->dev;

	return dev_is_pci(parent) && !pci_device_is_present(to_pci_dev(parent));
}

/**
 * unplug_drm_is_last() - is this who switches the card off, when all others have left?
 * @drm: the device
 *
 * For hardware sections that are refused, see unplug_drm_shutdown().
 *
 * Ownership: the caller has a reference of @drm.
 * Context: Any. Does not sleep, takes no lock.
 * Return: true for the task that is in unplug_drm_when_gone(), in process context.
 */
bool unplug_drm_is_last(struct drm_device *drm)
{
	struct unplug_dev *dev = unplug_dev_from_drm(drm);

	return dev && in_task() && READ_ONCE(to_unplug_drm(dev)->last) == current;
}
EXPORT_SYMBOL_GPL(unplug_drm_is_last);

/**
 * unplug_drm_when_gone() - do something when nobody is inside any more
 * @drm: a device that unplug_drm_unplug() was called for
 * @end: what; a function of the driver's, or of a module it needs
 *
 * At once if that is so already, and then hardware sections let it in, see
 * unplug_drm_shutdown(); otherwise a worker does it, when the last user has
 * left, which may be after ->remove. One thing can be left for him: a second, and one for a
 * device that unplug_drm_register() does not know, is refused with a warning.
 *
 * Ownership: takes and puts nothing. The caller has a reference of @drm until this returned.
 * Context: Process. May sleep, but waits for no user.
 */
void unplug_drm_when_gone(struct drm_device *drm,
			  void (*end)(struct drm_device *drm))
{
	struct unplug_dev *dev = unplug_dev_from_drm(drm);
	struct unplug_drm *card;

	if (WARN_ON_ONCE(!dev))
		return;
	card = to_unplug_drm(dev);
	mutex_lock(&card->end_lock);
	if (card->ended) {
		WRITE_ONCE(card->last, card_is_away(card) ? NULL : current);
		end(drm);
		WRITE_ONCE(card->last, NULL);
	} else if (!WARN_ON_ONCE(card->end)) {
		card->end = end;
	}
	mutex_unlock(&card->end_lock);
}
EXPORT_SYMBOL_GPL(unplug_drm_when_gone);

MODULE_DESCRIPTION("DRM devices behind the unplug gate");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(UNPLUG_VERSION);
