// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mappings that a driver populates in ->mmap, as most do that know nothing of unplug:
 * module/populate.c is one. They have to work as they always did, and to be revoked.
 */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096
#define NODE "/dev/unplug-populate"
#define PULL "/sys/module/unplug_populate/parameters/pull"
#define FREEZE "/sys/module/unplug_populate/parameters/freeze"
#define ABSENT "absent: it is about the core; naive populates too, see map-after"

/* Offsets, in pages, as in module/populate.c */
#define SCATTERED 16
#define FAILING 32
#define BUS 48
#define BUS_WC 64
#define BUS_FAILING 80
#define NOTHING 96

static int populate_open(const char *arguments)
{
	expect_equal("errno of loading unplug-populate",
		     module_load("unplug-populate", arguments), 0);
	return expect_works(NODE, open(NODE, O_RDWR | O_CLOEXEC));
}

/* With the memory of card 1 to map, which is filled with 0x5c */
static int populate_open_bus(void)
{
	char arguments[64];

	card_fill(1, 0x5c);
	snprintf(arguments, sizeof(arguments), "start=%#lx size=%d", card_address(1), CARD_SIZE);
	return populate_open(arguments);
}

static uint8_t *populate_map(int fd, int pages, int offset)
{
	return card_map(fd, pages * PAGE, (off_t)offset * PAGE);
}

static void populate_pull(void)
{
	module_pull(PULL);
}

static void populate_end(int fd)
{
	close(fd);
	expect_equal("errno of unloading unplug-populate",
		     module_unload_soon("unplug-populate"), 0);
}

static void expect_bus(uint8_t *map, int pages)
{
	int i;

	for (i = 0; i < pages; i++)
		expect_signal_bus("a populated mapping", map + i * PAGE);
}

CASE(map_populated, .name = "map-populated",
     .promise = "K3: a mapping that ->mmap populates works, and is revoked", .naive = ABSENT)
{
	int fd = populate_open(""), i;
	uint8_t *map = populate_map(fd, 4, 0), *other;

	for (i = 0; i < 4; i++)
		expect_byte("page of a row", map + i * PAGE, i + 1);
	touch_write(map + 2 * PAGE, 0x77);
	other = populate_map(fd, 4, 0);
	expect_byte("what was written by another mapping", other + 2 * PAGE, 0x77);
	populate_pull();
	expect_bus(map, 4);
	expect_bus(other, 4);
	munmap(map, 4 * PAGE);
	munmap(other, 4 * PAGE);
	populate_end(fd);
}

CASE(map_populated_holes, .name = "map-populated-holes",
     .promise = "K3: so does one that is populated in parts, out of order", .naive = ABSENT)
{
	int fd = populate_open("");
	uint8_t *map = populate_map(fd, 3, SCATTERED), value;

	expect_byte("first page, the last of the memory", map, 4);
	expect_equal("signal of the hole", touch_read(map + PAGE, &value), SIGBUS);
	expect_byte("last page, the first of the memory", map + 2 * PAGE, 1);
	populate_pull();
	expect_bus(map, 3);
	munmap(map, 3 * PAGE);
	populate_end(fd);
}

static int parts_main(void *arg)
{
	uint8_t *map = arg;

	expect_byte("a child's page", map, 1);
	expect_byte("a child's page, never touched before", map + 3 * PAGE, 4);
	return 0;
}

