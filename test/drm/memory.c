// SPDX-License-Identifier: GPL-2.0-or-later
/* What a hand can do: use its mapping as programs do, that know nothing of a pull */

#define _GNU_SOURCE
#include "hand.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static __thread sigjmp_buf on_bus;

static void handle_bus(int signal)
{
	(void)signal;
	siglongjmp(on_bus, 1);
}

/*
 * Paints picture after picture until told to stop, whatever happens to the card:
 * "alive", or "SIGBUS". Reads each page back; what it reads does not matter.
 */
static void op_paint(struct call *call)
{
	struct sigaction action = { .sa_handler = handle_bus };
	volatile uint8_t sink = 0;
	size_t at;

	sigaction(SIGBUS, &action, NULL);
	if (sigsetjmp(on_bus, 1)) {
		answer(call, "SIGBUS");
		return;
	}
	do {
		for (at = 0; at < card.size; at += 4096) {
			memset(card.memory + at, (int)at, 64);
			sink = card.memory[at];
		}
	} while (!card.stop);
	(void)sink;
	answer(call, "alive");
}

/* The kernel reads the mapping on our behalf. */
static void op_copy(struct call *call)
{
	int ends[2];

	if (pipe(ends)) {
		answer_result(call, -1);
		return;
	}
	answer_result(call, write(ends[1], card.memory, 512));
	close(ends[0]);
	close(ends[1]);
}

/* remap: a new mapping of the buffer, touched: "alive", "SIGBUS", or why there is none */
static void op_remap(struct call *call)
{
	struct sigaction action = { .sa_handler = handle_bus };
	volatile uint8_t *memory;

	memory = mmap(NULL, card.size, PROT_READ | PROT_WRITE, MAP_SHARED, card.fd, card.offset);
	if (memory == MAP_FAILED) {
		answer_result(call, -1);
		return;
	}
	sigaction(SIGBUS, &action, NULL);
	if (sigsetjmp(on_bus, 1)) {
		answer(call, "SIGBUS");
	} else {
		*memory = *memory + 1;
		answer(call, "alive");
	}
	munmap((void *)memory, card.size);
}

/* The file goes, the mapping stays. */
static void op_close_file(struct call *call)
{
	answer_result(call, close(card.fd));
	card.fd = -1;
}

static void op_munmap(struct call *call)
{
	answer_result(call, munmap(card.memory, card.size));
	card.memory = NULL;
}

const struct op memory_ops[] = {
	{ "paint", op_paint },
	{ "copy", op_copy },
	{ "remap", op_remap },
	{ "close-file", op_close_file },
	{ "munmap", op_munmap },
	{ }
};
