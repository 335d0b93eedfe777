// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Losses in one thread: what each policy does about them, and what copies say.
 * Promises: U4
 */

#include <sys/syscall.h>

#include "test-sigbus.h"

static void patch_lost(void **state)
{
	struct unplug_sigbus *guard;
	struct lossy lossy;
	size_t i;

	signal_begin(state);
	lossy_init(&lossy, 3);
	guard = guard_new(&lossy, UNPLUG_SIGBUS_PATCH);
	assert_int_equal(lossy.mem[5], 0xa5);
	assert_false(unplug_sigbus_lost(guard));

	lossy_cut(&lossy, 0);
	assert_int_equal(lossy.mem[PAGE], 0);
	assert_true(unplug_sigbus_lost(guard));
	for (i = 0; i < lossy.len; i++)
		assert_int_equal(lossy.mem[i], 0);
	lossy.mem[7] = 7;
	assert_int_equal(lossy.mem[7], 7);

	/* It is the process's own now: what becomes of the file does not matter. */
	lossy_cut(&lossy, 3);
	assert_int_equal(lossy.mem[7], 7);
	assert_int_equal(unplug_sigbus_unregister(guard), 0);
	lossy_deinit(&lossy);
}

static void patch_store(void **state)
{
	struct unplug_sigbus *guard;
	struct lossy lossy;

	signal_begin(state);
	lossy_init(&lossy, 2);
	guard = guard_new(&lossy, UNPLUG_SIGBUS_PATCH);
	lossy_cut(&lossy, 0);
	lossy.mem[PAGE + 1] = 9;
	assert_int_equal(lossy.mem[PAGE + 1], 9);
	assert_int_equal(lossy.mem[1], 0);
	unplug_sigbus_unregister(guard);
	lossy_deinit(&lossy);
}

/* All of the range, also what is still there: no half old, half new data. */
static void patch_partly_lost(void **state)
{
	struct unplug_sigbus *guard;
	struct lossy lossy;

	signal_begin(state);
	lossy_init(&lossy, 4);
	guard = guard_new(&lossy, UNPLUG_SIGBUS_PATCH);
	lossy_cut(&lossy, 2);
	assert_int_equal(lossy.mem[0], 0xa5);
	assert_int_equal(lossy.mem[2 * PAGE], 0);
	assert_int_equal(lossy.mem[0], 0);
	unplug_sigbus_unregister(guard);
	lossy_deinit(&lossy);
}

static void touch(void *data)
{
	struct lossy *lossy = data;

	(void)lossy->mem[0];
}

/* Whoever maps something else over it, and loses that, is not saved a second time. */
static void patch_twice(void **state)
{
	struct unplug_sigbus *guard;
	struct lossy lossy;
	int status;

	signal_begin(state);
	lossy_init(&lossy, 1);
	guard = guard_new(&lossy, UNPLUG_SIGBUS_PATCH);
	lossy_cut(&lossy, 0);
	(void)lossy.mem[0];
	assert_ptr_equal(mmap((void *)lossy.mem, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED,
			      lossy.fd, 0), lossy.mem);
	status = in_child(touch, &lossy);
	assert_killed(status, SIGBUS);
	unplug_sigbus_unregister(guard);
	lossy_deinit(&lossy);
}

/* Returns what it read, or -1 if that was lost. */
static int peek(struct lossy *lossy, size_t at, struct unplug_sigbus *guard)
{
	struct unplug_sigbus_point point;
	int byte = -1;

	if (unplug_sigbus_try(&point, guard)) {
		byte = lossy->mem[at];
		unplug_sigbus_end(&point);
		return byte;
	}
	return -1;
}

static void jump_lost(void **state)
{
	struct unplug_sigbus *guard;
	struct lossy lossy;
	sigset_t mask;
	int i;

	signal_begin(state);
	lossy_init(&lossy, 2);
	guard = guard_new(&lossy, UNPLUG_SIGBUS_JUMP);
	assert_int_equal(peek(&lossy, PAGE, guard), 0xa5);
	lossy_cut(&lossy, 1);
	assert_int_equal(peek(&lossy, 0, guard), 0xa5);
	for (i = 0; i < 100; i++)
		assert_int_equal(peek(&lossy, PAGE, i % 2 ? guard : NULL), -1);
	/* Nothing of the handler is left. */
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
	assert_int_equal(sigismember(&mask, SIGBUS), 0);
	assert_int_equal(sigismember(&mask, SIGUSR1), 0);
	unplug_sigbus_unregister(guard);
	lossy_deinit(&lossy);
}

