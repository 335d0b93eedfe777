/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * card: the card of unplug-bench, made anew, mapped, filled and taken away
 *
 * All of these end the program with a message if they fail.
 */
#ifndef UNPLUG_BENCH_CARD_H
#define UNPLUG_BENCH_CARD_H

#include "module/revoke.h"

#include <stddef.h>

void fail(const char *what) __attribute__((noreturn));

/* What a kind is called in samples */
extern const char *const card_names[REVOKE_KINDS];

/**
 * card_make() - plug it in
 */
void card_make(enum revoke_kind kind);

/**
 * card_pull() - take it away, mappings and all
 */
struct revoke_times card_pull(void);

/**
 * card_steps() - from now on card_pull() tells the steps, too
 */
void card_steps(void);

/**
 * card_open() - a descriptor of the node of this kind
 */
int card_open(enum revoke_kind kind);

/**
 * card_map() - map its first bytes and have all entries made
 */
char *card_map(int fd, size_t bytes);

/* touch.c: what it costs to touch what was taken away */
void touch_run(int rounds);

#endif
