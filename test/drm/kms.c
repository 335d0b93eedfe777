// SPDX-License-Identifier: GPL-2.0-or-later
/* What a hand can do: pictures */

#define _GNU_SOURCE
#include "hand.h"

#include <errno.h>
#include <fcntl.h>
#include <libdrm/drm.h>
#include <libdrm/drm_mode.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct screen screen;

int find_screen(void)
{
	uint32_t crtcs[8], connectors[8];
	struct drm_mode_card_res res = {
		.crtc_id_ptr = (uintptr_t)crtcs,
		.count_crtcs = 8,
		.connector_id_ptr = (uintptr_t)connectors,
		.count_connectors = 8,
	};

	if (ioctl(card.fd, DRM_IOCTL_MODE_GETRESOURCES, &res))
		return -1;
	screen.crtc = crtcs[0];
	screen.connector = connectors[0];
	return 0;
}

/* The first probes the monitor and counts. What is wanted has to be as large as the buffer. */
static int find_mode(void)
{
	static struct drm_mode_modeinfo modes[128];
	struct drm_mode_get_connector get = { .connector_id = screen.connector };
	uint32_t i;

	if (ioctl(card.fd, DRM_IOCTL_MODE_GETCONNECTOR, &get))
		return -1;
	get = (struct drm_mode_get_connector){
		.connector_id = screen.connector,
		.modes_ptr = (uintptr_t)modes,
		.count_modes = 128,
	};
	if (ioctl(card.fd, DRM_IOCTL_MODE_GETCONNECTOR, &get))
		return -1;
	for (i = 0; i < get.count_modes && i < 128; i++) {
		if (modes[i].hdisplay != 640 || modes[i].vdisplay != 480)
			continue;
		screen.mode = modes[i];
		return 0;
	}
	errno = ENOENT;
	return -1;
}

static int add_fb(void)
{
	struct drm_mode_fb_cmd fb = {
		.width = 640, .height = 480, .pitch = 640 * 4, .bpp = 32, .depth = 24,
		.handle = card.handle,
	};

	if (ioctl(card.fd, DRM_IOCTL_MODE_ADDFB, &fb))
		return -1;
	screen.fb = fb.fb_id;
	return 0;
}

static int set_crtc(uint32_t *connector)
{
	struct drm_mode_crtc crtc = {
		.set_connectors_ptr = (uintptr_t)connector,
		.count_connectors = 1,
		.crtc_id = screen.crtc,
		.fb_id = screen.fb,
		.mode_valid = 1,
		.mode = screen.mode,
	};

	return ioctl(card.fd, DRM_IOCTL_MODE_SETCRTC, &crtc);
}

/* Shows the buffer. */
static void op_show(struct call *call)
{
	answer_result(call, find_screen() || find_mode() || add_fb() ||
		      set_crtc(&screen.connector) ? -1 : 0);
}

/* Shows it again. The kernel reads which connectors under all of the card's modeset locks. */
static void op_mode(struct call *call)
{
	call->first = screen.connector;
	answer_result(call, set_crtc(call->buffer));
}

/* Draws a corner; the kernel reads which, a struct drm_clip_rect, with no lock held. */
static void op_corner(struct call *call)
{
	struct drm_mode_fb_dirty_cmd dirty = {
		.fb_id = screen.fb,
		.num_clips = 1,
		.clips_ptr = (uintptr_t)call->buffer,
	};

	call->first = 64ULL << 32 | 64ULL << 48;
	answer_result(call, ioctl(card.fd, DRM_IOCTL_MODE_DIRTYFB, &dirty));
}

/* Noise does not compress: a frame takes as many transfers as it can. */
static void noise(void)
{
	uint32_t *pixel = (uint32_t *)card.memory;
	size_t i;

	for (i = 0; i < card.size / 4; i++)
		pixel[i] = random();
}

