// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which guard answers, and for which range: guards beside each other, in each other, many, none,
 * and those that are refused.
 * Promises: U4, bad input
 */

#include "test-sigbus.h"

static enum unplug_sigbus_verdict pass(struct unplug_sigbus *guard, void *addr, void *data)
{
	(void)guard;
	(void)addr;
	(void)data;
	return UNPLUG_SIGBUS_PASS;
}

static void touch(void *data)
{
	struct lossy *lossy = data;

	(void)lossy->mem[0];
}

/* Where a loss at @at ends: at a point for the whole, for the part, or in neither */
static int peek_where(struct lossy *lossy, size_t at, struct unplug_sigbus *whole,
		      struct unplug_sigbus *part)
{
	struct unplug_sigbus_point outer, inner;

	if (unplug_sigbus_try(&outer, whole)) {
		if (unplug_sigbus_try(&inner, part)) {
			(void)lossy->mem[at];
			unplug_sigbus_end(&inner);
			unplug_sigbus_end(&outer);
			return 0;
		}
		unplug_sigbus_end(&outer);
		return 2;
	}
	return 1;
}

/* The smaller of two that contain the address, whichever was registered first */
static void nested_guards(void **state)
{
	struct unplug_sigbus *whole, *part;
	struct lossy lossy, inner;
	int order;

	signal_begin(state);
	lossy_init(&lossy, 3);
	inner = lossy;
	inner.mem += PAGE;
	inner.len = PAGE;
	lossy_cut(&lossy, 0);
	for (order = 0; order < 2; order++) {
		if (order)
			part = guard_new(&inner, UNPLUG_SIGBUS_JUMP);
		whole = guard_new(&lossy, UNPLUG_SIGBUS_JUMP);
		if (!order)
			part = guard_new(&inner, UNPLUG_SIGBUS_JUMP);
		assert_int_equal(peek_where(&lossy, PAGE, whole, part), 2);
		assert_int_equal(peek_where(&lossy, 2 * PAGE - 1, whole, part), 2);
		assert_int_equal(peek_where(&lossy, 2 * PAGE, whole, part), 1);
		assert_int_equal(peek_where(&lossy, PAGE - 1, whole, part), 1);
		assert_true(unplug_sigbus_lost(part));
		unplug_sigbus_unregister(whole);
		unplug_sigbus_unregister(part);
	}
	lossy_deinit(&lossy);
}

/* Up to the end of the page that it ends in, from where it begins: no byte of the next one */
static void range_ends_with_page(void **state)
{
	struct unplug_sigbus_attr attr = { .policy = UNPLUG_SIGBUS_JUMP };
	struct unplug_sigbus *whole, *part;
	struct lossy lossy;

	signal_begin(state);
	lossy_init(&lossy, 3);
	lossy_cut(&lossy, 0);
	whole = guard_new(&lossy, UNPLUG_SIGBUS_JUMP);
	assert_int_equal(unplug_sigbus_register(&part, (char *)lossy.mem + PAGE + PAGE / 2, 16, &attr),
			 0);
	assert_int_equal(peek_where(&lossy, PAGE + PAGE / 2 - 1, whole, part), 1);
	assert_int_equal(peek_where(&lossy, PAGE + PAGE / 2, whole, part), 2);
	assert_int_equal(peek_where(&lossy, 2 * PAGE - 1, whole, part), 2);
	assert_int_equal(peek_where(&lossy, 2 * PAGE, whole, part), 1);
	unplug_sigbus_unregister(part);

	/* Two bytes, in a page each */
	assert_int_equal(unplug_sigbus_register(&part, (char *)lossy.mem + PAGE - 1, 2, &attr), 0);
	assert_int_equal(peek_where(&lossy, 2 * PAGE - 1, whole, part), 2);
	assert_int_equal(peek_where(&lossy, 2 * PAGE, whole, part), 1);
	unplug_sigbus_unregister(part);
	unplug_sigbus_unregister(whole);
	lossy_deinit(&lossy);
}

/* Returns what register says of pages @from up to @to of it; nothing is left registered. */
static int register_pages(struct lossy *lossy, int from, int to, enum unplug_sigbus_policy policy)
{
	struct unplug_sigbus_attr attr = { .policy = policy, .lost = pass };
	struct unplug_sigbus *guard;
	int r;

	r = unplug_sigbus_register(&guard, (char *)lossy->mem + from * PAGE, (to - from) * PAGE,
				   &attr);
	if (!r)
		unplug_sigbus_unregister(guard);
	return r;
}

/*
 * A patch takes the whole range: were a part of it guarded besides, and patched already, what was
 * written there since would be lost, and nobody told.
 */
