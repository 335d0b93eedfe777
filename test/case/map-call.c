// SPDX-License-Identifier: GPL-2.0-or-later
/* What system calls can do to a mapping of a card, live and after unplug */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096
#define PAGES 4
#define BYTE 0x5c

static uint8_t *map_card(struct card *card, int *fd, int flags)
{
	uint8_t *map;

	card_init(card, 1);
	card_fill(1, BYTE);
	*fd = card_open(card);
	map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | flags, *fd, 0);
	expect_works("mmap", map == MAP_FAILED ? -1 : 0);
	return map;
}

static void expect_card(const char *what, uint8_t *map)
{
	uint8_t value = 0;

	expect_equal(what, touch_read(map, &value), 0);
	expect_equal(what, value, BYTE);
}

#define ADVICE(name, err) { #name, name, err }
#define UNKNOWN (-1)	/* as the kernel is configured */

/* What the kernel answers for mappings of frames; none of it empties or fills one. */
static const struct advice {
	const char *name;
	int advice;
	int err;
} advices[] = {
	ADVICE(MADV_NORMAL, 0),
	ADVICE(MADV_RANDOM, 0),
	ADVICE(MADV_SEQUENTIAL, 0),
	ADVICE(MADV_WILLNEED, 0),
	ADVICE(MADV_DONTNEED, EINVAL),
	ADVICE(MADV_FREE, EINVAL),
	ADVICE(MADV_REMOVE, ENODEV),
	ADVICE(MADV_COLD, EINVAL),
	ADVICE(MADV_PAGEOUT, EINVAL),
	ADVICE(MADV_POPULATE_READ, EINVAL),
	ADVICE(MADV_POPULATE_WRITE, EINVAL),
	ADVICE(MADV_DONTFORK, 0),
	ADVICE(MADV_DOFORK, EINVAL),
	ADVICE(MADV_DONTDUMP, 0),
	ADVICE(MADV_DODUMP, EINVAL),
	ADVICE(MADV_WIPEONFORK, EINVAL),
	ADVICE(MADV_KEEPONFORK, 0),
	ADVICE(MADV_MERGEABLE, UNKNOWN),
	ADVICE(MADV_HUGEPAGE, UNKNOWN),
	ADVICE(MADV_NOHUGEPAGE, UNKNOWN),
};

static void advise(uint8_t *map, const struct advice *advice)
{
	int result = madvise(map, PAGES * PAGE, advice->advice);

	if (advice->err > 0)
		expect_errno(advice->name, result, advice->err);
	else if (!advice->err)
		expect_works(advice->name, result);
}

CASE(map_advice_after, .name = "map-advice-after",
     .promise = "K3: no advice of madvise() brings an old mapping back, or spoils a live one",
     .naive = "stale-map")
{
	struct card card;
	uint8_t *map;
	size_t i;
	int fd;

	map = map_card(&card, &fd, 0);
	for (i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		advise(map, &advices[i]);
		expect_card(advices[i].name, map);
	}
	card_unplug(&card);
	for (i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		advise(map, &advices[i]);
		expect_signal_bus(advices[i].name, map);
		expect_signal_bus(advices[i].name, map + 3 * PAGE);
	}
	expect_untouched(1, "current", BYTE);
}

/* Locked in memory, filled in advance, and mapped over */
CASE(map_locked_after, .name = "map-locked-after",
     .promise = "K3: a mapping that was to be locked and populated is revoked all the same",
     .naive = "stale-map")
{
	struct card card;
	uint8_t *map;
	int fd, i;

	map = map_card(&card, &fd, MAP_POPULATE | MAP_LOCKED);
	expect_card("locked", map);
	expect_works("mlockall", mlockall(MCL_CURRENT | MCL_FUTURE));
	card_unplug(&card);
	for (i = 0; i < PAGES; i++)
		expect_signal_bus("what was locked", map + i * PAGE);
	expect_works("mlock", mlock(map, PAGES * PAGE));
	expect_signal_bus("what was locked again", map);
	expect_errno("mapping it over it",
		     mmap(map, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) ==
		     MAP_FAILED ? -1 : 0, ENODEV);
	expect_signal_bus("what was not mapped over", map);
	expect_errno("remap_file_pages", remap_file_pages(map, PAGE, 0, 1, 0), ENODEV);
	expect_signal_bus("what was not remapped", map);
	expect_works("mprotect", mprotect(map, PAGE, PROT_READ));
	expect_works("mprotect", mprotect(map, PAGE, PROT_READ | PROT_WRITE));
	expect_signal_bus("what was protected", map);
	expect_works("munlock", munlock(map, PAGES * PAGE));
	expect_untouched(1, "current", BYTE);
}

