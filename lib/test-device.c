// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device and the registry: what each state allows, and who is told what, once
 * Promises: U1, U2, bad input
 */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <libunplug/device.h>
#include "internal.h"

static unsigned int cancelled, drained, gone;
static struct unplug_registry *registry;

static void on_cancel(struct unplug_dev *dev)
{
	/* Nobody enters any more, and nobody has been told that it is drained. */
	assert_false(unplug_dev_get_active(dev));
	assert_int_equal(unplug_dev_state(dev), UNPLUG_DEV_SHUT);
	cancelled++;
}

static void on_drained(struct unplug_dev *dev)
{
	assert_int_equal(unplug_dev_inside(dev), 0);
	drained++;
}

static void on_gone(struct unplug_dev *dev)
{
	gone++;
	free(dev);
}

static const struct unplug_driver driver = {
	.name = "test",
	.cancel = on_cancel,
	.drained = on_drained,
	.gone = on_gone,
};

static struct unplug_dev *dev_new(void)
{
	struct unplug_dev *dev = malloc(sizeof(*dev));

	assert_non_null(dev);
	assert_int_equal(unplug_dev_init(dev, &driver, registry), 0);
	return dev;
}

static struct unplug_dev *dev_live(void)
{
	struct unplug_dev *dev = dev_new();

	assert_int_equal(unplug_dev_register(dev), 0);
	return dev;
}

static unsigned int killed, killed_early;

/* What unplug calls (by the linker's --wrap): from then on users are refused, and ask why. */
void __real_unplug_gate_kill(struct unplug_gate *gate);
void __wrap_unplug_gate_kill(struct unplug_gate *gate);

void __wrap_unplug_gate_kill(struct unplug_gate *gate)
{
	killed++;
	if (unplug_dev_error((struct unplug_dev *)gate) != -ENODEV)
		killed_early++;
	__real_unplug_gate_kill(gate);
}

static int test_setup(void **state)
{
	(void)state;
	killed = killed_early = 0;
	cancelled = drained = gone = 0;
	registry = unplug_registry_new(0);
	return !registry;
}

static int test_teardown(void **state)
{
	(void)state;
	return unplug_registry_destroy(registry);
}

static void put_new(void **state)
{
	(void)state;
	unplug_dev_put(dev_new());
	assert_int_equal(gone, 1);
	assert_int_equal(drained, 0);
}

static void unplug_new(void **state)
{
	struct unplug_dev *dev = dev_new();

	(void)state;
	assert_int_equal(unplug_dev_error(dev), -ENXIO);
	assert_int_equal(unplug_dev_freeze(dev), -EBUSY);
	assert_int_equal(unplug_dev_thaw(dev), -EBUSY);
	assert_int_equal(unplug_dev_unplug(dev), 0);
	assert_int_equal(unplug_dev_register(dev), -ENODEV);
	assert_int_equal(unplug_dev_error(dev), -ENODEV);
	assert_int_equal(drained, 1);
	unplug_dev_put(dev);
	assert_int_equal(gone, 1);
}

static void unplug_live(void **state)
{
	struct unplug_dev *dev = dev_live();

	(void)state;
	assert_int_equal(unplug_dev_register(dev), -EBUSY);
	assert_true(unplug_dev_get_active(dev));
	assert_int_equal(unplug_dev_inside(dev), 1);
	unplug_dev_put_active(dev);
	assert_int_equal(unplug_dev_wait_drained(dev, 0), -ETIMEDOUT);
	assert_int_equal(unplug_dev_unplug(dev), 0);
	assert_int_equal(unplug_dev_state(dev), UNPLUG_DEV_DRAINED);
	assert_int_equal(unplug_dev_wait_drained(dev, -1), 0);
	assert_int_equal(unplug_dev_error(dev), -ENODEV);
	assert_int_equal(unplug_dev_unplug(dev), 0);
	assert_int_equal(unplug_dev_freeze(dev), -ENODEV);
	assert_int_equal(killed, 1);
	assert_int_equal(killed_early, 0);
	assert_int_equal(cancelled, 1);
	assert_int_equal(drained, 1);
	assert_int_equal(gone, 0);
	unplug_dev_put(dev);
	assert_int_equal(gone, 1);
}

