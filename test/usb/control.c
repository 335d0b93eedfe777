// SPDX-License-Identifier: GPL-2.0-or-later
/* Endpoint 0 of an adapter; see control.h */

#include "control.h"

#include <errno.h>
#include <linux/usb/ch9.h>
#include <stdio.h>
#include <string.h>

#define VENDOR_DISPLAYLINK 0x17e9
#define PRODUCT_EMULATED 0x0bad
#define DESCRIPTOR_LIMITS 0x5f
#define KEY_MAX_AREA 0x0200
#define MAX_AREA (2048 * 1152)
#define BULK_PACKET 512

enum {
	VENDOR_READ_EDID = 0x02,
	VENDOR_CHANNEL = 0x12,
};

enum {
	STRING_LANGUAGES,
	STRING_MANUFACTURER,
	STRING_PRODUCT,
	STRING_SERIAL,
};

/* Copy a descriptor that is the same for all adapters */
static int answer_bytes(uint8_t *in, const uint8_t *bytes, int len)
{
	memcpy(in, bytes, len);
	return len;
}

static int answer_device(uint8_t *in)
{
	static const uint8_t bytes[] = {
		18, USB_DT_DEVICE, 0x00, 0x02, 0, 0, 0, 64,
		VENDOR_DISPLAYLINK & 255, VENDOR_DISPLAYLINK >> 8,
		PRODUCT_EMULATED & 255, PRODUCT_EMULATED >> 8, 0x00, 0x01,
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

/* Header, then key, length, value, all little-endian */
static int answer_limits(uint8_t *in)
{
	static const uint8_t bytes[] = {
		12, DESCRIPTOR_LIMITS, 1, 0, 10,
		KEY_MAX_AREA & 255, KEY_MAX_AREA >> 8, 4,
		MAX_AREA & 255, MAX_AREA >> 8 & 255, MAX_AREA >> 16 & 255, MAX_AREA >> 24,
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
		text = "Emulated display adapter";
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
		return answer_device(in);
	case USB_DT_CONFIG:
		return index ? -EPIPE : answer_config(in);
	case USB_DT_STRING:
		return answer_string(c, index, in);
	case DESCRIPTOR_LIMITS:
		return answer_limits(in);
	default:
		return -EPIPE;
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

static int answer_vendor(const struct control *c, const uint8_t setup[8], uint8_t *in)
{
	if (setup[1] == VENDOR_CHANNEL && !(setup[0] & USB_DIR_IN))
		return setup[6] | setup[7] << 8;
	if (setup[1] != VENDOR_READ_EDID || !(setup[0] & USB_DIR_IN))
		return -EPIPE;
	/* wValue counts in its high byte, which 128 bytes do not fill */
	if (setup[3] >= EDID_SIZE)
		return -EPIPE;
	in[0] = 0;
	in[1] = c->edid[setup[3]];
	return 2;
}

int control_answer(struct control *c, const uint8_t setup[8], uint8_t in[CONTROL_SIZE])
{
	int room = setup[6] | setup[7] << 8;
	int len;

	switch (setup[0] & USB_TYPE_MASK) {
	case USB_TYPE_STANDARD:
		len = answer_standard(c, setup, in);
		break;
	case USB_TYPE_VENDOR:
		len = answer_vendor(c, setup, in);
		break;
	default:
		return -EPIPE;
	}
	return len < room ? len : room;
}

void control_init(struct control *c, int number, const struct mode *mode)
{
	memset(c, 0, sizeof(*c));
	c->number = number;
	edid_make(c->edid, number, mode);
}
