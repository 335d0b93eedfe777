// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * replay: get and put of the running guest's kernel, on this processor
 *
 *	replay FOLDER >SAMPLES
 *
 * FOLDER is what bench/dump left. Each loop is first walked through by single steps,
 * which says what one pair executes; then all loops take turns in short rounds, so
 * that what else the machine does hits all of them alike. First one thread, then
 * two that begin together, on different processors, with the same object.
 */

#include "cpu.h"
#include "image.h"
#include "step.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 4000
#define ROUNDS 101
#define WARM 5			/* rounds not reported */

static struct loop loops[LOOPS_MAX];
static int loops_n;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double run(const struct loop *loop)
{
	double begin = now();

	loop->run(loop->object, PAIRS);
	return (now() - begin) / PAIRS;
}

static void report(const char *what, const char *variant, const char *unit, double value)
{
	printf("%s %s %s %.4f\n", what, variant, unit, value);
}

static int step_all(const char *folder)
{
	struct steps steps;
	int i;

	for (i = 1; i < loops_n; i++) {
		if (step_count(&loops[i], &loops[0], folder, &steps) < 0)
			return -1;
		report("get_put_replayed", loops[i].name, "instructions", steps.instructions);
		report("get_put_fences", loops[i].name, "atomics", steps.atomics);
		report("get_put_fences", loops[i].name, "fences", steps.fences);
	}
	return 0;
}

static void run_alone(void)
{
	double empty, time;
	int round, i;

	for (round = -WARM; round < ROUNDS; round++) {
		empty = run(&loops[0]);
		for (i = 1; i < loops_n; i++) {
			time = run(&loops[i]);
			if (round >= 0)
				report("get_put_native", loops[i].name, "ns", time - empty);
		}
	}
}

/* Both threads spin here until both are there: each round they begin together. */
static unsigned int arrived;

static void meet(unsigned int *times)
{
	unsigned int target = 2 * ++*times;

	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	while ((int)(__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) - target) < 0)
		;
}

/* What a loop's object keeps per CPU is there as in the guest. */
static void thread_become_cpu(int number)
{
	int i;

	cpu_become(number);
	for (i = 0; i < loops_n; i++)
		if (loops[i].word)
			cpu_store(loops[i].word, loops[i].value);
}

static void *other_run(void *data)
{
	unsigned int times = 0;
	int round, i;

	(void)data;
	thread_become_cpu(1);
	for (round = -WARM; round < ROUNDS; round++) {
		for (i = 0; i < loops_n; i++) {
			meet(&times);
			run(&loops[i]);
		}
	}
	return NULL;
}

/* The time of one of two threads, which are alike. */
static int run_both(void)
{
	double empty = 0, time;
	unsigned int times = 0;
	pthread_t other;
	int round, i;

	if (pthread_create(&other, NULL, other_run, NULL))
		return -1;
	for (round = -WARM; round < ROUNDS; round++) {
		for (i = 0; i < loops_n; i++) {
			meet(&times);
			time = run(&loops[i]);
			if (i == 0)
				empty = time;
			else if (round >= 0)
				report("get_put_native_2", loops[i].name, "ns", time - empty);
		}
	}
	return pthread_join(other, NULL) ? -1 : 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: replay FOLDER\n");
		return 2;
	}
	loops_n = image_load(argv[1], loops);
	cpu_init();
	step_init();
	thread_become_cpu(0);
	if (step_all(argv[1]) < 0)
		return 1;
	run_alone();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		fprintf(stderr, "replay: one processor only: no figures for two threads\n");
	else if (run_both() < 0)
		return 1;
	return fclose(stdout) ? 1 : 0;
}