CASE(map_populated_parts, .name = "map-populated-parts",
     .promise = "K3: and its parts: split, moved, inherited", .naive = ABSENT)
{
	int fd = populate_open("");
	uint8_t *map = populate_map(fd, 4, 0), *to, value;
	struct job job;

	job_start(&job, parts_main, map);
	job_wait(&job);
	expect_works("munmap in the middle", munmap(map + PAGE, PAGE));
	to = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	to = mremap(map + 3 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	expect_works("mremap", to == MAP_FAILED ? -1 : 0);
	expect_byte("what was moved", to, 4);
	expect_works("mprotect", mprotect(map + 2 * PAGE, PAGE, PROT_READ));
	expect_byte("what is read-only", map + 2 * PAGE, 3);
	expect_equal("signal of writing to it", touch_write(map + 2 * PAGE, 1), SIGSEGV);
	to = mremap(to, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	expect_errno("growing", to == MAP_FAILED ? -1 : 0, EFAULT);
	populate_pull();
	expect_bus(map, 1);
	expect_equal("read-only part", touch_read(map + 2 * PAGE, &value), SIGBUS);
	munmap(map, 3 * PAGE);
	populate_end(fd);
}

/* Card 1 without its driver, which maps it, too; undone by the next case's set-up. */
static int populate_open_free_bus(void)
{
	struct card card;

	card_init(&card, 1);
	card_unplug(&card);
	expect_equal("types reserved for a card without driver", card_types_reserved(1, NULL), 0);
	return populate_open_bus();
}

CASE(map_populated_failing, .name = "map-populated-failing",
     .promise = "K3: one whose ->mmap fails after populating leaves nothing", .naive = ABSENT)
{
	int fd = populate_open_free_bus();
	void *map = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, (off_t)BUS_FAILING * PAGE);

	expect_errno("mmap", map == MAP_FAILED ? -1 : 0, EPROTO);
	expect_equal("types reserved after", card_types_reserved(1, NULL), 0);
	munmap(populate_map(fd, 4, BUS), 4 * PAGE);
	populate_end(fd);
}

CASE(map_populated_nothing, .name = "map-populated-nothing",
     .promise = "K3: one whose ->mmap populates nothing, and that has no fault handler, is refused",
     .naive = ABSENT)
{
	int fd = populate_open("");
	void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, (off_t)NOTHING * PAGE);

	expect_errno("mmap", map == MAP_FAILED ? -1 : 0, EOPNOTSUPP);
	log_wait("unplug: unplug-populate", "it has neither a fault handler nor entries");
	populate_end(fd);
}

CASE(map_populated_type, .name = "map-populated-type",
     .promise = "K3: a populated BAR keeps its memory type for as long as it is mapped",
     .naive = ABSENT)
{
	int fd = populate_open_free_bus();
	uint8_t *map = populate_map(fd, CARD_SIZE / PAGE, BUS_WC);

	expect_byte("the card's first byte", map, 0x5c);
	expect_equal("write-combining reserved", card_types_reserved(1, "write-combining"), 1);
	munmap(map + PAGE, CARD_SIZE - PAGE);
	expect_byte("what is left of it", map, 0x5c);
	expect_equal("write-combining reserved", card_types_reserved(1, "write-combining"), 1);
	munmap(map, PAGE);
	expect_equal("reserved after", card_types_reserved(1, NULL), 0);
	map = populate_map(fd, CARD_SIZE / PAGE, BUS);
	expect_byte("with another type", map, 0x5c);
	populate_pull();
	expect_equal("reserved after the pull, mapped still", card_types_reserved(1, NULL), 0);
	expect_bus(map, 2);
	munmap(map, CARD_SIZE);
	populate_end(fd);
}

CASE(map_populated_bus, .name = "map-populated-bus",
     .promise = "K3: a BAR that ->mmap populates works, and is revoked", .naive = ABSENT)
{
	int fd = populate_open_bus();
	uint8_t *map = populate_map(fd, CARD_SIZE / PAGE, BUS);

	expect_byte("the card's first byte", map, 0x5c);
	expect_byte("the card's last byte", map + CARD_SIZE - 1, 0x5c);
	populate_pull();
	expect_bus(map, 2);
	expect_bus(map + CARD_SIZE - PAGE, 1);
	munmap(map, CARD_SIZE);
	populate_end(fd);
	expect_untouched(1, "current", 0x5c);
}

CASE(map_populated_peek, .name = "map-populated-peek",
     .promise = "K4: ->access of a populated mapping works, and ends with EIO",
     .naive = ABSENT)
{
	int fd = populate_open_bus(), mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	uint8_t *map = populate_map(fd, 4, BUS), byte = 0;

	expect_equal("/proc/self/mem", pread(mem, &byte, 1, (uintptr_t)map + PAGE), 1);
	expect_equal("what it read", byte, 0x5c);
	populate_pull();
	expect_errno("after", pread(mem, &byte, 1, (uintptr_t)map + PAGE), EIO);
	close(mem);
	munmap(map, 4 * PAGE);
	populate_end(fd);
}

struct held {
	int fd;
	int start[2];
};

static int held_main(void *arg)
{
	struct held *held = arg;
	void *map;

	close(held->start[1]);
	word_hear(held->start[0], "the case");
	map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, held->fd, 0);
	expect_works("mmap of an insider", map == MAP_FAILED ? -1 : 0);
	expect_bus(map, 4);
	return 0;
}

