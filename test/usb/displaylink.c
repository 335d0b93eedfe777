// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A DisplayLink adapter, as far as the udl driver talks to it:
 *
 *	descriptor 0x5f		how many pixels the chip can drive
 *	vendor OUT 0x12		choose the (only) channel: 16 bytes, all accepted
 *	vendor IN 0x02		byte wValue/256 of the EDID, after a status byte
 *
 * Anything else is stalled, as hardware does. The bulk endpoint is stream.h's.
 */

#include "display.h"

#include <errno.h>
#include <linux/usb/ch9.h>
#include <string.h>

#define DESCRIPTOR_LIMITS 0x5f
#define KEY_MAX_AREA 0x0200
#define MAX_AREA (2048 * 1152)

enum {
	VENDOR_READ_EDID = 0x02,
	VENDOR_CHANNEL = 0x12,
};

/* Header, then key, length, value, all little-endian */
static int displaylink_descriptor(int type, uint8_t in[DISPLAY_ANSWER])
{
	static const uint8_t limits[] = {
		12, DESCRIPTOR_LIMITS, 1, 0, 10,
		KEY_MAX_AREA & 255, KEY_MAX_AREA >> 8, 4,
		MAX_AREA & 255, MAX_AREA >> 8 & 255, MAX_AREA >> 16 & 255, MAX_AREA >> 24,
	};

	if (type != DESCRIPTOR_LIMITS)
		return -EPIPE;
	memcpy(in, limits, sizeof(limits));
	return sizeof(limits);
}

static int displaylink_request(struct display *d, const uint8_t setup[8],
			       const uint8_t *data, uint8_t in[DISPLAY_ANSWER])
{
	(void)data;
	if (setup[1] == VENDOR_CHANNEL && !(setup[0] & USB_DIR_IN))
		return setup[6] | setup[7] << 8;
	if (setup[1] != VENDOR_READ_EDID || !(setup[0] & USB_DIR_IN))
		return -EPIPE;
	/* wValue counts in its high byte, which 128 bytes do not fill */
	if (setup[3] >= EDID_SIZE)
		return -EPIPE;
	in[0] = 0;
	in[1] = d->edid[setup[3]];
	return 2;
}

static void displaylink_pixels(struct display *d, const uint8_t *data, size_t len)
{
	uint64_t before = d->stream.garbage;

	stream_feed(&d->stream, &d->screen, data, len);
	d->garbage += d->stream.garbage - before;
}

static void displaylink_reset(struct display *d)
{
	stream_reset(&d->stream);
}

const struct kind displaylink_kind = {
	.name = "displaylink",
	.vendor = 0x17e9,
	.product = 0x0bad,
	.title = "Emulated display adapter",
	.descriptor = displaylink_descriptor,
	.request = displaylink_request,
	.pixels = displaylink_pixels,
	.reset = displaylink_reset,
};
