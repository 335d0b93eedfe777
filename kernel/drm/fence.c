// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fences of what a card that is gone will not show: out-fences of commits under way.
 *
 * Others wait for them, other cards among them; the commit itself may wait for a fence of
 * somebody else's, for as long as he likes. So they do not wait for it, and are told that
 * it failed.
 *
 * A fence belongs to an event that is pending: of a file, or armed for a vblank. All of that,
 * and the sending that signals it otherwise, is under event_lock: no fence is signalled
 * twice, or set to an error when it is signalled. One that is of no file's event, and is not
 * armed yet, cannot be found: it is signalled, without an error, when its commit ends.
 */

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_vblank.h>
#include <linux/dma-fence.h>
#include "internal.h"

static void event_fail_fence(struct drm_pending_event *event)
{
	struct dma_fence *fence = event->fence;

	if (!fence || dma_fence_is_signaled(fence))
		return;
	dma_fence_set_error(fence, -ENODEV);
	dma_fence_signal(fence);
}

/* Called from shut on. The events stay, and are sent when their commit ends. */
void unplug_drm_fail_fences(struct drm_device *drm)
{
	struct drm_pending_vblank_event *armed;
	struct drm_pending_event *event;
	struct drm_file *file;

	mutex_lock(&drm->filelist_mutex);
	spin_lock_irq(&drm->event_lock);
	list_for_each_entry(file, &drm->filelist, lhead)
		list_for_each_entry(event, &file->pending_event_list,
				    pending_link)
			event_fail_fence(event);
	list_for_each_entry(armed, &drm->vblank_event_list, base.link)
		event_fail_fence(&armed->base);
	spin_unlock_irq(&drm->event_lock);
	mutex_unlock(&drm->filelist_mutex);
}
