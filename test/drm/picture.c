// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a hand can do: pictures that somebody behind the card can recognise. They ask the
 * card what it shows, so they go with whatever made it show that.
 */

#define _GNU_SOURCE
#include "hand.h"

#include <endian.h>
#include <libdrm/drm.h>
#include <libdrm/drm_mode.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

static sigjmp_buf on_bus;

static void handle_bus(int signal)
{
	(void)signal;
	siglongjmp(on_bus, 1);
}

/* picture BYTES: eight of them, in hex, all over the buffer: "ok" or "SIGBUS" */
static void op_picture(struct call *call)
{
	const uint64_t bytes = htobe64(strtoull(call->argument, NULL, 16));
	struct sigaction action = { .sa_handler = handle_bus };
	volatile uint64_t *to = (volatile uint64_t *)card.memory;
	size_t i;

	sigaction(SIGBUS, &action, NULL);
	if (sigsetjmp(on_bus, 1)) {
		answer(call, "SIGBUS");
		return;
	}
	for (i = 0; i < card.size / sizeof(bytes); i++)
		to[i] = bytes;
	answer(call, "ok");
}

/* What is on the first screen */
static int get_crtc(struct drm_mode_crtc *crtc)
{
	if (find_screen())
		return -1;
	*crtc = (struct drm_mode_crtc){ .crtc_id = screen.crtc };
	return ioctl(card.fd, DRM_IOCTL_MODE_GETCRTC, crtc);
}

/* The same picture with so slow a clock that the next frame takes minutes */
static void op_slow(struct call *call)
{
	struct drm_mode_crtc crtc;
	int result = get_crtc(&crtc);

	if (!result) {
		crtc.set_connectors_ptr = (uintptr_t)&screen.connector;
		crtc.count_connectors = 1;
		crtc.mode.clock = 1;
		result = ioctl(card.fd, DRM_IOCTL_MODE_SETCRTC, &crtc);
	}
	answer_result(call, result);
}

/* part X1 Y1 X2 Y2: to be drawn, of what is shown */
static void op_part(struct call *call)
{
	struct drm_clip_rect clip = { 0 };
	struct drm_mode_fb_dirty_cmd dirty = { .clips_ptr = (uintptr_t)&clip, .num_clips = 1 };
	struct drm_mode_crtc crtc;
	int result;

	if (sscanf(call->argument, "%hu %hu %hu %hu",
		   &clip.x1, &clip.y1, &clip.x2, &clip.y2) != 4) {
		answer(call, "EINVAL");
		return;
	}
	result = get_crtc(&crtc);
	if (!result) {
		dirty.fb_id = crtc.fb_id;
		result = ioctl(card.fd, DRM_IOCTL_MODE_DIRTYFB, &dirty);
	}
	answer_result(call, result);
}

const struct op picture_ops[] = {
	{ "picture", op_picture },
	{ "slow", op_slow },
	{ "part", op_part },
	{ }
};
