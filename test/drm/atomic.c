// SPDX-License-Identifier: GPL-2.0-or-later
/* What a hand can do: atomic commits of the picture it shows. After "show" */

#define _GNU_SOURCE
#include "hand.h"

#include <errno.h>
#include <libdrm/drm.h>
#include <libdrm/drm_mode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define PLANE_PRIMARY 1
#define PROPERTIES 16

/**
 * struct object - what a commit says of one object
 * @id:		of it
 * @type:	DRM_MODE_OBJECT_
 * @n:		how many of these:
 * @name:	of the property
 * @property:	its number
 * @value:	what it is set to
 */
struct object {
	uint32_t id;
	uint32_t type;
	uint32_t n;
	const char *name[PROPERTIES];
	uint32_t property[PROPERTIES];
	uint64_t value[PROPERTIES];
};

static struct object plane = { .type = DRM_MODE_OBJECT_PLANE };
static struct object crtc = { .type = DRM_MODE_OBJECT_CRTC };

uint32_t atomic_plane(void)
{
	return plane.id;
}

/* Of an object, with what they are set to */
struct properties {
	uint32_t ids[64];
	uint64_t values[64];
	uint32_t n;
};

static int properties_read(uint32_t id, uint32_t type, struct properties *to)
{
	struct drm_mode_obj_get_properties get = {
		.props_ptr = (uintptr_t)to->ids,
		.prop_values_ptr = (uintptr_t)to->values,
		.count_props = 64,
		.obj_id = id,
		.obj_type = type,
	};

	if (ioctl(card.fd, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &get))
		return -1;
	to->n = get.count_props < 64 ? get.count_props : 64;
	return 0;
}

/* The index of the property of that name, or -1 */
static int property_find(const struct properties *in, const char *name)
{
	uint32_t i;

	for (i = 0; i < in->n; i++) {
		struct drm_mode_get_property get = { .prop_id = in->ids[i] };

		if (!ioctl(card.fd, DRM_IOCTL_MODE_GETPROPERTY, &get) && !strcmp(get.name, name))
			return i;
	}
	errno = ENOENT;
	return -1;
}

static int object_find(struct object *object, const char *const *names)
{
	struct properties has;
	int at;

	if (properties_read(object->id, object->type, &has))
		return -1;
	for (object->n = 0; names[object->n]; object->n++) {
		at = property_find(&has, names[object->n]);
		if (at < 0)
			return -1;
		object->name[object->n] = names[object->n];
		object->property[object->n] = has.ids[at];
	}
	return 0;
}

static void object_set(struct object *object, const char *name, uint64_t value)
{
	uint32_t i;

	for (i = 0; i < object->n; i++)
		if (!strcmp(object->name[i], name))
			object->value[i] = value;
}

static int plane_find(void)
{
	uint32_t planes[32], i;
	struct drm_mode_get_plane_res res = {
		.plane_id_ptr = (uintptr_t)planes, .count_planes = 32,
	};
	struct properties has;
	int type;

	if (ioctl(card.fd, DRM_IOCTL_MODE_GETPLANERESOURCES, &res))
		return -1;
	for (i = 0; i < res.count_planes && i < 32; i++) {
		if (properties_read(planes[i], DRM_MODE_OBJECT_PLANE, &has))
			return -1;
		type = property_find(&has, "type");
		if (type >= 0 && has.values[type] == PLANE_PRIMARY) {
			plane.id = planes[i];
			return 0;
		}
	}
	errno = ENOENT;
	return -1;
}

