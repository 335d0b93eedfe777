/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peers: all that are compared */
#ifndef UNPLUG_BENCH_PEERS_H
#define UNPLUG_BENCH_PEERS_H

#include "peer.h"

#include <errno.h>

extern const struct peer *const peers[];
extern const unsigned int peers_n;

/**
 * peers_init() - have each make its gates; ends the program if one cannot
 */
void peers_init(unsigned int gates);

/**
 * peers_thread_begin() - a thread that will use them; @number is below THREADS_MAX, its own
 */
void peers_thread_begin(unsigned int number);

/**
 * peers_thread_end() - it will no more
 */
void peers_thread_end(void);

#endif
