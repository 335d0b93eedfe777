// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device in the child of a fork: what another thread of the parent's was doing, whoever
 * has forked can do in the child.
 * Promises: U2
 */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <libunplug/device.h>

/* A child says by its exit status which line was wrong: cmocka is the parent's. */
#define CHILD_ASSERT(what)						\
	do {								\
		if (!(what))						\
			_exit(__LINE__ & 255 ? __LINE__ & 255 : 1);	\
	} while (0)

static struct unplug_registry *registry;
static pthread_barrier_t barrier;
static bool waits;	/* a callback does, for the barrier, twice */
static unsigned int cancelled, drained, gone;

static void wait_there(void)
{
	if (waits) {
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
	}
}

static void on_cancel(struct unplug_dev *dev)
{
	(void)dev;
	wait_there();
	cancelled++;
}

static void on_drained(struct unplug_dev *dev)
{
	(void)dev;
	wait_there();
	drained++;
}

static void on_gone(struct unplug_dev *dev)
{
	gone++;
	free(dev);
}

static const struct unplug_driver
	cancels = { .name = "cancels", .cancel = on_cancel, .gone = on_gone },
	drains = { .name = "drains", .drained = on_drained, .gone = on_gone },
	both = { .name = "both", .cancel = on_cancel, .drained = on_drained, .gone = on_gone };

static struct unplug_dev *dev_live(const struct unplug_driver *driver)
{
	struct unplug_dev *dev = malloc(sizeof(*dev));

	assert_non_null(dev);
	assert_int_equal(unplug_dev_init(dev, driver, registry), 0);
	assert_int_equal(unplug_dev_register(dev), 0);
	return dev;
}

static int test_setup(void **state)
{
	(void)state;
	cancelled = drained = gone = 0;
	waits = false;
	registry = unplug_registry_new(0);
	return !registry || pthread_barrier_init(&barrier, NULL, 2);
}

static int test_teardown(void **state)
{
	(void)state;
	pthread_barrier_destroy(&barrier);
	return unplug_registry_destroy(registry);
}

/* Its status, or -1. Asserts nothing: a thread may be waiting for us. */
static int in_child(void (*child)(struct unplug_dev *dev), struct unplug_dev *dev)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		waits = false;
		child(dev);
		_exit(0);
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid ? -1 : status;
}

static void child_unplugs(struct unplug_dev *dev)
{
	unplug_dev_forked(dev, 0);
	CHILD_ASSERT(unplug_dev_state(dev) == UNPLUG_DEV_DYING);
	CHILD_ASSERT(unplug_dev_wait_drained(dev, 0) == -ETIMEDOUT);
	CHILD_ASSERT(unplug_dev_error(dev) == -ENODEV);
	CHILD_ASSERT(!unplug_dev_unplug(dev));
	CHILD_ASSERT(!unplug_dev_wait_drained(dev, 0));
	CHILD_ASSERT(cancelled + drained == 1);
	CHILD_ASSERT(!unplug_dev_unplug(dev));
	CHILD_ASSERT(cancelled + drained == 1);
	CHILD_ASSERT(!gone);
	unplug_dev_put(dev);
	CHILD_ASSERT(gone == 1);
}

static void *unplug_it(void *dev)
{
	return (void *)(intptr_t)unplug_dev_unplug(dev);
}

/* The parent forks while another thread is in the callback. */
static void fork_in_callback(struct unplug_dev *dev)
{
	pthread_t thread;
	int status;
	void *err;

	waits = true;
	assert_int_equal(pthread_create(&thread, NULL, unplug_it, dev), 0);
	pthread_barrier_wait(&barrier);
	status = in_child(child_unplugs, dev);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, &err);
	assert_null(err);
	assert_int_equal(status, 0);
	assert_int_equal(unplug_dev_wait_drained(dev, 0), 0);
	unplug_dev_put(dev);
	assert_int_equal(gone, 1);
}

