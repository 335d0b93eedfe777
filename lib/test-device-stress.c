// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Devices that come and go under threads that look them up, enter, freeze, thaw and
 * unplug them, all at once: who is inside has a live one, everybody is told once, nothing leaks.
 * Promises: U1, U2
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <libunplug/device.h>

#define MINORS	8
#define THREADS 8
#define DEVICES 400

/*
 * The counters are relaxed, and the memory is plain: it is the library that orders what
 * insiders do before ->drained. ThreadSanitizer sees whether it does.
 */
struct card {
	struct unplug_dev dev;
	unsigned int inside;
	unsigned int drained;
	unsigned int *memory;	/* from init to drained */
};

static struct unplug_registry *registry;
static unsigned int made, gone, over, used, violations;

static struct card *card(struct unplug_dev *dev)
{
	return (struct card *)dev;
}

static void violation(void)
{
	__atomic_fetch_add(&violations, 1, __ATOMIC_RELAXED);
}

static void on_drained(struct unplug_dev *dev)
{
	if (__atomic_load_n(&card(dev)->inside, __ATOMIC_RELAXED) ||
	    __atomic_fetch_add(&card(dev)->drained, 1, __ATOMIC_RELAXED))
		violation();
	free(card(dev)->memory);
	card(dev)->memory = NULL;
}

static void on_gone(struct unplug_dev *dev)
{
	if (card(dev)->drained != 1)
		violation();
	__atomic_fetch_add(&gone, 1, __ATOMIC_RELAXED);
	free(dev);
}

static const struct unplug_driver driver = {
	.name = "stress",
	.drained = on_drained,
	.gone = on_gone,
};

static void use(struct unplug_dev *dev)
{
	int err;

	if (!unplug_dev_get_active(dev)) {
		err = unplug_dev_error(dev);
		if (err != -EAGAIN && err != -ENODEV && err != -ENXIO)
			violation();
		return;
	}
	__atomic_fetch_add(&card(dev)->inside, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(card(dev)->memory, 1, __ATOMIC_RELAXED);
	if (__atomic_load_n(&card(dev)->drained, __ATOMIC_RELAXED))
		violation();
	__atomic_fetch_sub(&card(dev)->inside, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&used, 1, __ATOMIC_RELAXED);
	unplug_dev_put_active(dev);
}

static void reset(struct unplug_dev *dev)
{
	uint64_t generation = unplug_dev_generation(dev);

	if (unplug_dev_freeze(dev))
		return;
	if (unplug_dev_wait_drained(dev, -1))
		violation();
	if (__atomic_load_n(&card(dev)->inside, __ATOMIC_RELAXED))
		violation();
	if (!unplug_dev_thaw(dev) && unplug_dev_generation(dev) <= generation)
		violation();
}

static void *user(void *arg)
{
	unsigned int seed = (uintptr_t)arg, luck;
	struct unplug_dev *dev;

	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		luck = rand_r(&seed);
		dev = unplug_registry_find(registry, luck / 64 % MINORS);
		if (!dev) {
			sched_yield();
			continue;
		}
		if (unplug_dev_minor(dev) != luck / 64 % MINORS)
			violation();
		use(dev);
		if (luck % 64 == 0)
			unplug_dev_unplug(dev);
		else if (luck % 64 < 4)
			reset(dev);
		unplug_dev_put(dev);
	}
	return NULL;
}

static struct unplug_dev *plug(void)
{
	struct card *c = calloc(1, sizeof(*c));
	int err;

	assert_non_null(c);
	c->memory = calloc(1, sizeof(*c->memory));
	assert_non_null(c->memory);
	do {
		err = unplug_dev_init(&c->dev, &driver, registry);
		if (err)
			sched_yield();
	} while (err == -ENOSPC);
	assert_int_equal(err, 0);
	made++;
	err = unplug_dev_register(&c->dev);
	assert_true(!err || err == -ENODEV);
	return &c->dev;
}

/* Until somebody was inside ten times, or others have unplugged all of them */
static void wait_used(struct unplug_dev *const devs[])
{
	unsigned int before = __atomic_load_n(&used, __ATOMIC_RELAXED), i = 0;

	while (__atomic_load_n(&used, __ATOMIC_RELAXED) - before < 10 &&
	       i < MINORS / 2) {
		sched_yield();
		for (i = 0; i < MINORS / 2; i++)
			if (unplug_dev_state(devs[i]) < UNPLUG_DEV_DYING)
				break;
	}
}

static void storm(void **state)
{
	struct unplug_dev *devs[MINORS / 2];
	pthread_t ids[THREADS];
	unsigned int i, j;

	(void)state;
	registry = unplug_registry_new(MINORS);
	assert_non_null(registry);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, user,
						(void *)(uintptr_t)(i + 1)), 0);
	for (i = 0; i < DEVICES; i += MINORS / 2) {
		for (j = 0; j < MINORS / 2; j++)
			devs[j] = plug();
		wait_used(devs);
		assert_int_equal(unplug_dev_unplug_many(devs, MINORS / 2), 0);
		for (j = 0; j < MINORS / 2; j++) {
			if (j % 2)
				assert_int_equal(unplug_dev_wait_drained(devs[j],
									 -1), 0);
			unplug_dev_put(devs[j]);
		}
	}
	__atomic_store_n(&over, 1, __ATOMIC_RELAXED);
	for (i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
	assert_int_equal(violations, 0);
	assert_int_equal(gone, made);
	assert_int_equal(unplug_registry_destroy(registry), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(storm),
	};

	return cmocka_run_group_tests_name("device-stress", tests, NULL, NULL);
}
