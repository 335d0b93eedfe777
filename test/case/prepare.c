// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mappings of a driver that has ->mmap_prepare: module/prepare.c. It only says what to map;
 * the kernel does it when the mapping is linked, and the operation over. Behind the gate it
 * is done in ->mmap, so these are populated mappings as those of populate.c.
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
#define NODE "/dev/unplug-prepare"
#define PARAMETERS "/sys/module/unplug_prepare/parameters/"
#define PULL PARAMETERS "pull"
#define WINDOW PARAMETERS "window"
#define ABSENT "absent: it has no ->mmap_prepare; the textbook is the control"

/* Offsets, in pages, as in module/prepare.c */
#define FAULTS 16
#define FAILING 32
#define BUS_WC 48

static int prepare_open(const char *arguments)
{
	char all[160];
	int err;

	snprintf(all, sizeof(all), "window_seconds=%d %s", case_timeout() / 2000, arguments);
	err = module_load("unplug-prepare", all);
	if (err == EOPNOTSUPP)
		case_end(OUTCOME_SKIP, "this kernel has no ->mmap_prepare, or not that of 7.2");
	expect_equal("errno of loading unplug-prepare", err, 0);
	return expect_works(NODE, open(NODE, O_RDWR | O_CLOEXEC));
}

static uint8_t *prepare_map(int fd, int pages, int offset)
{
	return card_map(fd, pages * PAGE, (off_t)offset * PAGE);
}

static void prepare_pull(void)
{
	module_pull(PULL);
}

static void prepare_end(int fd)
{
	close(fd);
	expect_equal("errno of unloading unplug-prepare",
		     module_unload_soon("unplug-prepare"), 0);
}

static void expect_parameter(const char *name, const char *want)
{
	char path[CARD_PATH], text[32];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	if (file_read(path, text, sizeof(text)) || strcmp(text, want))
		case_fail("%s: it is %s, expected %s", path, text, want);
}

static void expect_bus(uint8_t *map, int pages)
{
	int i;

	for (i = 0; i < pages; i++)
		expect_signal_bus("a mapping made by ->mmap_prepare", map + i * PAGE);
}

CASE(map_prepare, .name = "map-prepare",
     .promise = "K3: a mapping that ->mmap_prepare asks for works, and is revoked",
     .naive = ABSENT)
{
	int fd = prepare_open(""), i;
	uint8_t *map = prepare_map(fd, 4, 0), *other = prepare_map(fd, 4, 0);

	expect_parameter("mapped", "2");
	for (i = 0; i < 4; i++)
		expect_byte("page of a row", map + i * PAGE, i + 1);
	touch_write(map + 2 * PAGE, 0x77);
	expect_byte("what was written by another mapping", other + 2 * PAGE, 0x77);
	munmap(other, 4 * PAGE);
	expect_parameter("closed", "1");
	prepare_pull();
	expect_bus(map, 4);
	munmap(map, 4 * PAGE);
	other = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	expect_errno("mmap after", other == MAP_FAILED ? -1 : 0, ENODEV);
	expect_parameter("mapped", "2");
	prepare_end(fd);
}

CASE(map_prepare_fault, .name = "map-prepare-fault",
     .promise = "K3: so does one it asks nothing for but faults", .naive = ABSENT)
{
	int fd = prepare_open("");
	uint8_t *map = prepare_map(fd, 4, FAULTS);

	expect_byte("first page", map, 1);
	expect_byte("last page", map + 3 * PAGE, 4);
	prepare_pull();
	expect_bus(map, 4);
	munmap(map, 4 * PAGE);
	prepare_end(fd);
}

CASE(map_prepare_failing, .name = "map-prepare-failing",
     .promise = "K3: one that fails when it is mapped leaves nothing", .naive = ABSENT)
{
	int fd = prepare_open("");
	void *map = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, (off_t)FAILING * PAGE);

	expect_errno("mmap", map == MAP_FAILED ? -1 : 0, EPROTO);
	map = mmap(NULL, 5 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	expect_errno("one that ->mmap_prepare refuses", map == MAP_FAILED ? -1 : 0, EINVAL);
	map = prepare_map(fd, 4, 0);
	expect_byte("another", map, 1);
	munmap(map, 4 * PAGE);
	prepare_pull();
	prepare_end(fd);
}

CASE(map_prepare_bus, .name = "map-prepare-bus",
     .promise = "K3: so does a BAR, whose memory type is given back at the pull",
     .naive = ABSENT)
{
	struct card card;
	char arguments[64];
	uint8_t *map;
	int fd;

	/* Its driver reserves a type, too; undone by the next case's set-up. */
	card_init(&card, 1);
	card_unplug(&card);
	card_fill(1, 0x5c);
	snprintf(arguments, sizeof(arguments), "start=%#lx size=%d", card_address(1), CARD_SIZE);
	fd = prepare_open(arguments);
	map = prepare_map(fd, CARD_SIZE / PAGE, BUS_WC);
	expect_byte("the card's first byte", map, 0x5c);
	expect_byte("the card's last byte", map + CARD_SIZE - 1, 0x5c);
	expect_equal("types reserved", card_types_reserved(1, NULL), 1);
	prepare_pull();
	expect_equal("types reserved after the pull, mapped still",
		     card_types_reserved(1, NULL), 0);
	expect_bus(map, CARD_SIZE / PAGE);
	munmap(map, CARD_SIZE);
	prepare_end(fd);
}

struct mapper {
	int fd;
	int start[2];
	int look[2];
};

static int mapper_main(void *arg)
{
	struct mapper *mapper = arg;
	void *map;

	close(mapper->start[1]);
	close(mapper->look[1]);
	word_hear(mapper->start[0], "the case");
	map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mapper->fd, 0);
	expect_works("mmap of an insider", map == MAP_FAILED ? -1 : 0);
	word_hear(mapper->look[0], "the case");
	expect_bus(map, 4);
	return 0;
}

static void window_stop(void)
{
	int err = file_write(WINDOW, "stop");

	if (err == ENOENT)
		case_end(OUTCOME_SKIP, "this kernel has no place for the window");
	expect_equal("errno of stopping at the window", err, 0);
}

/*
 * Ours waits for who is in the window, the textbook does not know of him; what he maps
 * then is looked at when the pull is over.
 */
CASE(map_prepare_during, .name = "map-prepare-during",
     .promise = "K3: one that unplug meets between ->mmap_prepare and the mapping is revoked",
     .naive = ABSENT, .textbook = "stale-map", .hole = "a2")
{
	struct mapper mapper = { };
	struct job job, pull;

	mapper.fd = prepare_open(driver->textbook ? "kind=textbook" : "kind=gated");
	if (pipe2(mapper.start, O_CLOEXEC) || pipe2(mapper.look, O_CLOEXEC))
		case_fail("pipe: %m");
	job_start(&job, mapper_main, &mapper);
	close(mapper.fd);
	window_stop();
	word_tell(mapper.start[1]);
	job_wait_file(&job, WINDOW, "held");
	job_do(&pull, "write", PULL, "1");
	if (driver->textbook)
		expect_equal("errno of the pull", job_wait(&pull), 0);
	else
		job_wait_in(&pull, "unplug_dev");
	expect_equal("errno of opening the window", file_write(WINDOW, "go"), 0);
	if (!driver->textbook)
		expect_equal("errno of the pull", job_wait(&pull), 0);
	word_tell(mapper.look[1]);
	job_wait(&job);
	prepare_end(-1);
}
