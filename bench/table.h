/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table: figures in rows, by variant, and columns, by case */
#ifndef UNPLUG_BENCH_TABLE_H
#define UNPLUG_BENCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define COLUMNS_MAX 6
#define ROWS_MAX 16

/**
 * struct column - figures of one case
 * @width: of its cells, in print
 * @spread: with p10 and p90; a column without is of counts
 * @optional: some machines cannot measure it
 * @all: so many samples make a figure; of fewer their number alone is printed, as those
 *	that are missing would have been the longest
 */
struct column {
	const char *title, *name, *unit;
	int width;
	int spread, optional;
	size_t all;
};

/**
 * struct table - what is printed together
 * @ratio: the column of which each row's ratio to row @base is printed last, or -1
 */
struct table {
	const char *title;
	struct column columns[COLUMNS_MAX];
	const char *rows[ROWS_MAX];
	int ratio;
	const char *base;
};

/**
 * tables_print() - print tables, for a terminal of 80 columns
 * @part: leave out those that have no figure
 *
 * Return: the number of figures that should be there and are not.
 */
int tables_print(const struct table *table, size_t n, bool part);

/**
 * table_print() - print all tables of this benchmark
 * @part: leave out those that have no figure
 *
 * Return: the number of figures that should be there and are not.
 */
int table_print(bool part);

#endif
