// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every function of the library with each of its arguments wrong: refused, and nothing is done; or,
 * where nothing can be returned, the process ends with a line that says why. test/lib/run looks
 * whether a function is missing here.
 * Promises: bad input
 */

#include <errno.h>
#include <limits.h>
#include <libunplug/device.h>
#include <libunplug/shmem.h>
#include <libunplug/sigbus.h>
#include <sys/mman.h>
#include "test-fatal.h"

/* Memory of zeroes that nobody has prepared */
static struct unplug_gate gate;
static struct unplug_dev dev;

static const struct unplug_driver driver = { .name = "card" };

static void gate_arguments(void **state)
{
	struct unplug_gate *const gates[] = { &gate, NULL };

	(void)state;
	assert_int_equal(unplug_gate_init(NULL, NULL), -EINVAL);
	assert_int_equal(unplug_gates_close(NULL, 1), -EINVAL);
	assert_int_equal(unplug_gates_close(gates, 1), -EINVAL);
	assert_int_equal(unplug_gates_close(gates + 1, 1), -EINVAL);
	assert_int_equal(unplug_gates_close(NULL, 0), 0);
	assert_int_equal(unplug_gates_shut(NULL, 1), -EINVAL);
	assert_int_equal(unplug_gates_shut(gates, 1), -EINVAL);
	assert_int_equal(unplug_gates_shut(gates + 1, 1), -EINVAL);
	assert_int_equal(unplug_gates_shut(NULL, 0), 0);
	assert_int_equal(unplug_gate_shut(NULL), -EINVAL);
	assert_int_equal(unplug_gate_thaw(NULL), -EINVAL);
	assert_int_equal(unplug_gate_wait_drained(NULL, 0), -EINVAL);
	assert_int_equal(unplug_gate_wait_drained(NULL, -1), -EINVAL);
	assert_int_equal(unplug_gate_state(NULL), UNPLUG_GATE_NEW);
	assert_int_equal(unplug_gate_inside(NULL), 0);
	assert_fatal(unplug_gate_open(NULL), "unplug_gate_open(gate 0x0)");
	assert_fatal(unplug_gate_kill(NULL), "unplug_gate_kill(gate 0x0)");
	assert_fatal(unplug_gate_fold(NULL), "unplug_gate_fold(gate 0x0)");
	assert_fatal(unplug_gate_set_eventfd(NULL, -1), "unplug_gate_set_eventfd(gate 0x0)");
	assert_fatal(unplug_gate_forked(NULL, 0), "unplug_gate_forked(gate 0x0)");
	unplug_gate_destroy(NULL);
	/* The others are for the header alone: unplug_gate_get_slow, unplug_gate_put_slow */
}

/* One wrong one among several: nothing is done to the others. */
static void gates_arguments(void **state)
{
	struct unplug_gate good, *const gates[] = { &good, &gate };

	(void)state;
	assert_int_equal(unplug_gate_init(&good, NULL), 0);
	unplug_gate_open(&good);
	assert_int_equal(unplug_gates_shut(gates, 2), -EINVAL);
	assert_int_equal(unplug_gate_state(&good), UNPLUG_GATE_LIVE);
	assert_int_equal(unplug_gates_shut(gates, 1), 0);
	unplug_gate_destroy(&good);
}

static void device_arguments(void **state)
{
	struct unplug_dev *const devs[] = { &dev, NULL };
	struct unplug_registry *registry = unplug_registry_new(1);

	(void)state;
	assert_non_null(registry);
	assert_int_equal(unplug_dev_init(NULL, &driver, registry), -EINVAL);
	assert_int_equal(unplug_dev_init(&dev, NULL, registry), -EINVAL);
	assert_int_equal(unplug_dev_init(&dev, &driver, NULL), -EINVAL);
	assert_int_equal(unplug_dev_register(NULL), -EINVAL);
	assert_int_equal(unplug_dev_freeze(NULL), -EINVAL);
	assert_int_equal(unplug_dev_thaw(NULL), -EINVAL);
	assert_int_equal(unplug_dev_unplug(NULL), -EINVAL);
	assert_int_equal(unplug_dev_unplug_many(NULL, 1), -EINVAL);
	assert_int_equal(unplug_dev_unplug_many(devs, 1), -EINVAL);
	assert_int_equal(unplug_dev_unplug_many(devs + 1, 1), -EINVAL);
	assert_int_equal(unplug_dev_unplug_many(NULL, 0), 0);
	assert_int_equal(unplug_dev_wait_drained(NULL, 0), -EINVAL);
	assert_int_equal(unplug_dev_wait_drained(NULL, -1), -EINVAL);
	assert_int_equal(unplug_dev_state(NULL), UNPLUG_DEV_NEW);
	assert_int_equal(unplug_dev_error(NULL), -ENXIO);
	assert_int_equal(unplug_dev_inside(NULL), 0);
	assert_true(unplug_dev_minor(NULL) == UINT_MAX);
	assert_true(unplug_dev_generation(NULL) == 0);
	assert_fatal(unplug_dev_forked(NULL, 0), "unplug_dev_forked(device 0x0)");
	assert_null(unplug_dev_get(NULL));
	unplug_dev_put(NULL);
	assert_int_equal(unplug_registry_destroy(registry), 0);
}

