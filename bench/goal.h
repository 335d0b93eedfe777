/* SPDX-License-Identifier: GPL-2.0-or-later */
/* goal: what a figure, compared with another, is at most to be */
#ifndef UNPLUG_BENCH_GOAL_H
#define UNPLUG_BENCH_GOAL_H

#include <stdbool.h>
#include <stddef.h>

struct reference {
	const char *name, *variant, *unit;
};

enum goal_kind {
	GOAL_RATIO,		/* median of @a over that of @b */
	GOAL_MORE,		/* median of @a less that of @b */
	GOAL_SUM,		/* @a and @b */
	GOAL_WITHIN,		/* median of @a over the p90 of @b */
};

/**
 * struct goal - one of them
 * @why: printed if it is missed
 * @floor: what could be had at best, compared likewise
 */
struct goal {
	const char *text;
	enum goal_kind kind;
	struct reference a, b;
	double limit;
	const char *why;
	struct reference floor;
};

/**
 * goals_title() - print what the columns of goals_print() are
 */
void goals_title(void);

/**
 * goals_print() - print each goal, its value, and whether it is met; and why, if not
 * @part: leave out those that cannot be judged
 *
 * Return: the number of goals that cannot be judged, as a figure is missing.
 */
int goals_print(const struct goal *goal, size_t n, bool part);

/**
 * goal_print() - print all goals of this benchmark
 * @part: leave out those that cannot be judged
 *
 * Return: the number of goals that cannot be judged, as a figure is missing.
 */
int goal_print(bool part);

#endif
