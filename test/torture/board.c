// SPDX-License-Identifier: GPL-2.0-or-later
/* Looking at the cards: see module/torture-uapi.h */

#include "world.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CONTROL "/dev/torture-control"

int board_open(void)
{
	void *board;

	world->control = open(CONTROL, O_RDWR | O_CLOEXEC);
	if (world->control < 0)
		return -1;
	board = mmap(NULL, sizeof(*world->board), PROT_READ, MAP_SHARED, world->control, 0);
	if (board == MAP_FAILED)
		return -1;
	world->board = board;
	return 0;
}

void board_close(void)
{
	munmap((void *)world->board, sizeof(*world->board));
	close(world->control);
}

/* The card that is in a slot, or was the last one there; 0: there was none */
uint64_t board_slot(unsigned int slot)
{
	return __atomic_load_n(&world->board->slot[slot], __ATOMIC_ACQUIRE);
}

/* A card whose entry another one needed is long since gone. */
struct oracle_look board_look(uint64_t generation)
{
	const struct torture_entry *entry = &world->board->entry[generation % TORTURE_ENTRIES];
	struct oracle_look look = { .state = TORTURE_NONE };
	uint64_t moment;

	if (!generation)
		return look;
	/* Stores to a card are done before what follows is read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	moment = __atomic_load_n(&entry->moment, __ATOMIC_ACQUIRE);
	look.ending = __atomic_load_n(&entry->ending, __ATOMIC_ACQUIRE);
	look.ended = __atomic_load_n(&entry->ended, __ATOMIC_ACQUIRE);
	look.state = moment & 0xff;
	look.turn = moment >> 8;
	if (__atomic_load_n(&entry->generation, __ATOMIC_ACQUIRE) != generation)
		look.state = TORTURE_GONE;
	return look;
}
