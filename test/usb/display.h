/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * display: the device at the end of the cable, whatever the cable is
 *
 * Two kinds of adapter are known (kind_table). What any USB device answers is control.h's,
 * which memory and picture they have screen.h's; a kind adds what its driver says on
 * endpoint 0, and what the bytes on the bulk endpoint are.
 */
#ifndef UNPLUG_TEST_USB_DISPLAY_H
#define UNPLUG_TEST_USB_DISPLAY_H

#include "edid.h"
#include "gud.h"
#include "screen.h"
#include "stream.h"

/* The largest answer on endpoint 0: a full descriptor, with room */
#define DISPLAY_ANSWER 256

struct display;

/**
 * struct kind - what an adapter is to its driver
 * @name:	as users write it
 * @vendor:	of the USB device
 * @product:	of the USB device
 * @title:	of the product, in plain ASCII
 * @descriptor:	a descriptor of this kind's own, or NULL; as @request, for the type alone
 * @request:	a request of the vendor's type: the setup packet, what came with it (OUT) and
 *		room for what goes back (IN); returns the length transferred, or a negative
 *		errno (a stall is -EPIPE)
 * @pixels:	the bytes of a bulk URB
 * @reset:	forget all but the counters, as after power on
 */
struct kind {
	const char *name;
	uint16_t vendor;
	uint16_t product;
	const char *title;
	int (*descriptor)(int type, uint8_t in[DISPLAY_ANSWER]);
	int (*request)(struct display *d, const uint8_t setup[8], const uint8_t *data,
		       uint8_t in[DISPLAY_ANSWER]);
	void (*pixels)(struct display *d, const uint8_t *data, size_t len);
	void (*reset)(struct display *d);
};

/**
 * struct display - one of them; zeroed before display_reset()
 * @kind:	what it is
 * @mode:	that its monitor prefers
 * @edid:	of the monitor
 * @screen:	what is shown
 * @garbage:	bytes on the bulk endpoint that meant nothing; never reset
 * @stream:	of a DisplayLink adapter
 * @gud:	of a GUD adapter
 */
struct display {
	const struct kind *kind;
	const struct mode *mode;
	uint8_t edid[EDID_SIZE];
	struct screen screen;
	uint64_t garbage;
	union {
		struct stream stream;
		struct gud gud;
	};
};

extern const struct kind displaylink_kind;	/* displaylink.c */
extern const struct kind gud_kind;		/* gud.c */

/**
 * display_kind() - look a kind up
 * @name:	e.g. "gud"
 * @len:	of @name
 *
 * Return: the kind, or NULL if there is none of that name.
 */
const struct kind *display_kind(const char *name, size_t len);

/**
 * display_reset() - freshly plugged: no mode, no picture; counters go on
 * @d:		the display, with @kind and @mode
 * @number:	of the monitor, 1 and up
 */
void display_reset(struct display *d, int number);

/**
 * display_free() - give all memory back
 * @d:		the display
 */
void display_free(struct display *d);

#endif
