// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mappings whose entries are made where the plain algorithm does not look: by ->mmap, by the
 * kernel after ->fault, and as copies. Rows a, a3 and e of doc/mmap-races.md.
 */

#define _GNU_SOURCE
#include "hole.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

static int map_late(void *arg)
{
	struct hole_other *other = arg;
	uint8_t *map;
	int i;

	other_wait(other);
	map = hole_map(other->fd, HOLE_PAGES, 0);
	for (i = 0; i < HOLE_PAGES; i++)
		hole_expect_revoked("a mapping that was not yet linked", map + i * HOLE_PAGE, true);
	return 0;
}

/* Held when ->mmap has populated, before the kernel links the mapping: unplug comes. */
static void populate_during(const char *arguments)
{
	struct hole_other other = { };

	hole_load(arguments);
	other.fd = hole_open();
	other_start(&other, map_late);
	hook_stop("mmap");
	other_go(&other);
	hook_wait("mmap");
	hole_pull();
	hole_fill();
	hook_go("mmap");
	other_end(&other);
}

CASE_HOLE(hole_populate_during, "a", .name = "hole-populate-during",
	  .promise = "K3: what remap_pfn_range() mapped in ->mmap is gone if unplug came meanwhile",
	  .textbook = "stale-map", .hooks = true)
{
	populate_during("way=populate");
}

CASE_HOLE(hole_coherent_during, "a", .name = "hole-coherent-during",
	  .promise = "K3: so is what dma_mmap_coherent() mapped", .textbook = "stale-map",
	  .hooks = true)
{
	populate_during("way=coherent");
}

CASE_HOLE(hole_populate_after, "a", .name = "hole-populate-after",
	  .promise = "K3: what ->mmap has populated works, and is revoked",
	  .textbook = "passes: the mapping is linked, so the zap finds it")
{
	static const char *const arguments[] = { "way=populate", "way=coherent" };
	uint8_t *map;
	int fd, i;

	for (i = 0; i < 2; i++) {
		hole_load(arguments[i]);
		fd = hole_open();
		map = hole_map(fd, HOLE_PAGES, 0);
		hole_expect_live(arguments[i], map);
		hole_expect_live(arguments[i], map + 3 * HOLE_PAGE);
		hole_pull();
		hole_expect_revoked(arguments[i], map, true);
		hole_expect_revoked(arguments[i], map + 3 * HOLE_PAGE, true);
		munmap(map, HOLE_PAGES * HOLE_PAGE);
		close(fd);
		hole_unload();
	}
}

CASE_HOLE(hole_populate_undeclared, "a", .name = "hole-populate-undeclared",
	  .promise = "K3: a driver that populates and does not say so is refused")
{
	int fd;

	hole_load("way=undeclared");
	fd = hole_open();
	hole_expect_refused(fd, "it is populated");
	close(fd);
	hole_unload();
}

static int touch_late(void *arg)
{
	struct hole_other *other = arg;
	uint8_t value;

	other_wait(other);
	touch_read(other->map, &value);
	hole_expect_revoked("a page that ->fault has returned", other->map, true);
	return 0;
}

/* Held when ->fault has returned a page, before the kernel maps it: unplug comes. */
CASE_HOLE(hole_page_during, "a3", .name = "hole-page-during",
	  .promise = "K3: a page that ->fault returns, for the kernel to map, is not mapped",
	  .textbook = "stale-map", .hooks = true)
{
	struct hole_other other = { };

	hole_load("way=page pfnmap=1");
	other.fd = hole_open();
	other.map = hole_map(other.fd, HOLE_PAGES, 0);
	other_start(&other, touch_late);
	hook_stop("fault");
	other_go(&other);
	if (driver->textbook)
		hook_wait("fault");
	else
		log_wait("unplug-hole: fault refused", "the handler returned a page");
	hole_pull();
	hole_fill();
	hook_go("fault");
	other_end(&other);
}

CASE_HOLE(hole_page_refused, "a3", .name = "hole-page-refused",
	  .promise = "K3: mappings of pages, not frames, are refused")
{
	int fd;

	hole_load("way=page");
	fd = hole_open();
	hole_expect_refused(fd, "it is not VM_PFNMAP");
	close(fd);
	hole_unload();
}

static uint8_t *map_private(int fd, int prot)
{
	void *map = mmap(NULL, HOLE_PAGES * HOLE_PAGE, prot, MAP_PRIVATE, fd, 0);

	if (!driver->textbook)
		expect_errno("a private mapping", map == MAP_FAILED ? -1 : 0, EINVAL);
	else if (map == MAP_FAILED)
		case_fail("mmap: %m");
	return map;
}

/* Any user who may open the node may do this; read-only mappings may become writable. */
CASE_HOLE(hole_private, "e", .name = "hole-private",
	  .promise = "K3: MAP_PRIVATE, on which vmf_insert_pfn() is a BUG, is refused",
	  .textbook = "oops")
{
	uint8_t *map, value;
	int fd;

	hole_load("way=pfn");
	fd = hole_open();
	map = map_private(fd, PROT_READ);
	if (driver->textbook)
		touch_read(map, &value);
	map_private(fd, PROT_READ | PROT_WRITE);
	close(fd);
	hole_unload();
}

/* Written to, a private mapping has a copy of the device's memory. */
CASE_HOLE(hole_private_copy, "e", .name = "hole-private-copy",
	  .promise = "K3: nor are copies of the device's memory left to anybody",
	  .textbook = "stale-map")
{
	uint8_t *map;
	int fd;

	hole_load("way=populate cows=0");
	fd = hole_open();
	map = map_private(fd, PROT_READ | PROT_WRITE);
	if (driver->textbook) {
		hole_expect_live("private", map);
		expect_equal("signal of writing", touch_write(map + 1, 1), 0);
		hole_pull();
		hole_expect_revoked("a copy", map, false);
	}
	close(fd);
	hole_unload();
}
