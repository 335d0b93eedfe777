/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * board: what the puller and the actors tell each other, in memory that they share
 *
 * A seat is a place where a device is taken away and comes back: each time a new life, and
 * lives are numbered. When the puller begins to take the device of life N away, life becomes
 * N + 1; when that is done, dead becomes N. So a file that was opened while life was N is one
 * of life N, or of the one before: and if N <= dead, it is of a device that is gone.
 */
#ifndef UNPLUG_FUZZ_BOARD_H
#define UNPLUG_FUZZ_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define BOARD_PATH	"/fuzz/board"
#define BOARD_SEATS	7
#define BOARD_WORKERS	16

/**
 * struct board_seat - a place for devices
 * @life: number of the device that is there, or will be next
 * @dead: number of the last one that was taken away; written when it is away
 * @calls: operations that actors began, on files of any device of this seat
 * @worked: those that succeeded
 * @refused: those that were answered ENODEV or ENXIO, or by a hang-up
 * @signals: touches of mappings that ended in SIGBUS
 * @judged: system calls on a device that was away, whose answers were looked at
 * @touches: touches of its mappings, that their rights allowed
 */
struct board_seat {
	_Atomic uint32_t life, dead;
	_Atomic uint64_t calls, worked, refused, signals, judged, touches;
};

/* Where an actor is, for who finds him there for too long */
struct board_worker {
	const char *_Atomic op;		/* a literal; all actors are forked from one process */
	_Atomic int seat;
};

/**
 * struct board - all of it; zeroes at first
 * @steps: calls of all actors on all seats
 * @bell: rung from time to time while actors go on; a futex
 * @wrong: how often something worked that must not
 */
struct board {
	struct board_seat seat[BOARD_SEATS];
	struct board_worker worker[BOARD_WORKERS];
	_Atomic uint64_t steps;
	_Atomic uint32_t bell;
	_Atomic uint32_t wrong;
};

struct board *board_open(void);		/* or says why not, and exits */
void board_step(struct board *board, int seat);
bool board_wait(struct board *board, int seat, uint64_t calls, int ms);

#endif
