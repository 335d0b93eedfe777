// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers in memory of the card's that are shared as dma-bufs: see DEFINE_UNPLUG_DRM_VRAM_FOPS.
 *
 * A dma-buf is mapped by the buffer's own ->mmap, past the driver's table of file operations
 * and all guards. The zap finds such mappings, they being of the card's address space;
 * but a late fault would put an entry back. So a buffer gets operations whose ->mmap puts
 * vram.c's table before TTM's, and before anybody has a descriptor: DRM's ioctl is
 * done here instead.
 *
 * The operations are the driver's but for that one. They stay as long as this module, as
 * buffers live longer than what else a card has: one for each kind of buffer, and once
 * more for a driver that was loaded again elsewhere.
 */

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <linux/compat.h>
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <unplug/drm.h>
#include "compat.h"
#include "internal.h"

/**
 * struct vram_funcs - operations of buffers that may be shared
 * @node: in all_funcs
 * @mmap: the driver's
 * @funcs: the driver's, with our mmap
 */
struct vram_funcs {
	struct list_head node;
	int (*mmap)(struct drm_gem_object *obj, struct vm_area_struct *vma);
	struct drm_gem_object_funcs funcs;
};

/* The lock also orders who changes the operations of a buffer. */
static DEFINE_MUTEX(funcs_lock);
static LIST_HEAD(all_funcs);

static int vram_object_mmap(struct drm_gem_object *obj,
			    struct vm_area_struct *vma)
{
	const struct vram_funcs *of = container_of(READ_ONCE(obj->funcs),
						   struct vram_funcs, funcs);

	return of->mmap(obj, vma) ?: unplug_drm_vram_share(obj, vma);
}

static bool is_guarded(const struct drm_gem_object *obj)
{
	return READ_ONCE(obj->funcs)->mmap == vram_object_mmap;
}

/* By what they are, not where: a driver may be loaded again, and lie elsewhere. */
static struct vram_funcs *funcs_find(const struct drm_gem_object_funcs *funcs)
{
	struct drm_gem_object_funcs want = *funcs;
	struct vram_funcs *of;

	want.mmap = vram_object_mmap;
	list_for_each_entry(of, &all_funcs, node)
		if (of->mmap == funcs->mmap &&
		    !memcmp(&of->funcs, &want, sizeof(want)))
			return of;

	of = kzalloc(sizeof(*of), GFP_KERNEL);
	if (!of)
		return NULL;
	of->mmap = funcs->mmap;
	of->funcs = want;
	list_add(&of->node, &all_funcs);
	return of;
}

/* From now on all its mappings have our table before TTM's. */
static int object_guard(struct drm_gem_object *obj)
{
	struct vram_funcs *of;
	int err = 0;

	/* Somebody else's, by a dma-buf of his */
	if (obj->import_attach)
		return 0;
	/* DRM would call ->mmap of the driver's file operations. */
	if (!obj->funcs->mmap)
		return -EOPNOTSUPP;

	mutex_lock(&funcs_lock);
	if (!is_guarded(obj)) {
		of = funcs_find(obj->funcs);
		if (of)
			/* A reader finds either table, and both serve him. */
			smp_store_release(&obj->funcs, &of->funcs);
		else
			err = -ENOMEM;
	}
	mutex_unlock(&funcs_lock);
	return err;
}

/* Is this what DRM makes of the buffer, which is mapped by the buffer's operations? */
static bool is_dmabuf_of(const struct dma_buf *dmabuf,
			 const struct drm_gem_object *obj)
{
	if (obj->import_attach)
		return dmabuf == obj->import_attach->dmabuf;
	return dmabuf->priv == obj && dmabuf->ops->mmap == drm_gem_dmabuf_mmap;
}

/*
 * The handle may have come to mean another buffer meanwhile, as another thread of the
 * user's has closed it. Nobody has a descriptor of that one, of us.
 */
static struct dma_buf *object_export(struct drm_file *priv,
				     struct drm_gem_object *obj,
				     const struct drm_prime_handle *args)
{
	struct dma_buf *dmabuf;
	int err = object_guard(obj);

	if (err)
		return ERR_PTR(err);
	dmabuf = unplug_drm_export(obj->dev, priv, args->handle, args->flags);
	if (!IS_ERR(dmabuf) && !is_dmabuf_of(dmabuf, obj)) {
		fput(dmabuf->file);
		dmabuf = ERR_PTR(-ENOENT);
	}
	return dmabuf;
}

