// SPDX-License-Identifier: GPL-2.0-or-later
/* Endpoint 0 of an adapter; see control.h */

#include "control.h"

#include <errno.h>
#include <linux/usb/ch9.h>
#include <stdio.h>
#include <string.h>

#define BULK_PACKET 512

enum {
	STRING_LANGUAGES,
	STRING_MANUFACTURER,
	STRING_PRODUCT,
	STRING_SERIAL,
};

static int answer_bytes(uint8_t *in, const uint8_t *bytes, int len)
{
	memcpy(in, bytes, len);
	return len;
}

static int answer_device(const struct control *c, uint8_t *in)
{
	const struct kind *kind = c->display->kind;
	const uint8_t bytes[] = {
		18, USB_DT_DEVICE, 0x00, 0x02, 0, 0, 0, 64,
		kind->vendor & 255, kind->vendor >> 8,
		kind->product & 255, kind->product >> 8,
		c->number & 255, CONTROL_REVISION >> 8,
		STRING_MANUFACTURER, STRING_PRODUCT, STRING_SERIAL, 1,
	};

	return answer_bytes(in, bytes, sizeof(bytes));
}

/* One interface of the vendor's class, one bulk endpoint for the pixels */
static int answer_config(uint8_t *in)
{
	static const uint8_t bytes[] = {
		9, USB_DT_CONFIG, 9 + 9 + 7, 0, 1, 1, 0, 0x80, 250,
		9, USB_DT_INTERFACE, 0, 0, 1, USB_CLASS_VENDOR_SPEC, 0, 0, 0,
		7, USB_DT_ENDPOINT, 0x01, USB_ENDPOINT_XFER_BULK,
		BULK_PACKET & 255, BULK_PACKET >> 8, 0,
	};

	return answer_bytes(in, bytes, sizeof(bytes));
}

static int answer_string(const struct control *c, int index, uint8_t *in)
{
	char serial[16];
	const char *text;
	int i;

	snprintf(serial, sizeof(serial), "unplug-%d", c->number);
	switch (index) {
	case STRING_LANGUAGES:
		return answer_bytes(in, (uint8_t[]) { 4, USB_DT_STRING, 0x09, 0x04 }, 4);
	case STRING_MANUFACTURER:
		text = "unplug";
		break;
	case STRING_PRODUCT:
		text = c->display->kind->title;
		break;
	case STRING_SERIAL:
		text = serial;
		break;
	default:
		return -EPIPE;
	}
	for (i = 0; text[i]; i++) {
		in[2 + 2 * i] = text[i];
		in[3 + 2 * i] = 0;
	}
	in[0] = 2 + 2 * i;
	in[1] = USB_DT_STRING;
	return in[0];
}

static int answer_descriptor(const struct control *c, int type, int index, uint8_t *in)
{
	switch (type) {
	case USB_DT_DEVICE:
		return answer_device(c, in);
	case USB_DT_CONFIG:
		return index ? -EPIPE : answer_config(in);
	case USB_DT_STRING:
		return answer_string(c, index, in);
	default:
		return c->display->kind->descriptor ?
			       c->display->kind->descriptor(type, in) : -EPIPE;
	}
}

static int answer_standard(struct control *c, const uint8_t setup[8], uint8_t *in)
{
	switch (setup[1]) {
	case USB_REQ_GET_DESCRIPTOR:
		return answer_descriptor(c, setup[3], setup[2], in);
	case USB_REQ_GET_STATUS:
		return answer_bytes(in, (uint8_t[]) { 0, 0 }, 2);
	case USB_REQ_GET_CONFIGURATION:
		in[0] = c->configured;
		return 1;
	case USB_REQ_SET_CONFIGURATION:
		c->configured = setup[2];
		return 0;
	case USB_REQ_GET_INTERFACE:
		in[0] = 0;
		return 1;
	case USB_REQ_SET_INTERFACE:
	case USB_REQ_SET_FEATURE:
	case USB_REQ_CLEAR_FEATURE:
		return 0;
	default:
		return -EPIPE;
	}
}

int control_answer(struct control *c, const uint8_t setup[8], const uint8_t *data,
		   uint8_t in[DISPLAY_ANSWER])
{
	int room = setup[6] | setup[7] << 8;
	int len;

	switch (setup[0] & USB_TYPE_MASK) {
	case USB_TYPE_STANDARD:
		len = answer_standard(c, setup, in);
		break;
	case USB_TYPE_VENDOR:
		len = c->display->kind->request(c->display, setup, data, in);
		break;
	default:
		return -EPIPE;
	}
	return len < room ? len : room;
}

void control_init(struct control *c, int number, struct display *display)
{
	memset(c, 0, sizeof(*c));
	c->number = number;
	c->display = display;
}
