// SPDX-License-Identifier: GPL-2.0-only
/*
 * unplug-panel - a display that may be pulled while it is drawn to: to be read by who
 * writes his first DRM driver for such a card.
 *
 * The card is QEMU's ivshmem-plain: memory on PCI, which a file on the host backs. Taken for a
 * panel, it shows 640x480 pixels that lie at its beginning, and has a register, of our
 * invention, in its last page. So the host can look at the screen.
 *
 * Most of this is what any driver with atomic modeset has. What is there because the card
 * may go is numbered where it is done:
 *
 * (1) The hardware is touched in hardware sections, nowhere else. ->remove waits for them with
 *     the bus locked: so nobody waits in one for a user, nor for what may wait for one (a
 *     mutex, a fence, another card).
 * (2) A section that is refused is no error. Who began before the pull ends after it: the
 *     hardware's part of a commit is left out, the software's is done to the end, as others
 *     wait for it: events, locks, buffers given back.
 * (3) What late users can look at lives as long as the last of them: drmm_…. What hardware
 *     sections alone look at goes when ->remove returns: devm_….
 * (4) What is started is started in a hardware section: so nothing is, once the card is
 *     shut. What was started before, ->remove stops.
 *
 * There is no MODULE_DEVICE_TABLE: such a card is a panel only because the administrator says
 * so, who loads this instead of drivers/ivshmem.
 */

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_damage_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_format_helper.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem_atomic_helper.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_probe_helper.h>
#include <drm/drm_vblank.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <unplug/drm.h>
#include "compat.h"

#define PANEL_BAR	2
#define PANEL_WIDTH	640
#define PANEL_HEIGHT	480
#define PANEL_PITCH	(PANEL_WIDTH * 4)
#define PANEL_REG_ON	0x00	/* 1: the picture is shown */

static const struct drm_display_mode panel_mode = {
	DRM_MODE_INIT(60, PANEL_WIDTH, PANEL_HEIGHT, 160, 120)
};

/**
 * struct panel - a card; all of it is there until the last user let go (3)
 * @drm: DRM's part, and through it the core's
 * @plane: the picture
 * @crtc: on and off
 * @encoder: does nothing, but DRM wants one
 * @connector: the monitor
 * @pixels: BAR 2; in hardware sections
 * @regs: its last page; in hardware sections
 * @vblank: the clock of the panel, while that is on; the card has none
 * @period: of @vblank, in jiffies; set when that does not run
 */
struct panel {
	struct drm_device drm;
	struct drm_plane plane;
	struct drm_crtc crtc;
	struct drm_encoder encoder;
	struct drm_connector connector;
	void __iomem *pixels;
	void __iomem *regs;
	struct delayed_work vblank;
	unsigned long period;
};

static struct panel *panel_from_drm(struct drm_device *drm)
{
	return container_of(drm, struct panel, drm);
}

/* Users draw into memory. What they changed is copied to the card, by commits. */

static int panel_plane_check(struct drm_plane *plane, struct drm_atomic_commit *commit)
{
	struct drm_plane_state *new = drm_atomic_get_new_plane_state(commit, plane);
	struct drm_crtc_state *crtc = new->crtc ?
		drm_atomic_get_new_crtc_state(commit, new->crtc) : NULL;

	return drm_atomic_helper_check_plane_state(new, crtc, DRM_PLANE_NO_SCALING,
						   DRM_PLANE_NO_SCALING, false, false);
}

/* @from: of the buffer, which may be larger than the panel and show a part of itself */
static void panel_copy(struct panel *panel, struct drm_plane_state *state,
		       const struct drm_rect *from)
{
	struct iosys_map to = IOSYS_MAP_INIT_VADDR_IOMEM(panel->pixels);
	const unsigned int pitch = PANEL_PITCH;
	struct drm_rect at = *from;

	drm_rect_translate(&at, -(state->src.x1 >> 16), -(state->src.y1 >> 16));
	iosys_map_incr(&to, drm_fb_clip_offset(pitch, state->fb->format, &at));
	drm_fb_memcpy(&to, &pitch, to_drm_shadow_plane_state(state)->data, state->fb, from);
}