static void registry_arguments(void **state)
{
	struct unplug_registry *registry = unplug_registry_new(1);
	unsigned int from = 0;

	(void)state;
	assert_non_null(registry);
	errno = 0;
	assert_null(unplug_registry_new(UNPLUG_MINORS_MAX + 1));
	assert_int_equal(errno, EINVAL);
	assert_null(unplug_registry_find(NULL, 0));
	assert_null(unplug_registry_find(registry, UINT_MAX));
	assert_null(unplug_registry_next(NULL, &from));
	assert_null(unplug_registry_next(registry, NULL));
	assert_int_equal(unplug_registry_destroy(registry), 0);
	assert_int_equal(unplug_registry_destroy(NULL), 0);
}

static void shmem_arguments(void **state)
{
	struct unplug_shmem_holder holder;
	struct unplug_shmem *shmem;
	char name[300];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(unplug_shmem_create(NULL, "name", 1, 0), -EINVAL);
	assert_int_equal(unplug_shmem_create(&shmem, NULL, 1, 0), -EINVAL);
	assert_int_equal(unplug_shmem_create(&shmem, name, 1, 0), -EINVAL);
	assert_int_equal(unplug_shmem_create(&shmem, "name", 0, 0), -EINVAL);
	assert_int_equal(unplug_shmem_create(&shmem, "name", SIZE_MAX, 0), -EINVAL);
	assert_int_equal(unplug_shmem_create(&shmem, "name", 1, 4), -EINVAL);
	assert_null(unplug_shmem_addr(NULL));
	assert_int_equal(unplug_shmem_size(NULL), 0);
	assert_int_equal(unplug_shmem_state(NULL), UNPLUG_SHMEM_REVOKED);
	assert_true(unplug_shmem_lost(NULL));
	assert_int_equal(unplug_shmem_lend(NULL, 0), -EINVAL);
	assert_int_equal(unplug_shmem_revoke(NULL, 0, &holder), -EINVAL);
	unplug_shmem_free(NULL);

	assert_int_equal(unplug_shmem_create(&shmem, "name", 1, 0), 0);
	assert_int_equal(unplug_shmem_lend(shmem, -1), -EBADF);
	unplug_shmem_free(shmem);
}

static void loan_arguments(void **state)
{
	struct unplug_loan *loan;

	(void)state;
	assert_int_equal(unplug_loan_borrow(NULL, -1, 0), -EINVAL);
	assert_int_equal(unplug_loan_borrow(&loan, -1, 0), -EBADF);
	assert_int_equal(unplug_loan_borrow(&loan, -1, 2), -EINVAL);
	assert_null(unplug_loan_addr(NULL));
	assert_int_equal(unplug_loan_size(NULL), 0);
	assert_true(unplug_loan_read_only(NULL));
	assert_true(unplug_loan_lost(NULL));
	unplug_loan_free(NULL);
}

static void sigbus_arguments(void **state)
{
	struct unplug_sigbus_attr attr = { .policy = UNPLUG_SIGBUS_PATCH };
	struct unplug_sigbus_point outer, inner;
	struct unplug_sigbus *guard;
	char page[16] = "";

	(void)state;
	assert_int_equal(unplug_sigbus_register(NULL, page, 1, &attr), -EINVAL);
	assert_int_equal(unplug_sigbus_register(&guard, NULL, 1, &attr), -EINVAL);
	assert_int_equal(unplug_sigbus_register(&guard, page, 0, &attr), -EINVAL);
	assert_int_equal(unplug_sigbus_register(&guard, page, 1, NULL), -EINVAL);
	attr.policy = UNPLUG_SIGBUS_JUMP;
	attr.prot = 8;
	assert_int_equal(unplug_sigbus_register(&guard, page, 1, &attr), -EINVAL);
	assert_int_equal(unplug_sigbus_unregister(NULL), 0);
	assert_false(unplug_sigbus_lost(NULL));
	assert_int_equal(unplug_sigbus_copy_in(NULL, page, 1), 0);
	assert_int_equal(unplug_sigbus_copy_in(page, NULL, 1), 0);
	assert_int_equal(unplug_sigbus_copy_in(page, page + 8, 0), 0);
	assert_int_equal(unplug_sigbus_copy_out(NULL, page, 1), 0);
	assert_int_equal(unplug_sigbus_copy_out(page, NULL, 1), 0);
	assert_fatal(unplug_sigbus_arm(NULL, NULL), "unplug_sigbus_arm(");
	assert_fatal(unplug_sigbus_end(NULL), "unplug_sigbus_end(point 0x0)");
	assert_fatal((unplug_sigbus_arm(&outer, NULL), unplug_sigbus_arm(&inner, NULL),
		      unplug_sigbus_end(&outer)), "the inner one first");
	assert_fatal((unplug_sigbus_arm(&outer, NULL), unplug_sigbus_end(&outer),
		      unplug_sigbus_end(&outer)), "end each once");
	/* These take none: unplug_sigbus_install, unplug_sigbus_check */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gate_arguments),
		cmocka_unit_test(gates_arguments),
		cmocka_unit_test(device_arguments),
		cmocka_unit_test(registry_arguments),
		cmocka_unit_test(shmem_arguments),
		cmocka_unit_test(loan_arguments),
		cmocka_unit_test(sigbus_arguments),
	};

	return cmocka_run_group_tests_name("arguments", tests, NULL, NULL);
}
