// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * price: what get and put cost
 *
 *	price [PEER=VARIANT] >SAMPLES
 *
 * Bursts of a few thousand pairs, in which the peers take turns, so that whatever else the
 * machine does hits all of them alike; each round begins with another one. Bursts without
 * work inside are less the loop around nothing. With two threads, on different processors,
 * both begin together, and the time is that of one. With an argument all is done in the same
 * way, and printed of PEER alone, by that name: for one that environment has changed.
 */
#include "clock.h"
#include "peers.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PAIRS 4000
#define ROUNDS 101
#define WARM 5			/* rounds not reported */
#define GATES_MAX 10000
#define WORK_NS 16

static const struct situation {
	const char *name;
	unsigned int threads, gates;
	bool work;
} situations[] = {
	{ "1t-1gate", 1, 1, false },
	{ "1t-64gates", 1, 64, false },
	{ "1t-10kgates", 1, GATES_MAX, false },
	{ "2t-1gate", 2, 1, false },
	{ "2t-64gates", 2, 64, false },
	{ "1t-1gate-work", 1, 1, true },
	{ "1t-64gates-work", 1, 64, true },
	{ "2t-1gate-work", 2, 1, true },
	{ "2t-64gates-work", 2, 64, true },
};

#define SITUATIONS (sizeof(situations) / sizeof(situations[0]))

static unsigned int work;
static const char *alone;

/* Both threads spin here until both are there. */
static unsigned int arrived;
static __thread unsigned int meetings;

static void meet(void)
{
	unsigned int target = 2 * ++meetings;

	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	while ((int)(__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) - target) < 0)
		;
}

static void report(const char *what, const struct peer *peer, const char *unit, double value)
{
	size_t length = alone ? strlen(peer->name) : 0;

	if (!alone)
		clock_report(what, peer->name, unit, value);
	else if (!strncmp(alone, peer->name, length) && alone[length] == '=')
		clock_report(what, alone + length + 1, unit, value);
}

static double burst(const struct situation *at, const struct peer *peer)
{
	unsigned long n = at->gates > PAIRS ? at->gates : PAIRS;
	double begin;

	if (at->threads == 2)
		meet();
	begin = clock_now();
	peer->pairs(at->gates, n, at->work ? work : 0);
	return (clock_now() - begin) / n;
}

/* The first peer is none. Ratios are of one round, in which the clock was the same for all. */
static void round_report(const struct situation *at, const double *times)
{
	double empty = at->work ? 0 : times[0], reference = times[0];
	char ratio[32];
	unsigned int i;

	for (i = 0; !at->work && i < peers_n; i++)
		if (peers[i] == &peer_urcu_memb)
			reference = times[i] - empty;
	snprintf(ratio, sizeof(ratio), "%s-ratio", at->name);
	for (i = !at->work; i < peers_n; i++) {
		report(at->name, peers[i], "ns", times[i] - empty);
		report(ratio, peers[i], "ratio", (times[i] - empty) / reference);
	}
}

/* With @result: measures, and prints; else it is the other thread. */
static void situation_run(const struct situation *at, bool result)
{
	double times[32];
	unsigned int i, turn;
	int round;

	for (round = -WARM; round < ROUNDS; round++) {
		for (turn = 0; turn < peers_n; turn++) {
			i = (turn + round + WARM) % peers_n;
			times[i] = burst(at, peers[i]);
		}
		if (result && round >= 0)
			round_report(at, times);
	}
}

static void *other_run(void *data)
{
	if (clock_pin(1))
		abort();
	peers_thread_begin(1);
	situation_run(data, false);
	peers_thread_end();
	return NULL;
}

/* There is another thread only while it takes part. */
static int situation_both(const struct situation *at)
{
	pthread_t other;

	arrived = 0;
	meetings = 0;
	if (pthread_create(&other, NULL, other_run, (void *)at))
		return -1;
	situation_run(at, true);
	return pthread_join(other, NULL) ? -1 : 0;
}

/* How many multiplications are so many nanoseconds: the best of some attempts */
static void work_measure(void)
{
	const unsigned int steps = 100;
	double begin, time, best = INFINITY;
	int i;

	for (i = 0; i < 50; i++) {
		begin = clock_now();
		peer_none.pairs(1, 1000, steps);
		time = (clock_now() - begin) / 1000 / steps;
		if (time < best)
			best = time;
	}
	work = lround(WORK_NS / best);
}

static void bytes_report(void)
{
	static const unsigned int numbers[] = { 2, 8, 64 };
	char name[32];
	unsigned int i, j;

	for (j = 0; j < sizeof(numbers) / sizeof(numbers[0]); j++) {
		snprintf(name, sizeof(name), "bytes_%u", numbers[j]);
		for (i = 1; i < peers_n; i++)
			report(name, peers[i], "bytes",
			       peers[i]->bytes + numbers[j] * peers[i]->bytes_each);
	}
	for (i = 0; i < peers_n; i++)
		report("bytes_each", peers[i], "bytes", peers[i]->bytes_each);
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc > 2 || (argc == 2 && !strchr(argv[1], '='))) {
		fprintf(stderr, "usage: price [PEER=VARIANT]\n");
		return 2;
	}
	alone = argv[1];
	if (clock_pin(0))
		return 1;
	peers_init(GATES_MAX);
	peers_thread_begin(0);
	work_measure();
	bytes_report();
	for (i = 0; i < SITUATIONS; i++) {
		if (situations[i].threads == 1)
			situation_run(&situations[i], true);
		else if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
			fprintf(stderr, "price: one processor only: no %s\n", situations[i].name);
		else if (situation_both(&situations[i]))
			return 1;
	}
	peers_thread_end();
	return fclose(stdout) ? 1 : 0;
}
