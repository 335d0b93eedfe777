// SPDX-License-Identifier: GPL-2.0-or-later
/* Unloading the modules: refused, or safe, in every state of a device */

#define _GNU_SOURCE
#include "case.h"
#include "op.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void expect_refused(const char *what, int err)
{
	if (err != EAGAIN && err != EBUSY)
		case_end(OUTCOME_WRONG_ERRNO, "unloading %s: %s, expected EAGAIN or EBUSY", what,
			 err ? strerrorname_np(err) : "success");
}

static void expect_unloaded(const char *what, int err)
{
	if (err)
		case_end(OUTCOME_WRONG_ERRNO, "unloading %s: %s, expected success", what,
			 strerrorname_np(err));
}

CASE(unload_live, .name = "unload-live",
     .promise = "K2: a driver with an open file of a live card is not unloaded",
     .naive = "passes: an open file holds its module")
{
	struct card card;
	char byte;
	int fd;

	card_init(&card, 1);
	fd = card_open(&card);
	expect_refused(driver->module, module_unload(driver->module));
	expect_equal("read afterwards", read(fd, &byte, 1), 1);
	close(fd);
	expect_unloaded(driver->module, module_unload_soon(driver->module));
}

static long held_ioctl(void *arg)
{
	return op_ioctl.run(arg);
}

CASE(unload_held, .name = "unload-held",
     .promise = "K2: a driver with an operation inside a pulled card is not unloaded",
     .naive = "passes: an open file holds its module")
{
	struct op_file f;
	struct hold hold;
	struct task task;
	struct card card;

	card_init(&card, 1);
	op_open(&f, &card);
	hold_init(&hold, OP_BYTES);
	f.buffer = hold.page;
	task_start(&task, held_ioctl, &f);
	hold_wait(&hold);
	card_unbind(&card);
	expect_refused(driver->module, module_unload(driver->module));
	if (!task_running(&task))
		case_fail("the operation was not held");
	hold_go(&hold, 0);
	task_wait(&task);
	card_wait_gone(&card);
	op_close(&f);
}

static int opener_main(void *arg)
{
	int *start = arg;

	close(start[1]);
	word_hear(start[0], "the one who unloads");
	expect_errno("open", open("/dev/unplug-null0", O_RDWR | O_CLOEXEC), ENXIO);
	return 0;
}

/* He is inside the device, but has not pinned the driver yet: nor can he any more. */
CASE(unload_opening, .name = "unload-opening",
     .promise = "K1, K2: unloading a driver waits for who is about to open its device, and he is refused",
     .naive = "absent: unplug-null has no naive twin", .hooks = true)
{
	struct job opener, unload;
	int start[2];

	expect_equal("errno of loading", module_load("unplug-null", ""), 0);
	if (pipe2(start, O_CLOEXEC))
		case_fail("pipe: %m");
	job_start(&opener, opener_main, start);
	hook_stop("operation");
	word_tell(start[1]);
	hook_wait("operation");
	job_do(&unload, "unload", "unplug-null", "");
	log_wait("unplug: unplug-null0#", "shut after");
	if (log_has("unplug: unplug-null0#", "drained after"))
		case_fail("drained was declared with somebody inside");
	if (!job_running(&unload))
		case_fail("unloaded with somebody inside");
	hook_go("operation");
	expect_equal("status of who opens", job_wait(&opener), 0);
	expect_equal("errno of unloading", job_wait(&unload), 0);
}

/* No file is open, but the core is not done: it has yet to call the driver. */
CASE(unload_drained, .name = "unload-drained",
     .promise = "K2: a driver whose card is drained, but not gone, is not unloaded",
     .naive = "absent: it has no such step", .hooks = true)
{
	struct card card;

	card_init(&card, 1);
	hook_stop("drained");
	card_unbind(&card);
	hook_wait("drained");
	expect_refused(driver->module, module_unload(driver->module));
	hook_go("drained");
	card_wait_gone(&card);
	expect_unloaded(driver->module, module_unload_soon(driver->module));
}

CASE(unload_gone, .name = "unload-gone",
     .promise = "K2: once gone, the driver is unloaded under open files and mappings",
     .naive = "wrong-errno")
{
	struct card card;
	uint8_t *map;
	char byte;
	int fd;

	card_init(&card, 1);
	fd = card_open(&card);
	map = card_map(fd, 4096, 0);
	touch_write(map, 1);
	card_unplug(&card);
	expect_unloaded(driver->module,
			driver->naive ? module_unload(driver->module) :
					module_unload_soon(driver->module));
	expect_errno("read", read(fd, &byte, 1), ENODEV);
	expect_signal_bus("mapping", map);
	expect_works("munmap", munmap(map, 4096));
	expect_works("close", close(fd));
	expect_equal("loading again, errno", module_load(driver->module, ""), 0);
}

CASE(unload_core, .name = "unload-core",
     .promise = "K2: the core is unloaded after the last close, not before",
     .naive = "absent: it has no core")
{
	struct card card;
	char byte;
	int fd;

	card_init(&card, 1);
	fd = card_open(&card);
	expect_refused("unplug", module_unload("unplug"));
	card_unplug(&card);
	expect_unloaded(driver->module, module_unload_soon(driver->module));
	expect_refused("unplug", module_unload("unplug"));
	expect_errno("read", read(fd, &byte, 1), ENODEV);
	expect_works("close", close(fd));
	expect_unloaded("unplug", module_unload_soon("unplug"));
}

CASE(selftest_before, .name = "selftest-before",
     .promise = "K1, K2, K7: the self tests of the core pass when their module is loaded",
     .naive = "absent: it has no core")
{
	int err = module_load("unplug-selftest", "");

	if (err)
		case_fail("loading unplug-selftest: %s; see the kernel's log", strerror(err));
	expect_unloaded("unplug-selftest", module_unload_soon("unplug-selftest"));
}

CASE(selftest_hooks_before, .name = "selftest-hooks-before",
     .promise = "K1, K2, K7: the self tests of the core pass in the hook build too",
     .naive = "absent: it has no core", .hooks = true)
{
	case_selftest_before();
}