static void fork_cancelling(void **state)
{
	(void)state;
	fork_in_callback(dev_live(&cancels));
}

static void fork_draining(void **state)
{
	(void)state;
	fork_in_callback(dev_live(&drains));
}

/* The gate was quiet long before: it is unplug itself that calls. */
static void fork_cancelling_frozen(void **state)
{
	struct unplug_dev *dev = dev_live(&cancels);

	(void)state;
	assert_int_equal(unplug_dev_freeze(dev), 0);
	fork_in_callback(dev);
}

static void fork_draining_frozen(void **state)
{
	struct unplug_dev *dev = dev_live(&drains);

	(void)state;
	assert_int_equal(unplug_dev_freeze(dev), 0);
	fork_in_callback(dev);
}

/* One of two is the child's. */
static void child_takes_one(struct unplug_dev *dev)
{
	unplug_dev_forked(dev, 1);
	CHILD_ASSERT(unplug_dev_inside(dev) == 1);
	CHILD_ASSERT(!unplug_dev_unplug(dev));
	CHILD_ASSERT(cancelled == 2 && !drained);
	unplug_dev_put_active(dev);
	CHILD_ASSERT(drained == 1);
	CHILD_ASSERT(unplug_dev_state(dev) == UNPLUG_DEV_DRAINED);
}

static void fork_inside(void **state)
{
	struct unplug_dev *dev = dev_live(&both);

	(void)state;
	assert_true(unplug_dev_get_active(dev));
	assert_true(unplug_dev_get_active(dev));
	assert_int_equal(unplug_dev_unplug(dev), 0);
	assert_int_equal(in_child(child_takes_one, dev), 0);
	unplug_dev_put_active(dev);
	unplug_dev_put_active(dev);
	assert_int_equal(drained, 1);
	unplug_dev_put(dev);
}

static void child_thaws(struct unplug_dev *dev)
{
	unplug_dev_forked(dev, 0);
	CHILD_ASSERT(!unplug_dev_wait_drained(dev, 0));
	CHILD_ASSERT(!unplug_dev_thaw(dev));
	CHILD_ASSERT(unplug_dev_get_active(dev));
	unplug_dev_put_active(dev);
	CHILD_ASSERT(!unplug_dev_unplug(dev));
	unplug_dev_put(dev);
	CHILD_ASSERT(gone == 1);
}

/* Frozen, with the parent's user inside, and then without */
static void fork_frozen(void **state)
{
	struct unplug_dev *dev = dev_live(&both);

	(void)state;
	assert_true(unplug_dev_get_active(dev));
	assert_int_equal(unplug_dev_freeze(dev), 0);
	assert_int_equal(in_child(child_thaws, dev), 0);
	unplug_dev_put_active(dev);
	assert_int_equal(in_child(child_thaws, dev), 0);
	assert_int_equal(unplug_dev_unplug(dev), 0);
	unplug_dev_put(dev);
}

static void child_finds_drained(struct unplug_dev *dev)
{
	unplug_dev_forked(dev, 0);
	CHILD_ASSERT(unplug_dev_state(dev) == UNPLUG_DEV_DRAINED);
	CHILD_ASSERT(drained == 1);
	unplug_dev_put(dev);
	CHILD_ASSERT(gone == 1);
}

static void fork_drained(void **state)
{
	struct unplug_dev *dev = dev_live(&both);

	(void)state;
	assert_int_equal(unplug_dev_unplug(dev), 0);
	assert_int_equal(in_child(child_finds_drained, dev), 0);
	unplug_dev_put(dev);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, test_setup, test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fork_cancelling),
		TEST(fork_draining),
		TEST(fork_cancelling_frozen),
		TEST(fork_draining_frozen),
		TEST(fork_inside),
		TEST(fork_frozen),
		TEST(fork_drained),
	};

	return cmocka_run_group_tests_name("device-process", tests, NULL, NULL);
}
