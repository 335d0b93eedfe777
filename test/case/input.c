// SPDX-License-Identifier: GPL-2.0-or-later
/* Bad input: a clear error, and nothing left behind */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "include/uapi/unplug/ivshmem.h"

#define PAGE 4096
#define UNPULLED "passes: nothing is pulled"

static int card_1(void)
{
	struct card card;

	card_init(&card, 1);
	return card_open(&card);
}

CASE(ioctl_input, .name = "ioctl-input", .promise = "bad input: ioctl", .naive = UNPULLED)
{
	int fd = card_1();

	expect_errno("unknown command", ioctl(fd, _IO('u', 0x7f)), ENOTTY);
	expect_errno("other size", ioctl(fd, _IOR('u', 0x80, char[4])), ENOTTY);
	expect_errno("no pointer", ioctl(fd, IVSHMEM_IOC_INFO, NULL), EFAULT);
	expect_errno("kernel pointer", ioctl(fd, IVSHMEM_IOC_INFO, ULONG_MAX - PAGE), EFAULT);
	close(fd);
}

CASE(pointer_input, .name = "pointer-input", .promise = "bad input: pointers of read and write",
     .naive = UNPULLED)
{
	/* Volatile, because the compiler knows better than to pass these. */
	void *volatile nowhere = (void *)1, *volatile kernel = (void *)(ULONG_MAX - PAGE);
	int fd = card_1();

	expect_errno("read to nowhere", pread(fd, nowhere, 8, 0), EFAULT);
	expect_errno("write from nowhere", pwrite(fd, nowhere, 8, 0), EFAULT);
	expect_errno("read to the kernel", pread(fd, kernel, 8, 0), EFAULT);
	close(fd);
}

CASE(pointer_half_input, .name = "pointer-half-input",
     .promise = "bad input: a buffer that ends too early gives a short count",
     .naive = UNPULLED)
{
	int fd = card_1();
	char *two;

	two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (two == MAP_FAILED || munmap(two + PAGE, PAGE))
		case_fail("mmap: %m");
	expect_equal("read", pread(fd, two, 2 * PAGE, 0), PAGE);
	expect_equal("write", pwrite(fd, two, 2 * PAGE, 0), PAGE);
	close(fd);
}

CASE(offset_input, .name = "offset-input",
     .promise = "bad input: offsets at, past and far past the end", .naive = UNPULLED)
{
	char bytes[16] = { };
	int fd = card_1();

	expect_equal("read at the end", pread(fd, bytes, 16, CARD_SIZE), 0);
	expect_equal("read over the end", pread(fd, bytes, 16, CARD_SIZE - 4), 4);
	expect_equal("read far past the end", pread(fd, bytes, 16, LONG_MAX - 16), 0);
	expect_errno("read over the largest offset", pread(fd, bytes, 16, LONG_MAX), EINVAL);
	expect_errno("read before the start", pread(fd, bytes, 16, -1), EINVAL);
	expect_errno("write at the end", pwrite(fd, bytes, 16, CARD_SIZE), ENOSPC);
	expect_equal("write over the end", pwrite(fd, bytes, 16, CARD_SIZE - 4), 4);
	expect_errno("write far past the end", pwrite(fd, bytes, 16, LONG_MAX - 16), ENOSPC);
	expect_equal("read of nothing", pread(fd, bytes, 0, 0), 0);
	expect_equal("write of nothing", pwrite(fd, bytes, 0, CARD_SIZE), 0);
	close(fd);
}

CASE(llseek_input, .name = "llseek-input", .promise = "bad input: positions", .naive = UNPULLED)
{
	int fd = card_1();

	expect_equal("to the end", lseek(fd, 0, SEEK_END), CARD_SIZE);
	expect_errno("past the end", lseek(fd, 1, SEEK_END), EINVAL);
	expect_errno("before the start", lseek(fd, -1, SEEK_SET), EINVAL);
	expect_errno("far past the end", lseek(fd, LONG_MAX, SEEK_SET), EINVAL);
	expect_errno("from nowhere", lseek(fd, 0, 99), EINVAL);
	expect_equal("unchanged by all that", lseek(fd, 0, SEEK_CUR), CARD_SIZE);
	close(fd);
}

