// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * drain: how long it takes until nobody is inside, and nobody will be
 *
 *	drain >SAMPLES
 *	drain --peers		the names of all that can be shut
 *	drain --busy PEER >SAMPLES
 *
 * Gate 0 is shut, and opened again, by the peers in turn, while other threads are in the
 * situation named. Beside threads that are busy in the same gate some peers wait for very
 * long, or for ever: this is one peer's process, which is to be killed when it has taken
 * too long. Each sample is printed at once.
 */
#include "clock.h"
#include "drain.h"
#include "peers.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SLEEP_MS 20
#define SLEEPS 31
#define BUSY 300		/* threads */
#define GATES 2
#define SPIN_NS 5000
#define SPIN_TRIES 100

static bool stop;
static sem_t ready, go;

/* How often who spins has been round */
static unsigned long spun;

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void spin(const struct peer *peer)
{
	(void)peer;
	sem_post(&ready);
	while (!stopped())
		__atomic_fetch_add(&spun, 1, __ATOMIC_RELAXED);
}

static void sleep_outside(const struct peer *peer)
{
	(void)peer;
	sem_post(&ready);
	while (sem_wait(&go))
		;
}

/*
 * In and out of the gate that is shut; while it is, there are others to run. All begin
 * together: some peers cannot be told of a thread while others are busy.
 */
static void be_busy(const struct peer *peer)
{
	sem_post(&ready);
	while (sem_wait(&go))
		;
	while (!stopped())
		if (peer->get(0))
			peer->put(0);
		else
			sched_yield();
}

static const struct situation {
	const char *name;
	unsigned int threads, rounds;
	void (*run)(const struct peer *peer);
} situations[] = {
	{ "drain_idle", 0, 301, NULL },
	{ "drain_spinning", 1, 301, spin },
	{ "drain_sleeping_400", 400, 101, sleep_outside },
}, busy = { "drain_busy_300", BUSY, DRAIN_BUSY_ROUNDS, be_busy };

static const struct situation *at;
static const struct peer *used;

static void *thread_run(void *data)
{
	/* Where one is to be in the way of nobody, it is on another processor. */
	if (at->threads == 1)
		clock_pin(1);
	peers_thread_begin((unsigned int)(size_t)data);
	at->run(used);
	peers_thread_end();
	return NULL;
}

static void threads_begin(pthread_t *threads)
{
	size_t i;

	__atomic_store_n(&stop, false, __ATOMIC_RELAXED);
	for (i = 0; i < at->threads; i++)
		if (pthread_create(&threads[i], NULL, thread_run, (void *)(i + 1)))
			abort();
	for (i = 0; i < at->threads; i++)
		while (sem_wait(&ready))
			;
}

static void threads_end(const pthread_t *threads)
{
	unsigned int i;

	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < at->threads && at->run == sleep_outside; i++)
		sem_post(&go);
	for (i = 0; i < at->threads; i++)
		pthread_join(threads[i], NULL);
}

static double shut_time(const struct peer *peer)
{
	double begin = clock_now(), time;

	peer->shut(0);
	time = clock_now() - begin;
	peer->open(0);
	return time;
}

static void shut_report(const struct peer *peer, const char *what)
{
	clock_report(what, peer->name, "us", shut_time(peer) / 1000);
}

/*
 * Whether who spins does, just now: the machine may have taken its processor away. It is
 * given some hundred rounds' time to be seen.
 */
static bool spinning(void)
{
	unsigned long before = __atomic_load_n(&spun, __ATOMIC_RELAXED);
	double end = clock_now() + SPIN_NS;

	while (__atomic_load_n(&spun, __ATOMIC_RELAXED) == before)
		if (clock_now() > end)
			return false;
	return true;
}

/* Beside one that spins a time counts if that ran before and after. */
static void beside_report(const struct peer *peer)
{
	unsigned int tries;
	double time;

	for (tries = 0; tries < SPIN_TRIES; tries++) {
		if (!spinning())
			continue;
		time = shut_time(peer);
		if (!spinning())
			continue;
		clock_report(at->name, peer->name, "us", time / 1000);
		return;
	}
}

static void situation_run(void)
{
	pthread_t threads[THREADS_MAX] = { 0 };
	unsigned int round, i;

	threads_begin(threads);
	for (round = 0; round < at->rounds; round++)
		for (i = 0; i < peers_n; i++) {
			if (!peers[i]->shut)
				continue;
			if (at->run == spin)
				beside_report(peers[i]);
			else
				shut_report(peers[i], at->name);
		}
	threads_end(threads);
}

/* On all processors: the threads, and who shuts. They end with the process. */
static int busy_run(const char *name)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000000L };
	pthread_t threads[THREADS_MAX] = { 0 };
	unsigned int round, i;

	for (i = 0; i < peers_n; i++)
		if (peers[i]->shut && !strcmp(peers[i]->name, name))
			used = peers[i];
	if (!used) {
		fprintf(stderr, "drain: '%s' is none of those that --peers lists\n", name);
		return 2;
	}
	at = &busy;
	threads_begin(threads);
	for (i = 0; i < at->threads; i++)
		sem_post(&go);
	for (round = 0; round < at->rounds; round++) {
		/* Many of them get their turn in between. */
		nanosleep(&pause, NULL);
		shut_report(used, at->name);
		fflush(stdout);
	}
	_exit(0);
}

/* Somebody is asleep: with @data, a peer, inside another device */
static void *sleeper_run(void *data)
{
	const struct timespec time = { .tv_nsec = SLEEP_MS * 1000000L };
	const struct peer *peer = data;

	peers_thread_begin(1);
	if (peer && !peer->get(1))
		abort();
	sem_post(&ready);
	nanosleep(&time, NULL);
	if (peer)
		peer->put(1);
	peers_thread_end();
	return NULL;
}

static void sleeper_shut(const struct peer *peer, const char *what, bool inside)
{
	pthread_t sleeper;

	if (pthread_create(&sleeper, NULL, sleeper_run, inside ? (void *)peer : NULL))
		abort();
	while (sem_wait(&ready))
		;
	shut_report(peer, what);
	pthread_join(sleeper, NULL);
}

/* Once it sleeps inside, once outside of everything: else all is the same. */
static void sleeper_situation(void)
{
	unsigned int round, i;

	for (round = 0; round < SLEEPS; round++) {
		for (i = 0; i < peers_n; i++) {
			if (!peers[i]->shut)
				continue;
			sleeper_shut(peers[i], "drain_sleeper_out", false);
			sleeper_shut(peers[i], "drain_sleeper_in", true);
		}
	}
}

static void peers_print(void)
{
	unsigned int i;

	for (i = 0; i < peers_n; i++)
		if (peers[i]->shut)
			puts(peers[i]->name);
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc == 2 && !strcmp(argv[1], "--peers")) {
		peers_print();
		return 0;
	}
	if (argc != 1 && (argc != 3 || strcmp(argv[1], "--busy"))) {
		fprintf(stderr, "usage: drain [--peers | --busy PEER]\n");
		return 2;
	}
	sem_init(&ready, 0, 0);
	sem_init(&go, 0, 0);
	peers_init(GATES);
	peers_thread_begin(0);
	if (argc == 3)
		return busy_run(argv[2]);
	if (clock_pin(0))
		return 1;
	for (i = 0; i < sizeof(situations) / sizeof(situations[0]); i++) {
		at = &situations[i];
		situation_run();
	}
	sleeper_situation();
	peers_thread_end();
	return fclose(stdout) ? 1 : 0;
}
