/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sample: what was measured, sorted by what it is of
 *
 * Samples come as lines "CASE VARIANT UNIT VALUE"; all of one case, variant and unit are
 * one figure, whose median and spread are what counts.
 */
#ifndef UNPLUG_BENCH_SAMPLE_H
#define UNPLUG_BENCH_SAMPLE_H

#include <stddef.h>

#define SAMPLES_MAX 1024

/**
 * struct figure - a median and what is around it
 * @p10: a tenth of the values is below
 * @p90: a tenth is above
 */
struct figure {
	char name[32], variant[32], unit[32];
	double median, p10, p90;
	double values[SAMPLES_MAX];
	size_t n;
};

/**
 * sample_read() - add the samples of a file; ends the program if a line is none
 */
void sample_read(const char *path);

/**
 * sample_finish() - make the figures; after the last file
 */
void sample_finish(void);

/**
 * sample_find() - one figure
 *
 * Return: the figure, or NULL if there is no such sample.
 */
const struct figure *sample_find(const char *name, const char *variant, const char *unit);

/**
 * sample_write() - write FOLDER/CASE.json for each case
 *
 * Return: 0 or -1, with the reason printed.
 */
int sample_write(const char *folder);

#endif
