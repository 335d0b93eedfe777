// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gate and what happens to its process: fork, a filter of system calls that
 * forbids membarrier, a program that counts by the word alone.
 * Promises: U1, U2, a limit
 */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <libunplug/gate.h>
#include <libunplug/registry.h>
#include "internal.h"
#include "test-fatal.h"

/* A child says by its exit status which line was wrong: cmocka is the parent's. */
#define CHILD_ASSERT(what)						\
	do {								\
		if (!(what))						\
			_exit(__LINE__ & 255 ? __LINE__ & 255 : 1);	\
	} while (0)

static unsigned int drained;

static bool count_drained(struct unplug_gate *gate)
{
	(void)gate;
	drained++;
	return true;
}

static void in_child(void (*child)(struct unplug_gate *gate),
		     struct unplug_gate *gate)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		child(gate);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* It has taken over one of two. */
static void child_shuts(struct unplug_gate *gate)
{
	unplug_gate_forked(gate, 1);
	CHILD_ASSERT(unplug_gate_inside(gate) == 1);
	CHILD_ASSERT(unplug_gate_get_active(gate));
	unplug_gate_put_active(gate);
	CHILD_ASSERT(!unplug_gate_shut(gate));
	CHILD_ASSERT(!drained);
	unplug_gate_put_active(gate);
	CHILD_ASSERT(drained == 1);
	CHILD_ASSERT(!unplug_gate_thaw(gate));
	CHILD_ASSERT(unplug_gate_get_active(gate));
	CHILD_ASSERT(unplug_gate_inside(gate) == 1);
}

static void child_finds_dead(struct unplug_gate *gate)
{
	CHILD_ASSERT(unplug_gate_state(gate) == UNPLUG_GATE_DRAINING);
	unplug_gate_forked(gate, 0);
	CHILD_ASSERT(drained == 1);
	CHILD_ASSERT(unplug_gate_state(gate) == UNPLUG_GATE_DEAD);
	unplug_gate_forked(gate, 0);
	CHILD_ASSERT(drained == 1);
	unplug_gate_destroy(gate);
}

static void fork_inside(void **state)
{
	struct unplug_gate gate;

	(void)state;
	drained = 0;
	assert_int_equal(unplug_gate_init(&gate, count_drained), 0);
	unplug_gate_open(&gate);
	assert_true(unplug_gate_get_active(&gate));
	assert_true(unplug_gate_get_active(&gate));
	in_child(child_shuts, &gate);
	assert_int_equal(unplug_gate_inside(&gate), 2);
	assert_int_equal(unplug_gate_shut(&gate), 0);
	in_child(child_finds_dead, &gate);
	unplug_gate_put_active(&gate);
	unplug_gate_put_active(&gate);
	assert_int_equal(drained, 1);
	unplug_gate_destroy(&gate);
}

static void *make_gates(void *stop)
{
	struct unplug_gate gate;

	while (!__atomic_load_n((int *)stop, __ATOMIC_RELAXED)) {
		if (!unplug_gate_init(&gate, NULL))
			unplug_gate_destroy(&gate);
	}
	return NULL;
}

static void child_makes(struct unplug_gate *gate)
{
	CHILD_ASSERT(!unplug_gate_init(gate, NULL));
	unplug_gate_destroy(gate);
}

/* The child must not find a lock taken by a thread it has not. */
static void fork_initialising(void **state)
{
	struct unplug_gate gate;
	pthread_t thread;
	int stop = 0, i;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, make_gates, &stop), 0);
	for (i = 0; i < 50; i++)
		in_child(child_makes, &gate);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

static void forbid_membarrier(unsigned int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	CHILD_ASSERT(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHILD_ASSERT(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter));
}

static void child_forbidden(struct unplug_gate *gate)
{
	forbid_membarrier(EPERM);
	CHILD_ASSERT(unplug_gate_get_active(gate));
	if (!gate->cpus) {
		CHILD_ASSERT(!unplug_gate_shut(gate));
		return;
	}
	CHILD_ASSERT(unplug_gate_shut(gate) == -EPERM);
	CHILD_ASSERT(unplug_gate_state(gate) == UNPLUG_GATE_DYING);
	CHILD_ASSERT(!unplug_gate_get_active(gate));
	unplug_gate_put_active(gate);
	CHILD_ASSERT(unplug_gate_shut(gate) == -EPERM);
	CHILD_ASSERT(!drained);
	CHILD_ASSERT(unplug_gate_wait_drained(gate, 0) == -ETIMEDOUT);
}

static unsigned int membarrier_error;

