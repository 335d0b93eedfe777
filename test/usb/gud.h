/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gud: a Generic USB Display, the protocol of the kernel's gud driver (include/drm/gud.h)
 *
 * All but the pixels goes over endpoint 0. A state is checked first, which says the mode
 * and the format of what is to come, and takes effect when it is committed:
 *
 *	(nothing) --check--> checked --commit--> in effect, until the next commit
 *
 * It is seen while the display is enabled. A rectangle of pixels is announced (SET_BUFFER), then
 * follows on the bulk endpoint, row by row, in as many URBs as the host likes; a new
 * announcement ends an unfinished one. What was not announced is garbage.
 *
 * A request that is refused is stalled; why can be asked for (GET_STATUS).
 *
 * We say of ourselves: one connector (HDMI, polled), RGB565 and XRGB8888, no compression, no
 * properties, and buffers of at most GUD_BUFFER bytes, so that a frame takes several.
 */
#ifndef UNPLUG_TEST_USB_GUD_H
#define UNPLUG_TEST_USB_GUD_H

#include "buffer.h"

#include <stdbool.h>

#define GUD_BUFFER (128 * 1024)

/**
 * struct gud_state - what a check describes
 * @width:	0: nothing was checked, or committed, yet
 * @height:	see @width
 * @format:	of the pixels
 */
struct gud_state {
	unsigned int width;
	unsigned int height;
	uint8_t format;
};

/**
 * struct gud_rect - an announced rectangle
 * @x:		left column
 * @y:		top line
 * @width:	in pixels; 0: none is announced
 * @height:	in lines
 * @done:	pixels that have come
 */
struct gud_rect {
	uint32_t x;
	uint32_t y;
	uint32_t width;
	uint32_t height;
	uint32_t done;
};

/**
 * struct gud - state of one of them
 * @status:	of the last request
 * @checked:	to be committed
 * @current:	in effect
 * @enabled:	the display is
 * @rect:	that pixels come for
 * @carry:	the start of a pixel whose rest has not come yet
 */
struct gud {
	uint8_t status;
	struct gud_state checked;
	struct gud_state current;
	bool enabled;
	struct gud_rect rect;
	struct buffer carry;
};

#endif
