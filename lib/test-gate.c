// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gate: what each state lets in and refuses, and how its end is told
 * Promises: U1, U2
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>
#include <libunplug/gate.h>
#include "test-asleep.h"

static unsigned int drained;

static bool count_drained(struct unplug_gate *gate)
{
	(void)gate;
	drained++;
	return true;
}

static int gate_setup(void **state)
{
	static struct unplug_gate gate;

	*state = &gate;
	drained = 0;
	return unplug_gate_init(&gate, count_drained);
}

static int gate_setup_open(void **state)
{
	if (gate_setup(state))
		return -1;
	unplug_gate_open(*state);
	return 0;
}

/* Whatever a test did, in the end nobody is inside. */
static int gate_teardown(void **state)
{
	struct unplug_gate *gate = *state;

	if (unplug_gate_state(gate) != UNPLUG_GATE_NEW) {
		if (unplug_gate_shut(gate) ||
		    unplug_gate_wait_drained(gate, 0))
			return -1;
	}
	unplug_gate_destroy(gate);
	return 0;
}

static void get_new(void **state)
{
	struct unplug_gate *gate = *state;

	assert_int_equal(unplug_gate_state(gate), UNPLUG_GATE_NEW);
	assert_false(unplug_gate_get_active(gate));
	assert_int_equal(unplug_gate_inside(gate), 0);
}

static void get_live(void **state)
{
	struct unplug_gate *gate = *state;

	assert_int_equal(unplug_gate_state(gate), UNPLUG_GATE_LIVE);
	assert_true(unplug_gate_get_active(gate));
	assert_int_equal(unplug_gate_inside(gate), 1);
	unplug_gate_put_active(gate);
	assert_int_equal(unplug_gate_inside(gate), 0);
	assert_int_equal(drained, 0);
}

static void get_nested(void **state)
{
	struct unplug_gate *gate = *state;
	unsigned int i;

	for (i = 0; i < 1000; i++)
		assert_true(unplug_gate_get_active(gate));
	assert_int_equal(unplug_gate_inside(gate), 1000);
	for (i = 0; i < 1000; i++)
		unplug_gate_put_active(gate);
	assert_int_equal(unplug_gate_inside(gate), 0);
}

static void get_killed(void **state)
{
	struct unplug_gate *gate = *state;

	assert_true(unplug_gate_get_active(gate));
	unplug_gate_kill(gate);
	assert_int_equal(unplug_gate_state(gate), UNPLUG_GATE_DYING);
	assert_false(unplug_gate_get_active(gate));
	assert_int_equal(unplug_gate_inside(gate), 1);
	unplug_gate_put_active(gate);
	/* Nobody was inside for a moment, but it is not folded. */
	assert_int_equal(drained, 0);
	assert_int_equal(unplug_gate_state(gate), UNPLUG_GATE_DYING);
	assert_int_equal(unplug_gate_shut(gate), 0);
	assert_int_equal(drained, 1);
}

static void shut_idle(void **state)
{
	struct unplug_gate *gate = *state;

	assert_int_equal(unplug_gate_shut(gate), 0);
	assert_int_equal(unplug_gate_state(gate), UNPLUG_GATE_DEAD);
	assert_int_equal(drained, 1);
	assert_int_equal(unplug_gate_wait_drained(gate, -1), 0);
	assert_false(unplug_gate_get_active(gate));
}

static void shut_inside(void **state)
{
	struct unplug_gate *gate = *state;

	assert_true(unplug_gate_get_active(gate));
	assert_true(unplug_gate_get_active(gate));
	unplug_gate_put_active(gate);
	assert_int_equal(unplug_gate_shut(gate), 0);
	assert_int_equal(unplug_gate_state(gate), UNPLUG_GATE_DRAINING);
	assert_int_equal(unplug_gate_inside(gate), 1);
	assert_false(unplug_gate_get_active(gate));
	assert_int_equal(unplug_gate_wait_drained(gate, 0), -ETIMEDOUT);
	assert_int_equal(unplug_gate_wait_drained(gate, 1), -ETIMEDOUT);
	assert_int_equal(drained, 0);
	unplug_gate_put_active(gate);
	assert_int_equal(drained, 1);
	assert_int_equal(unplug_gate_wait_drained(gate, -1), 0);
}

static void shut_twice(void **state)
{
	struct unplug_gate *gate = *state;

	assert_true(unplug_gate_get_active(gate));
	assert_int_equal(unplug_gate_shut(gate), 0);
	assert_int_equal(unplug_gate_shut(gate), 0);
	unplug_gate_put_active(gate);
	assert_int_equal(unplug_gate_shut(gate), 0);
	assert_int_equal(drained, 1);
}

