// SPDX-License-Identifier: GPL-2.0-or-later
/* What a hand can do: lease its screen to a lessee, who is itself. After "atomic" */

#define _GNU_SOURCE
#include "hand.h"

#include <libdrm/drm.h>
#include <libdrm/drm_mode.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct {
	int fd;
	uint32_t id;
} lessee = { .fd = -1 };

static void op_lease(struct call *call)
{
	uint32_t objects[3] = { screen.crtc, screen.connector, atomic_plane() };
	struct drm_mode_create_lease lease = {
		.object_ids = (uintptr_t)objects,
		.object_count = 3,
	};

	if (ioctl(card.fd, DRM_IOCTL_MODE_CREATE_LEASE, &lease)) {
		answer_result(call, -1);
		return;
	}
	lessee.fd = (int)lease.fd;
	lessee.id = lease.lessee_id;
	answer(call, "ok");
}

static void op_lessee_get(struct call *call)
{
	uint32_t objects[8];
	struct drm_mode_get_lease get = {
		.objects_ptr = (uintptr_t)objects, .count_objects = 8,
	};

	answer_result(call, ioctl(lessee.fd, DRM_IOCTL_MODE_GET_LEASE, &get));
}

static void op_lessee_flip(struct call *call)
{
	struct drm_mode_crtc_page_flip flip = {
		.crtc_id = screen.crtc, .fb_id = screen.fb, .user_data = 0x1234,
		.flags = DRM_MODE_PAGE_FLIP_EVENT,
	};

	answer_result(call, ioctl(lessee.fd, DRM_IOCTL_MODE_PAGE_FLIP, &flip));
}

static void op_lessee_event(struct call *call)
{
	struct drm_event_vblank event = { 0 };
	ssize_t n = read(lessee.fd, &event, sizeof(event));

	if (n < 0)
		answer_result(call, -1);
	else
		answer(call, n == sizeof(event) && event.user_data == 0x1234 ? "flip" : "strange");
}

static void op_revoke(struct call *call)
{
	struct drm_mode_revoke_lease revoke = { .lessee_id = lessee.id };

	answer_result(call, ioctl(card.fd, DRM_IOCTL_MODE_REVOKE_LEASE, &revoke));
}

static void op_lessee_close(struct call *call)
{
	answer_result(call, close(lessee.fd));
	lessee.fd = -1;
}

const struct op lease_ops[] = {
	{ "lease", op_lease },
	{ "lessee-get", op_lessee_get },
	{ "lessee-flip", op_lessee_flip },
	{ "lessee-event", op_lessee_event },
	{ "revoke", op_revoke },
	{ "lessee-close", op_lessee_close },
	{ }
};
