/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_DRM_INTERNAL_H
#define _UNPLUG_DRM_INTERNAL_H

/* What the front end's files need of each other. */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/poll.h>

struct drm_device;
struct drm_gem_object;
struct unplug_dev;

/* device.c: what the card's own mappings have, see vram.c */
const struct vm_operations_struct **unplug_drm_vram_ops(struct unplug_dev *dev);

/* vram.c: who maps a buffer by its dma-buf, see export.c */
int unplug_drm_vram_share(struct drm_gem_object *obj, struct vm_area_struct *vma);

/* commit.c: of users who have left */
void unplug_drm_wait_commits(struct drm_device *drm);

/* fence.c: of commits that are under way */
void unplug_drm_fail_fences(struct drm_device *drm);

/* read.c: events */
ssize_t unplug_drm_read_dead(struct file *file, char __user *to, size_t count,
			     loff_t *pos);
__poll_t unplug_drm_poll_dead(struct file *file);

#endif /* _UNPLUG_DRM_INTERNAL_H */
