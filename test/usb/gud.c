// SPDX-License-Identifier: GPL-2.0-or-later
/* A Generic USB Display; see gud.h */

#include "display.h"

#include <endian.h>
#include <errno.h>
#include <linux/usb/ch9.h>
#include <string.h>

#define MAGIC 0x1d50614d
#define VERSION 1
#define MIN_SIDE 480
#define MAX_SIDE 2048
#define MODE_SIZE 24
#define STATE_SIZE (MODE_SIZE + 2)
#define RECT_SIZE 25

enum {
	STATUS_OK = 0,
	STATUS_NOT_SUPPORTED = 2,
	STATUS_PROTOCOL = 3,
	STATUS_PARAMETER = 4,
};

enum {
	FORMAT_RGB565 = 0x40,
	FORMAT_XRGB8888 = 0x80,
};

enum {
	CONNECTOR_HDMI = 7,
	CONNECTOR_POLLED = 1 << 0,
	CONNECTOR_CONNECTED = 1,
};

/* Flags of a mode */
enum {
	MODE_SYNC_POSITIVE = 1 << 0 | 1 << 2,
	MODE_SYNC_NEGATIVE = 1 << 1 | 1 << 3,
	MODE_PREFERRED = 1 << 10,
};

enum {
	GET_STATUS = 0x00,
	GET_DESCRIPTOR = 0x01,
	GET_FORMATS = 0x40,
	GET_PROPERTIES = 0x41,
	GET_CONNECTORS = 0x50,
	GET_CONNECTOR_PROPERTIES = 0x51,
	SET_CONNECTOR_FORCE_DETECT = 0x53,
	GET_CONNECTOR_STATUS = 0x54,
	GET_CONNECTOR_MODES = 0x55,
	GET_CONNECTOR_EDID = 0x56,
	SET_BUFFER = 0x60,
	SET_STATE_CHECK = 0x61,
	SET_STATE_COMMIT = 0x62,
	SET_CONTROLLER_ENABLE = 0x63,
	SET_DISPLAY_ENABLE = 0x64,
};

static uint8_t *put16(uint8_t *p, uint16_t value)
{
	uint16_t v = htole16(value);

	return (uint8_t *)memcpy(p, &v, sizeof(v)) + sizeof(v);
}

static uint8_t *put32(uint8_t *p, uint32_t value)
{
	uint32_t v = htole32(value);

	return (uint8_t *)memcpy(p, &v, sizeof(v)) + sizeof(v);
}

static uint32_t get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | get16(p + 2) << 16;
}

static unsigned int format_size(uint8_t format)
{
	return format == FORMAT_RGB565 ? 2 : format == FORMAT_XRGB8888 ? 4 : 0;
}

/* ------------------------------------------------------- what it says of itself */

static int answer_descriptor(uint8_t *in)
{
	uint8_t *p = put32(in, MAGIC);

	*p++ = VERSION;
	p = put32(p, 0);	/* flags */
	*p++ = 0;		/* no compression */
	p = put32(p, GUD_BUFFER);
	p = put32(p, MIN_SIDE);
	p = put32(p, MAX_SIDE);
	p = put32(p, MIN_SIDE);
	p = put32(p, MAX_SIDE);
	return p - in;
}

static int answer_formats(uint8_t *in)
{
	in[0] = FORMAT_RGB565;
	in[1] = FORMAT_XRGB8888;
	return 2;
}

static int answer_connectors(uint8_t *in)
{
	in[0] = CONNECTOR_HDMI;
	return put32(in + 1, CONNECTOR_POLLED) - in;
}

static uint8_t *put_mode(uint8_t *p, const struct mode *m, bool preferred)
{
	p = put32(p, m->clock * 10);
	p = put16(p, m->width);
	p = put16(p, m->width + m->h_front);
	p = put16(p, m->width + m->h_front + m->h_sync);
	p = put16(p, m->h_total);
	p = put16(p, m->height);
	p = put16(p, m->height + m->v_front);
	p = put16(p, m->height + m->v_front + m->v_sync);
	p = put16(p, m->v_total);
	return put32(p, (m->positive ? MODE_SYNC_POSITIVE : MODE_SYNC_NEGATIVE) |
			(preferred ? MODE_PREFERRED : 0));
}

/* That of the monitor, and all smaller ones */
static int answer_modes(const struct display *d, uint8_t *in)
{
	const struct mode *m;
	uint8_t *p = in;

	for (m = mode_table; m->name && m->width <= d->mode->width; m++)
		p = put_mode(p, m, m == d->mode);
	return p - in;
}

static int answer_byte(uint8_t *in, uint8_t byte)
{
	in[0] = byte;
	return 1;
}

static int gud_get(const struct display *d, uint8_t request, uint8_t *in)
{
	switch (request) {
	case GET_STATUS:
		return answer_byte(in, d->gud.status);
	case GET_DESCRIPTOR:
		return answer_descriptor(in);
	case GET_FORMATS:
		return answer_formats(in);
	case GET_PROPERTIES:
	case GET_CONNECTOR_PROPERTIES:
		return 0;
	case GET_CONNECTORS:
		return answer_connectors(in);
	case GET_CONNECTOR_STATUS:
		return answer_byte(in, CONNECTOR_CONNECTED);
	case GET_CONNECTOR_MODES:
		return answer_modes(d, in);
	case GET_CONNECTOR_EDID:
		memcpy(in, d->edid, EDID_SIZE);
		return EDID_SIZE;
	default:
		return -EOPNOTSUPP;
	}
}

/* ---------------------------------------------------------- what it is told */

static void gud_show(struct display *d)
{
	const struct gud_state *s = &d->gud.current;

	if (!d->gud.enabled)
		screen_dark(&d->screen);
	else if (s->width)
		screen_light(&d->screen, 0, s->width, s->height);
}