static void jump_without_point(void **state)
{
	struct unplug_sigbus *guard;
	struct lossy lossy;
	int status;

	signal_begin(state);
	lossy_init(&lossy, 1);
	guard = guard_new(&lossy, UNPLUG_SIGBUS_JUMP);
	lossy_cut(&lossy, 0);
	status = in_child(touch, &lossy);
	assert_killed(status, SIGBUS);
	unplug_sigbus_unregister(guard);
	lossy_deinit(&lossy);
}

/* A loss ends at the innermost point that is for its guard, and those inside are disarmed. */
static void jump_nested(void **state)
{
	struct unplug_sigbus_point outer, inner;
	struct unplug_sigbus *guards[2];
	struct lossy lossy[2];
	volatile int where = 0;

	signal_begin(state);
	lossy_init(&lossy[0], 1);
	lossy_init(&lossy[1], 1);
	guards[0] = guard_new(&lossy[0], UNPLUG_SIGBUS_JUMP);
	guards[1] = guard_new(&lossy[1], UNPLUG_SIGBUS_JUMP);
	lossy_cut(&lossy[0], 0);
	lossy_cut(&lossy[1], 0);

	if (unplug_sigbus_try(&outer, guards[0])) {
		if (unplug_sigbus_try(&inner, guards[1])) {
			(void)lossy[1].mem[0];
			where = 10;
		} else {
			where = 1;
		}
		assert_int_equal(where, 1);
		if (unplug_sigbus_try(&inner, guards[1])) {
			(void)lossy[0].mem[0];
			where = 10;
		} else {
			where = 11;
		}
	} else {
		where = 2;
	}
	assert_int_equal(where, 2);
	assert_int_equal(peek(&lossy[0], 0, guards[0]), -1);

	unplug_sigbus_unregister(guards[0]);
	unplug_sigbus_unregister(guards[1]);
	lossy_deinit(&lossy[0]);
	lossy_deinit(&lossy[1]);
}

struct asked {
	enum unplug_sigbus_verdict verdict;
	struct lossy *lossy;
	int times;
	void *addr;
	int unregistered;
	uint64_t blocked;
};

static enum unplug_sigbus_verdict ask(struct unplug_sigbus *guard, void *addr, void *data)
{
	struct asked *asked = data;

	asked->times++;
	asked->addr = addr;
	asked->unregistered = unplug_sigbus_unregister(guard);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &asked->blocked, sizeof(asked->blocked));
	if (asked->verdict == UNPLUG_SIGBUS_RETRY &&
	    ftruncate(asked->lossy->fd, (off_t)asked->lossy->len) < 0)
		return UNPLUG_SIGBUS_PASS;
	return asked->verdict;
}

static struct unplug_sigbus *guard_asking(struct lossy *lossy, struct asked *asked)
{
	struct unplug_sigbus_attr attr = {
		.policy = UNPLUG_SIGBUS_CALL, .lost = ask, .data = asked,
	};
	struct unplug_sigbus *guard;

	asked->lossy = lossy;
	assert_int_equal(unplug_sigbus_register(&guard, (void *)lossy->mem, lossy->len, &attr), 0);
	return guard;
}

static void call_lost(void **state)
{
	struct asked asked = { .verdict = UNPLUG_SIGBUS_RETRY };
	struct unplug_sigbus *guard;
	struct lossy lossy;
	int status;

	signal_begin(state);
	lossy_init(&lossy, 1);
	guard = guard_asking(&lossy, &asked);

	lossy_cut(&lossy, 0);
	assert_int_equal(lossy.mem[3], 0);
	assert_int_equal(asked.times, 1);
	assert_ptr_equal(asked.addr, lossy.mem + 3);
	/* From inside it must refuse, else it would wait for itself. */
	assert_int_equal(asked.unregistered, -EDEADLK);
	/* All signals, those of the C library's own, too, but two that nobody can block */
	assert_int_equal(~asked.blocked, UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1));

	lossy_cut(&lossy, 0);
	asked.verdict = UNPLUG_SIGBUS_DO_JUMP;
	assert_int_equal(peek(&lossy, 0, guard), -1);
	assert_int_equal(asked.times, 2);

	asked.verdict = UNPLUG_SIGBUS_PASS;
	status = in_child(touch, &lossy);
	assert_killed(status, SIGBUS);

	asked.verdict = UNPLUG_SIGBUS_DO_PATCH;
	assert_int_equal(lossy.mem[0], 0);
	assert_int_equal(lossy.mem[1], 0);
	assert_int_equal(asked.times, 3);
	unplug_sigbus_unregister(guard);
	lossy_deinit(&lossy);
}

