// SPDX-License-Identifier: GPL-2.0-or-later
#include "sample.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIGURES_MAX 512

static struct figure figures[FIGURES_MAX];
static size_t figures_n;

static void fail(const char *path, const char *why)
{
	fprintf(stderr, "judge: %s: %s\n", path, why);
	exit(1);
}

const struct figure *sample_find(const char *name, const char *variant, const char *unit)
{
	size_t i;

	for (i = 0; i < figures_n; i++)
		if (!strcmp(figures[i].name, name) && !strcmp(figures[i].variant, variant) &&
		    !strcmp(figures[i].unit, unit))
			return &figures[i];
	return NULL;
}

void sample_read(const char *path)
{
	FILE *file = fopen(path, "re");
	static struct figure key;
	struct figure *figure;
	char line[256];
	double value;

	if (!file)
		fail(path, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%31s %31s %31s %lf", key.name, key.variant, key.unit,
			   &value) != 4)
			fail(path, "a line is not CASE VARIANT UNIT VALUE");
		figure = (struct figure *)sample_find(key.name, key.variant, key.unit);
		if (!figure) {
			if (figures_n == FIGURES_MAX)
				fail(path, "too many figures");
			figure = &figures[figures_n++];
			*figure = key;
			figure->n = 0;
		}
		if (figure->n == SAMPLES_MAX)
			fail(path, "too many samples of one figure");
		figure->values[figure->n++] = value;
	}
	fclose(file);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Between two values if it falls there */
static double quantile(const struct figure *figure, double part)
{
	double at = part * (figure->n - 1);
	size_t i = at;

	if (i + 1 >= figure->n)
		return figure->values[figure->n - 1];
	return figure->values[i] + (at - i) * (figure->values[i + 1] - figure->values[i]);
}

void sample_finish(void)
{
	struct figure *figure;

	for (figure = figures; figure < figures + figures_n; figure++) {
		qsort(figure->values, figure->n, sizeof(double), compare);
		figure->median = quantile(figure, .5);
		figure->p10 = quantile(figure, .1);
		figure->p90 = quantile(figure, .9);
	}
}

static int case_write(const char *folder, const char *name)
{
	json_t *list = json_array();
	char path[4096];
	size_t i;
	int r;

	for (i = 0; i < figures_n; i++)
		if (!strcmp(figures[i].name, name))
			json_array_append_new(list, json_pack(
				"{s:s, s:s, s:s, s:f, s:f, s:f, s:I}", "case", name,
				"variant", figures[i].variant, "unit", figures[i].unit,
				"median", figures[i].median, "p10", figures[i].p10,
				"p90", figures[i].p90, "n", (json_int_t)figures[i].n));
	snprintf(path, sizeof(path), "%s/%s.json", folder, name);
	r = json_dump_file(list, path, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	if (r < 0)
		fprintf(stderr, "judge: cannot write %s\n", path);
	json_decref(list);
	return r;
}

int sample_write(const char *folder)
{
	size_t i, before;

	for (i = 0; i < figures_n; i++) {
		for (before = 0; before < i; before++)
			if (!strcmp(figures[before].name, figures[i].name))
				break;
		if (before == i && case_write(folder, figures[i].name) < 0)
			return -1;
	}
	return 0;
}
