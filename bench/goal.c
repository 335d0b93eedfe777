// SPDX-License-Identifier: GPL-2.0-or-later
#include "goal.h"
#include "sample.h"

#include <stdio.h>

static const struct figure *figure(const struct reference *reference)
{
	return sample_find(reference->name, reference->variant, reference->unit);
}

static double value(enum goal_kind kind, const struct figure *a, const struct figure *b)
{
	switch (kind) {
	case GOAL_MORE: return a->median - b->median;
	case GOAL_SUM: return a->median + b->median;
	case GOAL_WITHIN: return a->median / b->p90;
	default: return a->median / b->median;
	}
}

static void missed(const struct goal *goal)
{
	const struct figure *floor = goal->floor.name ? figure(&goal->floor) : NULL;

	if (!goal->why)
		return;
	printf("    %s", goal->why);
	if (floor)
		printf(" %.3f", value(goal->kind, floor, figure(&goal->b)));
	putchar('\n');
}

void goals_title(void)
{
	printf("goals\n  %-43s%10s%11s\n", "", "value", "at most");
}

int goals_print(const struct goal *goal, size_t n, bool part)
{
	const struct figure *a, *b;
	const struct goal *end = goal + n;
	int unknown = 0;
	double x;

	for (; goal < end; goal++) {
		a = figure(&goal->a);
		b = figure(&goal->b);
		if ((!a || !b) && part)
			continue;
		if (!a || !b) {
			printf("  %-43s%10s%11g  not measured\n", goal->text, "-", goal->limit);
			unknown++;
			continue;
		}
		x = value(goal->kind, a, b);
		printf("  %-43s%10.3f%11g  %s\n", goal->text, x, goal->limit,
		       x <= goal->limit ? "met" : "MISSED");
		if (x > goal->limit)
			missed(goal);
	}
	return unknown;
}
