// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices whose revoked mappings show a dummy page instead of raising SIGBUS */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "include/uapi/unplug/ivshmem.h"

#define PAGE 4096
#define PAGES 3
#define POLICY "/sys/module/unplug_ivshmem/parameters/dummy"
#define ABSENT "absent: it has no policy; see map-after"

struct dummy {
	struct card card;
	int fd;
	uint8_t *map;
};

/* A file of the card whose pages are filled with ones; the first page is touched */
static void dummy_open(struct dummy *d)
{
	uint8_t value;

	card_fill(1, 0xff);
	d->fd = card_open(&d->card);
	d->map = card_map(d->fd, PAGES * PAGE, 0);
	expect_equal("signal, live", touch_read(d->map, &value), 0);
	expect_equal("live", value, 0xff);
}

/* Card 1, plugged in with this policy */
static void dummy_init(struct dummy *d)
{
	card_init(&d->card, 1);
	card_unbind(&d->card);
	expect_equal(POLICY, file_write(POLICY, "Y"), 0);
	card_bind(&d->card);
	expect_equal(POLICY, file_write(POLICY, "N"), 0);
	dummy_open(d);
}

static long choose(const struct dummy *d, uint32_t gone)
{
	return ioctl(d->fd, IVSHMEM_IOC_GONE, &gone);
}

static void expect_dummy(const char *what, uint8_t *at, uint8_t want)
{
	uint8_t value;
	int signal = touch_read(at, &value);

	if (signal)
		case_end(OUTCOME_FAIL, "%s: signal %d", what, signal);
	if (value == 0xff)
		case_end(OUTCOME_STALE_MAP, "%s: read the card", what);
	expect_equal(what, value, want);
}

CASE(dummy_after, .name = "dummy-after",
     .promise = "K4: an old mapping reads as zeroes, keeps what is written, and is not the card",
     .naive = ABSENT)
{
	struct dummy d;
	char byte;
	int i;

	dummy_init(&d);
	card_unplug(&d.card);
	for (i = 0; i < PAGES; i++)
		expect_dummy("untouched dummy", d.map + i * PAGE + 7, 0);
	expect_equal("signal of a write", touch_write(d.map, 0x21), 0);
	expect_dummy("what was written", d.map, 0x21);
	expect_errno("read of the file", read(d.fd, &byte, 1), ENODEV);
	expect_errno("a new mapping",
		     mmap(NULL, PAGE, PROT_READ, MAP_SHARED, d.fd, 0) == MAP_FAILED ? -1 : 0,
		     ENODEV);
	expect_untouched(1, "current", 0xff);
	munmap(d.map, PAGES * PAGE);
	close(d.fd);
}

CASE(dummy_read_only, .name = "dummy-read-only",
     .promise = "K4: the dummy page of a read-only mapping is read-only, until mprotect",
     .naive = ABSENT)
{
	struct dummy d;

	dummy_init(&d);
	expect_works("mprotect", mprotect(d.map, PAGE, PROT_READ));
	card_unplug(&d.card);
	expect_dummy("read", d.map, 0);
	expect_equal("signal of a write", touch_write(d.map, 1), SIGSEGV);
	expect_works("mprotect", mprotect(d.map, PAGE, PROT_READ | PROT_WRITE));
	expect_equal("signal of a write", touch_write(d.map, 1), 0);
	expect_dummy("what was written", d.map, 1);
}

static int child_main(void *arg)
{
	struct dummy *d = arg;

	expect_dummy("a child's page", d->map, 0);
	expect_equal("signal of a child's write", touch_write(d->map, 0x43), 0);
	expect_dummy("what the child wrote", d->map, 0x43);
	return 0;
}

struct early {
	struct dummy *d;
	int start[2];
};

static int early_main(void *arg)
{
	struct early *early = arg;
	char byte;

	close(early->start[1]);
	if (read(early->start[0], &byte, 1) != 1)
		case_fail("never started");
	return child_main(early->d);
}

CASE(dummy_fork, .name = "dummy-fork",
     .promise = "K4: no process sees the dummy page of another, not even of its parent",
     .naive = ABSENT)
{
	struct early early;
	struct job job;
	struct dummy d;
	int i;

	dummy_init(&d);
	early.d = &d;
	if (pipe(early.start))
		case_fail("pipe: %m");
	job_start(&job, early_main, &early);
	card_unplug(&d.card);
	expect_equal("signal of a write", touch_write(d.map, 0x21), 0);
	if (write(early.start[1], "", 1) != 1)
		case_fail("pipe: %m");
	job_wait(&job);
	/* One after the other: memory of the last one may be the next one's. */
	for (i = 0; i < 20; i++) {
		job_start(&job, child_main, &d);
		job_wait(&job);
	}
	expect_dummy("the parent's page", d.map, 0x21);
}