static void panel_plane_update(struct drm_plane *plane, struct drm_atomic_commit *commit)
{
	struct drm_plane_state *old = drm_atomic_get_old_plane_state(commit, plane);
	struct drm_plane_state *new = drm_atomic_get_new_plane_state(commit, plane);
	struct unplug_dev *dev = unplug_dev_from_drm(plane->dev);
	struct drm_rect damage;

	if (!new->fb || !drm_atomic_helper_damage_merged(old, new, &damage))
		return;
	/* If it begins between two pixels, there is one more of them than the panel has. */
	damage.x2 = min(damage.x2, (new->src.x1 >> 16) + PANEL_WIDTH);
	damage.y2 = min(damage.y2, (new->src.y1 >> 16) + PANEL_HEIGHT);
	/* (1) The buffer may be another card's, which may take its time. */
	if (drm_gem_fb_begin_cpu_access(new->fb, DMA_FROM_DEVICE))
		return;
	if (unplug_dev_hw_enter(dev)) {
		panel_copy(panel_from_drm(plane->dev), new, &damage);
		unplug_dev_hw_exit(dev);
	}
	drm_gem_fb_end_cpu_access(new->fb, DMA_FROM_DEVICE);	/* (2) */
}

static const struct drm_plane_helper_funcs panel_plane_helper_funcs = {
	DRM_GEM_SHADOW_PLANE_HELPER_FUNCS,
	.atomic_check = panel_plane_check,
	.atomic_update = panel_plane_update,
};

static const struct drm_plane_funcs panel_plane_funcs = {
	DRM_GEM_SHADOW_PLANE_FUNCS,
	.update_plane = drm_atomic_helper_update_plane,
	.disable_plane = drm_atomic_helper_disable_plane,
	.destroy = drm_plane_cleanup,
};

static const u32 panel_formats[] = { DRM_FORMAT_XRGB8888 };

/* The panel's clock, while it is on: vblanks, with which the events of flips are sent */
static void panel_vblank(struct work_struct *work)
{
	struct panel *panel = container_of(work, struct panel, vblank.work);

	drm_crtc_handle_vblank(&panel->crtc);
	schedule_delayed_work(&panel->vblank, panel->period);
}

static int panel_enable_vblank(struct drm_crtc *crtc)
{
	return 0;
}

static void panel_start(struct panel *panel, const struct drm_display_mode *mode)
{
	unsigned int ms = (u32)mode->htotal * mode->vtotal / mode->clock;	/* the user's say */

	panel->period = clamp(msecs_to_jiffies(ms), 1UL, 1UL * HZ);
	schedule_delayed_work(&panel->vblank, panel->period);
	drm_crtc_vblank_on(&panel->crtc);
}

/* Events that wait for a vblank are sent now. To be called twice does no harm. */
static void panel_stop(struct panel *panel)
{
	drm_crtc_vblank_off(&panel->crtc);
	cancel_delayed_work_sync(&panel->vblank);
}

static void panel_crtc_enable(struct drm_crtc *crtc, struct drm_atomic_commit *commit)
{
	struct panel *panel = panel_from_drm(crtc->dev);
	struct unplug_dev *dev = unplug_dev_from_drm(crtc->dev);

	if (!unplug_dev_hw_enter(dev))
		return;
	iowrite32(1, panel->regs + PANEL_REG_ON);
	panel_start(panel, &crtc->state->adjusted_mode);	/* (4) */
	unplug_dev_hw_exit(dev);
}

static void panel_crtc_disable(struct drm_crtc *crtc, struct drm_atomic_commit *commit)
{
	struct panel *panel = panel_from_drm(crtc->dev);
	struct unplug_dev *dev = unplug_dev_from_drm(crtc->dev);

	panel_stop(panel);	/* (2) */
	if (!unplug_dev_hw_enter(dev))
		return;
	iowrite32(0, panel->regs + PANEL_REG_ON);
	unplug_dev_hw_exit(dev);
}

