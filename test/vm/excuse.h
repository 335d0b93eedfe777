/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * excuse: what the kernel says where memory is made to fail, which is no complaint
 *
 * Two judge its log, the host and the cases: this is what both leave out. Who makes memory fail
 * writes a line "failing: NAME" before he does; from there on it is excused until the next case
 * begins, which is another line ("case NAME"). Elsewhere the same words are a complaint.
 */
#ifndef UNPLUG_TEST_EXCUSE_H
#define UNPLUG_TEST_EXCUSE_H

#include <stdbool.h>

/* NONE: it has to be judged. STACK: a stack of the kernel's follows, and belongs to it. */
enum excuse { EXCUSE_NONE, EXCUSE_LINE, EXCUSE_STACK };

/**
 * excuse_line() - is this line about memory that was made to fail?
 * @failing:	is memory made to fail? False before the first line; kept from line to line
 * @text:	the line, without its time stamp
 *
 * Return: what of it is to be left out.
 */
enum excuse excuse_line(bool *failing, const char *text);

#endif
