// SPDX-License-Identifier: GPL-2.0-or-later
/* The gate, by one thread: what each state lets and refuses */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <libunplug/gate.h>

static unsigned int drained;

static void count_drained(struct unplug_gate *gate)
{
	(void)gate;
	drained++;
}

static int gate_setup(void **state)
{
	static struct unplug_gate gate;

	*state = &gate;
	drained = 0;
	return unplug_gate_init(&gate, count_drained);
}

static int gate_teardown(void **state)
{
	unplug_gate_destroy(*state);
	return 0;
}

static void get_new(void **state)
{
	assert_false(unplug_gate_get_active(*state));
	assert_int_equal(unplug_gate_state(*state), UNPLUG_GATE_NEW);
}

static void shut_inside(void **state)
{
	struct unplug_gate *gate = *state;

	unplug_gate_open(gate);
	assert_true(unplug_gate_get_active(gate));
	assert_true(unplug_gate_get_active(gate));
	unplug_gate_put_active(gate);
	assert_int_equal(unplug_gate_inside(gate), 1);
	assert_int_equal(unplug_gate_shut(gate), 0);
	assert_false(unplug_gate_get_active(gate));
	assert_int_equal(unplug_gate_state(gate), UNPLUG_GATE_DRAINING);
	assert_int_equal(unplug_gate_wait_drained(gate, 0), -ETIMEDOUT);
	assert_int_equal(drained, 0);
	unplug_gate_put_active(gate);
	assert_int_equal(drained, 1);
	assert_int_equal(unplug_gate_wait_drained(gate, -1), 0);
}

#define GATE_TEST(f) \
	cmocka_unit_test_setup_teardown(f, gate_setup, gate_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GATE_TEST(get_new),
		GATE_TEST(shut_inside),
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
