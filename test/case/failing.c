// SPDX-License-Identifier: GPL-2.0-or-later
/* Registering, operations and unplug in which everything fails in turn; see failnth.h */

#define _GNU_SOURCE
#include "case.h"
#include "failnth.h"
#include "op.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096
#define NULL_DRIVER "/sys/bus/platform/drivers/unplug-null"
#define NULL_DEVICE "unplug-null.0"
#define NULL_NODE "/dev/unplug-null0"

/* What an attempt works on: each case runs in a process of its own. */
static struct card card;
static struct op_file file;
static uint8_t *map;
static int control;		/* what run() writes to */

static long run_control(const char *text)
{
	return pwrite(control, text, strlen(text), 0);
}

static int control_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		case_fail("%s: %m", path);
	return fd;
}

/*
 * Registering: the driver's probe, by sysfs
 */

static void null_do(const char *what)
{
	char path[CARD_PATH];

	snprintf(path, sizeof(path), NULL_DRIVER "/%s", what);
	expect_equal(what, file_write(path, NULL_DEVICE), 0);
}

static long run_null_bind(void)
{
	return run_control(NULL_DEVICE);
}

/* The node may be missing where all else went well: the kernel does not insist on it. */
static void after_null_bind(long result)
{
	int fd;

	if (result != -1)
		null_do("unbind");
	null_do("bind");
	fd = expect_works("open", open(NULL_NODE, O_RDWR | O_CLOEXEC));
	expect_equal("write", write(fd, "x", 1), 1);
	close(fd);
	null_do("unbind");
}

CASE(register_failing, .name = "register-failing",
     .promise = "K10: whatever fails in registering a device, nothing of it is left",
     .naive = FAILNTH_ABSENT)
{
	static const struct attempt attempt = {
		"bind", { ENOMEM, EFAULT }, NULL, run_null_bind, after_null_bind,
	};

	failnth_need();
	expect_equal("errno of loading", module_load("unplug-null", ""), 0);
	control = control_open(NULL_DRIVER "/bind");
	null_do("unbind");
	failnth_each(&attempt);
	close(control);
	expect_equal("errno of unloading", module_unload_soon("unplug-null"), 0);
}

/*
 * Loading: the module's own init, behind all that the kernel does for any module
 */

static const char *module;
static int module_file;

static long run_load(void)
{
	return syscall(SYS_finit_module, module_file, "", 0);
}

static void after_load(long result)
{
	if (result == -1)
		expect_equal("errno of loading", module_load(module, ""), 0);
	expect_equal("errno of unloading", module_unload_soon(module), 0);
}

static void load_failing(const char *name)
{
	struct attempt attempt = {
		/* EINVAL: what the driver core says of a device that there is no memory to name */
		"load", { ENOMEM, EFAULT, EINVAL }, NULL, run_load, after_load,
	};
	char path[CARD_PATH];

	module = name;
	snprintf(path, sizeof(path), "/modules/%s.ko", name);
	module_file = expect_works(path, open(path, O_RDONLY | O_CLOEXEC));
	failnth_each(&attempt);
	close(module_file);
}

CASE_OF(load_failing, load_failing, "unplug-null", .name = "load-failing",
	.promise = "K10: whatever fails in loading a driver, nothing of it is left",
	.naive = FAILNTH_ABSENT);

CASE(load_core_failing, .name = "load-core-failing",
     .promise = "K10: whatever fails in loading the core, nothing of it is left",
     .naive = FAILNTH_ABSENT)
{
	const char *error;

	failnth_need();
	error = world_unload();
	if (error)
		case_fail("%s", error);
	load_failing("unplug");
}

static long run_card_control(void)
{
	return run_control(card.address);
}

static void card_control_open(const char *what)
{
	char path[CARD_PATH];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/%s", driver->pci, what);
	control = control_open(path);
}

static void card_check(void)
{
	struct op_file f;

	op_open(&f, &card);
	op_check(&op_ioctl, &f, op_ioctl.run(&f));
	op_close(&f);
	munmap(f.buffer, OP_BYTES);
}