/* There is no vblank while the panel is off, or is gone: then the event is sent at once. */
static void panel_crtc_flush(struct drm_crtc *crtc, struct drm_atomic_commit *commit)
{
	struct drm_crtc_state *state = drm_atomic_get_new_crtc_state(commit, crtc);

	if (!state->event)
		return;
	spin_lock_irq(&crtc->dev->event_lock);
	if (drm_crtc_vblank_get(crtc) == 0)
		drm_crtc_arm_vblank_event(crtc, state->event);
	else
		drm_crtc_send_vblank_event(crtc, state->event);
	state->event = NULL;
	spin_unlock_irq(&crtc->dev->event_lock);
}

static enum drm_mode_status panel_mode_valid(struct drm_crtc *crtc,
					     const struct drm_display_mode *mode)
{
	return drm_crtc_helper_mode_valid_fixed(crtc, mode, &panel_mode);
}

static const struct drm_crtc_helper_funcs panel_crtc_helper_funcs = {
	.mode_valid = panel_mode_valid,
	.atomic_enable = panel_crtc_enable,
	.atomic_disable = panel_crtc_disable,
	.atomic_flush = panel_crtc_flush,
};

static const struct drm_crtc_funcs panel_crtc_funcs = {
	.reset = drm_atomic_helper_crtc_reset,
	.set_config = drm_atomic_helper_set_config,
	.page_flip = drm_atomic_helper_page_flip,
	.atomic_duplicate_state = drm_atomic_helper_crtc_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_crtc_destroy_state,
	.enable_vblank = panel_enable_vblank,
};

/* Always connected, until unplug_drm_unplug() says otherwise */
static int panel_get_modes(struct drm_connector *connector)
{
	return drm_connector_helper_get_modes_fixed(connector, &panel_mode);
}

static const struct drm_connector_helper_funcs panel_connector_helper_funcs = {
	.get_modes = panel_get_modes,
};

static const struct drm_connector_funcs panel_connector_funcs = {
	.reset = drm_atomic_helper_connector_reset,
	.fill_modes = drm_helper_probe_single_connector_modes,
	.atomic_duplicate_state = drm_atomic_helper_connector_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_connector_destroy_state,
};

/* drm_atomic_helper_commit_tail() waits for a vblank. None need come any more; events do. */
static void panel_commit_tail(struct drm_atomic_commit *commit)
{
	drm_atomic_helper_commit_modeset_disables(commit->dev, commit);
	drm_atomic_helper_commit_planes(commit->dev, commit, 0);
	drm_atomic_helper_commit_modeset_enables(commit->dev, commit);
	drm_atomic_helper_commit_hw_done(commit);
	drm_atomic_helper_wait_for_flip_done(commit->dev, commit);
	drm_atomic_helper_cleanup_planes(commit->dev, commit);
}

static const struct drm_mode_config_helper_funcs panel_config_helper_funcs = {
	.atomic_commit_tail = panel_commit_tail,
};

static const struct drm_mode_config_funcs panel_config_funcs = {
	.fb_create = drm_gem_fb_create_with_dirty,
	.atomic_check = drm_atomic_helper_check,
	.atomic_commit = drm_atomic_helper_commit,
};

