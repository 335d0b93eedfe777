// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How the end of a gate is told: by a thread that is cancelled, and to one who waits for a gate that
 * was never open
 * Promises: U2
 */

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>
#include <libunplug/gate.h>
#include "internal.h"
#include "test-asleep.h"

static struct unplug_gate gate;
static bool came_back;

/* It is to end at the next call where a thread may be: not before the gate was told. */
static void *put_cancelled(void *data)
{
	(void)data;
	pthread_cancel(pthread_self());
	unplug_gate_put_active(&gate);
	came_back = true;
	pthread_testcancel();
	return NULL;
}

static void told_by_cancelled(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_t thread;
	eventfd_t count;
	void *end;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(unplug_gate_init(&gate, NULL), 0);
	unplug_gate_set_eventfd(&gate, fd);
	unplug_gate_open(&gate);
	assert_true(unplug_gate_get_active(&gate));
	assert_int_equal(unplug_gate_shut(&gate), 0);
	assert_int_equal(pthread_create(&thread, NULL, put_cancelled, NULL), 0);
	assert_int_equal(pthread_join(thread, &end), 0);
	assert_true(end == PTHREAD_CANCELED);
	assert_true(came_back);
	assert_int_equal(eventfd_read(fd, &count), 0);
	assert_int_equal(count, 1);
	unplug_gate_destroy(&gate);
	close(fd);
}

static pid_t waiter;

static void *wait_drained(void *data)
{
	int *answer = data;

	__atomic_store_n(&waiter, gettid(), __ATOMIC_RELEASE);

	*answer = unplug_gate_wait_drained(&gate, -1);
	return NULL;
}

static void destroy_waited(void **state)
{
	pthread_t thread;
	int answer = -1;

	(void)state;
	assert_int_equal(unplug_gate_init(&gate, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_drained, &answer), 0);
	while (!(__atomic_load_n(&gate.word, __ATOMIC_ACQUIRE) & GATE_WAITED))
		sched_yield();
	while (!asleep(__atomic_load_n(&waiter, __ATOMIC_ACQUIRE)))
		sched_yield();
	unplug_gate_destroy(&gate);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(answer, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(told_by_cancelled),
		cmocka_unit_test(destroy_waited),
	};

	return cmocka_run_group_tests_name("gate-told", tests, NULL, NULL);
}
