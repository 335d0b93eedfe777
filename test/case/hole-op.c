// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Functions of a mapping that the plain algorithm leaves out, as the mail of 2013 names the
 * fault handler alone: rows g and h of doc/mmap-races.md.
 */

#define _GNU_SOURCE
#include "hole.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define HUGE (512 * HOLE_PAGE)

static int idle_main(void *arg)
{
	struct hole_other *other = arg;

	other_wait(other);
	return 0;
}

/* The other's mapping, looked at and written to from outside */
static void peek(struct hole_other *other, long works)
{
	uint64_t word = 0;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", other->job.pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		case_fail("%s: %m", path);
	if (works < 0 && pread(fd, &word, 8, (uintptr_t)other->map) > 0)
		case_end(OUTCOME_STALE_MAP, "/proc/PID/mem has read 0x%02x", (uint8_t)word);
	expect_equal("/proc/PID/mem", pread(fd, &word, 8, (uintptr_t)other->map), works);
	expect_equal("a write to it", pwrite(fd, &word, 8, (uintptr_t)other->map), works);
	close(fd);
}

static void trace(struct hole_other *other, int want)
{
	long word;

	expect_works("PTRACE_SEIZE", ptrace(PTRACE_SEIZE, other->job.pid, NULL, NULL));
	expect_works("PTRACE_INTERRUPT", ptrace(PTRACE_INTERRUPT, other->job.pid, NULL, NULL));
	if (waitpid(other->job.pid, NULL, 0) != other->job.pid)
		case_fail("waitpid: %m");
	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, other->job.pid, other->map, NULL);
	if (want && !errno)
		case_end(OUTCOME_STALE_MAP, "PTRACE_PEEKDATA has read %lx", word);
	expect_equal("PTRACE_PEEKDATA, errno", errno, want);
	expect_works("PTRACE_DETACH", ptrace(PTRACE_DETACH, other->job.pid, NULL, NULL));
}

CASE_HOLE(hole_access_after, "g", .name = "hole-access-after",
	  .promise = "K4: ->access, which goes past the page table, does not reach the device",
	  .textbook = "stale-map")
{
	struct hole_other other = { };

	hole_load("way=access");
	other.fd = hole_open();
	other.map = hole_map(other.fd, HOLE_PAGES, 0);
	hole_expect_live("a mapping", other.map);
	other_start(&other, idle_main);
	peek(&other, 8);
	trace(&other, 0);
	hole_pull();
	hole_fill();
	peek(&other, -1);
	trace(&other, EIO);
	expect_equal("how often the device was reached late", hole_late(), 0);
	other_go(&other);
	other_end(&other);
}

/* One who reads first, so that there is an entry which cannot be written to. */
static int write_late(void *arg)
{
	struct hole_other *other = arg;

	hole_expect_live("a mapping", other->map);
	other_came(other);
	other_wait(other);
	touch_write(other->map, 1);
	hole_expect_revoked("what is written to for the first time", other->map, true);
	return 0;
}

/* Held where the kernel asks the driver whether it may be written to: unplug comes. */
static void mkwrite_during(const char *arguments)
{
	struct hole_other other = { };
	int late;

	hole_load(arguments);
	other.fd = hole_open();
	other.map = hole_map(other.fd, HOLE_PAGES, 0);
	other_start(&other, write_late);
	other_await(&other);
	hook_stop("operation");
	other_go(&other);
	hook_wait("operation");
	hole_pull();
	hook_go("operation");
	expect_equal("status of the other process", job_wait(&other.job), 0);
	late = hole_late();
	if (late)
		case_end(OUTCOME_STALE_MAP, "the device was reached %d times", late);
	hole_unload();
}

CASE_HOLE(hole_pfn_mkwrite_during, "h", .name = "hole-pfn-mkwrite-during",
	  .promise = "K2: ->pfn_mkwrite does not reach the device after unplug",
	  .textbook = "stale-map", .hooks = true)
{
	mkwrite_during("way=pfn-mkwrite");
}

