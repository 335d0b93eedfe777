// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What it costs a user to touch what was taken away, in instructions: until his handler of
 * SIGBUS runs, or until he has a dummy page; beside what nothing guards. All that is touched
 * was mapped before, so its page tables are there.
 */

#include "card.h"

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#define COUNT 32
#define PAGE 4096

static sigjmp_buf back;
static volatile uint64_t caught;

static void on_sigbus(int signal __attribute__((unused)))
{
	caught = __rdtsc();
	siglongjmp(back, 1);
}

static void sample(const char *variant, uint64_t all)
{
	printf("touch %s instructions %.3f\n", variant, (double)all / COUNT);
}

/* The instructions until the handler runs; the access itself must not come to pass. */
static uint64_t touch_sigbus(volatile char *p)
{
	volatile uint64_t begin = __rdtsc();

	if (!sigsetjmp(back, 0)) {
		begin = __rdtsc();
		*p = 1;
		fprintf(stderr, "revoke: a revoked mapping could be written to\n");
		_exit(1);
	}
	return caught - begin;
}

static uint64_t touch(volatile char *p)
{
	uint64_t begin = __rdtsc();

	*p = 1;
	return __rdtsc() - begin;
}

static void run_sigbus(enum revoke_kind kind, const char *variant)
{
	uint64_t all = 0;
	int fd, i;
	char *p;

	card_make(kind);
	fd = card_open(kind);
	p = card_map(fd, COUNT * PAGE);
	card_pull();
	for (i = 0; i < COUNT; i++)
		all += touch_sigbus(p + i * PAGE);
	sample(variant, all);
	munmap(p, COUNT * PAGE);
	close(fd);
}

/* Each file has a dummy page of its own, for all that this process maps of it. */
static void run_dummy(void)
{
	uint64_t first = 0, again = 0;
	int fd[COUNT], i;
	char *p[COUNT];

	card_make(REVOKE_DUMMY);
	for (i = 0; i < COUNT; i++) {
		fd[i] = card_open(REVOKE_DUMMY);
		p[i] = card_map(fd[i], 2 * PAGE);
	}
	card_pull();
	for (i = 0; i < COUNT; i++) {
		first += touch(p[i]);
		again += touch(p[i] + PAGE);
	}
	sample("dummy_first", first);
	sample("dummy_again", again);
	for (i = 0; i < COUNT; i++) {
		munmap(p[i], 2 * PAGE);
		close(fd[i]);
	}
}

/* Zeroed memory that is the kernel's to give */
static void run_anonymous(void)
{
	uint64_t all = 0;
	char *p;
	int i;

	p = mmap(NULL, (COUNT + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		 -1, 0);
	if (p == MAP_FAILED)
		fail("mmap");
	touch(p);
	for (i = 1; i <= COUNT; i++)
		all += touch(p + i * PAGE);
	sample("anonymous", all);
	munmap(p, (COUNT + 1) * PAGE);
}

void touch_run(int rounds)
{
	struct sigaction action = {
		.sa_handler = on_sigbus,
		.sa_flags = SA_NODEFER,
	};

	if (sigaction(SIGBUS, &action, NULL) < 0)
		fail("sigaction");
	while (rounds--) {
		run_sigbus(REVOKE_ZAP, "bare_sigbus");
		run_sigbus(REVOKE_UNPLUG, "unplug_sigbus");
		run_dummy();
		run_anonymous();
	}
}
