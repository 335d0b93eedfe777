/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_LOAD_H
#define _DEMO_LOAD_H

/**
 * DOC: load
 *
 * fio on one card: a program that knows nothing of us, with one paced operation
 * in flight, in the half of the card the clients leave alone.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct load - one fio
 * @card: 1...
 * @pid: its process
 * @node: what it works on
 * @out: where it leaves its report
 * @counters: /proc/PID/io, open
 * @base: read and write calls before the first on the card
 * @running: it was seen with the card open
 * @dead: it ended
 * @status: of waitpid(), when @dead
 * @error: errno its job ended with, or -1 when it left no report
 * @ios: operations by its report
 * @mean_us: latency by its report
 * @max_us: "
 */
struct load {
	int card;
	pid_t pid;
	char node[64];
	char out[64];
	int counters;
	uint64_t base;
	atomic_bool running;
	atomic_bool dead;
	int status;
	int error;
	uint64_t ios;
	double mean_us;
	double max_us;
};

int load_start(struct load *load, int number, int card, const char *node);
bool load_running(struct load *load);
uint64_t load_ops(struct load *load);
int load_wait(struct load *load, uint64_t until);
void load_stop(struct load *load);

#endif /* _DEMO_LOAD_H */