static struct dma_buf *handle_export(struct drm_file *priv,
				     const struct drm_prime_handle *args)
{
	const struct drm_driver *driver = priv->minor->dev->driver;
	struct drm_gem_object *obj;
	struct dma_buf *dmabuf;

	if (args->flags & ~(DRM_CLOEXEC | DRM_RDWR))
		return ERR_PTR(-EINVAL);
	/* A way of the driver's own is not known to lead through ours. */
	if (!unplug_drm_can_export || driver->prime_handle_to_fd)
		return ERR_PTR(-EOPNOTSUPP);
	obj = drm_gem_object_lookup(priv, args->handle);
	if (!obj)
		return ERR_PTR(-ENOENT);
	dmabuf = object_export(priv, obj, args);
	drm_gem_object_put(obj);
	return dmabuf;
}

/* Who gives less than the structure means zeroes, as with DRM's own ioctls. */
static long prime_export(struct file *file, unsigned int cmd,
			 struct drm_prime_handle __user *to)
{
	size_t size = min_t(size_t, _IOC_SIZE(cmd),
			    sizeof(struct drm_prime_handle));
	struct drm_file *priv = file->private_data;
	struct drm_prime_handle args = { };
	struct dma_buf *dmabuf;
	int fd;

	if (READ_ONCE(priv->minor->dev->unplugged))
		return -ENODEV;
	if (copy_from_user(&args, to, size))
		return -EFAULT;
	dmabuf = handle_export(priv, &args);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = get_unused_fd_flags(args.flags);
	if (fd < 0)
		goto put;
	if (put_user(fd, &to->fd)) {
		put_unused_fd(fd);
		fd = -EFAULT;
		goto put;
	}
	fd_install(fd, dmabuf->file);
	return 0;
put:
	fput(dmabuf->file);
	return fd;
}

/* DRM looks at the number alone. */
static bool is_export(unsigned int cmd)
{
	return _IOC_NR(cmd) == _IOC_NR(DRM_IOCTL_PRIME_HANDLE_TO_FD);
}

/**
 * unplug_drm_vram_ioctl() - ->unlocked_ioctl of drivers whose buffers lie in the card's memory
 * @file: an open file of the device
 * @cmd: request
 * @arg: its argument
 *
 * unplug_drm_ioctl(), but for DRM_IOCTL_PRIME_HANDLE_TO_FD, which is done here: see export.c.
 *
 * Ownership: as drm_ioctl().
 * Context: Process. May sleep.
 * Return: as drm_ioctl(); of that request also -EOPNOTSUPP, if the kernel (before 6.9) or the
 *	   driver has no way to share a buffer that can be guarded, or the buffer cannot be
 *	   mapped.
 */
long unplug_drm_vram_ioctl(struct file *file, unsigned int cmd,
			   unsigned long arg)
{
	if (is_export(cmd))
		return prime_export(file, cmd, (struct drm_prime_handle __user *)arg);
	return unplug_drm_ioctl(file, cmd, arg);
}
EXPORT_SYMBOL_GPL(unplug_drm_vram_ioctl);

#ifdef CONFIG_COMPAT
/**
 * unplug_drm_vram_compat_ioctl() - ->compat_ioctl, as unplug_drm_vram_ioctl()
 * @file: an open file of the device
 * @cmd: request
 * @arg: its argument
 *
 * Ownership: as drm_ioctl().
 * Context: Process. May sleep.
 * Return: as unplug_drm_vram_ioctl(): also -EOPNOTSUPP.
 */
long unplug_drm_vram_compat_ioctl(struct file *file, unsigned int cmd,
				  unsigned long arg)
{
	/* The structure is the same. */
	if (is_export(cmd))
		return prime_export(file, cmd, compat_ptr(arg));
	return unplug_drm_compat_ioctl(file, cmd, arg);
}
EXPORT_SYMBOL_GPL(unplug_drm_vram_compat_ioctl);
#endif

/* No card is left, so no buffer: each holds its driver, which needs this module. */
static void __exit unplug_drm_exit_funcs(void)
{
	struct vram_funcs *of, *next;

	list_for_each_entry_safe(of, next, &all_funcs, node)
		kfree(of);
}
module_exit(unplug_drm_exit_funcs);
