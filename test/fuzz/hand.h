/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hand: an open file of an actor's, and what he knows of it; all that he does with it
 *
 * Each operation is judged by itself (promises K1, K3, K4): on a file of a device that had been
 * taken away before it began, nothing may work, the answer is ENODEV, if the kernel did not
 * find fault with the call before it asked the device, polls say that it hung up, and touches
 * of mappings end in SIGBUS, unless the user may have chosen zeroes.
 */
#ifndef UNPLUG_FUZZ_HAND_H
#define UNPLUG_FUZZ_HAND_H

#include <stddef.h>
#include "board.h"
#include "dice.h"

/**
 * struct hand - an open file
 * @fd: the file; -1: none
 * @seat: where its device sits
 * @life: number of the device, or the one after it: see board.h
 * @dummy: its mappings may show zeroes
 * @refused: some call was answered that the device is gone
 * @map: mapping of it, or NULL
 * @length: of the mapping
 * @shared: writing to the mapping makes no copies
 * @prot: what may be done with the mapping; PROT_NONE also if that is not known any more
 */
struct hand {
	int fd;
	int seat;
	uint32_t life;
	bool dummy;
	bool refused;
	char *map;
	size_t length;
	bool shared;
	int prot;
};

#define HANDS 6

/**
 * struct actor - who does it
 * @board: shared with all others
 * @me: where he writes down what he does
 * @dice: his own
 * @hand: his files
 */
struct actor {
	struct board *board;
	struct board_worker *me;
	struct dice dice;
	struct hand hand[HANDS];
};

void hand_init(struct actor *actor);
void hand_play(struct actor *actor);	/* something drawn, with a hand that is drawn */

#endif
