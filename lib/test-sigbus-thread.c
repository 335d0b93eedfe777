// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Losses in threads: a range is patched once, whoever faults; unregister waits for
 * handlers that are inside; guards come and go while others fault.
 * Promises: U4
 */

#include <pthread.h>
#include <stdatomic.h>

#include "test-sigbus.h"

#define THREADS 8
#define ROUNDS 200

struct crowd {
	pthread_barrier_t barrier;
	struct lossy lossy;
};

struct member {
	struct crowd *crowd;
	size_t at;
	int bad;
	pthread_t thread;
};

/*
 * Each stores to its own byte of the range, all at once, and finds it there later. Were it
 * patched twice, the second patch would throw away what was stored after the first.
 */
static void *store_own(void *data)
{
	struct member *member = data;
	struct crowd *crowd = member->crowd;
	volatile unsigned char *mem;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&crowd->barrier);	/* it is mapped, and lost */
		mem = crowd->lossy.mem;
		mem[member->at] = 0x5a;
		if (mem[member->at] != 0x5a)
			member->bad++;
		pthread_barrier_wait(&crowd->barrier);	/* all have stored */
		if (mem[member->at] != 0x5a)
			member->bad++;
		pthread_barrier_wait(&crowd->barrier);	/* all have looked */
	}
	return NULL;
}

static void patch_once(void **state)
{
	struct member members[THREADS];
	struct unplug_sigbus *guard;
	struct crowd crowd = { 0 };
	int i, round;

	signal_begin(state);
	pthread_barrier_init(&crowd.barrier, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++) {
		members[i].crowd = &crowd;
		members[i].bad = 0;
		members[i].at = i * (PAGE / 2) + i;
		assert_int_equal(pthread_create(&members[i].thread, NULL, store_own, &members[i]), 0);
	}
	for (round = 0; round < ROUNDS; round++) {
		lossy_init(&crowd.lossy, THREADS / 2);
		guard = guard_new(&crowd.lossy, UNPLUG_SIGBUS_PATCH);
		lossy_cut(&crowd.lossy, 0);
		pthread_barrier_wait(&crowd.barrier);
		pthread_barrier_wait(&crowd.barrier);
		pthread_barrier_wait(&crowd.barrier);
		assert_true(unplug_sigbus_lost(guard));
		assert_int_equal(unplug_sigbus_unregister(guard), 0);
		lossy_deinit(&crowd.lossy);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(members[i].thread, NULL);
		assert_int_equal(members[i].bad, 0);
	}
	pthread_barrier_destroy(&crowd.barrier);
}

/* A handler that is inside until it is told to leave */
struct held {
	struct lossy lossy;
	struct unplug_sigbus *guard;
	int inside[2];
	int leave[2];
	_Atomic bool left;
	bool in_child;
	_Atomic bool unregistered;
};

static enum unplug_sigbus_verdict hold(struct unplug_sigbus *guard, void *addr, void *data)
{
	struct held *held = data;
	char byte = 0;

	(void)guard;
	(void)addr;
	if (held->in_child)
		return UNPLUG_SIGBUS_DO_PATCH;
	if (write(held->inside[1], &byte, 1) != 1 || read(held->leave[0], &byte, 1) != 1)
		return UNPLUG_SIGBUS_PASS;
	held->left = true;
	return UNPLUG_SIGBUS_DO_PATCH;
}

static void *fault(void *data)
{
	struct held *held = data;

	(void)held->lossy.mem[0];
	return NULL;
}

static void *unregister(void *data)
{
	struct held *held = data;
	char byte = 0;

	/* Says that it begins; what it must not do is to return before the handler left. */
	if (write(held->inside[1], &byte, 1) != 1)
		return held;
	if (unplug_sigbus_unregister(held->guard) || !held->left)
		return held;
	held->unregistered = true;
	return NULL;
}

/* Until @guard refuses newcomers: a fault there is nobody's then. */
static void wait_until_dying(struct held *held)
{
	pid_t pid;
	int status;

	do {
		pid = fork();
		assert_true(pid >= 0);
		if (!pid) {
			held->in_child = true;
			(void)held->lossy.mem[0];
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
	} while (!WIFSIGNALED(status));
}

/* A thread meets a loss, and is held in the callback. */
static void held_begin(struct held *held, pthread_t *faulter, void **state)
{
	struct unplug_sigbus_attr attr = {
		.policy = UNPLUG_SIGBUS_CALL, .lost = hold, .data = held,
	};
	char byte;

	signal_begin(state);
	lossy_init(&held->lossy, 1);
	assert_return_code(pipe(held->inside), errno);
	assert_return_code(pipe(held->leave), errno);
	assert_int_equal(unplug_sigbus_register(&held->guard, (void *)held->lossy.mem, PAGE, &attr),
			 0);
	lossy_cut(&held->lossy, 0);
	assert_int_equal(pthread_create(faulter, NULL, fault, held), 0);
	assert_int_equal(read(held->inside[0], &byte, 1), 1);
}

static void unregister_drains(void **state)
{
	struct held held = { 0 };
	pthread_t faulter, unregisterer;
	void *result;
	char byte;

	held_begin(&held, &faulter, state);
	assert_int_equal(pthread_create(&unregisterer, NULL, unregister, &held), 0);
	assert_int_equal(read(held.inside[0], &byte, 1), 1);
	wait_until_dying(&held);
	assert_false(held.unregistered);
	assert_int_equal(write(held.leave[1], &byte, 1), 1);
	pthread_join(unregisterer, &result);
	assert_null(result);
	pthread_join(faulter, NULL);
	assert_true(held.unregistered);
	lossy_deinit(&held.lossy);
}

/* Faults, and guards of other ranges that come and go: all are answered, by their own. */
static enum unplug_sigbus_verdict own_only(struct unplug_sigbus *guard, void *addr, void *data)
{
	struct lossy *lossy = data;
	char *mem = (char *)lossy->mem;

	(void)guard;
	if ((char *)addr < mem || (char *)addr >= mem + lossy->len)
		return UNPLUG_SIGBUS_PASS;
	return UNPLUG_SIGBUS_DO_PATCH;
}

static void *come_and_go(void *data)
{
	_Atomic int *bad = data;
	struct lossy lossy;
	struct unplug_sigbus_attr attr = {
		.policy = UNPLUG_SIGBUS_CALL, .lost = own_only, .data = &lossy,
	};
	struct unplug_sigbus *guard;
	int round;

	for (round = 0; round < ROUNDS * 10; round++) {
		lossy.len = (1 + round % 3) * PAGE;
		lossy.fd = memfd_create("churn", MFD_CLOEXEC);
		lossy.mem = mmap(NULL, lossy.len, PROT_READ | PROT_WRITE, MAP_SHARED, lossy.fd, 0);
		if (lossy.mem == MAP_FAILED ||
		    unplug_sigbus_register(&guard, (void *)lossy.mem, lossy.len, &attr) < 0) {
			(*bad)++;
			break;
		}
		lossy.mem[lossy.len - 1] = 3;
		*bad += lossy.mem[lossy.len - 1] != 3 || !unplug_sigbus_lost(guard);
		unplug_sigbus_unregister(guard);
		munmap((void *)lossy.mem, lossy.len);
		close(lossy.fd);
	}
	return NULL;
}

static void register_while_faulting(void **state)
{
	pthread_t threads[THREADS];
	static _Atomic int bad;
	int i;

	signal_begin(state);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &bad), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(bad, 0);
}

