/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dice: numbers that look random, and are the same each time for the same seed */
#ifndef UNPLUG_FUZZ_DICE_H
#define UNPLUG_FUZZ_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline uint64_t dice_next(struct dice *dice)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* From 0 to @n - 1 */
static inline uint32_t dice_below(struct dice *dice, uint32_t n)
{
	return (dice_next(dice) >> 32) * n >> 32;
}

static inline bool dice_one_in(struct dice *dice, uint32_t n)
{
	return dice_below(dice, n) == 0;
}

/* Of the numbers @seed gives rise to, those of one of its users */
static inline struct dice dice_of(uint64_t seed, uint64_t user)
{
	struct dice dice = { seed * 0x10001 + user };

	dice.state = dice_next(&dice);
	return dice;
}

#endif
