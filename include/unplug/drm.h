/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_DRM_H
#define _UNPLUG_DRM_H

/**
 * DOC: drm
 *
 * DRM devices that can be pulled while in use. A module of its own, unplug-drm, so
 * that the core does not depend on DRM.
 *
 * A driver changes a few lines, and its sections (convert/drm.cocci does it):
 *
 *	DEFINE_DRM_GEM_FOPS(fops);	-> DEFINE_UNPLUG_DRM_GEM_FOPS(fops);
 *	drm_dev_register(drm, 0);	-> unplug_drm_register(drm, 0, &fops_gated);
 *	drm_dev_unplug(drm);		-> unplug_drm_unplug(drm);
 *	drm_atomic_helper_shutdown(drm); -> unplug_drm_shutdown(drm);	in ->remove
 *	drm_dev_enter(drm, &idx)	-> unplug_drm_hw_enter(drm, &idx)
 *	drm_dev_exit(idx);		-> unplug_drm_hw_exit(drm, idx);
 *
 * If its mappings show memory of the card's (drm_gem_vram_helper), it is
 * DEFINE_UNPLUG_DRM_VRAM_FOPS.
 *
 * From then on open, ioctl, compat_ioctl, mmap, poll, read, show_fdinfo and the
 * faults of GEM mappings run behind a gate of this card alone. unplug_drm_unplug()
 * takes no lock and waits for no SRCU domain that cards share, but for what
 * drm_dev_unregister() itself takes.
 *
 * What touching a mapping of a card that is gone meets is a policy, by card: SIGBUS, or
 * a page of zeroes, as Documentation/gpu/drm-uapi.rst has it
 * (unplug_drm_register_policy(), or the module parameter mmap_policy of unplug-drm). With a
 * page of zeroes mmap() of such a card succeeds, too, and shows it; else it says ENODEV.
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

#include <drm/drm_atomic_helper.h>
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
 * Two tables: NAME, for struct drm_driver, has just the open that leads to the gate, and the
 * mmap that DRM calls for a dma-buf whose buffer has none of its own, with no file of ours. It
 * is the driver's because what DRM hands out, dma-bufs above all, pins the module
 * that owns it. NAME_gated are the operations behind the gate; in place of those of
 * DRM_GEM_FOPS that are named unplug_ here, which end with them.
 */
#define DEFINE_UNPLUG_DRM_GEM_FOPS(name)				\
	__DEFINE_UNPLUG_DRM_FOPS(name, unplug_drm_ioctl,		\
				 unplug_drm_compat_ioctl, drm_gem_mmap)

/*
 * Whose faults insert memory of the card's: they become hardware sections, also those in
 * mappings of dma-bufs, which meet SIGBUS after the pull whatever the policy. A buffer that is
 * shared gets a copy of its operations: the driver must not know its buffers by where these lie.
 */
#define DEFINE_UNPLUG_DRM_VRAM_FOPS(name)				\
	__DEFINE_UNPLUG_DRM_FOPS(name, unplug_drm_vram_ioctl,		\
				 unplug_drm_vram_compat_ioctl,		\
				 unplug_drm_vram_mmap)

#define __DEFINE_UNPLUG_DRM_FOPS(name, gem_ioctl, gem_compat_ioctl,	\
				 gem_mmap)				\
	static const struct file_operations name = {			\
		.owner = THIS_MODULE,					\
		UNPLUG_DRM_FOP_FLAGS					\
		.open = unplug_drm_open,				\
		.llseek = noop_llseek,					\
		.mmap = drm_gem_mmap,					\
	};								\
	static const struct file_operations name##_gated = {		\
		.owner = THIS_MODULE,					\
		UNPLUG_DRM_FOP_FLAGS					\
		.open = drm_open,					\
		.release = drm_release,					\
		.unlocked_ioctl = gem_ioctl,				\
		.compat_ioctl = gem_compat_ioctl,			\
		.poll = drm_poll,					\
		.read = unplug_drm_read,				\
		.llseek = noop_llseek,					\
		.mmap = gem_mmap,					\
	}

int unplug_drm_open(struct inode *inode, struct file *file);
ssize_t unplug_drm_read(struct file *file, char __user *to, size_t count,
			loff_t *pos);
long unplug_drm_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
int unplug_drm_vram_mmap(struct file *file, struct vm_area_struct *vma);
long unplug_drm_vram_ioctl(struct file *file, unsigned int cmd,
			   unsigned long arg);
#ifdef CONFIG_COMPAT
long unplug_drm_compat_ioctl(struct file *file, unsigned int cmd,
			     unsigned long arg);
long unplug_drm_vram_compat_ioctl(struct file *file, unsigned int cmd,
				  unsigned long arg);
#else	/* as drm_compat_ioctl */
#define unplug_drm_compat_ioctl NULL
#define unplug_drm_vram_compat_ioctl NULL
#endif
int unplug_drm_register(struct drm_device *drm, unsigned long flags,
			const struct file_operations *fops);
int unplug_drm_register_policy(struct drm_device *drm, unsigned long flags,
			       const struct file_operations *fops,
			       enum unplug_policy policy);
int unplug_drm_unplug(struct drm_device *drm);
bool unplug_drm_is_last(struct drm_device *drm);
void unplug_drm_when_gone(struct drm_device *drm,
			  void (*end)(struct drm_device *drm));

