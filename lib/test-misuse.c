// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Gates and devices that were not prepared, and those of which more is put than got: refused, or
 * the process ends with a line that says why
 * Promises: U1, bad input
 */

#include <errno.h>
#include <libunplug/device.h>
#include "test-fatal.h"

static unsigned int drained;

static bool count_drained(struct unplug_gate *gate)
{
	(void)gate;
	drained++;
	return true;
}

/* Memory of zeroes refuses, before init as after destroy. */
static void assert_nobody_enters(struct unplug_gate *gate)
{
	struct unplug_gate *list[1] = { gate };

	assert_false(unplug_gate_get_active(gate));
	assert_int_equal(unplug_gate_state(gate), UNPLUG_GATE_NEW);
	assert_int_equal(unplug_gate_inside(gate), 0);
	assert_int_equal(unplug_gate_shut(gate), -EINVAL);
	assert_int_equal(unplug_gates_close(list, 1), -EINVAL);
	assert_int_equal(unplug_gate_thaw(gate), -EINVAL);
	assert_int_equal(unplug_gate_wait_drained(gate, -1), -EINVAL);
	assert_fatal(unplug_gate_open(gate), "unplug_gate_open(gate 0x");
	assert_fatal(unplug_gate_kill(gate), "not prepared: call unplug_gate_init()");
	assert_fatal(unplug_gate_fold(gate), "unplug_gate_fold(gate 0x");
	assert_fatal(unplug_gate_set_eventfd(gate, -1), "unplug_gate_set_eventfd(gate 0x");
	assert_fatal(unplug_gate_forked(gate, 0), "unplug_gate_forked(gate 0x");
	assert_false(unplug_gate_get_active(gate));
	unplug_gate_destroy(gate);
}

static void gate_of_zeroes(void **state)
{
	static struct unplug_gate gate;

	(void)state;
	assert_nobody_enters(&gate);
	assert_int_equal(unplug_gate_init(&gate, NULL), 0);
	unplug_gate_destroy(&gate);
	assert_nobody_enters(&gate);
}

/* What was never open is dead when it is shut, and can be opened later. */
static void shut_new(void **state)
{
	struct unplug_gate gate;

	(void)state;
	drained = 0;
	assert_int_equal(unplug_gate_init(&gate, count_drained), 0);
	assert_int_equal(unplug_gate_shut(&gate), 0);
	assert_int_equal(unplug_gate_state(&gate), UNPLUG_GATE_DEAD);
	assert_int_equal(unplug_gate_wait_drained(&gate, 0), 0);
	assert_int_equal(drained, 1);
	assert_int_equal(unplug_gate_shut(&gate), 0);
	assert_int_equal(drained, 1);
	assert_false(unplug_gate_get_active(&gate));
	unplug_gate_open(&gate);
	assert_true(unplug_gate_get_active(&gate));
	unplug_gate_put_active(&gate);
	assert_int_equal(unplug_gate_shut(&gate), 0);
	assert_int_equal(drained, 2);
	unplug_gate_destroy(&gate);
}

static void open_open(void **state)
{
	struct unplug_gate gate;

	(void)state;
	assert_int_equal(unplug_gate_init(&gate, NULL), 0);
	unplug_gate_open(&gate);
	assert_fatal(unplug_gate_open(&gate), "neither new nor dead");
	assert_true(unplug_gate_get_active(&gate));
	assert_int_equal(unplug_gate_shut(&gate), 0);
	assert_fatal(unplug_gate_open(&gate), "neither new nor dead");
	unplug_gate_put_active(&gate);
	unplug_gate_destroy(&gate);
}