/* Threads that jump, each to its own point */
static void *jump_often(void *data)
{
	struct lossy *lossy = data;
	struct unplug_sigbus_point point;
	volatile int lost = 0, round;

	for (round = 0; round < ROUNDS * 5; round++) {
		if (unplug_sigbus_try(&point, NULL)) {
			lossy->mem[0]++;
			unplug_sigbus_end(&point);
		} else {
			lost++;
		}
	}
	return (void *)(uintptr_t)lost;
}

static void jump_in_threads(void **state)
{
	struct unplug_sigbus *guard;
	pthread_t threads[THREADS];
	struct lossy lossy;
	void *lost;
	int i;

	signal_begin(state);
	lossy_init(&lossy, 1);
	guard = guard_new(&lossy, UNPLUG_SIGBUS_JUMP);
	lossy_cut(&lossy, 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, jump_often, &lossy), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &lost);
		assert_int_equal((uintptr_t)lost, ROUNDS * 5);
	}
	unplug_sigbus_unregister(guard);
	lossy_deinit(&lossy);
}

/* The child has its own range: it is patched there, and not here. */
static void patch_in_child(void **state)
{
	struct unplug_sigbus *guard;
	struct lossy lossy;
	int status;
	pid_t pid;

	signal_begin(state);
	lossy_init(&lossy, 1);
	guard = guard_new(&lossy, UNPLUG_SIGBUS_PATCH);
	lossy_cut(&lossy, 0);
	pid = fork();
	if (!pid) {
		lossy.mem[0] = 1;
		_exit(unplug_sigbus_unregister(guard) || lossy.mem[0] != 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_exit(status, 0);
	assert_false(unplug_sigbus_lost(guard));
	assert_int_equal(lossy.mem[0], 0);
	unplug_sigbus_unregister(guard);
	lossy_deinit(&lossy);
}

/* A child is born while a thread is inside a guard: that thread is not in the child. */
static void fork_while_inside(void **state)
{
	struct held held = { 0 };
	pthread_t faulter;
	int status;
	pid_t pid;
	char byte;

	held_begin(&held, &faulter, state);
	pid = fork();
	if (!pid)
		_exit(unplug_sigbus_unregister(held.guard) != 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_exit(status, 0);
	assert_int_equal(write(held.leave[1], &byte, 1), 1);
	pthread_join(faulter, NULL);
	assert_int_equal(unplug_sigbus_unregister(held.guard), 0);
	lossy_deinit(&held.lossy);
}

/* Has the handler's lock most of the time */
static void *install_on(void *data)
{
	_Atomic bool *stop = data;
	bool bad = false;

	while (!*stop)
		bad |= unplug_sigbus_install() != 0;
	return bad ? data : NULL;
}

/*
 * A child is born while a thread installs the handler. That one is not in the child, which could
 * wait for it for ever: then a signal ends it.
 */
static void fork_while_installing(void **state)
{
	_Atomic bool stop = false;
	pthread_t installer;
	int status, round;
	void *result;
	pid_t pid;

	signal_begin(state);
	assert_int_equal(pthread_create(&installer, NULL, install_on, &stop), 0);
	for (round = 0; round < ROUNDS; round++) {
		pid = fork();
		assert_true(pid >= 0);
		if (!pid) {
			alarm(60);
			_exit(unplug_sigbus_install() != 0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_exit(status, 0);
	}
	stop = true;
	pthread_join(installer, &result);
	assert_null(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patch_once),
		cmocka_unit_test(unregister_drains),
		cmocka_unit_test(register_while_faulting),
		cmocka_unit_test(jump_in_threads),
		cmocka_unit_test(patch_in_child),
		cmocka_unit_test(fork_while_inside),
		cmocka_unit_test(fork_while_installing),
	};

	signal_install();
	return cmocka_run_group_tests_name("sigbus-thread", tests, NULL, NULL);
}
