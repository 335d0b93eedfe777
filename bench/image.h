/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image: what bench/dump took out of the guest, made to run here
 *
 * Kernel and modules lie in the last 2 GiB of the address space. They are mapped at the
 * same addresses with the upper half cut off: whatever is addressed relative to the
 * instruction (calls, jumps, data) is then where it was. What is left are constants,
 * sign extended addresses of 32 bits: `mov $symbol, %reg` is rewritten in place to the
 * form that extends them with zeroes, of the same length and price.
 */
#ifndef UNPLUG_BENCH_IMAGE_H
#define UNPLUG_BENCH_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define LOOPS_MAX 16

/**
 * struct loop - one variant of get and put
 * @name: its name
 * @run: the kernel's function; needs a thread with a per-CPU area, see cpu.h
 * @object: what it works on, a copy at the same offset in its page
 * @word: a word of the object's that each CPU has, as a per-CPU address; or 0
 * @value: what is in there
 */
struct loop {
	char name[64];
	void (*run)(void *object, unsigned long pairs);
	void *object;
	uint64_t word;
	int64_t value;
};

/**
 * image_load() - map all that is in a folder; ends the program if it cannot
 * @loops: gets the loops, the empty one first
 *
 * Return: the number of loops.
 */
int image_load(const char *folder, struct loop loops[LOOPS_MAX]);

/**
 * image_symbol() - offset of a per-CPU variable
 */
uint64_t image_symbol(const char *name);

#endif