/* Draws one picture after the other, until told to stop, or until that fails. */
static void op_draw(struct call *call)
{
	struct drm_mode_fb_dirty_cmd dirty = { .fb_id = screen.fb };
	int result = 0;

	noise();
	while (!card.stop && !result)
		result = ioctl(card.fd, DRM_IOCTL_MODE_DIRTYFB, &dirty);
	answer_result(call, result);
}

/* Only a master keeps the console off the screen. */
static void op_drop_master(struct call *call)
{
	answer_result(call, ioctl(card.fd, DRM_IOCTL_DROP_MASTER, 0));
}

/* The same picture on the same screen once more */
static void op_setcrtc(struct call *call)
{
	answer_result(call, set_crtc(&screen.connector));
}

static void op_dirty(struct call *call)
{
	struct drm_mode_fb_dirty_cmd dirty = { .fb_id = screen.fb };

	answer_result(call, ioctl(card.fd, DRM_IOCTL_MODE_DIRTYFB, &dirty));
}

static void op_probe(struct call *call)
{
	struct drm_mode_get_connector get = { .connector_id = screen.connector };

	answer_result(call, ioctl(card.fd, DRM_IOCTL_MODE_GETCONNECTOR, &get));
}

/* sequence N: an event is wanted N frames from now */
static void op_sequence(struct call *call)
{
	struct drm_crtc_queue_sequence queue = {
		.crtc_id = screen.crtc,
		.flags = DRM_CRTC_SEQUENCE_RELATIVE,
		.sequence = strtoul(call->argument, NULL, 10),
		.user_data = 0x1234,
	};

	answer_result(call, ioctl(card.fd, DRM_IOCTL_CRTC_QUEUE_SEQUENCE, &queue));
}

static void op_flip(struct call *call)
{
	struct drm_mode_crtc_page_flip flip = {
		.crtc_id = screen.crtc,
		.fb_id = screen.fb,
		.flags = DRM_MODE_PAGE_FLIP_EVENT,
		.user_data = 0x1234,
	};

	answer_result(call, ioctl(card.fd, DRM_IOCTL_MODE_PAGE_FLIP, &flip));
}

static void op_event(struct call *call)
{
	struct drm_event_vblank event = { 0 };
	ssize_t n = read(card.fd, &event, sizeof(event));

	if (n < 0)
		answer_result(call, -1);
	else if (n != sizeof(event) || event.user_data != 0x1234)
		answer(call, "strange");
	else if (event.base.type == DRM_EVENT_FLIP_COMPLETE)
		answer(call, "flip");
	else
		answer(call, event.base.type == DRM_EVENT_CRTC_SEQUENCE ? "sequence" : "strange");
}

/* Flips and waits for the event, until told to stop, or until that fails. */
static void op_flips(struct call *call)
{
	while (!card.stop) {
		op_flip(call);
		if (strcmp(call->answer, "ok"))
			return;
		op_event(call);
		if (strcmp(call->answer, "flip"))
			return;
	}
}

/* The kernel fills @buffer while it holds all of the card's modeset locks. */
static void op_properties(struct call *call)
{
	struct drm_mode_obj_get_properties get = {
		.props_ptr = (uintptr_t)call->buffer,
		.prop_values_ptr = (uintptr_t)call->buffer + 2048,
		.count_props = 64,
		.obj_type = DRM_MODE_OBJECT_CONNECTOR,
	};

	if (find_screen()) {
		answer_result(call, -1);
		return;
	}
	get.obj_id = screen.connector;
	answer_result(call, ioctl(card.fd, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &get));
}

const struct op kms_ops[] = {
	{ "show", op_show },
	{ "mode", op_mode },
	{ "draw", op_draw },
	{ "corner", op_corner },
	{ "drop-master", op_drop_master },
	{ "setcrtc", op_setcrtc },
	{ "dirty", op_dirty },
	{ "probe", op_probe },
	{ "sequence", op_sequence },
	{ "flip", op_flip },
	{ "event", op_event },
	{ "flips", op_flips },
	{ "properties", op_properties },
	{ }
};
