/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_DRM_COMPAT_H
#define _UNPLUG_DRM_COMPAT_H

/* What DRM lacks on older kernels: the only place of the front end that asks for a version. */

#include <drm/drm_prime.h>
#include <linux/err.h>
#include <linux/version.h>

/*
 * The dma-buf of a buffer, before anybody has a descriptor of it. Where that cannot be had
 * buffers of the card's memory are not shared; up to 6.5 none is anyway.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
static const bool unplug_drm_can_export;

static inline struct dma_buf *
unplug_drm_export(struct drm_device *drm, struct drm_file *priv, u32 handle,
		  u32 flags)
{
	return ERR_PTR(-EOPNOTSUPP);
}
#else
static const bool unplug_drm_can_export = true;

static inline struct dma_buf *
unplug_drm_export(struct drm_device *drm, struct drm_file *priv, u32 handle,
		  u32 flags)
{
	return drm_gem_prime_handle_to_dmabuf(drm, priv, handle, flags);
}
#endif

#endif /* _UNPLUG_DRM_COMPAT_H */