/* (3) drmm_mode_config_init() sees to the end of what has no drmm_ of its own. */
static int panel_init_modeset(struct panel *panel)
{
	struct drm_device *drm = &panel->drm;
	int err;

	INIT_DELAYED_WORK(&panel->vblank, panel_vblank);
	err = drmm_mode_config_init(drm) ?:
	      drm_universal_plane_init(drm, &panel->plane, 1, &panel_plane_funcs, panel_formats,
				       ARRAY_SIZE(panel_formats), NULL,
				       DRM_PLANE_TYPE_PRIMARY, NULL) ?:
	      drmm_crtc_init_with_planes(drm, &panel->crtc, &panel->plane, NULL,
					 &panel_crtc_funcs, NULL) ?:
	      drmm_encoder_init(drm, &panel->encoder, NULL, DRM_MODE_ENCODER_VIRTUAL, NULL) ?:
	      drmm_connector_init(drm, &panel->connector, &panel_connector_funcs,
				  DRM_MODE_CONNECTOR_VIRTUAL, NULL) ?:
	      drm_connector_attach_encoder(&panel->connector, &panel->encoder) ?:
	      drm_vblank_init(drm, 1);
	if (err)
		return err;
	panel->encoder.possible_crtcs = 1;
	drm_plane_helper_add(&panel->plane, &panel_plane_helper_funcs);
	drm_plane_enable_fb_damage_clips(&panel->plane);
	drm_crtc_helper_add(&panel->crtc, &panel_crtc_helper_funcs);
	drm_connector_helper_add(&panel->connector, &panel_connector_helper_funcs);
	drm->mode_config.max_width = 4 * PANEL_WIDTH;
	drm->mode_config.max_height = 4 * PANEL_HEIGHT;
	drm->mode_config.funcs = &panel_config_funcs;
	drm->mode_config.helper_private = &panel_config_helper_funcs;
	drm_mode_config_reset(drm);
	return 0;
}

/* What DRM is told opens by the gate; panel_fops_gated, made by the same line, is behind it. */
DEFINE_UNPLUG_DRM_GEM_FOPS(panel_fops);

static const struct drm_driver panel_driver = {
	DRM_GEM_SHMEM_DRIVER_OPS,
	.driver_features = DRIVER_GEM | DRIVER_MODESET | DRIVER_ATOMIC,
	.fops = &panel_fops,
	.name = KBUILD_MODNAME,
	.desc = "Memory that is taken for a display",
	PANEL_DATE
};

static int panel_get_hw(struct panel *panel, struct pci_dev *pdev)
{
	const struct resource *bar = &pdev->resource[PANEL_BAR];
	int err = pcim_enable_device(pdev);

	if (err)
		return err;
	if (resource_size(bar) < PANEL_PITCH * PANEL_HEIGHT + PAGE_SIZE)
		return -ENODEV;	/* no room for a picture */
	panel->pixels = devm_ioremap_resource(&pdev->dev, bar);	/* (3) */
	if (IS_ERR(panel->pixels))
		return PTR_ERR(panel->pixels);
	panel->regs = panel->pixels + resource_size(bar) - PAGE_SIZE;
	return 0;
}

static int panel_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct panel *panel;
	int err;

	panel = devm_drm_dev_alloc(&pdev->dev, &panel_driver, struct panel, drm);
	if (IS_ERR(panel))
		return PTR_ERR(panel);
	pci_set_drvdata(pdev, panel);
	err = panel_get_hw(panel, pdev) ?: panel_init_modeset(panel);
	if (err)
		return err;
	err = unplug_drm_register(&panel->drm, 0, &panel_fops_gated);
	if (err)
		panel_stop(panel);	/* (4) There may have been a user for a moment. */
	return err;
}

/* After the first line the card is shut and ours alone. Users may be inside all the same. */
static void panel_remove(struct pci_dev *pdev)
{
	struct panel *panel = pci_get_drvdata(pdev);

	unplug_drm_unplug(&panel->drm);
	panel_stop(panel);					/* (4) */
	iowrite32(0, panel->regs + PANEL_REG_ON);
}

static const struct pci_device_id panel_pci_ids[] = {
	{ PCI_DEVICE(0x1af4, 0x1110) },
	{ }
};

static struct pci_driver panel_pci_driver = {
	.name = KBUILD_MODNAME,
	.id_table = panel_pci_ids,
	.probe = panel_probe,
	.remove = panel_remove,
};
module_pci_driver(panel_pci_driver);

MODULE_DESCRIPTION("QEMU's inter-VM shared memory card as a display behind the unplug gate");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
