/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control: what an adapter answers on endpoint 0
 *
 * The requests by which any USB device is enumerated, and those of the udl driver:
 *
 *	descriptor 0x5f		how many pixels the chip can drive
 *	vendor OUT 0x12		choose the (only) channel: 16 bytes, all accepted
 *	vendor IN 0x02		byte wValue/256 of the EDID, after a status byte
 *
 * Anything else is stalled, as hardware does.
 */
#ifndef UNPLUG_TEST_USB_CONTROL_H
#define UNPLUG_TEST_USB_CONTROL_H

#include "edid.h"

#include <stdint.h>

/* The largest answer: a full descriptor */
#define CONTROL_SIZE 256

/**
 * struct control - state of endpoint 0
 * @number:	of the adapter, 1 and up
 * @configured:	value of the last SET_CONFIGURATION
 * @edid:	of the monitor
 */
struct control {
	int number;
	uint8_t configured;
	uint8_t edid[EDID_SIZE];
};

/**
 * control_init() - a freshly plugged adapter
 * @c:		the state
 * @number:	of the adapter, 1 and up
 * @mode:	what its monitor prefers
 */
void control_init(struct control *c, int number, const struct mode *mode);

/**
 * control_answer() - do one request
 * @c:		the state
 * @setup:	the setup packet
 * @in:		gets the data of an IN request, at most wLength bytes
 *
 * Return: the length transferred, or a negative errno (a stall is -EPIPE).
 */
int control_answer(struct control *c, const uint8_t setup[8], uint8_t in[CONTROL_SIZE]);

#endif