static void expect_no_copy(const char *what, long result)
{
	if (result > 0)
		case_end(OUTCOME_STALE_MAP, "%s: %ld bytes, expected EFAULT", what, result);
	expect_errno(what, result, EFAULT);
}

/* One card's driver copies from and to the mapping of another. */
CASE(map_across_after, .name = "map-across-after",
     .promise = "K4: neither a neighbour's driver nor another process copies from an old mapping",
     .naive = "stale-map")
{
	uint8_t *map, *other, bytes[8];
	struct iovec from = { .iov_len = 8 }, to = { bytes, 8 };
	struct card card, neighbour;
	int fd, next;

	map = map_card(&card, &fd, 0);
	card_init(&neighbour, 2);
	next = card_open(&neighbour);
	other = card_map(next, PAGE, 0);
	from.iov_base = map;
	expect_equal("write of a mapping to the neighbour", pwrite(next, map, 8, 0), 8);
	expect_card("the neighbour", other);
	expect_equal("read from it into a mapping", pread(next, map, 8, 0), 8);
	expect_no_copy("process_vm_readv", process_vm_readv(getpid(), &to, 1, &from, 1, 0));
	card_unplug(&card);
	expect_no_copy("write of an old mapping", pwrite(next, map, 8, 0));
	expect_no_copy("read into an old mapping", pread(next, map, 8, 0));
	expect_no_copy("process_vm_readv", process_vm_readv(getpid(), &to, 1, &from, 1, 0));
	expect_no_copy("process_vm_writev", process_vm_writev(getpid(), &to, 1, &from, 1, 0));
	expect_card("the neighbour", other);
	expect_untouched(1, "current", BYTE);
}

#define LETGO "unplug-letgo"
#define LETGO_STATE "/sys/module/unplug_letgo/parameters/state"

static long touch_one(void *arg)
{
	uint8_t value = 0xff;

	return touch_read(arg, &value) ? -1 : value;
}

static void letgo_wait_held(const struct task *task)
{
	char text[16] = "";

	while (strcmp(text, "held")) {
		if (file_read(LETGO_STATE, text, sizeof(text)))
			case_fail(LETGO_STATE ": %m");
		if (!task_running(task))
			case_fail("the fault was over before its handler let go");
	}
}

/* What the guard would look at afterwards was freed: the kernel with KASAN says if it does. */
CASE(fault_let_go, .name = "fault-let-go",
     .promise = "K3: a mapping may go while the handler of its fault waits without mmap_lock",
     .naive = "absent: it is about the guard")
{
	struct task task;
	uint8_t *map, *other;
	int fd;

	expect_equal("errno of loading " LETGO, module_load(LETGO, ""), 0);
	fd = expect_works("open", open("/dev/" LETGO, O_RDWR | O_CLOEXEC));
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	expect_works("mmap", map == MAP_FAILED ? -1 : 0);
	task_start(&task, touch_one, map);
	letgo_wait_held(&task);
	/* The fault, begun again, meets this. */
	other = mmap(map, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	expect_works("mapping over it", other == map ? 0 : -1);
	expect_equal("errno of letting it go on", file_write(LETGO_STATE, "go"), 0);
	expect_equal("what was read", task_wait(&task), 0);
	close(fd);
	expect_equal("errno of unloading " LETGO, module_unload_soon(LETGO), 0);
}
