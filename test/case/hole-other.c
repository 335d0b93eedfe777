// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mappings in another address space than the textbook zaps, and mappings that others fill:
 * rows i, j and k of doc/mmap-races.md.
 */

#define _GNU_SOURCE
#include "hole.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int uffd_register(int uffd, void *at, size_t length)
{
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)at, .len = length },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	return ioctl(uffd, UFFDIO_REGISTER, &reg);
}

CASE_HOLE(hole_uffd, "i", .name = "hole-uffd",
	  .promise = "K4: a mapping cannot be filled by userfaultfd, before or after unplug",
	  .textbook = "passes: the kernel refuses mappings of devices")
{
	struct uffdio_api api = { .api = UFFD_API };
	size_t length = HOLE_PAGES * HOLE_PAGE;
	uint8_t *map, *own;
	int fd, uffd;

	hole_load("way=pfn");
	fd = hole_open();
	map = hole_map(fd, HOLE_PAGES, 0);
	own = mmap(NULL, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (own == MAP_FAILED || uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		case_fail("userfaultfd: %m");
	expect_works("of own memory", uffd_register(uffd, own, length));
	expect_errno("of a mapping", uffd_register(uffd, map, length), EINVAL);
	hole_pull();
	expect_errno("of an old mapping", uffd_register(uffd, map, length), EINVAL);
	hole_expect_revoked("a mapping", map, true);
	munmap(map, length);
	close(uffd);
	close(fd);
	hole_unload();
}

/* Its entries are in the address space of the file that ->mmap has put there. */
CASE_HOLE(hole_file_after, "j", .name = "hole-file-after",
	  .promise = "K3: a mapping that ->mmap gives to another file is refused",
	  .textbook = "stale-map")
{
	uint8_t *map;
	int fd;

	hole_load("way=file");
	fd = hole_open();
	if (driver->textbook) {
		map = hole_map(fd, HOLE_PAGES, 0);
		hole_expect_live("a mapping", map);
		hole_pull();
		hole_fill();
		hole_expect_revoked("a mapping of another file", map, true);
	} else {
		hole_expect_refused(fd, "it belongs to another file");
	}
	close(fd);
	hole_unload();
}

#define MOUNTED "/tmp/hole-fs"
#define BOUND "/tmp/hole-dev"
#define OPENED 99	/* a descriptor */

static uint8_t *map_path(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t *map;

	if (fd < 0)
		case_fail("%s: %m", path);
	map = hole_map(fd, HOLE_PAGES, 0);
	hole_expect_live(path, map);
	close(fd);
	return map;
}

/* The node in a second place of the same file system, nodes of it in two others, an open file */
static void make_places(void)
{
	struct stat st;

	if (stat(HOLE_NODE, &st))
		case_fail(HOLE_NODE ": %m");
	mkdir(MOUNTED, 0700);
	mkdir(BOUND, 0700);
	unlink("/tmp/hole");
	if (mount("hole", MOUNTED, "tmpfs", 0, NULL) || mount("/dev", BOUND, NULL, MS_BIND, NULL))
		case_fail("mount: %m");
	if (mknod("/tmp/hole", S_IFCHR | 0600, st.st_rdev) ||
	    mknod(MOUNTED "/hole", S_IFCHR | 0600, st.st_rdev))
		case_fail("mknod: %m");
}

static void unmake_places(void)
{
	umount2(MOUNTED, MNT_DETACH);
	umount2(BOUND, MNT_DETACH);
	unlink("/tmp/hole");
}

CASE_HOLE(hole_alias_after, "k", .name = "hole-alias-after",
	  .promise = "K3: mappings are revoked whichever node, in whichever place, they are made by",
	  .textbook = "stale-map")
{
	static const char *const places[] = {
		HOLE_NODE, "/proc/self/fd/99", BOUND "/unplug-hole", MOUNTED "/hole", "/tmp/hole",
	};
	int fd, i, n = sizeof(places) / sizeof(places[0]);
	uint8_t *map[n];

	hole_load("way=pfn");
	make_places();
	fd = hole_open();
	expect_equal("descriptor", dup3(fd, OPENED, O_CLOEXEC), OPENED);
	close(fd);
	for (i = 0; i < n; i++)
		map[i] = map_path(places[i]);
	unmake_places();
	close(OPENED);
	hole_pull();
	hole_fill();
	for (i = 0; i < n; i++) {
		hole_expect_revoked(places[i], map[i], true);
		munmap(map[i], HOLE_PAGES * HOLE_PAGE);
	}
	hole_unload();
}
