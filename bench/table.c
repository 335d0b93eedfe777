// SPDX-License-Identifier: GPL-2.0-or-later
#include "table.h"
#include "sample.h"

#include <stdio.h>
#include <string.h>

/* Three digits; times that are not nanoseconds with the letter of their unit */
static void number(char text[16], double x, const char *unit)
{
	static const char letters[] = "ums";
	int letter = 0, scaled = !strcmp(unit, "us");

	for (; scaled && x >= 999.5 && letter < 2; letter++)
		x /= 1000;
	snprintf(text, 16, "%.*f%.*s", x < 9.995 ? 2 : x < 99.95 ? 1 : 0, x, scaled,
		 letters + letter);
}

static void cell(char text[64], const struct column *column, const struct figure *figure)
{
	char median[16], p10[16], p90[16];

	if (figure->n < column->all) {
		snprintf(text, 64, "%zu of %zu", figure->n, column->all);
		return;
	}
	if (!column->spread) {
		snprintf(text, 64, "%.0f", figure->median);
		return;
	}
	number(median, figure->median, column->unit);
	number(p10, figure->p10, column->unit);
	number(p90, figure->p90, column->unit);
	snprintf(text, 64, "%s (%s-%s)", median, p10, p90);
}

/* As the longest variant wants it */
static int head_width(const struct table *table)
{
	int i, length, width = 13;

	for (i = 0; i < ROWS_MAX && table->rows[i]; i++) {
		length = strlen(table->rows[i]);
		if (length > width)
			width = length;
	}
	return width;
}

static int row_print(const struct table *table, const char *row)
{
	const struct column *column;
	const struct figure *figure, *base;
	char text[64];
	int missing = 0;

	printf("  %-*s", head_width(table), row);
	for (column = table->columns; column < table->columns + COLUMNS_MAX &&
	     column->title; column++) {
		figure = sample_find(column->name, row, column->unit);
		strcpy(text, "-");
		if (figure)
			cell(text, column, figure);
		else
			missing += !column->optional;
		printf("%*s", column->width, text);
	}
	if (table->ratio >= 0) {
		column = &table->columns[table->ratio];
		figure = sample_find(column->name, row, column->unit);
		base = sample_find(column->name, table->base, column->unit);
		if (figure && base)
			printf("%6.2fx", figure->median / base->median);
	}
	putchar('\n');
	return missing;
}

/* How many of its figures there are */
static int table_figures(const struct table *table)
{
	const struct column *column;
	int i, n = 0;

	for (column = table->columns; column < table->columns + COLUMNS_MAX &&
	     column->title; column++)
		for (i = 0; i < ROWS_MAX && table->rows[i]; i++)
			n += sample_find(column->name, table->rows[i], column->unit) != NULL;
	return n;
}

int tables_print(const struct table *table, size_t n, bool part)
{
	const struct table *end = table + n;
	const struct column *column;
	int i, missing = 0;

	for (; table < end; table++) {
		if (part && !table_figures(table))
			continue;
		printf("%s\n  %-*s", table->title, head_width(table), "");
		for (column = table->columns; column < table->columns + COLUMNS_MAX &&
		     column->title; column++)
			printf("%*s", column->width, column->title);
		printf("%s\n", table->ratio >= 0 ? "  ratio" : "");
		for (i = 0; i < ROWS_MAX && table->rows[i]; i++)
			missing += row_print(table, table->rows[i]);
		putchar('\n');
	}
	return missing;
}
