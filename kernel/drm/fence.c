// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fences of what a card that is gone will not show: out-fences of commits under way, and of
 * what they were to write back.
 *
 * Others wait for them, other cards among them; the commit itself may wait for a fence of
 * somebody else's, for as long as he likes. So they do not wait for it, and are told that
 * it failed.
 *
 * A fence belongs to an event, which is with its file (pending), in the state of its CRTC (until
 * the driver takes it), or armed for a vblank. One whose driver has taken it, and keeps it
 * itself, cannot be found if it is no file's: it is signalled, without an error, when
 * the driver sends it. A fence of writeback is with the job: in the state of the
 * connector, then in its queue.
 *
 * Locks, in this order; modeset locks, which a user may hold, are not needed:
 *
 *	filelist_mutex		of files
 *	crtc->commit_lock	the states that CRTC and its connectors have stay: whoever
 *				replaces them (drm_atomic_helper_swap_state()) takes this
 *				next, before he goes on to what ends in freeing the old ones
 *	  event_lock		an event whose commit's flip is not done was not sent: whoever
 *				sends it says so under this, then frees it
 *	  job_lock		a job that is in the state or the queue is not done: whoever
 *				takes it out of the queue does so under this
 *
 * So no fence is signalled twice, or set to an error when it is signalled. On its way from the
 * state to the queue a job is in neither: its fence is found when its commit has ended, before
 * gone.
 */

#include <drm/drm_atomic.h>
#include <drm/drm_connector.h>
#include <drm/drm_crtc.h>
#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_vblank.h>
#include <drm/drm_writeback.h>
#include <linux/completion.h>
#include <linux/dma-fence.h>
#include "internal.h"

static void fence_fail(struct dma_fence *fence)
{
	if (!fence || dma_fence_is_signaled(fence))
		return;
	dma_fence_set_error(fence, -ENODEV);
	dma_fence_signal(fence);
}

static void files_fail_fences(struct drm_device *drm)
{
	struct drm_pending_vblank_event *armed;
	struct drm_pending_event *event;
	struct drm_file *file;

	mutex_lock(&drm->filelist_mutex);
	spin_lock_irq(&drm->event_lock);
	list_for_each_entry(file, &drm->filelist, lhead)
		list_for_each_entry(event, &file->pending_event_list,
				    pending_link)
			fence_fail(event->fence);
	list_for_each_entry(armed, &drm->vblank_event_list, base.link)
		fence_fail(armed->base.fence);
	spin_unlock_irq(&drm->event_lock);
	mutex_unlock(&drm->filelist_mutex);
}

/* Under commit_lock. Not every driver forgets an event before it is sent, hence flip_done. */
static void state_fail_fence(struct drm_device *drm,
			     struct drm_crtc_state *state)
{
	spin_lock_irq(&drm->event_lock);
	if (state->event && state->commit &&
	    !completion_done(&state->commit->flip_done))
		fence_fail(state->event->base.fence);
	spin_unlock_irq(&drm->event_lock);
}

/* Whoever ends the job may want to say an error, too: the fence is no longer its own. */
static void job_fail_fence(struct drm_writeback_job *job)
{
	struct dma_fence *fence = job->out_fence;

	job->out_fence = NULL;
	fence_fail(fence);
	dma_fence_put(fence);
}

/* Under commit_lock of the connector's CRTC */
static void writeback_fail_fences(struct drm_connector *connector)
{
	struct drm_writeback_connector *writeback =
		drm_connector_to_writeback(connector);
	struct drm_writeback_job *job;

	spin_lock_irq(&writeback->job_lock);
	job = connector->state->writeback_job;
	if (job)
		job_fail_fence(job);
	list_for_each_entry(job, &writeback->job_queue, list_entry)
		job_fail_fence(job);
	spin_unlock_irq(&writeback->job_lock);
}

static void crtc_fail_fences(struct drm_crtc *crtc)
{
	struct drm_connector_list_iter iter;
	struct drm_connector *connector;
	struct drm_crtc_state *state;

	spin_lock(&crtc->commit_lock);
	state = READ_ONCE(crtc->state);
	if (state) {
		state_fail_fence(crtc->dev, state);
		drm_connector_list_iter_begin(crtc->dev, &iter);
		drm_for_each_connector_iter(connector, &iter)
			if (connector->connector_type ==
				    DRM_MODE_CONNECTOR_WRITEBACK &&
			    state->connector_mask & drm_connector_mask(connector))
				writeback_fail_fences(connector);
		drm_connector_list_iter_end(&iter);
	}
	spin_unlock(&crtc->commit_lock);
}

/**
 * unplug_drm_fail_fences() - nobody has to wait for a card that is gone
 * @drm: the device, from shut on
 *
 * Events stay, and are sent when their commit ends. Commits that begin meanwhile, by users who
 * are late, are for who calls this after them.
 *
 * Context: Process. Takes locks that nobody keeps for a user.
 */
void unplug_drm_fail_fences(struct drm_device *drm)
{
	struct drm_crtc *crtc;

	/* In the direction in which events move, or one that is armed meanwhile would be missed. */
	if (drm->mode_config.funcs && drm_drv_uses_atomic_modeset(drm))
		drm_for_each_crtc(crtc, drm)
			crtc_fail_fences(crtc);
	files_fail_fences(drm);
}
