/* SPDX-License-Identifier: GPL-2.0-or-later */
/* way: the ways to take a device away, and to have one come back to its seat */
#ifndef UNPLUG_FUZZ_WAY_H
#define UNPLUG_FUZZ_WAY_H

#include <stdbool.h>
#include "dice.h"

/**
 * enum way - how a device goes
 * @WAY_PULL: the host takes the card out, and puts in another one
 * @WAY_REMOVE: its bus forgets it, and looks again what there is
 * @WAY_UNBIND: its driver is taken off, and put back
 * @WAY_RESET: frozen, reset and thawed; its files stay
 * @WAY_END: the same, but its files are ended
 * @WAY_UNLOAD: unplugged by its driver, which is then unloaded, and loaded anew
 */
enum way {
	WAY_PULL,
	WAY_REMOVE,
	WAY_UNBIND,
	WAY_RESET,
	WAY_END,
	WAY_UNLOAD,
	WAYS,
};

const char *way_name(enum way way);
enum way way_draw(int seat, struct dice *dice);
bool way_takes_away(enum way way);	/* or do files of the device go on? */

/* Back when the device is away; false: it may have stayed. Exits if it does not end. */
bool way_go(int seat, enum way way);

/* Have something come; a card does so a while later. */
void way_back(int seat, enum way way, struct dice *dice);

/* It is there: may be it is to have another driver. */
void way_settle(int seat, enum way way, struct dice *dice);

#endif