/* Who is inside unplugs, and is the last one: he needs no reference to leave. */
static void unplug_inside(void **state)
{
	struct unplug_dev *dev = dev_live();

	(void)state;
	assert_true(unplug_dev_get_active(dev));
	assert_int_equal(unplug_dev_unplug(dev), 0);
	assert_int_equal(unplug_dev_state(dev), UNPLUG_DEV_SHUT);
	assert_int_equal(unplug_dev_wait_drained(dev, 0), -ETIMEDOUT);
	assert_int_equal(unplug_dev_wait_drained(dev, 1), -ETIMEDOUT);
	unplug_dev_put(dev);
	assert_int_equal(drained, 0);
	assert_int_equal(gone, 0);
	unplug_dev_put_active(dev);
	assert_int_equal(drained, 1);
	assert_int_equal(gone, 1);
}

/* One membarrier for all, none for those that are gone; one is named twice. */
static void unplug_many(void **state)
{
	struct unplug_dev *devs[9];
	unsigned int i, before;

	(void)state;
	for (i = 0; i < 8; i++)
		devs[i] = dev_live();
	devs[8] = devs[2];
	assert_true(unplug_dev_get_active(devs[5]));
	before = unplug_slots_syncs;
	assert_int_equal(unplug_dev_unplug_many(devs, 9), 0);
	assert_int_equal(unplug_slots_syncs - before, !!devs[0]->gate.cpus);
	assert_int_equal(drained, 7);
	assert_int_equal(cancelled, 8);
	before = unplug_slots_syncs;
	assert_int_equal(unplug_dev_unplug_many(devs, 9), 0);
	assert_int_equal(unplug_slots_syncs, before);
	unplug_dev_put_active(devs[5]);
	assert_int_equal(drained, 8);
	for (i = 0; i < 8; i++)
		unplug_dev_put(devs[i]);
	assert_int_equal(gone, 8);
}

static void freeze_thaw(void **state)
{
	struct unplug_dev *dev = dev_live();
	uint64_t generation = unplug_dev_generation(dev);

	(void)state;
	assert_true(unplug_dev_get_active(dev));
	assert_int_equal(unplug_dev_freeze(dev), 0);
	assert_int_equal(unplug_dev_freeze(dev), -EBUSY);
	assert_false(unplug_dev_get_active(dev));
	assert_int_equal(unplug_dev_error(dev), -EAGAIN);
	assert_int_equal(unplug_dev_wait_drained(dev, 0), -ETIMEDOUT);
	assert_int_equal(unplug_dev_thaw(dev), -EBUSY);
	unplug_dev_put_active(dev);
	assert_int_equal(unplug_dev_wait_drained(dev, -1), 0);
	assert_int_equal(unplug_dev_thaw(dev), 0);
	assert_true(unplug_dev_generation(dev) > generation);
	assert_true(unplug_dev_get_active(dev));
	unplug_dev_put_active(dev);
	assert_int_equal(drained, 0);
	assert_int_equal(unplug_dev_unplug(dev), 0);
	assert_int_equal(drained, 1);
	unplug_dev_put(dev);
}

static void unplug_frozen(void **state)
{
	struct unplug_dev *dev = dev_live();

	(void)state;
	assert_int_equal(unplug_dev_freeze(dev), 0);
	assert_int_equal(unplug_dev_unplug(dev), 0);
	assert_int_equal(unplug_dev_thaw(dev), -ENODEV);
	assert_int_equal(drained, 1);
	unplug_dev_put(dev);
	assert_int_equal(gone, 1);
}

