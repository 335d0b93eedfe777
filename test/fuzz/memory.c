// SPDX-License-Identifier: GPL-2.0-or-later
/* See memory.h */

#include "memory.h"

#include <err.h>
#include <sys/mman.h>

#define PAGE 4096

/* Good memory, a page that can only be read, and one that cannot be touched */
static char *arena;

void memory_init(void)
{
	arena = mmap(NULL, MEMORY_SIZE + 2 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (arena == MAP_FAILED || mprotect(arena + MEMORY_SIZE, PAGE, PROT_READ) ||
	    mprotect(arena + MEMORY_SIZE + PAGE, PAGE, PROT_NONE))
		err(2, "memory for arguments");
}

void *memory_good(void)
{
	return arena;
}

void *memory_draw(struct dice *dice, void *mapping)
{
	static void *const bad[] = {
		NULL, (void *)1, (void *)-1L, (void *)0xffff888000000000, (void *)0xffffffff81000000,
		(void *)0x8000000000000000, (void *)0x7ffffffff000, (void *)0xfffff000,
	};

	switch (dice_below(dice, 10)) {
	case 0:
		return bad[dice_below(dice, sizeof(bad) / sizeof(bad[0]))];
	case 1:		/* begins well */
		return arena + MEMORY_SIZE - 1 - dice_below(dice, 16);
	case 2:
		return arena + MEMORY_SIZE + dice_below(dice, 2 * PAGE);
	case 3:
		return mapping ? mapping : arena + dice_below(dice, PAGE);
	case 4:
		return arena + dice_below(dice, PAGE);
	default:
		return arena;
	}
}

size_t memory_size(struct dice *dice)
{
	static const size_t sizes[] = {
		0, 1, 3, 4, 5, 8, 2047, 2048, 2049, PAGE - 1, PAGE, PAGE + 1, MEMORY_SIZE,
		1 << 20, 0x7fffffff, 0x80000000, (size_t)-1,
	};

	return sizes[dice_below(dice, sizeof(sizes) / sizeof(sizes[0]))];
}