static void shut_many(void **state)
{
	struct unplug_gate gates[8], *list[8];
	unsigned int i;

	(void)state;
	drained = 0;
	for (i = 0; i < 8; i++) {
		assert_int_equal(unplug_gate_init(&gates[i], count_drained), 0);
		unplug_gate_open(&gates[i]);
		list[i] = &gates[i];
	}
	assert_true(unplug_gate_get_active(&gates[3]));
	assert_int_equal(unplug_gates_shut(list, 8), 0);
	assert_int_equal(drained, 7);
	unplug_gate_put_active(&gates[3]);
	assert_int_equal(drained, 8);
	for (i = 0; i < 8; i++)
		unplug_gate_destroy(&gates[i]);
}

static void thaw_again(void **state)
{
	struct unplug_gate *gate = *state;
	unsigned int i;

	assert_int_equal(unplug_gate_thaw(gate), -EBUSY);
	for (i = 0; i < 5; i++) {
		assert_true(unplug_gate_get_active(gate));
		assert_int_equal(unplug_gate_shut(gate), 0);
		assert_int_equal(unplug_gate_thaw(gate), -EBUSY);
		unplug_gate_put_active(gate);
		assert_int_equal(drained, i + 1);
		assert_int_equal(unplug_gate_thaw(gate), 0);
		assert_int_equal(unplug_gate_state(gate), UNPLUG_GATE_LIVE);
		assert_int_equal(unplug_gate_inside(gate), 0);
	}
}

static void *put_one(void *arg)
{
	unplug_gate_put_active(arg);
	return NULL;
}

static void put_other_thread(void **state)
{
	pthread_t thread;

	assert_true(unplug_gate_get_active(*state));
	assert_true(unplug_gate_get_active(*state));
	assert_int_equal(pthread_create(&thread, NULL, put_one, *state), 0);
	pthread_join(thread, NULL);
	assert_int_equal(unplug_gate_inside(*state), 1);
	assert_int_equal(unplug_gate_shut(*state), 0);
	assert_int_equal(pthread_create(&thread, NULL, put_one, *state), 0);
	pthread_join(thread, NULL);
	assert_int_equal(drained, 1);
}

/* What is counted on each CPU we may use is put on the next. */
static void put_other_cpu(void **state)
{
	struct unplug_gate *gate = *state;
	unsigned int got = 0;
	cpu_set_t all, one;
	int cpu;

	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
		if (got)
			unplug_gate_put_active(gate);
		assert_true(unplug_gate_get_active(gate));
		got = 1;
	}
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(unplug_gate_inside(gate), 1);
	assert_int_equal(unplug_gate_shut(gate), 0);
	assert_int_equal(drained, 0);
	unplug_gate_put_active(gate);
	assert_int_equal(drained, 1);
}

static void *wait_for_it(void *arg)
{
	return (void *)(intptr_t)unplug_gate_wait_drained(arg, -1);
}

/* Three wait, maybe from before it is shut */
static void wait_threads(void **state)
{
	struct unplug_gate *gate = *state;
	pthread_t threads[3];
	unsigned int i;
	void *err;

	assert_true(unplug_gate_get_active(gate));
	for (i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_for_it,
						gate), 0);
	assert_int_equal(unplug_gate_shut(gate), 0);
	unplug_gate_put_active(gate);
	for (i = 0; i < 3; i++) {
		pthread_join(threads[i], &err);
		assert_null(err);
	}
}

static pid_t waiter;

static void *wait_as_waiter(void *arg)
{
	__atomic_store_n(&waiter, gettid(), __ATOMIC_RELEASE);
	return wait_for_it(arg);
}

/* Who sleeps already when it is opened, is woken at the end. */
static void wait_since_new(void **state)
{
	struct unplug_gate *gate = *state;
	uint64_t before = gate->word;
	pthread_t thread;
	void *err;

	assert_int_equal(pthread_create(&thread, NULL, wait_as_waiter, gate),
			 0);
	while (__atomic_load_n(&gate->word, __ATOMIC_ACQUIRE) == before)
		sched_yield();
	while (!asleep(__atomic_load_n(&waiter, __ATOMIC_ACQUIRE)))
		sched_yield();
	unplug_gate_open(gate);
	assert_true(unplug_gate_get_active(gate));
	assert_int_equal(unplug_gate_shut(gate), 0);
	unplug_gate_put_active(gate);
	pthread_join(thread, &err);
	assert_null(err);
}

static void wait_eventfd(void **state)
{
	struct unplug_gate *gate = *state;
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t n = 0;

	assert_true(fd >= 0);
	unplug_gate_set_eventfd(gate, fd);
	assert_true(unplug_gate_get_active(gate));
	assert_int_equal(unplug_gate_shut(gate), 0);
	assert_int_equal(read(fd, &n, sizeof(n)), -1);
	unplug_gate_put_active(gate);
	assert_int_equal(read(fd, &n, sizeof(n)), sizeof(n));
	assert_int_equal(n, 1);
	close(fd);
}

static bool free_drained(struct unplug_gate *gate)
{
	drained++;
	unplug_gate_destroy(gate);
	free(gate);
	return false;
}

