// SPDX-License-Identifier: GPL-2.0-or-later
/* Faults and populated mappings in which everything fails in turn; see failnth.h */

#define _GNU_SOURCE
#include "case.h"
#include "failnth.h"
#include "op.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096
#define POPULATE_NODE "/dev/unplug-populate"
#define DUMMY "/sys/module/unplug_ivshmem/parameters/dummy"

/* What an attempt works on: each case runs in a process of its own. */
static struct card card;
static struct op_file file;
static uint8_t *map;

/*
 * Faults: there is no error but a signal, and the kernel tries again where memory is
 * short. So each of them ends well.
 */

/* Far from everything, so that a touch needs page tables of its own */
#define FAR ((void *)0x100000000000)

static void map_far(void)
{
	map = mmap(FAR, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE,
		   file.fd, 0);
	expect_works("mmap", map == MAP_FAILED ? -1 : 0);
}

static long run_fault(void)
{
	return *(volatile uint8_t *)map;
}

static void after_fault(long result)
{
	expect_equal("what was read", result, OP_CARD_BYTE);
	munmap(map, PAGE);
}

CASE(fault_failing, .name = "fault-failing",
     .promise = "K10: whatever fails in a fault, it is tried again", .naive = FAILNTH_ABSENT)
{
	static const struct attempt attempt = {
		"touch", { 0 }, map_far, run_fault, after_fault,
	};

	failnth_need();
	card_init(&card, 1);
	card_fill(1, OP_CARD_BYTE);
	op_open(&file, &card);
	failnth_each(&attempt);
	op_close(&file);
}

static void before_dummy(void)
{
	card_init(&card, 1);
	file.fd = card_open(&card);
	map_far();
	card_unplug(&card);
}

static void after_dummy(long result)
{
	expect_equal("what was read", result, 0);
	munmap(map, PAGE);
	close(file.fd);
	card_bind(&card);
}

CASE(fault_dummy_failing, .name = "fault-dummy-failing",
     .promise = "K4: whatever fails in making a dummy page, it is tried again",
     .naive = FAILNTH_ABSENT)
{
	static const struct attempt attempt = {
		"touch", { 0 }, before_dummy, run_fault, after_dummy,
	};

	failnth_need();
	card_init(&card, 1);
	expect_equal("dummy=1", file_write(DUMMY, "1"), 0);
	card_unplug(&card);
	card_bind(&card);
	failnth_each(&attempt);
	expect_equal("dummy=0", file_write(DUMMY, "0"), 0);
	card_unplug(&card);
	card_bind(&card);
}

/*
 * Mappings that ->mmap populates, which the core writes down. (A touch of one needs nothing:
 * the page tables are there.)
 */

static long run_populate(void)
{
	void *at = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);

	map = at;
	return at == MAP_FAILED ? -1 : 0;
}

static void after_populate(long result)
{
	uint8_t value;

	if (result == -1)
		expect_works("mmap", run_populate());
	expect_equal("signal", touch_read(map + 3 * PAGE, &value), 0);
	expect_equal("the fourth page", value, 4);
	munmap(map, 4 * PAGE);
}

static void populate_each(const struct attempt *attempt)
{
	failnth_need();
	expect_equal("errno of loading", module_load("unplug-populate", ""), 0);
	file.fd = expect_works(POPULATE_NODE, open(POPULATE_NODE, O_RDWR | O_CLOEXEC));
	failnth_each(attempt);
	close(file.fd);
	expect_equal("errno of unloading", module_unload_soon("unplug-populate"), 0);
}

CASE(map_populated_failing_memory, .name = "map-populated-failing-memory",
     .promise = "K10: whatever fails in populating a mapping, nothing of it is left",
     .naive = FAILNTH_ABSENT)
{
	static const struct attempt making = {
		"mmap", { ENOMEM }, NULL, run_populate, after_populate,
	};

	populate_each(&making);
}

/*
 * mprotect() in the middle of a mapping makes three of it: two splits, each of which may
 * fail half way. Another mapping of the same device must not feel that.
 */

static uint8_t *other;

static void before_split(void)
{
	expect_works("mmap", run_populate());
	other = map;
	expect_works("mmap", run_populate());
}

static long run_split(void)
{
	return mprotect(map + PAGE, PAGE, PROT_READ);
}

static void split_check(const char *what, uint8_t *at)
{
	uint8_t value;
	int i;

	for (i = 0; i < 4; i++) {
		expect_equal(what, touch_read(at + i * PAGE, &value), 0);
		expect_equal(what, value, i + 1);
	}
}

static void after_split(long result)
{
	split_check("what was split", map);
	split_check("the other mapping", other);
	if (result != -1)
		expect_equal("what is read-only", touch_write(map + PAGE, 2), SIGSEGV);
	expect_works("munmap", munmap(map, 4 * PAGE));
	split_check("the other mapping, later", other);
	expect_works("munmap", munmap(other, 4 * PAGE));
}

CASE(map_populated_split_failing, .name = "map-populated-split-failing",
     .promise = "K3, K10: a split that fails hurts no other populated mapping",
     .naive = FAILNTH_ABSENT)
{
	static const struct attempt attempt = {
		"mprotect", { ENOMEM }, before_split, run_split, after_split,
	};

	populate_each(&attempt);
}