CASE(map_populated_during, .name = "map-populated-during",
     .promise = "K3: one that is populated, but not yet linked, when unplug zaps is revoked",
     .naive = ABSENT, .hooks = true)
{
	struct held held = { .fd = populate_open("") };
	struct job job;

	if (pipe2(held.start, O_CLOEXEC))
		case_fail("pipe: %m");
	job_start(&job, held_main, &held);
	close(held.fd);
	hook_stop("mmap");
	word_tell(held.start[1]);
	hook_wait("mmap");
	populate_pull();
	hook_go("mmap");
	job_wait(&job);
	populate_end(-1);
}

static int refused_main(void *arg)
{
	struct held *held = arg;
	void *map;

	close(held->start[1]);
	word_hear(held->start[0], "the case");
	map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, held->fd, 0);
	expect_errno("mmap of an insider, late", map == MAP_FAILED ? -1 : 0, ENODEV);
	return 0;
}

CASE(map_populated_late, .name = "map-populated-late",
     .promise = "K3: one that is about to be populated when unplug comes is not, which waits for nobody",
     .naive = ABSENT, .hooks = true)
{
	struct held held = { .fd = populate_open("") };
	struct job job;

	if (pipe2(held.start, O_CLOEXEC))
		case_fail("pipe: %m");
	job_start(&job, refused_main, &held);
	close(held.fd);
	hook_stop("mapping");
	word_tell(held.start[1]);
	hook_wait("mapping");
	populate_pull();
	log_wait("unplug: unplug-populate", "shut after");
	hook_go("mapping");
	expect_equal("status of who maps", job_wait(&job), 0);
	populate_end(-1);
}

static int touch_main(void *arg)
{
	uint8_t value;

	return touch_read(arg, &value);
}

/*
 * Who touches a page for the first time is held where he has entered the hardware section in
 * which the entry is made, and @path, written to, waits for its end.
 */
static void held_touch(uint8_t *map, const char *path, const char *event)
{
	struct job toucher, job;

	hook_stop("fault");
	job_start(&toucher, touch_main, map);
	hook_wait("fault");
	job_do(&job, "write", path, "1");
	job_wait_in(&job, "unplug_dev");
	if (event)
		log_wait("unplug: unplug-populate", event);
	if (log_has("unplug: unplug-populate", "shut after") ||
	    log_has("unplug: unplug-populate", "frozen after"))
		case_fail("it was declared in a hardware section");
	hook_go("fault");
	job_wait(&toucher);
	expect_equal(path, job_wait(&job), 0);
}

CASE(map_populated_touched, .name = "map-populated-touched",
     .promise = "K3: unplug waits for who is about to make an entry of a populated mapping, and takes it back",
     .naive = ABSENT, .hooks = true)
{
	int fd = populate_open("");
	uint8_t *map = populate_map(fd, 1, 0);

	held_touch(map, PULL, NULL);
	expect_bus(map, 1);
	munmap(map, PAGE);
	populate_end(fd);
}

CASE(freeze_section, .name = "freeze-section",
     .promise = "K8, K12: freeze waits for hardware sections, and says so in the log if they take long",
     .naive = ABSENT, .hooks = true)
{
	int fd = populate_open("");
	uint8_t *map = populate_map(fd, 1, 0);

	held_touch(map, FREEZE, "1 hardware sections have not ended yet");
	expect_equal("errno of thaw", file_write(FREEZE, "0"), 0);
	expect_byte("thawed", map, 1);
	munmap(map, PAGE);
	populate_end(fd);
}

CASE(map_populated_window, .name = "map-populated-window",
     .promise = "K3: unplug waits while ->mmap has mapped what it will not leave there",
     .naive = ABSENT, .hooks = true)
{
	struct held held = { .fd = populate_open("") };
	struct job job, pull;

	if (pipe2(held.start, O_CLOEXEC))
		case_fail("pipe: %m");
	job_start(&job, held_main, &held);
	close(held.fd);
	hook_stop("populated");
	word_tell(held.start[1]);
	hook_wait("populated");
	job_do(&pull, "write", PULL, "1");
	job_wait_in(&pull, "unplug_dev");
	if (log_has("unplug: unplug-populate", "shut after"))
		case_fail("shut was declared with entries in a page table");
	hook_go("populated");
	job_wait(&job);
	expect_equal("errno of the pull", job_wait(&pull), 0);
	populate_end(-1);
}

CASE(map_populated_dummy, .name = "map-populated-dummy",
     .promise = "K4: a populated mapping meets the dummy page, too", .naive = ABSENT)
{
	int fd = populate_open("dummy=1");
	uint8_t *map = populate_map(fd, 4, 0);

	expect_byte("live", map + PAGE, 2);
	populate_pull();
	expect_byte("after", map + PAGE, 0);
	munmap(map, 4 * PAGE);
	populate_end(fd);
}