/* Every byte that is there, and no other, whatever the alignment is */
static void copy_partial(void **state)
{
	static const size_t before[] = { 0, 1, 2, 63, 64, 65, 1000, 4095 };
	static const size_t offsets[] = { 0, 1, 7, 33 };
	unsigned char *buf;
	struct lossy lossy;
	size_t i, j;

	signal_begin(state);
	buf = malloc(3 * PAGE);
	assert_non_null(buf);
	lossy_init(&lossy, 3);
	lossy_cut(&lossy, 1);
	for (i = 0; i < 8; i++) {
		for (j = 0; j < 4; j++) {
			unsigned char *at = (void *)(lossy.mem + PAGE - before[i]);

			memset(buf, 0, 2 * PAGE);
			assert_int_equal(unplug_sigbus_copy_in(buf + offsets[j], at, PAGE + 9),
					 before[i]);
			if (before[i])
				assert_int_equal(buf[offsets[j] + before[i] - 1], 0xa5);
			assert_int_equal(buf[offsets[j] + before[i]], 0);
			assert_int_equal(unplug_sigbus_copy_out(at, buf + offsets[j], PAGE + 9),
					 before[i]);
		}
	}
	assert_int_equal(unplug_sigbus_copy_in(buf, (void *)lossy.mem, PAGE), PAGE);
	assert_int_equal(unplug_sigbus_copy_in(buf, (void *)(lossy.mem + PAGE), 0), 0);
	free(buf);
	lossy_deinit(&lossy);
}

struct copy_args {
	struct lossy *lossy;
	void *buf;
};

static void copy_in_to_lossy(void *data)
{
	struct copy_args *args = data;

	unplug_sigbus_copy_in((void *)args->lossy->mem, args->buf, 8);
}

/* Only the side that was said to be lossy stops a copy; the other one has its own guard, or dies. */
static void copy_other_side(void **state)
{
	struct unplug_sigbus *guard;
	char buf[8] = "1234567";
	struct lossy lossy;
	int status;

	signal_begin(state);
	lossy_init(&lossy, 1);
	lossy_cut(&lossy, 0);
	status = in_child(copy_in_to_lossy, &(struct copy_args){ &lossy, buf });
	assert_killed(status, SIGBUS);

	guard = guard_new(&lossy, UNPLUG_SIGBUS_PATCH);
	assert_int_equal(unplug_sigbus_copy_in((void *)lossy.mem, buf, 8), 8);
	assert_memory_equal((void *)lossy.mem, buf, 8);
	unplug_sigbus_unregister(guard);
	lossy_deinit(&lossy);
}

/* A copy says what is gone, though a guard would have hidden it. */
static void copy_in_guard(void **state)
{
	struct unplug_sigbus *guard;
	struct lossy lossy;
	char buf[8];

	signal_begin(state);
	lossy_init(&lossy, 1);
	guard = guard_new(&lossy, UNPLUG_SIGBUS_PATCH);
	lossy_cut(&lossy, 0);
	assert_int_equal(unplug_sigbus_copy_in(buf, (void *)lossy.mem, 8), 0);
	assert_false(unplug_sigbus_lost(guard));
	unplug_sigbus_unregister(guard);
	lossy_deinit(&lossy);
}

/*
 * A copy is left by a jump, as the side that it does not guard has a guard of its own: what it
 * guarded is nobody's then but its guard's, in whatever is on the stack now.
 */
static void copy_left_by_jump(void **state)
{
	struct unplug_sigbus *guards[2];
	struct unplug_sigbus_point point;
	struct lossy from, to;
	volatile int where = 0;

	signal_begin(state);
	lossy_init(&from, 1);
	lossy_init(&to, 1);
	guards[0] = guard_new(&from, UNPLUG_SIGBUS_PATCH);
	guards[1] = guard_new(&to, UNPLUG_SIGBUS_JUMP);
	lossy_cut(&to, 0);
	if (unplug_sigbus_try(&point, guards[1])) {
		unplug_sigbus_copy_in((void *)to.mem, (void *)from.mem, PAGE);
		where = 1;
	} else {
		where = 2;
	}
	assert_int_equal(where, 2);
	lossy_cut(&from, 0);
	assert_int_equal(from.mem[0], 0);
	assert_true(unplug_sigbus_lost(guards[0]));
	unplug_sigbus_unregister(guards[0]);
	unplug_sigbus_unregister(guards[1]);
	lossy_deinit(&from);
	lossy_deinit(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patch_lost),
		cmocka_unit_test(patch_store),
		cmocka_unit_test(patch_partly_lost),
		cmocka_unit_test(patch_twice),
		cmocka_unit_test(jump_lost),
		cmocka_unit_test(jump_without_point),
		cmocka_unit_test(jump_nested),
		cmocka_unit_test(call_lost),
		cmocka_unit_test(copy_partial),
		cmocka_unit_test(copy_other_side),
		cmocka_unit_test(copy_in_guard),
		cmocka_unit_test(copy_left_by_jump),
	};

	signal_install();
	return cmocka_run_group_tests_name("sigbus", tests, NULL, NULL);
}