static void unplug_freezing(void **state)
{
	struct unplug_dev *dev = dev_live();

	(void)state;
	assert_true(unplug_dev_get_active(dev));
	assert_int_equal(unplug_dev_freeze(dev), 0);
	assert_int_equal(unplug_dev_unplug(dev), 0);
	assert_int_equal(drained, 0);
	unplug_dev_put_active(dev);
	assert_int_equal(drained, 1);
	unplug_dev_put(dev);
	assert_int_equal(gone, 1);
}

static void *wait_for_it(void *arg)
{
	return (void *)(intptr_t)unplug_dev_wait_drained(arg, -1);
}

static void wait_thread(void **state)
{
	struct unplug_dev *dev = dev_live();
	pthread_t thread;
	void *err;

	(void)state;
	assert_true(unplug_dev_get_active(dev));
	assert_int_equal(pthread_create(&thread, NULL, wait_for_it, dev), 0);
	assert_int_equal(unplug_dev_unplug(dev), 0);
	unplug_dev_put_active(dev);
	pthread_join(thread, &err);
	assert_null(err);
	unplug_dev_put(dev);
}

static pthread_barrier_t cancelling;

static void on_cancel_wait(struct unplug_dev *dev)
{
	(void)dev;
	pthread_barrier_wait(&cancelling);
	pthread_barrier_wait(&cancelling);
}

static const struct unplug_driver slow_driver = {
	.name = "slow",
	.cancel = on_cancel_wait,
	.drained = on_drained,
	.gone = on_gone,
};

static void *unplug_it(void *arg)
{
	return (void *)(intptr_t)unplug_dev_unplug(arg);
}

/* Another one has unplugged it, frozen and idle, and has not told it yet: not drained. */
static void wait_cancelling(void **state)
{
	struct unplug_dev *dev = dev_live();
	pthread_t thread;
	void *err;

	(void)state;
	dev->drv = &slow_driver;
	assert_int_equal(unplug_dev_freeze(dev), 0);
	assert_int_equal(unplug_dev_wait_drained(dev, 0), 0);
	pthread_barrier_init(&cancelling, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, unplug_it, dev), 0);
	pthread_barrier_wait(&cancelling);
	assert_int_equal(unplug_dev_unplug(dev), 0);
	assert_int_equal(unplug_dev_wait_drained(dev, 0), -ETIMEDOUT);
	assert_int_equal(drained, 0);
	pthread_barrier_wait(&cancelling);
	assert_int_equal(unplug_dev_wait_drained(dev, -1), 0);
	assert_int_equal(drained, 1);
	pthread_join(thread, &err);
	assert_null(err);
	pthread_barrier_destroy(&cancelling);
	unplug_dev_put(dev);
}

static struct unplug_dev signal_dev;

static void on_signal(int number)
{
	(void)number;
	unplug_dev_put_active(&signal_dev);
}

static void on_gone_signal(struct unplug_dev *dev)
{
	(void)dev;
	gone++;
}

static const struct unplug_driver signal_driver = {
	.name = "signal",
	.gone = on_gone_signal,
};

/* The signal comes while the library holds its lock: the handler waits for nobody. */
static void put_last_signal(void **state)
{
	struct sigaction action = { .sa_handler = on_signal }, before;
	struct unplug_dev *dev = &signal_dev;
	const char *slots;

	(void)state;
	assert_int_equal(unplug_dev_init(dev, &signal_driver, registry), 0);
	slots = dev->gate.slots;
	assert_int_equal(unplug_dev_register(dev), 0);
	assert_true(unplug_dev_get_active(dev));
	assert_int_equal(unplug_dev_unplug(dev), 0);
	unplug_dev_put(dev);
	assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
	unplug_lib_lock();
	raise(SIGUSR1);
	unplug_lib_unlock();
	assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
	assert_int_equal(gone, 1);
	/* Its slots are free. */
	dev = dev_new();
	assert_ptr_equal(dev->gate.slots, slots);
	unplug_dev_put(dev);
}

