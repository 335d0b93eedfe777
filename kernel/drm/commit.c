// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commits go on after their ioctl. Each ends, on hardware that is gone too, by the
 * time-outs of its driver, and sends its events.
 */

#include <drm/drm_atomic.h>
#include <drm/drm_crtc.h>
#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <linux/completion.h>
#include <linux/sched.h>
#include "internal.h"

static void crtc_wait_commits(struct drm_crtc *crtc)
{
	struct drm_crtc_commit *commit;

	do {
		spin_lock(&crtc->commit_lock);
		commit = list_first_entry_or_null(&crtc->commit_list,
						  struct drm_crtc_commit,
						  commit_entry);
		if (commit)
			drm_crtc_commit_get(commit);
		spin_unlock(&crtc->commit_lock);
		if (commit) {
			wait_for_completion(&commit->cleanup_done);
			drm_crtc_commit_put(commit);
			cond_resched();
		}
	} while (commit);
}

/**
 * unplug_drm_wait_commits() - wait until all commits have ended
 * @drm: a device with modeset, when nobody is inside any more
 *
 * Context: Process. Sleeps, as long as fences take that commits wait for.
 */
void unplug_drm_wait_commits(struct drm_device *drm)
{
	struct drm_crtc *crtc;

	if (!drm_drv_uses_atomic_modeset(drm))
		return;
	drm_for_each_crtc(crtc, drm)
		crtc_wait_commits(crtc);
}