static void refuse_map(int fd, const char *what, size_t length, off_t offset)
{
	void *map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, offset);

	expect_errno(what, map == MAP_FAILED ? -1 : 0, EINVAL);
}

CASE(mmap_input, .name = "mmap-input", .promise = "bad input: mappings past the BAR",
     .naive = UNPULLED)
{
	int fd = card_1();

	refuse_map(fd, "longer than the card", CARD_SIZE + PAGE, 0);
	refuse_map(fd, "over the end", 2 * PAGE, CARD_SIZE - PAGE);
	refuse_map(fd, "at the end", PAGE, CARD_SIZE);
	refuse_map(fd, "far past the end", PAGE, (off_t)1 << 40);
	refuse_map(fd, "at the largest offset that is one", PAGE, -2 * PAGE);
	refuse_map(fd, "of no length", 0, 0);
	munmap(card_map(fd, PAGE, CARD_SIZE - PAGE), PAGE);
	munmap(card_map(fd, CARD_SIZE, 0), CARD_SIZE);
	close(fd);
}

/*
 * The API: unplug-badinput calls it the wrong way, as its parameter says, and
 * leaves what it was answered as the error of its loading.
 */
#define BADINPUT "absent: it does not use the core's functions"
#define BAD_NODE "/dev/unplug-bad0"

static void bad_load(const char *what, int err)
{
	char argument[64];

	snprintf(argument, sizeof(argument), "what=%s", what);
	expect_equal("errno of loading unplug-badinput", module_load("unplug-badinput", argument),
		     err);
}

static void bad_refused(const char *what, int err, const char *message)
{
	bad_load(what, err);
	log_wait("unplug: ", message);
	if (module_loaded("unplug-badinput"))
		case_fail("unplug-badinput %s: still loaded", what);
	if (access(BAD_NODE, F_OK) == 0)
		case_fail("unplug-badinput %s: left a node", what);
}

CASE(register_twice, .name = "register-twice",
     .promise = "bad input: registering a device twice", .naive = BADINPUT)
{
	bad_refused("twice", EBUSY, "it was registered before");
}

CASE(register_again, .name = "register-again",
     .promise = "bad input: registering a device after unplug", .naive = BADINPUT)
{
	bad_refused("again", EBUSY, "it was registered before");
}

CASE(register_name, .name = "register-name",
     .promise = "bad input: registering a device under a name in use", .naive = BADINPUT)
{
	bad_refused("name", ENOTUNIQ, "the name is in use");
}

CASE(register_empty, .name = "register-empty",
     .promise = "bad input: registering a device without a name", .naive = BADINPUT)
{
	bad_refused("empty", EINVAL, "it has no name");
}

CASE(alloc_operations, .name = "alloc-operations",
     .promise = "bad input: a driver without operations", .naive = BADINPUT)
{
	bad_refused("operations", EINVAL, "without file operations");
}

CASE(unplug_unregistered, .name = "unplug-unregistered",
     .promise = "bad input: unplugging a device that was never registered", .naive = BADINPUT)
{
	bad_load("unregistered", EINVAL);
}

CASE(policy_unknown, .name = "policy-unknown",
     .promise = "bad input: a policy that does not exist", .naive = BADINPUT)
{
	bad_load("policy", EINVAL);
}

CASE(policy_late, .name = "policy-late",
     .promise = "bad input: a policy for a device that is registered", .naive = BADINPUT)
{
	bad_load("late", EBUSY);
}

