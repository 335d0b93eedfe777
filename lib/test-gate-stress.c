// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gate under many threads that nest, migrate and are interrupted by signals, shut and
 * thawed again and again: nobody is inside what is dead, everybody is counted.
 * Promises: U1, U2
 */

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <libunplug/gate.h>

#define THREADS_MAX 400

static struct unplug_gate *gate;
static cpu_set_t allowed;
static pthread_barrier_t barrier;
static bool dead;			/* of this round */
static bool closing;			/* this round is about to end */
static bool over;			/* of all rounds */
static unsigned int entered;
static unsigned int violations;
static unsigned int signals;
static unsigned int drained;

/*
 * Plain memory, which the gate alone orders: set up before it opens, read inside; written
 * inside, read when nobody is. ThreadSanitizer sees whether it does.
 */
static unsigned int set_up;
static unsigned int work[THREADS_MAX];

static unsigned int work_sum;	/* so that it is read */

static void work_read(void)
{
	unsigned int i, sum = 0;

	for (i = 0; i < THREADS_MAX; i++)
		sum += work[i];
	__atomic_store_n(&work_sum, sum, __ATOMIC_RELAXED);
}

static bool note_drained(struct unplug_gate *g)
{
	(void)g;
	work_read();
	__atomic_store_n(&dead, true, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&drained, 1, __ATOMIC_RELAXED);
	return true;
}

static void violation(void)
{
	__atomic_fetch_add(&violations, 1, __ATOMIC_RELAXED);
}

static void look(void)
{
	if (__atomic_load_n(&dead, __ATOMIC_SEQ_CST))
		violation();
}

static void on_signal(int number)
{
	(void)number;
	__atomic_fetch_add(&signals, 1, __ATOMIC_RELAXED);
	if (unplug_gate_get_active(gate)) {
		look();
		unplug_gate_put_active(gate);
	}
}

static void migrate(unsigned int *seed)
{
	unsigned int which;
	cpu_set_t one;
	int cpu;

	which = rand_r(seed) % CPU_COUNT(&allowed);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && !which--)
			break;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/* Enter, deeper with some luck, and leave, elsewhere with some. */
static bool visit(unsigned int *seed, unsigned int *done, unsigned int depth)
{
	unsigned int luck = rand_r(seed);

	if (!unplug_gate_get_active(gate))
		return false;
	look();
	*done += set_up > 0;
	if (luck % 4 == 0 && depth < 8)
		visit(seed, done, depth + 1);
	if (luck % 1024 < 4)
		migrate(seed);
	else if (luck % 1024 < 8)
		sched_yield();
	if (luck % 1024 == 8)
		pthread_kill(pthread_self(), SIGUSR1);
	look();
	unplug_gate_put_active(gate);
	return true;
}

static void *visitor(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	unsigned int *done = &work[seed - 1];

	for (;;) {
		pthread_barrier_wait(&barrier);	/* about to be opened */
		if (__atomic_load_n(&over, __ATOMIC_RELAXED))
			return NULL;
		/* It is the gate that says when: no look at its state. */
		while (!visit(&seed, done, 0) &&
		       !__atomic_load_n(&closing, __ATOMIC_RELAXED))
			sched_yield();
		while (visit(&seed, done, 0))
			__atomic_fetch_add(&entered, 1, __ATOMIC_RELAXED);
		pthread_barrier_wait(&barrier);	/* all were refused */
	}
}

static void one_round(unsigned int visits)
{
	__atomic_store_n(&dead, false, __ATOMIC_RELAXED);
	__atomic_store_n(&entered, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&closing, false, __ATOMIC_RELAXED);
	pthread_barrier_wait(&barrier);
	set_up++;
	if (unplug_gate_state(gate) == UNPLUG_GATE_NEW)
		unplug_gate_open(gate);
	else
		assert_int_equal(unplug_gate_thaw(gate), 0);
	while (__atomic_load_n(&entered, __ATOMIC_RELAXED) < visits)
		sched_yield();
	__atomic_store_n(&closing, true, __ATOMIC_RELAXED);
	assert_int_equal(unplug_gate_shut(gate), 0);
	if (unplug_gate_get_active(gate))
		violation();
	assert_int_equal(unplug_gate_wait_drained(gate, -1), 0);
	work_read();
	pthread_barrier_wait(&barrier);
}

static void crowd(unsigned int threads, unsigned int rounds, unsigned int visits)
{
	static pthread_t ids[THREADS_MAX];
	struct unplug_gate memory;
	unsigned int i;

	gate = &memory;
	over = false;
	drained = 0;
	violations = 0;
	assert_int_equal(unplug_gate_init(gate, note_drained), 0);
	pthread_barrier_init(&barrier, NULL, threads + 1);
	for (i = 0; i < threads; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, visitor,
						(void *)(uintptr_t)(i + 1)), 0);
	for (i = 0; i < rounds; i++)
		one_round(visits);
	/* Who is over is let go by the first barrier of a round. */
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_barrier_wait(&barrier);
	for (i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	assert_int_equal(violations, 0);
	assert_int_equal(drained, rounds);
	assert_int_equal(unplug_gate_inside(gate), 0);
	unplug_gate_destroy(gate);
	pthread_barrier_destroy(&barrier);
}

