/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNPLUG_BENCH_GOAL_H
#define UNPLUG_BENCH_GOAL_H

/**
 * goal_print() - print each goal, its value, and whether it is met; and why, if not
 *
 * Return: the number of goals that cannot be judged, as a figure is missing.
 */
int goal_print(void);

#endif