static void destroy_busy(void **state)
{
	struct unplug_gate gate;

	(void)state;
	assert_int_equal(unplug_gate_init(&gate, NULL), 0);
	unplug_gate_open(&gate);
	assert_fatal(unplug_gate_destroy(&gate), "it was not shut, 0 inside");
	assert_true(unplug_gate_get_active(&gate));
	assert_true(unplug_gate_get_active(&gate));
	assert_fatal(unplug_gate_destroy(&gate), "it was not shut, 2 inside");
	assert_int_equal(unplug_gate_shut(&gate), 0);
	assert_fatal(unplug_gate_destroy(&gate), "it is not drained, 2 inside: shut it, and wait");
	unplug_gate_put_active(&gate);
	unplug_gate_put_active(&gate);
	unplug_gate_destroy(&gate);
}

/* Not while it is live, and others come and go: when it is shut, and all are counted. */
static void put_too_many_live(void **state)
{
	struct unplug_gate gate;

	(void)state;
	assert_int_equal(unplug_gate_init(&gate, NULL), 0);
	unplug_gate_open(&gate);
	assert_true(unplug_gate_get_active(&gate));
	unplug_gate_put_active(&gate);
	unplug_gate_put_active(&gate);
	assert_fatal(unplug_gate_shut(&gate), "more was put than got");
	/* Made good again */
	assert_true(unplug_gate_get_active(&gate));
	assert_int_equal(unplug_gate_shut(&gate), 0);
	unplug_gate_destroy(&gate);
}

/* By whoever puts what another has put already */
static void put_too_many_dead(void **state)
{
	struct unplug_gate gate;

	(void)state;
	assert_int_equal(unplug_gate_init(&gate, NULL), 0);
	unplug_gate_open(&gate);
	assert_true(unplug_gate_get_active(&gate));
	assert_int_equal(unplug_gate_shut(&gate), 0);
	unplug_gate_put_active(&gate);
	assert_fatal(unplug_gate_put_active(&gate), "more was put than got");
	unplug_gate_destroy(&gate);
}

/* Nobody can have got it. */
static void put_closed(void **state)
{
	static struct unplug_gate gate;

	(void)state;
	assert_fatal(unplug_gate_put_active(&gate), "not open");
	assert_int_equal(unplug_gate_init(&gate, NULL), 0);
	assert_fatal(unplug_gate_put_active(&gate), "not open");
	unplug_gate_destroy(&gate);
	assert_fatal(unplug_gate_put_active(&gate), "not open");
}

static void fold_live(void **state)
{
	struct unplug_gate gate;

	(void)state;
	assert_int_equal(unplug_gate_init(&gate, NULL), 0);
	unplug_gate_open(&gate);
	assert_fatal(unplug_gate_fold(&gate), "it is not closed");
	assert_int_equal(unplug_gate_shut(&gate), 0);
	unplug_gate_destroy(&gate);
}

static void on_gone(struct unplug_dev *dev)
{
	(void)dev;
}

static const struct unplug_driver driver = { .name = "card", .gone = on_gone };

static void device_of_zeroes(void **state)
{
	static struct unplug_dev dev;
	struct unplug_dev *list[1] = { &dev };

	(void)state;
	assert_false(unplug_dev_get_active(&dev));
	assert_int_equal(unplug_dev_error(&dev), -ENXIO);
	assert_int_equal(unplug_dev_state(&dev), UNPLUG_DEV_NEW);
	assert_int_equal(unplug_dev_inside(&dev), 0);
	assert_true(unplug_dev_minor(&dev) > UNPLUG_MINORS_MAX);
	assert_true(!unplug_dev_generation(&dev));
	assert_int_equal(unplug_dev_register(&dev), -EINVAL);
	assert_int_equal(unplug_dev_freeze(&dev), -EINVAL);
	assert_int_equal(unplug_dev_thaw(&dev), -EINVAL);
	assert_int_equal(unplug_dev_unplug(&dev), -EINVAL);
	assert_int_equal(unplug_dev_unplug_many(list, 1), -EINVAL);
	assert_int_equal(unplug_dev_wait_drained(&dev, -1), -EINVAL);
	assert_fatal(unplug_dev_get(&dev), "unplug_dev_get(device 0x");
	assert_fatal(unplug_dev_put(&dev), "not prepared: call unplug_dev_init()");
	assert_fatal(unplug_dev_forked(&dev, 0), "unplug_dev_forked(device 0x");
	assert_false(unplug_dev_get_active(&dev));
}