/* By the last put, and by shut itself */
static void free_from_drained(void **state)
{
	struct unplug_gate *gate;
	int inside;

	(void)state;
	drained = 0;
	for (inside = 0; inside < 2; inside++) {
		gate = malloc(sizeof(*gate));
		assert_non_null(gate);
		assert_int_equal(unplug_gate_init(gate, free_drained), 0);
		unplug_gate_open(gate);
		if (inside)
			assert_true(unplug_gate_get_active(gate));
		assert_int_equal(unplug_gate_shut(gate), 0);
		if (inside)
			unplug_gate_put_active(gate);
		assert_int_equal(drained, inside + 1);
	}
}

static bool open_drained(struct unplug_gate *gate)
{
	unplug_gate_open(gate);
	drained++;
	return false;
}

/* Twice by the last put, once by shut itself */
static void open_from_drained(void **state)
{
	struct unplug_gate *gate = *state;
	unsigned int i;

	gate->drained = open_drained;
	for (i = 0; i < 3; i++) {
		if (i < 2)
			assert_true(unplug_gate_get_active(gate));
		assert_int_equal(unplug_gate_shut(gate), 0);
		if (i < 2)
			unplug_gate_put_active(gate);
		assert_int_equal(drained, i + 1);
		assert_int_equal(unplug_gate_state(gate), UNPLUG_GATE_LIVE);
	}
	gate->drained = NULL;
}

static bool look_drained(struct unplug_gate *gate)
{
	assert_int_equal(unplug_gate_state(gate), UNPLUG_GATE_DRAINING);
	assert_int_equal(unplug_gate_wait_drained(gate, 0), -ETIMEDOUT);
	assert_int_equal(unplug_gate_thaw(gate), -EBUSY);
	drained++;
	return true;
}

/* Who waits is told after it, and nobody thaws before. */
static void drained_first(void **state)
{
	struct unplug_gate *gate = *state;

	gate->drained = look_drained;
	assert_true(unplug_gate_get_active(gate));
	assert_int_equal(unplug_gate_shut(gate), 0);
	unplug_gate_put_active(gate);
	assert_int_equal(drained, 1);
	assert_int_equal(unplug_gate_state(gate), UNPLUG_GATE_DEAD);
	assert_int_equal(unplug_gate_thaw(gate), 0);
}

static struct unplug_gate *signal_gate;
static volatile sig_atomic_t signal_got;

static void on_signal(int number)
{
	(void)number;
	signal_got = unplug_gate_get_active(signal_gate);
	if (signal_got)
		unplug_gate_put_active(signal_gate);
}

static void get_signal(void **state)
{
	struct sigaction action = { .sa_handler = on_signal }, before;

	signal_gate = *state;
	assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
	signal_got = 0;
	raise(SIGUSR1);
	assert_int_equal(signal_got, 1);
	assert_int_equal(unplug_gate_shut(*state), 0);
	raise(SIGUSR1);
	assert_int_equal(signal_got, 0);
	assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

/* More than a chunk has slots for; those that come back hold what others have counted. */
static void init_many(void **state)
{
	enum { MANY = 1500 };
	struct unplug_gate *gates = calloc(MANY, sizeof(*gates));
	unsigned int round, i;

	(void)state;
	assert_non_null(gates);
	drained = 0;
	for (round = 0; round < 2; round++) {
		for (i = 0; i < MANY; i++) {
			assert_int_equal(unplug_gate_init(&gates[i],
							  count_drained), 0);
			unplug_gate_open(&gates[i]);
			assert_int_equal(unplug_gate_inside(&gates[i]), 0);
			assert_true(unplug_gate_get_active(&gates[i]));
		}
		for (i = 0; i < MANY; i++) {
			assert_int_equal(unplug_gate_shut(&gates[i]), 0);
			assert_int_equal(drained, round * MANY + i);
			unplug_gate_put_active(&gates[i]);
			assert_int_equal(drained, round * MANY + i + 1);
			unplug_gate_destroy(&gates[i]);
		}
	}
	free(gates);
}

#define GATE_TEST(f) \
	cmocka_unit_test_setup_teardown(f, gate_setup_open, gate_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(get_new, gate_setup,
						gate_teardown),
		GATE_TEST(get_live),
		GATE_TEST(get_nested),
		GATE_TEST(get_killed),
		GATE_TEST(get_signal),
		GATE_TEST(shut_idle),
		GATE_TEST(shut_inside),
		GATE_TEST(shut_twice),
		cmocka_unit_test(shut_many),
		GATE_TEST(thaw_again),
		GATE_TEST(put_other_thread),
		GATE_TEST(put_other_cpu),
		GATE_TEST(wait_threads),
		cmocka_unit_test_setup_teardown(wait_since_new, gate_setup,
						gate_teardown),
		GATE_TEST(wait_eventfd),
		GATE_TEST(drained_first),
		cmocka_unit_test(free_from_drained),
		GATE_TEST(open_from_drained),
		cmocka_unit_test(init_many),
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
