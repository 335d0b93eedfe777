/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory: addresses to pass to a driver, good ones and hostile ones
 *
 * All of it lies below 4 GB, where system calls of 32 bits reach it, too.
 */
#ifndef UNPLUG_FUZZ_MEMORY_H
#define UNPLUG_FUZZ_MEMORY_H

#include <stddef.h>
#include "dice.h"

#define MEMORY_SIZE 16384	/* that much can be read and written from memory_good() on */

void memory_init(void);
void *memory_good(void);

/* @mapping: one of a device's, or NULL; as good as any */
void *memory_draw(struct dice *dice, void *mapping);

/* Sizes around those that matter to somebody */
size_t memory_size(struct dice *dice);

#endif
