/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * step: walk through a loop instruction by instruction
 */
#ifndef UNPLUG_BENCH_STEP_H
#define UNPLUG_BENCH_STEP_H

#include "image.h"

/**
 * struct steps - what one get and put executed
 * @instructions: all, without the loop around them
 * @atomics: atomic read-modify-writes: with a lock prefix, or xchg with memory
 * @fences: full fences that are nothing else: mfence, or a locked addition of zero
 */
struct steps {
	double instructions, atomics, fences;
};

/**
 * step_init() - be told of per-CPU memory that is touched for the first time
 */
void step_init(void);

/**
 * step_count() - count what a loop executes, less what the empty one does
 * @listing: folder for a list of the instructions of one pair, or NULL: NAME.path, one
 *	     instruction a line, address and bytes
 *
 * Return: 0, or -1 if the loop reached what is not there, which was reported.
 */
int step_count(const struct loop *loop, const struct loop *empty, const char *listing,
	       struct steps *steps);

#endif