CASE(probe_fails, .name = "probe-fails",
     .promise = "K10: a driver that fails in the middle of probe leaves nothing",
     .naive = BADINPUT)
{
	bad_refused("probe", EIO, "gone after");
	bad_load("alloc", EIO);
}

static void bad_unload(void)
{
	expect_equal("errno of unloading unplug-badinput", module_unload_soon("unplug-badinput"),
		     0);
}

/* The driver maps in way @what; the mapping itself is refused. */
static void bad_mapping(const char *what)
{
	void *map;
	int fd;

	bad_load(what, 0);
	fd = expect_works("open", open(BAD_NODE, O_RDWR | O_CLOEXEC));
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	expect_errno("mmap", map == MAP_FAILED ? -1 : 0, EOPNOTSUPP);
	log_wait("unplug: ", "mapping refused");
	close(fd);
	bad_unload();
}

CASE_OF(map_unsaid, bad_mapping, "populate", .name = "map-unsaid",
	.promise = "K3: a mapping that is populated by a driver that did not say so is refused",
	.naive = BADINPUT);

CASE_OF(map_nothing, bad_mapping, "nothing", .name = "map-nothing",
	.promise = "bad input: a mapping with neither entries nor a fault handler",
	.naive = BADINPUT);

CASE_OF(map_mixed, bad_mapping, "mixed", .name = "map-mixed",
	.promise = "K3: a mapping whose pages the kernel could pin is refused",
	.naive = BADINPUT);

CASE(map_large, .name = "map-large",
     .promise = "bad input: a mapping with operations that no guard can stand before; the driver is told of its end",
     .naive = BADINPUT)
{
	bad_mapping("large");
	log_wait("unplug-badinput: ", "mapping closed");
}

/* UNPLUG_VM_OPS_MAX of include/unplug/device.h */
#define TABLES 4

CASE(map_many, .name = "map-many",
     .promise = "bad input: more tables of vm_ops than a device can have are refused, one by one",
     .naive = BADINPUT)
{
	void *map[TABLES + 1];
	int fd, i;

	bad_load("many", 0);
	fd = expect_works("open", open(BAD_NODE, O_RDWR | O_CLOEXEC));
	for (i = 0; i <= TABLES; i++)
		map[i] = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	expect_errno("mmap with a table too many", map[TABLES] == MAP_FAILED ? -1 : 0, ENOSPC);
	log_wait("unplug: ", "mapping refused: the driver's vm_ops are too many");
	for (i = 0; i < TABLES; i++) {
		expect_works("mmap with a table of its own", map[i] == MAP_FAILED ? -1 : 0);
		munmap(map[i], PAGE);
	}
	close(fd);
	bad_unload();
}

static void bad_fault(const char *what)
{
	uint8_t value;
	void *map;
	int fd;

	bad_load(what, 0);
	fd = expect_works("open", open(BAD_NODE, O_RDWR | O_CLOEXEC));
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	expect_works("mmap", map == MAP_FAILED ? -1 : 0);
	expect_equal("signal", touch_read(map, &value), SIGBUS);
	log_wait("unplug: ", "fault refused");
	munmap(map, PAGE);
	close(fd);
	bad_unload();
}

CASE_OF(fault_page, bad_fault, "page", .name = "fault-page",
	.promise = "K3: a fault handler that returns a page, mapped after the guard, is refused",
	.naive = BADINPUT);

CASE_OF(fault_locked, bad_fault, "locked", .name = "fault-locked",
	.promise = "K3, K10: so is one that returns a page it has locked, which is unlocked again",
	.naive = BADINPUT);

CASE(open_replaces, .name = "open-replaces",
     .promise = "K3: an open that takes the file out of the core's hands is refused",
     .naive = BADINPUT)
{
	bad_load("replace", 0);
	expect_errno("open", open(BAD_NODE, O_RDWR | O_CLOEXEC), EINVAL);
	log_wait("unplug-badinput: ", "released by the other table");
	log_wait("unplug: ", "open refused");
	bad_unload();
}
