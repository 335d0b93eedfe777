/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock: when, where, and what came out */
#ifndef UNPLUG_BENCH_CLOCK_H
#define UNPLUG_BENCH_CLOCK_H

/**
 * clock_now() - nanoseconds
 */
double clock_now(void);

/**
 * clock_pin() - stay on one of the processors this process may use, the @number-th
 *
 * Return: 0, or -1 if there are not so many.
 */
int clock_pin(unsigned int number);

/**
 * clock_report() - print a sample
 */
void clock_report(const char *what, const char *variant, const char *unit, double value);

#endif