static int set_check(struct gud *g, const uint8_t *data, size_t len)
{
	struct gud_state s;

	if (len < STATE_SIZE)
		return -EPROTO;
	s.width = get16(data + 4);
	s.height = get16(data + 12);
	s.format = data[MODE_SIZE];
	if (s.width < MIN_SIDE || s.width > MAX_SIDE || s.height < MIN_SIDE ||
	    s.height > MAX_SIDE || !format_size(s.format) || data[MODE_SIZE + 1])
		return -EINVAL;
	g->checked = s;
	return 0;
}

static int set_commit(struct display *d)
{
	if (!d->gud.checked.width)
		return -EPROTO;
	d->gud.current = d->gud.checked;
	d->gud.rect.width = 0;
	if (d->gud.enabled)
		gud_show(d);
	return 0;
}

static int set_enable(struct display *d, const uint8_t *data, size_t len)
{
	bool enable = len == 1 && data[0];

	if (len != 1)
		return -EPROTO;
	if (enable != d->gud.enabled) {
		d->gud.enabled = enable;
		gud_show(d);
	}
	return 0;
}

static int set_buffer(struct gud *g, const uint8_t *data, size_t len)
{
	struct gud_rect r = { 0 };

	if (len != RECT_SIZE)
		return -EPROTO;
	r.x = get32(data);
	r.y = get32(data + 4);
	r.width = get32(data + 8);
	r.height = get32(data + 12);
	if (!r.width || r.width > g->current.width || r.x > g->current.width - r.width ||
	    !r.height || r.height > g->current.height || r.y > g->current.height - r.height)
		return -EINVAL;
	/* Neither longer than we said, nor compressed */
	if (get32(data + 16) != r.width * r.height * format_size(g->current.format) ||
	    get32(data + 16) > GUD_BUFFER || data[20])
		return -EINVAL;
	g->rect = r;
	buffer_free(&g->carry);
	return 0;
}

static int gud_set(struct display *d, uint8_t request, const uint8_t *data, size_t len)
{
	switch (request) {
	case SET_CONNECTOR_FORCE_DETECT:
	case SET_CONTROLLER_ENABLE:
		return 0;
	case SET_BUFFER:
		return set_buffer(&d->gud, data, len);
	case SET_STATE_CHECK:
		return set_check(&d->gud, data, len);
	case SET_STATE_COMMIT:
		return set_commit(d);
	case SET_DISPLAY_ENABLE:
		return set_enable(d, data, len);
	default:
		return -EOPNOTSUPP;
	}
}

static uint8_t gud_status(int error)
{
	return error >= 0 ? STATUS_OK :
	       error == -EOPNOTSUPP ? STATUS_NOT_SUPPORTED :
	       error == -EPROTO ? STATUS_PROTOCOL : STATUS_PARAMETER;
}

static int gud_request(struct display *d, const uint8_t setup[8], const uint8_t *data,
		       uint8_t in[DISPLAY_ANSWER])
{
	size_t len = get16(setup + 6);
	int n;

	if (setup[0] & USB_DIR_IN) {
		n = gud_get(d, setup[1], in);
	} else {
		n = gud_set(d, setup[1], data, data ? len : 0);
		if (n == 0)
			n = len;
	}
	if (setup[1] != GET_STATUS)
		d->gud.status = gud_status(n);
	return n < 0 ? -EPIPE : n;
}

/* ------------------------------------------------------------------- pixels */

/* To what the screen's memory is made of: RGB565, high byte first */
static void pixel_convert(uint8_t *to, const uint8_t *from, uint8_t format)
{
	unsigned int v = format == FORMAT_RGB565 ? get16(from) :
			 (from[2] & 0xf8U) << 8 | (from[1] & 0xfcU) << 3 | from[0] >> 3;

	to[0] = v >> 8;
	to[1] = v;
}

/* Pixels up to the end of the row; returns how many */
static size_t row_feed(struct display *d, const uint8_t *data, size_t count)
{
	struct gud_rect *r = &d->gud.rect;
	uint32_t x = r->done % r->width, y = r->y + r->done / r->width;
	unsigned int size = format_size(d->gud.current.format);
	uint8_t row[MAX_SIDE * SCREEN_PIXEL];
	size_t n = r->width - x, i;

	if (n > count)
		n = count;
	for (i = 0; i < n; i++)
		pixel_convert(row + i * SCREEN_PIXEL, data + i * size, d->gud.current.format);
	screen_write(&d->screen, (y * d->gud.current.width + r->x + x) * SCREEN_PIXEL, row, n);
	r->done += n;
	if (r->done == r->width * r->height)
		r->width = 0;
	return n;
}

static void gud_pixels(struct display *d, const uint8_t *data, size_t len)
{
	struct gud *g = &d->gud;
	unsigned int size = format_size(g->current.format);
	size_t at = 0;

	buffer_append(&g->carry, data, len);
	while (g->rect.width && size && g->carry.len - at >= size)
		at += size * row_feed(d, g->carry.data + at, (g->carry.len - at) / size);
	buffer_drop(&g->carry, at);
	if (!g->rect.width) {
		d->garbage += g->carry.len;
		buffer_free(&g->carry);
	}
}

static void gud_reset(struct display *d)
{
	buffer_free(&d->gud.carry);
	memset(&d->gud, 0, sizeof(d->gud));
}

const struct kind gud_kind = {
	.name = "gud",
	.vendor = 0x1d50,
	.product = 0x614d,
	.title = "Emulated generic display",
	.request = gud_request,
	.pixels = gud_pixels,
	.reset = gud_reset,
};