/**
 * unplug_drm_shutdown() - drm_atomic_helper_shutdown(), in ->remove, that waits for no user
 * @drm: a device that unplug_drm_unplug() was called for
 *
 * The modeset locks may be held by a user who is inside, as long as he likes. So it is done
 * when nobody is: usually at once, otherwise after ->remove. What switches off has to
 * bear that, as it has to bear late users: hardware sections refuse, and what it looks at
 * is no memory of devm's. Needs drm_kms_helper, as the original does.
 *
 * If it is done at once, the caller, and no other task, is let into hardware sections until
 * this returns: the hardware is still there if the driver is merely unbound or unloaded, and
 * is to be switched off. (drm_dev_enter() refuses that, see drm_drv.c.) So call it before
 * ->remove gives anything back. A card that was torn out is as dead as in the moment
 * before the bus noticed, with time limits of the driver's; a PCI device that is known to be
 * away is not touched.
 *
 * Ownership: takes and puts nothing.
 * Context: Process. May sleep, but waits for no user.
 */
static inline void unplug_drm_shutdown(struct drm_device *drm)
{
	unplug_drm_when_gone(drm, drm_atomic_helper_shutdown);
}

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
	/* Registering publishes it, whoever may be in a section already. */
	return READ_ONCE(drm->anon_inode->i_private);
}

/**
 * unplug_drm_gate_enter() - enter a gate of a DRM device, or be let in before there is one
 * @drm: the device
 * @gate: which gate; NULL if there is none yet, or any more
 * @idx: whether it counted
 *
 * What drm_dev_enter() of a driver becomes. Until the device is registered nobody
 * waits for it, but the hardware has to be set up: such a section is let in, and
 * is not counted, which @idx remembers. When unplug begins, it should be over: a driver
 * that has work of its own before it registers sees to that itself.
 *
 * Ownership: the caller has a reference of @drm, and owes unplug_drm_hw_exit() or
 *	    unplug_drm_exit() if it succeeds.
 * Context: Any, up to hard interrupt. Does not sleep, takes no lock.
 * Return: true if the caller is inside, or let in.
 */
static inline bool unplug_drm_gate_enter(struct drm_device *drm,
					 struct unplug_gate *gate, int *idx)
{
	unsigned int state = UNPLUG_GATE_NEW;

	*idx = 1;
	do {
		if (gate && unplug_gate_get_active(gate))
			return true;
		if (gate)
			state = READ_ONCE(gate->state);
	} while (unlikely(state == UNPLUG_GATE_LIVE)); /* being opened */
	*idx = 0;
	/* Without a gate: none yet, or none any more. */
	if (state == UNPLUG_GATE_NEW && !READ_ONCE(drm->unplugged))
		return true;
	/* Nobody else is left to be counted. */
	return unplug_drm_is_last(drm);
}

/**
 * unplug_drm_hw_enter() - begin a hardware section: drm_dev_enter(), of one card
 * @drm: the device
 * @idx: for unplug_drm_hw_exit()
 *
 * See unplug_dev_hw_enter(): it may sleep for the hardware, with a time limit, but not for
 * a user, nor for a lock that is held over such a wait, as modeset locks are. For those
 * who take them there is unplug_drm_enter(). One inside another may be refused, though the outer
 * one goes on: what the outer one needs done is to be done without.
 *
 * Ownership: the caller has a reference of @drm, and owes unplug_drm_hw_exit() if it
 *	    succeeds.
 * Context: Any, up to hard interrupt. Does not sleep, takes no lock.
 * Return: true if the hardware may be touched until unplug_drm_hw_exit(): also before
 *	   @drm is registered; false from unplug on, but for who switches off at last
 *	   (unplug_drm_shutdown()).
 */
static inline bool unplug_drm_hw_enter(struct drm_device *drm, int *idx)
{
	struct unplug_dev *dev = unplug_dev_from_drm(drm);

	return unplug_drm_gate_enter(drm, dev ? &dev->hw : NULL, idx);
}

/**
 * unplug_drm_hw_exit() - end a hardware section
 * @drm: the device
 * @idx: of unplug_drm_hw_enter()
 *
 * Ownership: the caller must not touch the hardware any more.
 * Context: Any, up to hard interrupt. Does not sleep, takes no lock.
 */
static inline void unplug_drm_hw_exit(struct drm_device *drm, int idx)
{
	if (likely(idx))
		unplug_dev_hw_exit(unplug_dev_from_drm(drm));
}

/**
 * unplug_drm_enter() - be inside: a section that takes modeset locks
 * @drm: the device
 * @idx: for unplug_drm_exit()
 *
 * Drained waits for its end, the bus does not: so the hardware is touched in hardware
 * sections within it. As drm_dev_get_active(), but succeeds before @drm is
 * registered, too.
 *
 * Ownership: the caller has a reference of @drm, and owes unplug_drm_exit() if it
 *	    succeeds.
 * Context: Any, up to hard interrupt. Does not sleep, takes no lock.
 * Return: true if the caller is inside; false from unplug on.
 */
static inline bool unplug_drm_enter(struct drm_device *drm, int *idx)
{
	struct unplug_dev *dev = unplug_dev_from_drm(drm);

	return unplug_drm_gate_enter(drm, dev ? &dev->gate : NULL, idx);
}

/**
 * unplug_drm_exit() - no longer be inside
 * @drm: the device
 * @idx: of unplug_drm_enter()
 *
 * Ownership: the caller is no longer inside.
 * Context: Any, up to hard interrupt. Does not sleep, takes no lock.
 */
static inline void unplug_drm_exit(struct drm_device *drm, int idx)
{
	if (likely(idx))
		unplug_dev_put_active(unplug_dev_from_drm(drm));
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