/* What a user may undo must not be what keeps processes apart. */
CASE(dummy_keep_on_fork, .name = "dummy-keep-on-fork",
     .promise = "K4: nor if the parent asked for its mappings to be inherited, and ended",
     .naive = ABSENT)
{
	struct job parent, child;
	struct dummy d;

	dummy_init(&d);
	card_unplug(&d.card);
	expect_equal("signal of a write", touch_write(d.map, 0x21), 0);
	madvise(d.map, PAGES * PAGE, MADV_KEEPONFORK);
	job_start(&parent, child_main, &d);
	job_wait(&parent);
	/* And with an entry of its own in place, which a part of the mapping has. */
	madvise(d.map, PAGE, MADV_KEEPONFORK);
	expect_dummy("the parent's page", d.map, 0x21);
	job_start(&child, child_main, &d);
	job_wait(&child);
	expect_dummy("the parent's page", d.map, 0x21);
}

CASE(dummy_files, .name = "dummy-files",
     .promise = "K4: the dummy pages of two files are not the same; each goes with its file",
     .naive = ABSENT)
{
	uint8_t *other;
	struct dummy d;
	int fd;

	dummy_init(&d);
	fd = card_open(&d.card);
	other = card_map(fd, PAGE, 0);
	card_unplug(&d.card);
	touch_write(d.map, 1);
	expect_dummy("of the other file", other, 0);
	close(d.fd);
	close(fd);
	munmap(d.map, PAGES * PAGE);
	touch_write(other, 2);
	expect_dummy("of the other file", other, 2);
}

CASE(dummy_buffer, .name = "dummy-buffer",
     .promise = "K4: system calls may use the dummy page as a buffer; ptrace says EIO",
     .naive = ABSENT)
{
	char bytes[8] = "unplug!";
	struct dummy d;
	int ends[2], mem;

	dummy_init(&d);
	if (pipe(ends))
		case_fail("pipe: %m");
	mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	card_unplug(&d.card);
	expect_equal("write from it", write(ends[1], d.map, 8), 8);
	expect_equal("read", read(ends[0], bytes, 8), 8);
	expect_equal("a byte of it", bytes[0], 0);
	expect_equal("write", write(ends[1], "unplug!", 8), 8);
	expect_equal("read into it", read(ends[0], d.map, 8), 8);
	expect_dummy("what was read", d.map, 'u');
	expect_errno("/proc/self/mem", pread(mem, bytes, 8, (uintptr_t)d.map), EIO);
	close(mem);
}

CASE(dummy_chosen, .name = "dummy-chosen",
     .promise = "K4: a user may choose the dummy page, by ioctl, for his file and no other",
     .naive = ABSENT)
{
	struct dummy d, other;
	struct job job;

	card_init(&d.card, 1);
	other = d;
	dummy_open(&d);
	dummy_open(&other);
	expect_works("choosing the dummy", choose(&d, IVSHMEM_GONE_DUMMY));
	card_unplug(&d.card);
	/* The mapping is older than the choice: it has to be kept from children, too. */
	expect_dummy("the dummy", d.map, 0);
	expect_equal("signal of a write", touch_write(d.map, 0x21), 0);
	job_start(&job, child_main, &d);
	expect_equal("status of the child", job_wait(&job), 0);
	expect_dummy("the parent's page", d.map, 0x21);
	expect_signal_bus("a mapping of the other file", other.map);
	expect_errno("choosing too late", choose(&other, IVSHMEM_GONE_DUMMY), ENODEV);
	expect_signal_bus("a mapping of the other file", other.map);
}

CASE(dummy_unchosen, .name = "dummy-unchosen",
     .promise = "K4: and may choose SIGBUS where the device's way is the dummy page",
     .naive = ABSENT)
{
	struct dummy d;

	dummy_init(&d);
	expect_errno("choosing what there is not", choose(&d, IVSHMEM_GONE_DUMMY + 1), EINVAL);
	expect_errno("choosing by a bad pointer", ioctl(d.fd, IVSHMEM_IOC_GONE, (void *)8), EFAULT);
	expect_works("choosing SIGBUS", choose(&d, IVSHMEM_GONE_SIGBUS));
	card_unplug(&d.card);
	expect_signal_bus("a page that was touched", d.map);
	expect_signal_bus("one that was not", d.map + PAGE);
}

static int late_main(void *arg)
{
	struct early *early = arg;
	char byte;

	close(early->start[1]);
	if (read(early->start[0], &byte, 1) != 1)
		case_fail("never started");
	expect_dummy("a page whose fault was refused the hardware", early->d->map + PAGE, 0);
	return 0;
}

CASE(dummy_late, .name = "dummy-late",
     .promise = "K4: a fault that was inside when its device went meets the dummy page",
     .naive = ABSENT, .hooks = true)
{
	struct early early;
	struct job job;
	struct dummy d;

	dummy_init(&d);
	early.d = &d;
	if (pipe(early.start))
		case_fail("pipe: %m");
	job_start(&job, late_main, &early);
	munmap(d.map, PAGES * PAGE);
	close(d.fd);
	hook_stop("operation");
	if (write(early.start[1], "", 1) != 1)
		case_fail("pipe: %m");
	hook_wait("operation");
	card_unbind(&d.card);
	hook_go("operation");
	job_wait(&job);
	card_wait_gone(&d.card);
}
