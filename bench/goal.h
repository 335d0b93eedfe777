/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNPLUG_BENCH_GOAL_H
#define UNPLUG_BENCH_GOAL_H

#include <stdbool.h>

/**
 * goal_print() - print each goal, its value, and whether it is met; and why, if not
 * @part: leave out those that cannot be judged
 *
 * Return: the number of goals that cannot be judged, as a figure is missing.
 */
int goal_print(bool part);

#endif
