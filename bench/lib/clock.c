// SPDX-License-Identifier: GPL-2.0-or-later
#include "clock.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

double clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int clock_pin(unsigned int number)
{
	static cpu_set_t usable;
	cpu_set_t one;
	int cpu;

	/* Of the first thread, before it is anywhere; later ones would see theirs alone. */
	if (!CPU_COUNT(&usable) && sched_getaffinity(0, sizeof(usable), &usable))
		return -1;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &usable) && number-- == 0)
			break;
	if (cpu == CPU_SETSIZE)
		return -1;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return pthread_setaffinity_np(pthread_self(), sizeof(one), &one) ? -1 : 0;
}

void clock_report(const char *what, const char *variant, const char *unit, double value)
{
	printf("%s %s %s %.4f\n", what, variant, unit, value);
}