/* Before the first gate of the process: it does without slots. */
static void child_always_forbidden(struct unplug_gate *gate)
{
	forbid_membarrier(membarrier_error);
	CHILD_ASSERT(!unplug_gate_init(gate, count_drained));
	CHILD_ASSERT(!gate->cpus);
	unplug_gate_open(gate);
	CHILD_ASSERT(unplug_gate_get_active(gate));
	CHILD_ASSERT(!unplug_gate_shut(gate));
	CHILD_ASSERT(!unplug_gate_get_active(gate));
	CHILD_ASSERT(!drained);
	unplug_gate_put_active(gate);
	CHILD_ASSERT(drained == 1);
	unplug_gate_destroy(gate);
}

static bool no_memory;

/* What the library calls (by the linker's --wrap) */
int __real_pthread_atfork(void (*prepare)(void), void (*parent)(void),
			  void (*child)(void));
int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void),
			  void (*child)(void));

int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void),
			  void (*child)(void))
{
	return no_memory ? ENOMEM : __real_pthread_atfork(prepare, parent, child);
}

/* Nor is anything made if a child of its could wait for ever. */
static void child_no_memory(struct unplug_gate *gate)
{
	no_memory = true;
	CHILD_ASSERT(unplug_gate_init(gate, count_drained) == -ENOMEM);
	errno = 0;
	CHILD_ASSERT(!unplug_registry_new(0));
	CHILD_ASSERT(errno == ENOMEM);
}

static void init_no_memory(void **state)
{
	struct unplug_gate gate;

	(void)state;
	in_child(child_no_memory, &gate);
}

static void init_forbidden(void **state)
{
	/* By a filter; a kernel before 5.10, which has no such command; before 4.3, which has none */
	static const unsigned int errors[] = { EPERM, EINVAL, ENOSYS };
	struct unplug_gate gate;
	size_t i;

	(void)state;
	drained = 0;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		membarrier_error = errors[i];
		in_child(child_always_forbidden, &gate);
	}
}

static void shut_forbidden(void **state)
{
	struct unplug_gate gate;

	(void)state;
	drained = 0;
	assert_int_equal(unplug_gate_init(&gate, count_drained), 0);
	unplug_gate_open(&gate);
	in_child(child_forbidden, &gate);
	assert_int_equal(unplug_gate_shut(&gate), 0);
	unplug_gate_destroy(&gate);
}

/* What one has got by the word the other puts in a slot, and the other way round. */
static void mixed_programs(void **state)
{
	struct unplug_gate gate;
	unsigned int i;

	(void)state;
	drained = 0;
	assert_int_equal(unplug_gate_init(&gate, count_drained), 0);
	unplug_gate_open(&gate);
	for (i = 0; i < 100; i++) {
		assert_true(unplug_gate_get_slow(&gate));
		assert_true(unplug_gate_get_slow(&gate));
		assert_true(unplug_gate_get_active(&gate));
		unplug_gate_put_active(&gate);
		unplug_gate_put_active(&gate);
		assert_int_equal(unplug_gate_inside(&gate), 1);
		assert_int_equal(unplug_gate_shut(&gate), 0);
		assert_int_equal(drained, i);
		unplug_gate_put_active(&gate);
		assert_int_equal(drained, i + 1);
		assert_int_equal(unplug_gate_thaw(&gate), 0);
		assert_true(unplug_gate_get_active(&gate));
		unplug_gate_put_slow(&gate);
		assert_int_equal(unplug_gate_inside(&gate), 0);
	}
	assert_int_equal(unplug_gate_shut(&gate), 0);
	unplug_gate_destroy(&gate);
}

/* As another copy of the library would have made it: no slots of this one's */
static void destroy_foreign(struct unplug_gate *gate)
{
	static char slots[2 * UNPLUG_SLOTS_STRIDE];

	unplug_gate_shut(gate);
	gate->slots = slots;
	unplug_gate_destroy(gate);
}

/* Memory that somebody may still count in is not given to others. */
static void destroy_wrong(void **state)
{
	struct unplug_gate gate;

	(void)state;
	assert_int_equal(unplug_gate_init(&gate, NULL), 0);
	unplug_gate_open(&gate);
	assert_fatal(unplug_gate_destroy(&gate), "it was not shut");
	assert_fatal(destroy_foreign(&gate), "another copy's");
	assert_int_equal(unplug_gate_shut(&gate), 0);
	unplug_gate_destroy(&gate);
	unplug_gate_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_forbidden),	/* the first two: see there */
		cmocka_unit_test(init_no_memory),
		cmocka_unit_test(fork_inside),
		cmocka_unit_test(fork_initialising),
		cmocka_unit_test(shut_forbidden),
		cmocka_unit_test(mixed_programs),
		cmocka_unit_test(destroy_wrong),
	};

	return cmocka_run_group_tests_name("gate-process", tests, NULL, NULL);
}
