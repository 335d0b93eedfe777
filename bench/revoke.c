// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * revoke: how long it takes to take mappings away, by their size and number
 *
 *	revoke instructions|us [ROUNDS]
 *
 * Runs in the guest, with a card of a gigabyte. Processes map the card and go to sleep;
 * the kinds of taking it away take turns. In the guest whose clock counts instructions a
 * nanosecond is one. Prints samples as the module does: CASE VARIANT UNIT VALUE.
 */

#include "card.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define WORKERS 200
#define KIB 1024ul
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* @share: of the rounds, it is in each so manieth; what has many entries takes long to fill */
struct cell {
	const char *name;
	size_t bytes;
	int mappers;
	int share;
};

static const struct cell cells[] = {
	{ "4k_1", 4 * KIB, 1, 1 },
	{ "1m_1", MIB, 1, 1 },
	{ "16m_1", 16 * MIB, 1, 1 },
	{ "256m_1", 256 * MIB, 1, 2 },
	{ "1g_1", GIB, 1, 2 },
	{ "1g_8", GIB, 8, 16 },
	{ "4k_8", 4 * KIB, 8, 1 },
	{ "4k_50", 4 * KIB, 50, 1 },
	{ "4k_200", 4 * KIB, 200, 1 },
	{ "1m_8", MIB, 8, 1 },
	{ "1m_50", MIB, 50, 1 },
	{ "1m_200", MIB, 200, 2 },
};

#define CELLS (sizeof(cells) / sizeof(cells[0]))

/* What those who map are to do next: shared memory */
struct order {
	enum revoke_kind kind;
	size_t bytes;
	bool map;
};

static struct order *order;
static int begin_fd[WORKERS], done_fd;
static bool counting;

/* None of those who map ends while we are there, unless it failed, and said why. */
static void on_child(int signal __attribute__((unused)))
{
	_exit(1);
}

/* Maps, unmaps, and sleeps until told to; ends when nobody is there to tell. */
static void worker_run(int begin, int done)
{
	char *at = NULL, byte;
	size_t bytes = 0;
	int fd = -1;

	while (read(begin, &byte, 1) == 1) {
		if (order->map) {
			bytes = order->bytes;
			fd = card_open(order->kind);
			at = card_map(fd, bytes);
		} else {
			munmap(at, bytes);
			close(fd);
		}
		if (write(done, &byte, 1) != 1)
			fail("write");
	}
	_exit(0);
}

static void worker_start(int *begin, int done)
{
	int fds[2];
	pid_t pid;

	if (pipe(fds) < 0)
		fail("pipe");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		/* The pipes of those before are open here: do not wait for their end. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[1]);
		worker_run(fds[0], done);
	}
	close(fds[0]);
	*begin = fds[1];
}

static void workers_start(void)
{
	int fds[2], i;

	order = mmap(NULL, sizeof(*order), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	if (order == MAP_FAILED || pipe(fds) < 0)
		fail("memory, pipe");
	done_fd = fds[0];
	for (i = 0; i < WORKERS; i++)
		worker_start(&begin_fd[i], fds[1]);
	close(fds[1]);
}

static void workers_do(int n, bool map)
{
	char bytes[WORKERS] = { };
	ssize_t r;
	int i;

	order->map = map;
	for (i = 0; i < n; i++)
		if (write(begin_fd[i], bytes, 1) != 1)
			fail("a process that maps");
	for (i = 0; i < n; i += r) {
		r = read(done_fd, bytes, n - i);
		if (r <= 0)
			fail("processes that map");
	}
}

static struct revoke_times measure(const struct cell *cell, enum revoke_kind kind)
{
	struct revoke_times times;

	card_make(kind);
	order->kind = kind;
	order->bytes = cell->bytes;
	workers_do(cell->mappers, true);
	times = card_pull();
	workers_do(cell->mappers, false);
	return times;
}

static void sample(const char *what, const struct cell *cell, const char *variant, double ns)
{
	printf("%s_%s %s %s %.3f\n", what, cell->name, variant, counting ? "instructions" : "us",
	       counting ? ns : ns / 1000);
}

static void round_whole(const struct cell *cell)
{
	struct revoke_times times;
	enum revoke_kind kind;

	for (kind = 0; kind < REVOKE_KINDS; kind++) {
		times = measure(cell, kind);
		sample("revoke", cell, card_names[kind], times.shut);
		if (times.drained)
			sample("drained", cell, card_names[kind], times.drained);
	}
}

/* Less what looking has cost */
static void round_steps(const struct cell *cell)
{
	struct revoke_times times = measure(cell, REVOKE_UNPLUG);
	double probe = times.probe;

	sample("steps", cell, "close", times.close - probe / 2);
	sample("steps", cell, "hw", times.hw - probe);
	sample("steps", cell, "zap", times.zap - probe);
	sample("steps", cell, "rest", times.rest - probe / 2);
	sample("steps", cell, "drained", (double)times.drained - times.shut);
}

static void rounds_run(int rounds, void (*run)(const struct cell *cell))
{
	size_t i;
	int n;

	for (n = 0; n < rounds; n++)
		for (i = 0; i < CELLS; i++)
			if (n % cells[i].share == 0)
				run(&cells[i]);
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 9;

	if (argc < 2 || argc > 3 || rounds < 1 ||
	    (strcmp(argv[1], "instructions") && strcmp(argv[1], "us"))) {
		fprintf(stderr, "usage: revoke instructions|us [ROUNDS]\n");
		return 2;
	}
	counting = !strcmp(argv[1], "instructions");
	if (signal(SIGCHLD, on_child) == SIG_ERR)
		fail("signal");
	workers_start();
	if (counting)
		touch_run(rounds);
	rounds_run(rounds, round_whole);
	card_steps();
	rounds_run(rounds, round_steps);
	return fclose(stdout) ? 1 : 0;
}
