/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * random: numbers that follow from a seed
 *
 * Each actor has a generator of his own, and draws the same number of times for each step,
 * whatever came of the last one: so from one seed all of them choose the same, each time. When
 * they come to it is the scheduler's choice.
 */
#ifndef UNPLUG_TORTURE_RANDOM_H
#define UNPLUG_TORTURE_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

/* Weyl's sequence, and a hash of it */
static inline uint64_t random_next(struct random *random)
{
	uint64_t x = random->state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
	return x ^ x >> 32;
}

/* Another generator for each @name, all of them from one seed */
static inline struct random random_from(uint64_t seed, const char *name, unsigned int number)
{
	struct random random = { seed };

	for (; *name; name++)
		random.state = random_next(&random) + (unsigned char)*name;
	random.state = random_next(&random) + number;
	random_next(&random);
	return random;
}

#endif