static void after_card_bind(long result)
{
	if (result != -1)
		card_unbind(&card);
	card_bind(&card);
	card_check();
	card_unbind(&card);
}

CASE(register_card_failing, .name = "register-card-failing",
     .promise = "K10: whatever fails in registering a card, nothing of it is left",
     .naive = FAILNTH_ABSENT)
{
	static const struct attempt attempt = {
		/* EBUSY: what the PCI core says when it has no memory to write a claim down */
		"bind", { ENOMEM, EFAULT, EBUSY }, NULL, run_card_control, after_card_bind,
	};

	failnth_need();
	card_init(&card, 1);
	card_control_open("bind");
	card_unbind(&card);
	failnth_each(&attempt);
	close(control);
	card_bind(&card);
}

/*
 * Operations
 */

static long run_open(void)
{
	return open(card.node, O_RDWR | O_CLOEXEC);
}

static void after_open(long result)
{
	if (result != -1)
		close(result);
	card_check();
}

CASE(open_failing, .name = "open-failing",
     .promise = "K10: whatever fails in open, nothing of it is left", .naive = FAILNTH_ABSENT)
{
	static const struct attempt attempt = {
		"open", { ENOMEM, EFAULT }, NULL, run_open, after_open,
	};

	card_init(&card, 1);
	failnth_each(&attempt);
}

static const struct op *op;

static void before_op(void)
{
	op_open(&file, &card);
}

static long run_op(void)
{
	return op->run(&file);
}

/* What is said to have worked has worked; and what failed works now. */
static void after_op(long result)
{
	if (result != -1)
		op_check(op, &file, result);
	op_close(&file);
	munmap(file.buffer, OP_BYTES);
	op_open(&file, &card);
	op_check(op, &file, op->run(&file));
	op_close(&file);
	munmap(file.buffer, OP_BYTES);
}

static void op_failing(const struct op *which)
{
	struct attempt attempt = {
		which->name, { ENOMEM, EFAULT }, before_op, run_op, after_op,
	};

	failnth_need();
	card_init(&card, 1);
	card_fill(1, which->kind == OP_WRITES ? 0 : OP_CARD_BYTE);
	op = which;
	failnth_each(&attempt);
}

#define OP_FAILING(id)								\
	CASE_OF(id##_failing, op_failing, &op_##id, .name = #id "-failing",	\
		.promise = "K10: whatever fails in " #id ", an error says so",	\
		.naive = FAILNTH_ABSENT)

OP_FAILING(read);
OP_FAILING(write);
OP_FAILING(ioctl);
OP_FAILING(mmap);

/*
 * Unplug must not need memory: there is nobody it could report an error to. What can
 * fail is the way to it, sysfs, and then the card is as it was.
 */

static void before_unplug(void)
{
	file.fd = card_open(&card);
	map = card_map(file.fd, PAGE, 0);
	expect_equal("live", *(volatile uint8_t *)map, OP_CARD_BYTE);
}

static void after_unplug(long result)
{
	char byte;

	if (result == -1) {
		expect_equal("read of what is still there", read(file.fd, &byte, 1), 1);
	} else {
		expect_errno("read", read(file.fd, &byte, 1), ENODEV);
		expect_signal_bus("the mapping", map);
		card_wait_gone(&card);
		card_bind(&card);
	}
	munmap(map, PAGE);
	close(file.fd);
}

CASE(unplug_failing, .name = "unplug-failing",
     .promise = "K2, K3: whatever fails in unplug, it does its work", .naive = FAILNTH_ABSENT)
{
	static const struct attempt attempt = {
		"unbind", { ENOMEM, EFAULT }, before_unplug, run_card_control, after_unplug,
	};

	failnth_need();
	card_init(&card, 1);
	card_fill(1, OP_CARD_BYTE);
	card_control_open("unbind");
	failnth_each(&attempt);
	close(control);
}
