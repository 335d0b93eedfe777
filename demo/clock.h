/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_CLOCK_H
#define _DEMO_CLOCK_H

/**
 * DOC: clock
 *
 * Nanoseconds of CLOCK_MONOTONIC, the same in all processes of the guest.
 */

#include <stdint.h>
#include <time.h>

#define CLOCK_US 1000ull
#define CLOCK_MS 1000000ull
#define CLOCK_S 1000000000ull

static inline uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * CLOCK_S + now.tv_nsec;
}

/**
 * clock_pace() - wait for the next beat
 * @last: the beat before
 * @step: ns between two beats
 *
 * Beats that were missed are left out, not made up for: the load stays paced
 * when the machine was busy.
 *
 * Return: the beat that was waited for.
 */
static inline uint64_t clock_pace(uint64_t last, uint64_t step)
{
	uint64_t now = clock_now(), next = last + step;
	struct timespec until;

	if (next < now)
		next = now + step;
	until.tv_sec = next / CLOCK_S;
	until.tv_nsec = next % CLOCK_S;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
		;
	return next;
}

#endif /* _DEMO_CLOCK_H */
