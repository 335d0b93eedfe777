/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNPLUG_BENCH_TABLE_H
#define UNPLUG_BENCH_TABLE_H

#include <stdbool.h>

/**
 * table_print() - print all figures, for a terminal of 80 columns
 * @part: leave out tables that have none
 *
 * Return: the number of figures that should be there and are not.
 */
int table_print(bool part);

#endif