/* The entry that may not be written to is there: it has to go before the dummy page can come. */
CASE(pfn_mkwrite_closed, .name = "pfn-mkwrite-closed",
     .promise = "K4: who first writes to what unplug has yet to take back meets the dummy page",
     .naive = "absent: it is about the core", .hooks = true)
{
	struct job pull;
	uint8_t *map;
	int fd;

	hole_load("way=pfn-mkwrite dummy=1");
	fd = hole_open();
	map = hole_map(fd, 1, 0);
	hole_expect_live("a mapping", map);
	hook_stop("closed");
	hole_pull_start(&pull);
	hook_wait("closed");
	expect_equal("signal of writing", touch_write(map, HOLE_LATER), 0);
	expect_byte("what was written", map, HOLE_LATER);
	expect_equal("the device's byte", hole_byte(), HOLE_BYTE);
	hook_go("closed");
	expect_equal("errno of the pull", job_wait(&pull), 0);
	expect_byte("what was written, after the pull", map, HOLE_LATER);
	expect_equal("the device's byte", hole_byte(), HOLE_BYTE);
	expect_equal("how often the device was reached late", hole_late(), 0);
	munmap(map, HOLE_PAGE);
	close(fd);
	hole_unload();
}

/* Ours has no such mappings: they are of pages. */
CASE_HOLE(hole_page_mkwrite_during, "h", .name = "hole-page-mkwrite-during",
	  .promise = "K2: nor does ->page_mkwrite, whose mappings are refused",
	  .textbook = "stale-map", .hooks = true)
{
	int fd;

	if (driver->textbook) {
		mkwrite_during("way=page-mkwrite");
		return;
	}
	hole_load("way=page-mkwrite");
	fd = hole_open();
	hole_expect_refused(fd, "it is not VM_PFNMAP");
	close(fd);
	hole_unload();
}

CASE_HOLE(hole_around_after, "h", .name = "hole-around-after",
	  .promise = "K3: ->map_pages makes no entry after unplug", .textbook = "stale-map")
{
	uint8_t *map;
	int fd;

	hole_load("way=around");
	fd = hole_open();
	map = hole_map(fd, HOLE_PAGES, 0);
	/* Writing makes the page table, which ->map_pages wants to see. */
	expect_equal("signal of writing", touch_write(map + HOLE_PAGE, 1), 0);
	hole_expect_live("what is there", map);
	hole_expect_early();
	hole_pull();
	hole_fill();
	hole_expect_revoked("what was there", map, true);
	hole_expect_revoked("what was not", map + 2 * HOLE_PAGE, true);
	munmap(map, HOLE_PAGES * HOLE_PAGE);
	close(fd);
	hole_unload();
}

static uint8_t *map_huge(int fd)
{
	uint8_t *room = mmap(NULL, 2 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *at;

	if (room == MAP_FAILED)
		case_fail("mmap: %m");
	at = room + (HUGE - (uintptr_t)room % HUGE) % HUGE;
	if (mmap(at, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED)
		return at;
	if (errno == EOPNOTSUPP)
		case_end(OUTCOME_SKIP, "this kernel calls ->huge_fault for DAX alone, and has none");
	case_fail("mmap: %m");
}

CASE_HOLE(hole_huge_after, "h", .name = "hole-huge-after",
	  .promise = "K3: ->huge_fault makes no entry after unplug, and its 2 MiB are revoked",
	  .textbook = "stale-map")
{
	uint8_t *map;
	int fd;

	hole_load("way=huge");
	fd = hole_open();
	map = map_huge(fd);
	hole_expect_live("2 MiB", map);
	hole_expect_live("the end of 2 MiB", map + HUGE - 1);
	hole_expect_early();
	hole_pull();
	hole_fill();
	hole_expect_revoked("2 MiB", map, true);
	hole_expect_revoked("the end of 2 MiB", map + HUGE - 1, true);
	munmap(map, HUGE);
	close(fd);
	hole_unload();
}
