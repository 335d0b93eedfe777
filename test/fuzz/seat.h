/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seat: the places for devices, and the nodes that fuzzers open
 *
 * In SEAT_NODES each seat has a few names (card1.0, card1.1, …), nodes that anybody may
 * open. They are made anew for each device that comes, as its number is another one; the
 * names stay. Between two devices they are those of the old one.
 */
#ifndef UNPLUG_FUZZ_SEAT_H
#define UNPLUG_FUZZ_SEAT_H

#include <stdbool.h>
#include "board.h"

#define SEAT_NODES	"/fuzz/dev"
#define SEAT_NAMES	4	/* of one seat: descriptors of trinity's */
#define SEAT_PATH	64

/**
 * struct seat - a place for devices
 * @name: the first part of its nodes' names
 * @folder: in sysfs, of whatever sits there, if anything does
 * @card: what the host knows it by; 0: it is not the host's
 */
struct seat {
	const char *name;
	const char *folder;
	int card;
};

extern const struct seat seats[BOARD_SEATS];

bool seat_is_taken(int seat);		/* is a device there? */
bool seat_driver(int seat, char name[SEAT_PATH]);	/* whose it is; false: nobody's */
void seat_make_nodes(int seat);		/* for the device that is there */
void seat_node(int seat, int name, char path[SEAT_PATH]);

#endif