/* Before any commit: what there is, and how it is called */
static void op_atomic(struct call *call)
{
	static const char *const of_plane[] = {
		"FB_ID", "CRTC_ID", "SRC_X", "SRC_Y", "SRC_W", "SRC_H",
		"CRTC_X", "CRTC_Y", "CRTC_W", "CRTC_H", "IN_FENCE_FD", NULL
	};
	static const char *const of_crtc[] = { "ACTIVE", "OUT_FENCE_PTR", NULL };
	struct drm_set_client_cap cap = { .capability = DRM_CLIENT_CAP_ATOMIC, .value = 1 };

	crtc.id = screen.crtc;
	if (ioctl(card.fd, DRM_IOCTL_SET_CLIENT_CAP, &cap) || plane_find() ||
	    object_find(&plane, of_plane) || object_find(&crtc, of_crtc)) {
		answer_result(call, -1);
		return;
	}
	object_set(&plane, "FB_ID", screen.fb);
	object_set(&plane, "CRTC_ID", screen.crtc);
	object_set(&plane, "SRC_W", 640 << 16);
	object_set(&plane, "SRC_H", 480 << 16);
	object_set(&plane, "CRTC_W", 640);
	object_set(&plane, "CRTC_H", 480);
	object_set(&crtc, "ACTIVE", 1);
	answer(call, "ok");
}

/* @objects: their numbers */
static int commit(uint32_t flags, const void *objects)
{
	uint32_t counts[] = { plane.n, crtc.n };
	uint32_t properties[2 * PROPERTIES];
	uint64_t values[2 * PROPERTIES];
	struct drm_mode_atomic atomic = {
		.flags = flags,
		.count_objs = 2,
		.objs_ptr = (uintptr_t)objects,
		.count_props_ptr = (uintptr_t)counts,
		.props_ptr = (uintptr_t)properties,
		.prop_values_ptr = (uintptr_t)values,
		.user_data = 0x1234,
	};

	memcpy(properties, plane.property, plane.n * sizeof(*properties));
	memcpy(properties + plane.n, crtc.property, crtc.n * sizeof(*properties));
	memcpy(values, plane.value, plane.n * sizeof(*values));
	memcpy(values + plane.n, crtc.value, crtc.n * sizeof(*values));
	return ioctl(card.fd, DRM_IOCTL_MODE_ATOMIC, &atomic);
}

/*
 * commit [test] [nonblock] [event] [in] [out] [read]: of the same picture. "in": it waits for
 * fence_in; "out": it promises fence_out; "read", to be held: the kernel reads of what, with
 * no lock held.
 */
static void op_commit(struct call *call)
{
	const uint32_t objects[] = { plane.id, crtc.id };
	uint32_t flags = 0;
	char how[64];

	/* No word is a part of another, with a blank before it. */
	snprintf(how, sizeof(how), " %.60s", call->argument);

	if (strstr(how, " test"))
		flags |= DRM_MODE_ATOMIC_TEST_ONLY;
	if (strstr(how, " nonblock"))
		flags |= DRM_MODE_ATOMIC_NONBLOCK;
	if (strstr(how, " event"))
		flags |= DRM_MODE_PAGE_FLIP_EVENT;
	object_set(&plane, "IN_FENCE_FD", strstr(how, " in") ? fence_in : -1);
	object_set(&crtc, "OUT_FENCE_PTR", strstr(how, " out") ? (uintptr_t)&fence_out : 0);
	memcpy(&call->first, objects, sizeof(objects));
	answer_result(call, commit(flags, strstr(how, " read") ? call->buffer : objects));
}

/*
 * sweep: every ioctl of DRM's core, with a structure of zeroes, on a card that is gone:
 * "ENODEV" or "ok" if all answer one of these, else the first that does not
 */
static void op_sweep(struct call *call)
{
	static uint64_t zeroes[64];
	unsigned int number;
	bool ok = false;

	for (number = 0; number <= 0xcf; number++) {
		if (number >= DRM_COMMAND_BASE && number < 0xa0)
			continue;
		memset(zeroes, 0, sizeof(zeroes));
		if (!ioctl(card.fd, _IOC(_IOC_READ | _IOC_WRITE, 'd', number, 64), zeroes)) {
			ok = true;
		} else if (errno != ENODEV) {
			snprintf(call->answer, sizeof(call->answer), "%s of 0x%02x",
				 strerrorname_np(errno), number);
			return;
		}
	}
	answer(call, ok ? "ok" : "ENODEV");
}

const struct op atomic_ops[] = {
	{ "atomic", op_atomic },
	{ "commit", op_commit },
	{ "sweep", op_sweep },
	{ }
};
