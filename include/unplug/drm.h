/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_DRM_H
#define _UNPLUG_DRM_H

/**
 * DOC: drm
 *
 * DRM devices that can be pulled while in use. A module of its own, unplug-drm, so
 * that the core does not depend on DRM.
 *
 * A driver changes three lines (convert/drm.cocci does it):
 *
 *	DEFINE_DRM_GEM_FOPS(fops);	-> DEFINE_UNPLUG_DRM_GEM_FOPS(fops);
 *	drm_dev_register(drm, 0);	-> unplug_drm_register(drm, 0, &fops_gated);
 *	drm_dev_unplug(drm);		-> unplug_drm_unplug(drm);
 *
 * From then on open, ioctl, compat_ioctl, mmap, poll, read, show_fdinfo and the
 * faults of GEM mappings run behind a gate of this card alone. unplug_drm_unplug()
 * takes no lock and waits for no SRCU domain that cards share, but for what
 * drm_dev_unregister() itself takes.
 *
 * What touching a mapping of a card that is gone meets is a policy, by card: SIGBUS, or
 * a page of zeroes, as Documentation/gpu/drm-uapi.rst has it
 * (unplug_drm_register_policy(), or the module parameter mmap_policy of unplug-drm).
 *
 * Events can be read to the last: those that were queued, and those of flips that were
 * pending, which are sent when their commit ends (vblank events that are armed: when the
 * driver switches off in ->remove, as ever). Until then read answers EAGAIN; ENODEV if
 * there is no event and none pending, or the card is gone.
 *
 * Files and GEM objects belong to DRM until the last close, as ever: release is
 * neither refused nor forced, and the driver's module stays in memory as long as
 * a file is open.
 */

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <linux/poll.h>
#include <unplug/device.h>

/* Kernels that have this flag want it of what opens by drm_open(). */
#ifdef FOP_UNSIGNED_OFFSET
#define UNPLUG_DRM_FOP_FLAGS .fop_flags = FOP_UNSIGNED_OFFSET,
#else
#define UNPLUG_DRM_FOP_FLAGS
#endif

/*
 * Two tables: NAME, for struct drm_driver, has just the open that leads to the gate. It
 * is the driver's because what DRM hands out, dma-bufs above all, pins the module
 * that owns it. NAME_gated are the operations behind the gate; only the read
 * differs from DRM_GEM_FOPS.
 */
#define DEFINE_UNPLUG_DRM_GEM_FOPS(name)				\
	static const struct file_operations name = {			\
		.owner = THIS_MODULE,					\
		UNPLUG_DRM_FOP_FLAGS					\
		.open = unplug_drm_open,				\
		.llseek = noop_llseek,					\
	};								\
	static const struct file_operations name##_gated = {		\
		.owner = THIS_MODULE,					\
		UNPLUG_DRM_FOP_FLAGS					\
		.open = drm_open,					\
		.release = drm_release,					\
		.unlocked_ioctl = drm_ioctl,				\
		.compat_ioctl = drm_compat_ioctl,			\
		.poll = drm_poll,					\
		.read = unplug_drm_read,				\
		.llseek = noop_llseek,					\
		.mmap = drm_gem_mmap,					\
	}

int unplug_drm_open(struct inode *inode, struct file *file);
ssize_t unplug_drm_read(struct file *file, char __user *to, size_t count,
			loff_t *pos);
int unplug_drm_register(struct drm_device *drm, unsigned long flags,
			const struct file_operations *fops);
int unplug_drm_register_policy(struct drm_device *drm, unsigned long flags,
			       const struct file_operations *fops,
			       enum unplug_policy policy);
int unplug_drm_unplug(struct drm_device *drm);

/**
 * unplug_dev_from_drm() - the gates of a DRM device
 * @drm: the device
 *
 * Ownership: takes no reference: @drm has one.
 * Context: Any.
 * Return: the device of the core, for hardware sections; NULL if @drm was not
 *	   registered by unplug_drm_register().
 */
static inline struct unplug_dev *unplug_dev_from_drm(struct drm_device *drm)
{
	return drm->anon_inode->i_private;
}

/*
 * The names of the 2013 proposal. DRM has nothing of the same name, so they need no
 * prefix; should it get them, they will mean this.
 */

/**
 * drm_dev_get_active() - enter a DRM device
 * @drm: the device
 *
 * File operations and faults are inside already.
 *
 * Ownership: the caller has a reference of @drm, and owes
 *	    drm_dev_put_active() if it succeeds.
 * Context: Any, up to hard interrupt. Does not sleep, takes no lock.
 * Return: true if the caller owes drm_dev_put_active(); false if the device is
 *	   being unplugged, or was not registered by unplug_drm_register().
 */
static inline bool drm_dev_get_active(struct drm_device *drm)
{
	struct unplug_dev *dev = unplug_dev_from_drm(drm);

	return dev && unplug_dev_get_active(dev);
}

/**
 * drm_dev_put_active() - leave a DRM device
 * @drm: the device, entered by drm_dev_get_active()
 *
 * Ownership: the caller is no longer inside; its reference of @drm keeps the
 *	    memory.
 * Context: Any, up to hard interrupt. Does not sleep, takes no lock.
 */
static inline void drm_dev_put_active(struct drm_device *drm)
{
	unplug_dev_put_active(unplug_dev_from_drm(drm));
}

#endif /* _UNPLUG_DRM_H */