static void crowd_1(void **state)
{
	(void)state;
	crowd(1, 300, 500);
}

static void crowd_2(void **state)
{
	(void)state;
	crowd(2, 300, 500);
}

static void crowd_16(void **state)
{
	(void)state;
	crowd(16, 60, 1000);
}

static void crowd_400(void **state)
{
	(void)state;
	crowd(400, 5, 4000);
}

static void *leave(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&barrier);
	unplug_gate_put_active(gate);
	return NULL;
}

/* All leave while it is shut; whoever waits frees it at once. */
static void free_crowd(void **state)
{
	enum { THREADS = 8 };
	pthread_t ids[THREADS];
	unsigned int round, i;

	(void)state;
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (round = 0; round < 200; round++) {
		gate = malloc(sizeof(*gate));
		assert_non_null(gate);
		assert_int_equal(unplug_gate_init(gate, NULL), 0);
		unplug_gate_open(gate);
		for (i = 0; i < THREADS; i++) {
			assert_true(unplug_gate_get_active(gate));
			assert_int_equal(pthread_create(&ids[i], NULL, leave,
							NULL), 0);
		}
		pthread_barrier_wait(&barrier);
		assert_int_equal(unplug_gate_shut(gate), 0);
		assert_int_equal(unplug_gate_wait_drained(gate, -1), 0);
		unplug_gate_destroy(gate);
		free(gate);
		for (i = 0; i < THREADS; i++)
			pthread_join(ids[i], NULL);
	}
	pthread_barrier_destroy(&barrier);
}

/* Somebody who has been refused tells another, who has to be refused on his CPU, too. */
static bool refused;

static void *tells(void *arg)
{
	unsigned int seed = 1;

	(void)arg;
	for (;;) {
		pthread_barrier_wait(&barrier);
		if (__atomic_load_n(&over, __ATOMIC_RELAXED))
			return NULL;
		migrate(&seed);
		while (unplug_gate_state(gate) != UNPLUG_GATE_LIVE &&
		       !__atomic_load_n(&closing, __ATOMIC_RELAXED))
			sched_yield();
		/* As who has no sequences, or was thrown out: he looks at another word. */
		while (unplug_gate_get_slow(gate)) {
			unplug_gate_put_slow(gate);
			__atomic_fetch_add(&entered, 1, __ATOMIC_RELAXED);
		}
		__atomic_store_n(&refused, true, __ATOMIC_RELEASE);
		pthread_barrier_wait(&barrier);
	}
}

static void *is_told(void *arg)
{
	bool told, in;

	(void)arg;
	for (;;) {
		pthread_barrier_wait(&barrier);
		if (__atomic_load_n(&over, __ATOMIC_RELAXED))
			return NULL;
		do {
			told = __atomic_load_n(&refused, __ATOMIC_ACQUIRE);
			in = unplug_gate_get_active(gate);
			if (in)
				unplug_gate_put_active(gate);
			if (in && told)
				violation();
			/* Others may want the CPU until it is shut. */
			if (!__atomic_load_n(&closing, __ATOMIC_RELAXED))
				sched_yield();
		} while (!told);
		pthread_barrier_wait(&barrier);
	}
}

static void refused_told(void **state)
{
	struct unplug_gate memory;
	pthread_t ids[2];
	unsigned int i;

	(void)state;
	gate = &memory;
	over = false;
	violations = 0;
	assert_int_equal(unplug_gate_init(gate, note_drained), 0);
	pthread_barrier_init(&barrier, NULL, 3);
	assert_int_equal(pthread_create(&ids[0], NULL, tells, NULL), 0);
	assert_int_equal(pthread_create(&ids[1], NULL, is_told, NULL), 0);
	for (i = 0; i < 50; i++) {
		__atomic_store_n(&refused, false, __ATOMIC_RELAXED);
		one_round(10);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_barrier_wait(&barrier);
	pthread_join(ids[0], NULL);
	pthread_join(ids[1], NULL);
	assert_int_equal(violations, 0);
	unplug_gate_destroy(gate);
	pthread_barrier_destroy(&barrier);
}

static int stress_setup(void **state)
{
	struct sigaction action = { .sa_handler = on_signal };

	(void)state;
	return sched_getaffinity(0, sizeof(allowed), &allowed) ||
		sigaction(SIGUSR1, &action, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crowd_1),
		cmocka_unit_test(crowd_2),
		cmocka_unit_test(crowd_16),
		cmocka_unit_test(crowd_400),
		cmocka_unit_test(free_crowd),
		cmocka_unit_test(refused_told),
	};

	return cmocka_run_group_tests_name("gate-stress", tests, stress_setup,
					   NULL);
}