static void device_put_too_many(void **state)
{
	struct unplug_registry *registry = unplug_registry_new(4);
	struct unplug_dev dev;

	(void)state;
	assert_non_null(registry);
	assert_int_equal(unplug_dev_init(&dev, &driver, registry), 0);
	assert_int_equal(unplug_dev_register(&dev), 0);
	assert_fatal((unplug_dev_put_active(&dev), unplug_dev_unplug(&dev)),
		     "device card 0, 0x");
	unplug_dev_put(&dev);
	/* The device's own */
	assert_fatal(unplug_dev_put(&dev), "unplug_dev_put(device card 0, 0x");
	assert_int_equal(unplug_dev_unplug(&dev), 0);
	assert_fatal(unplug_dev_put(&dev), "its last reference is gone");
	assert_fatal(unplug_dev_get(&dev), "its last reference is gone");
	assert_int_equal(unplug_registry_destroy(registry), 0);
}

/* What does not fit into a line is left out. */
static void device_long_name(void **state)
{
	struct unplug_registry *registry = unplug_registry_new(1);
	char name[1000];
	struct unplug_driver long_driver = { .name = name, .gone = on_gone };
	struct unplug_dev dev;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_non_null(registry);
	assert_int_equal(unplug_dev_init(&dev, &long_driver, registry), 0);
	assert_int_equal(unplug_dev_register(&dev), 0);
	unplug_dev_put(&dev);
	/* The device's own */
	assert_fatal(unplug_dev_put(&dev), "unplug_dev_put(device nnnnnnnn");
	assert_int_equal(unplug_dev_unplug(&dev), 0);
	assert_int_equal(unplug_registry_destroy(registry), 0);
}

/* Its number is another device's by now. */
static void device_put_too_many_later(void **state)
{
	struct unplug_registry *registry = unplug_registry_new(1);
	struct unplug_dev dev, next;

	(void)state;
	assert_non_null(registry);
	assert_int_equal(unplug_dev_init(&dev, &driver, registry), 0);
	unplug_dev_put(&dev);
	assert_int_equal(unplug_dev_init(&next, &driver, registry), 0);
	assert_fatal(unplug_dev_put(&dev), "its last reference is gone");
	unplug_dev_put(&next);
	assert_int_equal(unplug_registry_destroy(registry), 0);
}

/* Frozen is not drained for good. */
static void device_put_frozen(void **state)
{
	struct unplug_registry *registry = unplug_registry_new(1);
	struct unplug_dev dev;

	(void)state;
	assert_non_null(registry);
	assert_int_equal(unplug_dev_init(&dev, &driver, registry), 0);
	assert_int_equal(unplug_dev_register(&dev), 0);
	assert_int_equal(unplug_dev_freeze(&dev), 0);
	assert_int_equal(unplug_dev_wait_drained(&dev, -1), 0);
	assert_fatal(unplug_dev_put(&dev), "it is not drained");
	assert_int_equal(unplug_dev_unplug(&dev), 0);
	unplug_dev_put(&dev);
	assert_int_equal(unplug_registry_destroy(registry), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gate_of_zeroes),
		cmocka_unit_test(shut_new),
		cmocka_unit_test(open_open),
		cmocka_unit_test(destroy_busy),
		cmocka_unit_test(put_too_many_live),
		cmocka_unit_test(put_too_many_dead),
		cmocka_unit_test(put_closed),
		cmocka_unit_test(fold_live),
		cmocka_unit_test(device_of_zeroes),
		cmocka_unit_test(device_put_too_many),
		cmocka_unit_test(device_long_name),
		cmocka_unit_test(device_put_too_many_later),
		cmocka_unit_test(device_put_frozen),
	};

	return cmocka_run_group_tests_name("misuse", tests, NULL, NULL);
}
