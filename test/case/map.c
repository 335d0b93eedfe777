// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mappings: what touching one does after unplug, by whichever way it came to be.
 *
 * The unplug is always done by another process: one that shares the memory map
 * would hide races behind its lock.
 */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

struct mapped {
	struct card card;
	int fd;
	uint8_t *map;
};

/* Three pages of card 1, all touched */
static void mapped_init(struct mapped *m)
{
	uint8_t value;
	int i;

	card_init(&m->card, 1);
	card_fill(1, 0);
	m->fd = card_open(&m->card);
	m->map = card_map(m->fd, 3 * PAGE, 0);
	for (i = 0; i < 3; i++)
		expect_equal("touching a live mapping raised signal",
			     touch_read(m->map + i * PAGE, &value), 0);
}

CASE(map_after, .name = "map-after", .promise = "K4: an old mapping raises SIGBUS",
     .naive = "stale-map")
{
	struct mapped m;

	mapped_init(&m);
	card_unplug(&m.card);
	expect_signal_bus("first page", m.map);
	expect_signal_bus("last page", m.map + 2 * PAGE);
	expect_untouched(1, "current", 0);
}

CASE(map_after_pull, .name = "map-after-pull",
     .promise = "K4: an old mapping raises SIGBUS when the card was pulled by the host",
     .naive = "stale-map")
{
	struct mapped m;

	mapped_init(&m);
	card_pull(&m.card);
	card_wait_gone(&m.card);
	expect_signal_bus("first page", m.map);
}

CASE(map_untouched_after, .name = "map-untouched-after",
     .promise = "K3: a page that was never touched cannot be reached after unplug",
     .naive = "stale-map")
{
	struct card card;
	uint8_t *map;

	card_init(&card, 1);
	map = card_map(card_open(&card), 2 * PAGE, PAGE);
	card_unplug(&card);
	expect_signal_bus("a page never touched before", map);
}

CASE(map_closed_after, .name = "map-closed-after",
     .promise = "K3: a mapping whose descriptor was closed before is revoked as well",
     .naive = "stale-map")
{
	struct mapped m;

	mapped_init(&m);
	close(m.fd);
	card_unplug(&m.card);
	expect_signal_bus("a mapping without descriptor", m.map);
}

static int touch_main(void *arg)
{
	expect_signal_bus("the mapping of a forked process", arg);
	return 0;
}

struct touch_late {
	void *map;
	int start[2];
};

static int touch_late_main(void *arg)
{
	struct touch_late *late = arg;
	char byte;

	close(late->start[1]);
	if (read(late->start[0], &byte, 1) < 0)
		return 1;
	return touch_main(late->map);
}

CASE(map_fork_after, .name = "map-fork-after",
     .promise = "K3: mappings inherited by fork, before and after unplug, are revoked",
     .naive = "stale-map")
{
	struct touch_late late;
	struct mapped m;
	struct job before, after;

	mapped_init(&m);
	late.map = m.map;
	if (pipe(late.start))
		case_fail("pipe: %m");
	job_start(&before, touch_late_main, &late);
	card_unplug(&m.card);
	close(late.start[1]);
	job_wait(&before);
	job_start(&after, touch_main, m.map);
	job_wait(&after);
}