static void find_states(void **state)
{
	struct unplug_dev *dev = dev_new();
	unsigned int minor = unplug_dev_minor(dev);
	const uint32_t *refs = dev->refs;

	(void)state;
	/* New: found, and refused by its gate */
	assert_ptr_equal(unplug_registry_find(registry, minor), dev);
	assert_false(unplug_dev_get_active(dev));
	unplug_dev_put(dev);
	assert_null(unplug_registry_find(registry, minor + 1));
	assert_null(unplug_registry_find(registry, UNPLUG_MINORS_MAX));
	assert_null(unplug_registry_find(registry, UNPLUG_MINORS_MAX - 1));
	assert_int_equal(unplug_dev_register(dev), 0);
	assert_int_equal(unplug_dev_unplug(dev), 0);
	/* Dying: likewise, as long as anybody has a reference */
	assert_ptr_equal(unplug_registry_find(registry, minor), dev);
	assert_int_equal(unplug_registry_destroy(registry), -EBUSY);
	unplug_dev_put(dev);
	assert_int_equal(gone, 0);
	unplug_dev_put(dev);
	assert_int_equal(gone, 1);
	assert_null(unplug_registry_find(registry, minor));
	/* Its count, which outlives it: nobody has got a reference of what is leaving. */
	assert_int_equal(*refs, 0);
}

static void next_all(void **state)
{
	enum { DEVICES = 2500 };	/* more than a chunk of the table has */
	struct unplug_dev *devs[DEVICES], *dev;
	unsigned int from = 0, n = 0, i;

	(void)state;
	for (i = 0; i < DEVICES; i++)
		devs[i] = dev_new();
	unplug_dev_put(devs[1]);
	while ((dev = unplug_registry_next(registry, &from))) {
		assert_ptr_equal(dev, devs[n ? n + 1 : 0]);
		unplug_dev_put(dev);
		n++;
	}
	assert_int_equal(n, DEVICES - 1);
	for (i = 0; i < DEVICES; i++)
		if (i != 1)
			unplug_dev_put(devs[i]);
}

/* A number is not given again while somebody has a reference, and then it comes back last. */
static void minor_reuse(void **state)
{
	struct unplug_dev *devs[4], *dev = malloc(sizeof(*dev));
	unsigned int i;

	assert_non_null(dev);
	assert_int_equal(test_teardown(state), 0);
	registry = unplug_registry_new(4);
	assert_non_null(registry);
	for (i = 0; i < 4; i++) {
		devs[i] = dev_live();
		assert_int_equal(unplug_dev_minor(devs[i]), i);
		if (i == 2) {
			assert_int_equal(unplug_dev_unplug(devs[1]), 0);
			unplug_dev_put(devs[1]);
		}
	}
	assert_int_equal(unplug_dev_unplug(devs[0]), 0);
	devs[1] = dev_new();
	assert_int_equal(unplug_dev_minor(devs[1]), 1);
	assert_int_equal(unplug_dev_init(dev, &driver, registry), -ENOSPC);
	unplug_dev_put(devs[0]);
	assert_int_equal(unplug_dev_init(dev, &driver, registry), 0);
	assert_int_equal(unplug_dev_minor(dev), 0);
	assert_true(unplug_dev_generation(dev) == 6);
	unplug_dev_put(dev);
	unplug_dev_put(devs[1]);
	assert_int_equal(unplug_dev_unplug_many(devs + 2, 2), 0);
	unplug_dev_put(devs[2]);
	unplug_dev_put(devs[3]);
}

static void new_invalid(void **state)
{
	(void)state;
	errno = 0;
	assert_null(unplug_registry_new(UNPLUG_MINORS_MAX + 1));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(unplug_registry_destroy(NULL), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, test_setup, test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(put_new),
		TEST(unplug_new),
		TEST(unplug_live),
		TEST(unplug_inside),
		TEST(unplug_many),
		TEST(freeze_thaw),
		TEST(unplug_frozen),
		TEST(unplug_freezing),
		TEST(wait_thread),
		TEST(wait_cancelling),
		TEST(put_last_signal),
		TEST(find_states),
		TEST(next_all),
		TEST(minor_reuse),
		TEST(new_invalid),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
