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
static struct object connector = { .type = DRM_MODE_OBJECT_CONNECTOR };
/* Where what is shown can be written back to memory */
static struct object writeback = { .type = DRM_MODE_OBJECT_CONNECTOR };

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

static bool is_writeback(uint32_t connector)
{
	struct drm_mode_get_connector get = { .connector_id = connector };

	return !ioctl(card.fd, DRM_IOCTL_MODE_GETCONNECTOR, &get) &&
	       get.connector_type == DRM_MODE_CONNECTOR_WRITEBACK;
}

static int writeback_find(void)
{
	static const char *const of_writeback[] = {
		"CRTC_ID", "WRITEBACK_FB_ID", "WRITEBACK_OUT_FENCE_PTR", NULL
	};
	uint32_t connectors[8], i;
	struct drm_mode_card_res res = {
		.connector_id_ptr = (uintptr_t)connectors, .count_connectors = 8,
	};

	if (ioctl(card.fd, DRM_IOCTL_MODE_GETRESOURCES, &res))
		return -1;
	for (i = 0; i < res.count_connectors && i < 8; i++) {
		if (!is_writeback(connectors[i]))
			continue;
		writeback.id = connectors[i];
		return object_find(&writeback, of_writeback);
	}
	errno = ENOENT;
	return -1;
}

/*
 * After "atomic": commits may ask for it. The screen is switched off then, as a CRTC has
 * one of these only.
 */
static void op_writeback(struct call *call)
{
	static const char *const of_connector[] = { "CRTC_ID", NULL };
	struct drm_set_client_cap cap = {
		.capability = DRM_CLIENT_CAP_WRITEBACK_CONNECTORS, .value = 1,
	};

	connector.id = screen.connector;
	if (ioctl(card.fd, DRM_IOCTL_SET_CLIENT_CAP, &cap) || writeback_find() ||
	    object_find(&connector, of_connector)) {
		answer_result(call, -1);
		return;
	}
	object_set(&writeback, "CRTC_ID", screen.crtc);
	object_set(&writeback, "WRITEBACK_FB_ID", screen.fb);
	object_set(&writeback, "WRITEBACK_OUT_FENCE_PTR", (uintptr_t)&fence_out);
	answer(call, "ok");
}

/* @objects: the numbers of @n: the plane, the CRTC, writeback, the screen */
static int commit(uint32_t flags, const void *objects, uint32_t n)
{
	const struct object *const all[] = { &plane, &crtc, &writeback, &connector };
	uint32_t properties[4 * PROPERTIES], counts[4], at = 0, i;
	uint64_t values[4 * PROPERTIES];
	struct drm_mode_atomic atomic = {
		.flags = flags,
		.count_objs = n,
		.objs_ptr = (uintptr_t)objects,
		.count_props_ptr = (uintptr_t)counts,
		.props_ptr = (uintptr_t)properties,
		.prop_values_ptr = (uintptr_t)values,
		.user_data = 0x1234,
	};

	for (i = 0; i < n; at += all[i++]->n) {
		counts[i] = all[i]->n;
		memcpy(properties + at, all[i]->property, all[i]->n * sizeof(*properties));
		memcpy(values + at, all[i]->value, all[i]->n * sizeof(*values));
	}
	return ioctl(card.fd, DRM_IOCTL_MODE_ATOMIC, &atomic);
}

/*
 * commit [test] [nonblock] [event] [in] [out] [back] [read]: of the same picture. "in": it waits
 * for fence_in; "out": it promises fence_out; "back": it writes back, and fence_out is that of
 * this; "read", to be held: the kernel reads of what, with no lock held.
 */
static void op_commit(struct call *call)
{
	const uint32_t objects[] = { plane.id, crtc.id, writeback.id, connector.id };
	uint32_t flags = 0, n = 2;
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
	if (strstr(how, " back")) {
		flags |= DRM_MODE_ATOMIC_ALLOW_MODESET;
		n = 4;
	}
	memcpy(&call->first, objects, sizeof(call->first));
	answer_result(call, commit(flags, strstr(how, " read") ? call->buffer : objects, n));
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
	{ "writeback", op_writeback },
	{ "commit", op_commit },
	{ "sweep", op_sweep },
	{ }
};