static uint8_t *moved(uint8_t *from, size_t length)
{
	uint8_t *to = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (to == MAP_FAILED)
		case_fail("mmap: %m");
	return mremap(from, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

CASE(map_mremap_after, .name = "map-mremap-after",
     .promise = "K3: a mapping moved by mremap, before or after unplug, is revoked",
     .naive = "stale-map")
{
	struct mapped m;
	uint8_t *map;

	mapped_init(&m);
	map = moved(m.map, 2 * PAGE);
	expect_works("mremap of a live mapping", map == MAP_FAILED ? -1 : 0);
	card_unplug(&m.card);
	expect_signal_bus("moved before", map);
	expect_signal_bus("the part that stayed", m.map + 2 * PAGE);
	map = moved(map, 2 * PAGE);
	if (map != MAP_FAILED)
		expect_signal_bus("moved after", map);
}

CASE(map_split_after, .name = "map-split-after",
     .promise = "K3: a mapping split by mprotect and munmap is revoked in all its parts",
     .naive = "stale-map")
{
	uint8_t *map, value;
	struct card card;
	int i;

	card_init(&card, 1);
	map = card_map(card_open(&card), 5 * PAGE, 0);
	for (i = 0; i < 5; i++)
		touch_read(map + i * PAGE, &value);
	expect_works("mprotect", mprotect(map + 3 * PAGE, PAGE, PROT_READ));
	expect_works("munmap", munmap(map + PAGE, PAGE));
	card_unplug(&card);
	expect_signal_bus("before the hole", map);
	expect_signal_bus("after the hole", map + 2 * PAGE);
	/* May be refused, and must change nothing if it is not. */
	mprotect(map + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE);
	expect_equal("reading the read-only part raised signal",
		     touch_read(map + 3 * PAGE, &value), SIGBUS);
	expect_signal_bus("the rest", map + 4 * PAGE);
}

CASE(map_repair_after, .name = "map-repair-after",
     .promise = "K4: a program can unmap, or map over, any part of an old mapping",
     .naive = "stale-map")
{
	uint8_t *map, value = 1;
	struct card card;
	void *over;

	card_init(&card, 1);
	map = card_map(card_open(&card), 5 * PAGE, 0);
	touch_read(map, &value);
	card_unplug(&card);
	expect_works("munmap of a page in the middle", munmap(map + PAGE, PAGE));
	over = mmap(map + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	expect_works("mmap over a page", over == MAP_FAILED ? -1 : 0);
	expect_equal("touching the page mapped over raised signal",
		     touch_read(map + 3 * PAGE, &value), 0);
	expect_equal("its byte", value, 0);
	expect_signal_bus("what was left of the mapping", map);
	expect_signal_bus("its end", map + 4 * PAGE);
}

CASE(map_grow_before, .name = "map-grow-before",
     .promise = "K3: mremap does not grow a mapping past ->mmap",
     .naive = "passes: remap_pfn_range() sets VM_DONTEXPAND too")
{
	struct mapped m;
	void *map;

	mapped_init(&m);
	map = mremap(m.map, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
	expect_errno("mremap to a larger size", map == MAP_FAILED ? -1 : 0, EFAULT);
}

CASE(map_private_before, .name = "map-private-before",
     .promise = "K3: MAP_PRIVATE, whose copies escape, is refused", .naive = "wrong-errno")
{
	struct card card;
	void *map;
	int fd;

	card_init(&card, 1);
	fd = card_open(&card);
	map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	expect_errno("private, readable", map == MAP_FAILED ? -1 : 0, EINVAL);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	expect_errno("private, writable", map == MAP_FAILED ? -1 : 0, EINVAL);
}

/* As expect_errno(), but what got through has reached the card. */
static void expect_efault(const char *what, long result)
{
	if (result != -1)
		case_end(OUTCOME_STALE_MAP, "%s: %ld bytes, expected EFAULT", what, result);
	expect_errno(what, result, EFAULT);
}

CASE(map_buffer_after, .name = "map-buffer-after",
     .promise = "K4: the kernel's own access to an old mapping fails with EFAULT",
     .naive = "stale-map")
{
	struct mapped m;
	int ends[2];

	mapped_init(&m);
	if (pipe2(ends, O_CLOEXEC))
		case_fail("pipe: %m");
	expect_equal("write from a live mapping", write(ends[1], m.map, 8), 8);
	card_unplug(&m.card);
	expect_efault("write from an old mapping", write(ends[1], m.map, 8));
	expect_efault("read into an old mapping", read(ends[0], m.map, 8));
}

/* Two cards whose memory the bus has put side by side */
static bool find_adjacent(int *lower, int *upper)
{
	for (*lower = 1; *lower <= CARDS; ++*lower)
		for (*upper = 1; *upper <= CARDS; ++*upper)
			if (card_address(*lower) + CARD_SIZE == card_address(*upper))
				return true;
	return false;
}

CASE(access_beyond, .name = "access-beyond",
     .promise = "K5: an access past the end of a mapping does not reach the next card",
     .naive = "passes: the kernel refuses a PFN mapping without ->access always")
{
	int lower, upper, fd, mem;
	uint64_t words[2] = { ~0ul, ~0ul };
	struct card card;
	uint8_t *two;

	if (!find_adjacent(&lower, &upper))
		case_end(OUTCOME_SKIP, "no two cards lie side by side");
	card_init(&card, lower);
	card_fill(lower, 0);
	card_fill(upper, 0);
	/* Nothing follows the mapping, where the rest could be written to instead. */
	two = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fd = card_open(&card);
	if (two == MAP_FAILED || munmap(two + PAGE, PAGE) ||
	    mmap(two, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		 CARD_SIZE - PAGE) == MAP_FAILED)
		case_fail("mmap: %m");
	mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (mem < 0)
		case_fail("/proc/self/mem: %m");
	expect_equal("write over the end", pwrite(mem, words, 16, (uintptr_t)two + PAGE - 8),
		     driver->naive ? -1 : 8);
	expect_untouched(upper, "current", 0);
	expect_equal("read over the end", pread(mem, words, 16, (uintptr_t)two + PAGE - 8),
		     driver->naive ? -1 : 8);
	close(mem);
	close(fd);
}

static int tracee_main(void *arg)
{
	(void)arg;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		return 1;
	raise(SIGSTOP);
	return 0;
}

static void peek(struct job *job, struct mapped *m, bool works)
{
	char path[64];
	uint64_t word;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", job->pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		case_fail("%s: %m", path);
	errno = 0;
	if (works) {
		expect_equal("/proc/PID/mem, live", pread(fd, &word, 8, (uintptr_t)m->map), 8);
		ptrace(PTRACE_PEEKDATA, job->pid, m->map, NULL);
		expect_equal("PTRACE_PEEKDATA, live", errno, 0);
	} else {
		expect_errno("/proc/PID/mem", pread(fd, &word, 8, (uintptr_t)m->map), EIO);
		expect_errno("/proc/PID/mem, write",
			     pwrite(fd, &word, 8, (uintptr_t)m->map), EIO);
		ptrace(PTRACE_PEEKDATA, job->pid, m->map, NULL);
		expect_equal("PTRACE_PEEKDATA, errno", errno, EIO);
	}
	close(fd);
}

CASE(map_peek_after, .name = "map-peek-after",
     .promise = "K4: ptrace and /proc/PID/mem of an old mapping fail with EIO",
     .naive = "passes: the kernel refuses a PFN mapping without ->access always")
{
	struct mapped m;
	struct job job;

	mapped_init(&m);
	job_start(&job, tracee_main, NULL);
	if (waitpid(job.pid, NULL, WUNTRACED) != job.pid)
		case_fail("waitpid: %m");
	if (!driver->naive)
		peek(&job, &m, true);
	card_unplug(&m.card);
	peek(&job, &m, false);
	job_kill(&job);
}
