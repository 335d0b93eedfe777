/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_CARD_H
#define _DEMO_CARD_H

/**
 * DOC: card
 *
 * A card in its slot: which node it has, and the ways to take it out and bring
 * it back. Knows no driver by name: the node is looked up through sysfs.
 */

#include <stdbool.h>
#include <stdint.h>

#define CARD_TEXT 64

/**
 * struct card - what is in a slot at the moment
 * @number: 1...
 * @slot: PCI address
 * @node: path of the device node
 * @device: NAME#GENERATION as the core prints it; empty if the driver is none
 *	    of the core's
 * @driver: name of the PCI driver
 */
struct card {
	int number;
	char slot[16];
	char node[CARD_TEXT];
	char device[CARD_TEXT];
	char driver[CARD_TEXT];
};

/**
 * enum card_way - how a card is taken out
 * @CARD_UNBIND: its driver is unbound through sysfs, the BAR stays decoded
 * @CARD_REMOVE: it is removed through sysfs, the BAR stays decoded
 * @CARD_PULL: QEMU takes it out of the machine and puts a fresh one in later
 */
enum card_way {
	CARD_UNBIND,
	CARD_REMOVE,
	CARD_PULL,
};

int card_watch(void);
int card_wait(struct card *card, int number, uint64_t until);
int card_out(const struct card *card, enum card_way way, int timeout);
int card_in(const struct card *card, enum card_way way, int timeout);

const char *card_way_name(enum card_way way);

#endif /* _DEMO_CARD_H */