static void overlap_refused(void **state)
{
	static const int overlaps[][2] = { { 2, 4 }, { 1, 3 }, { 3, 5 }, { 2, 3 }, { 1, 5 } };
	struct unplug_sigbus *guard;
	struct lossy lossy, part;
	int own, other, i;

	signal_begin(state);
	lossy_init(&lossy, 6);
	part = lossy;
	part.mem += 2 * PAGE;
	part.len = 2 * PAGE;
	for (own = UNPLUG_SIGBUS_PATCH; own <= UNPLUG_SIGBUS_JUMP; own++) {
		guard = guard_new(&part, own);
		for (other = UNPLUG_SIGBUS_PATCH; other <= UNPLUG_SIGBUS_CALL; other++) {
			for (i = 0; i < 5; i++)
				assert_int_equal(register_pages(&lossy, overlaps[i][0],
								overlaps[i][1], other),
						 own == UNPLUG_SIGBUS_JUMP &&
						 other == UNPLUG_SIGBUS_JUMP ? 0 : -EEXIST);
			assert_int_equal(register_pages(&lossy, 0, 2, other), 0);
			assert_int_equal(register_pages(&lossy, 4, 6, other), 0);
		}
		unplug_sigbus_unregister(guard);
		assert_int_equal(register_pages(&lossy, 0, 6, own), 0);
	}
	lossy_deinit(&lossy);
}

static void unregistered(void **state)
{
	struct unplug_sigbus *guard;
	struct lossy lossy;
	int status;

	signal_begin(state);
	lossy_init(&lossy, 1);
	guard = guard_new(&lossy, UNPLUG_SIGBUS_PATCH);
	assert_int_equal(unplug_sigbus_unregister(guard), 0);
	assert_int_equal(unplug_sigbus_unregister(NULL), 0);
	lossy_cut(&lossy, 0);
	status = in_child(touch, &lossy);
	assert_killed(status, SIGBUS);
	lossy_deinit(&lossy);
}

/* More than fit into the first chunk of places, and these are used again. */
static void many_guards(void **state)
{
	enum { N = 1000 };
	static struct unplug_sigbus *guards[N];
	static struct lossy lossy[N];
	int round, i;

	signal_begin(state);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < N; i++) {
			lossy_init(&lossy[i], 1);
			guards[i] = guard_new(&lossy[i], UNPLUG_SIGBUS_PATCH);
		}
		for (i = 0; i < N; i++) {
			lossy_cut(&lossy[i], 0);
			assert_int_equal(lossy[i].mem[1], 0);
		}
		for (i = 0; i < N; i++) {
			assert_true(unplug_sigbus_lost(guards[i]));
			unplug_sigbus_unregister(guards[i]);
			lossy_deinit(&lossy[i]);
		}
	}
}

/* The second time it is nobody's, and who came since keeps his. */
static void unregister_twice(void **state)
{
	struct unplug_sigbus *old, *guard;
	struct lossy lossy;

	signal_begin(state);
	lossy_init(&lossy, 1);
	old = guard_new(&lossy, UNPLUG_SIGBUS_PATCH);
	assert_int_equal(unplug_sigbus_unregister(old), 0);
	assert_int_equal(unplug_sigbus_unregister(old), -EINVAL);
	guard = guard_new(&lossy, UNPLUG_SIGBUS_PATCH);
	assert_int_equal(unplug_sigbus_unregister(old), -EINVAL);
	lossy_cut(&lossy, 0);
	assert_int_equal(lossy.mem[0], 0);
	assert_int_equal(unplug_sigbus_unregister(guard), 0);
	lossy_deinit(&lossy);
}

static void register_invalid(void **state)
{
	struct unplug_sigbus_attr attr = { .policy = UNPLUG_SIGBUS_PATCH };
	struct unplug_sigbus_attr call = { .policy = UNPLUG_SIGBUS_CALL };
	struct unplug_sigbus_attr none = { .policy = (enum unplug_sigbus_policy)17 };
	char *page = (char *)(16 * PAGE);
	struct unplug_sigbus *guard;

	signal_begin(state);
	assert_int_equal(unplug_sigbus_register(&guard, page, 0, &attr), -EINVAL);
	assert_int_equal(unplug_sigbus_register(&guard, page, PAGE, NULL), -EINVAL);
	assert_int_equal(unplug_sigbus_register(NULL, page, PAGE, &attr), -EINVAL);
	assert_int_equal(unplug_sigbus_register(&guard, page + 1, PAGE, &attr), -EINVAL);
	assert_int_equal(unplug_sigbus_register(&guard, page, SIZE_MAX, &attr), -EINVAL);
	assert_int_equal(unplug_sigbus_register(&guard, page, SIZE_MAX - 17 * PAGE + 1, &attr), 0);
	unplug_sigbus_unregister(guard);
	assert_int_equal(unplug_sigbus_register(&guard, page, SIZE_MAX - 15 * PAGE, &attr), -EINVAL);
	assert_int_equal(unplug_sigbus_register(&guard, page, PAGE, &call), -EINVAL);
	call.lost = pass;
	assert_int_equal(unplug_sigbus_register(&guard, page + 1, PAGE, &call), -EINVAL);
	assert_int_equal(unplug_sigbus_register(&guard, page, PAGE, &none), -EINVAL);
	attr.prot = PROT_READ | PROT_GROWSDOWN;
	assert_int_equal(unplug_sigbus_register(&guard, page, PAGE, &attr), -EINVAL);
	attr.prot = -1;
	assert_int_equal(unplug_sigbus_register(&guard, page, PAGE, &attr), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nested_guards),
		cmocka_unit_test(range_ends_with_page),
		cmocka_unit_test(overlap_refused),
		cmocka_unit_test(unregistered),
		cmocka_unit_test(many_guards),
		cmocka_unit_test(unregister_twice),
		cmocka_unit_test(register_invalid),
	};

	signal_install();
	return cmocka_run_group_tests_name("sigbus-range", tests, NULL, NULL);
}
