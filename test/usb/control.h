/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control: what an adapter answers on endpoint 0
 *
 * The requests by which any USB device is enumerated; those of the vendor's type are for the
 * display. Anything else is stalled, as hardware does.
 *
 * Adapters tell themselves apart by their revision (bcdDevice, 1.01 for the first) and
 * their serial number ("unplug-1").
 */
#ifndef UNPLUG_TEST_USB_CONTROL_H
#define UNPLUG_TEST_USB_CONTROL_H

#include "display.h"

#define CONTROL_REVISION 0x0100

/**
 * struct control - state of endpoint 0
 * @number:	of the adapter, 1 and up
 * @configured:	value of the last SET_CONFIGURATION
 * @display:	what is behind it
 */
struct control {
	int number;
	uint8_t configured;
	struct display *display;
};

/**
 * control_init() - a freshly plugged adapter
 * @c:		the state
 * @number:	of the adapter, 1 and up
 * @display:	what is behind it
 */
void control_init(struct control *c, int number, struct display *display);

/**
 * control_answer() - do one request
 * @c:		the state
 * @setup:	the setup packet
 * @data:	that came with an OUT request: wLength bytes, or NULL
 * @in:		gets the data of an IN request, at most wLength bytes
 *
 * Return: the length transferred, or a negative errno (a stall is -EPIPE).
 */
int control_answer(struct control *c, const uint8_t setup[8], const uint8_t *data,
		   uint8_t in[DISPLAY_ANSWER]);

#endif
