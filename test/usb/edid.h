/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edid: what an emulated monitor says about itself
 *
 * One block, EDID 1.3. Each monitor differs in serial number and name ("Screen 2"),
 * so that clients can tell them apart, and prefers the mode it was made with. All
 * smaller modes of mode.h are offered as well.
 */
#ifndef UNPLUG_TEST_USB_EDID_H
#define UNPLUG_TEST_USB_EDID_H

#include "mode.h"

#include <stdint.h>

#define EDID_SIZE 128

/**
 * edid_make() - describe a monitor
 * @edid:	result
 * @number:	of the monitor, 1 and up
 * @mode:	what it prefers
 */
void edid_make(uint8_t edid[EDID_SIZE], int number, const struct mode *mode);

#endif
