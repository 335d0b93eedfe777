// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * loss: what it costs to live on when memory was taken away, and to be prepared for it
 *
 *	loss >SAMPLES
 *
 * Beside the library there is what one would write for one mapping alone: a handler that
 * knows one range. It is installed while it is measured.
 */
#include "clock.h"

#include <libunplug/sigbus.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE 65536
#define ROUNDS 301
#define TIMES 1000		/* of what is too short for the clock */

static char *memory;		/* of SIZE, lost or not */
static char copy[SIZE];
static sigjmp_buf point;
static struct sigaction ours;	/* the library's */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void memory_make(bool lost)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, SIZE))
		die("memfd");
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	memset(memory, 1, SIZE);
	if (lost && ftruncate(fd, 0))
		die("ftruncate");
	close(fd);
}

/* What a handler for one mapping has to do at least */
static bool mine(const siginfo_t *info)
{
	const char *addr = info->si_addr;

	return info->si_code == BUS_ADRERR && addr >= memory && addr < memory + SIZE;
}

static void bare_patch(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	if (!mine(info) || mmap(memory, SIZE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		abort();
}

static void bare_jump(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	if (!mine(info))
		abort();
	siglongjmp(point, 1);
}

static void bare_install(void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	if (sigaction(SIGBUS, &action, &ours))
		die("sigaction");
}

static void bare_remove(void)
{
	if (sigaction(SIGBUS, &ours, NULL))
		die("sigaction");
}

static struct unplug_sigbus *guarded(enum unplug_sigbus_policy policy)
{
	struct unplug_sigbus_attr attr = { .policy = policy };
	struct unplug_sigbus *guard;

	if (unplug_sigbus_register(&guard, memory, SIZE, &attr))
		die("unplug_sigbus_register");
	return guard;
}

static void touch(void)
{
	*(volatile char *)memory = 2;
}

static double touch_bare_patch(void)
{
	double begin;

	bare_install(bare_patch);
	begin = clock_now();
	touch();
	begin = clock_now() - begin;
	bare_remove();
	return begin;
}

static double touch_patch(void)
{
	struct unplug_sigbus *guard = guarded(UNPLUG_SIGBUS_PATCH);
	double begin = clock_now();

	touch();
	begin = clock_now() - begin;
	unplug_sigbus_unregister(guard);
	return begin;
}

/* Of both the point is set by who is measured; signal masks are not part of it. */
static double touch_bare_jump(void)
{
	volatile double begin;

	bare_install(bare_jump);
	begin = clock_now();
	if (!sigsetjmp(point, 1))
		touch();
	begin = clock_now() - begin;
	bare_remove();
	return begin;
}

static double touch_jump(void)
{
	struct unplug_sigbus *volatile guard = guarded(UNPLUG_SIGBUS_JUMP);
	struct unplug_sigbus_point here;
	volatile double begin = clock_now();

	if (unplug_sigbus_try(&here, guard)) {
		touch();
		unplug_sigbus_end(&here);
	}
	begin = clock_now() - begin;
	unplug_sigbus_unregister(guard);
	return begin;
}

static double touch_bare_copy(void)
{
	volatile double begin;

	bare_install(bare_jump);
	begin = clock_now();
	if (!sigsetjmp(point, 1))
		memcpy(copy, memory, SIZE);
	begin = clock_now() - begin;
	bare_remove();
	return begin;
}

static double touch_copy(void)
{
	double begin = clock_now();

	if (unplug_sigbus_copy_in(copy, memory, SIZE))
		abort();
	return clock_now() - begin;
}

static const struct {
	const char *name, *variant;
	double (*run)(void);
} losses[] = {
	{ "loss_patch", "bare", touch_bare_patch },
	{ "loss_patch", "unplug", touch_patch },
	{ "loss_jump", "bare", touch_bare_jump },
	{ "loss_jump", "unplug", touch_jump },
	{ "loss_copy", "bare", touch_bare_copy },
	{ "loss_copy", "unplug", touch_copy },
};

static void arm_builtin(void)
{
	void *env[5];

	if (!__builtin_setjmp(env))
		__asm__ volatile("" : : "r" (env) : "memory");
}

static void arm_bare(void)
{
	if (!sigsetjmp(point, 0))
		__asm__ volatile("" : : : "memory");
}

static void arm_mask(void)
{
	if (!sigsetjmp(point, 1))
		__asm__ volatile("" : : : "memory");
}

static void arm(void)
{
	struct unplug_sigbus_point here;

	if (unplug_sigbus_try(&here, NULL)) {
		__asm__ volatile("" : : : "memory");
		unplug_sigbus_end(&here);
	}
}

static void copy_bare(void)
{
	memcpy(copy, memory, 4096);
	__asm__ volatile("" : : "r" (copy) : "memory");
}

static void copy_guarded(void)
{
	if (unplug_sigbus_copy_in(copy, memory, 4096) != 4096)
		abort();
}

static const struct {
	const char *name, *variant;
	void (*run)(void);
} prepared[] = {
	{ "arm", "builtin_setjmp", arm_builtin },
	{ "arm", "sigsetjmp", arm_bare },
	{ "arm", "sigsetjmp_mask", arm_mask },
	{ "arm", "unplug", arm },
	{ "copy_4k", "memcpy", copy_bare },
	{ "copy_4k", "unplug", copy_guarded },
};

static void losses_run(void)
{
	unsigned int round, i;
	double time;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
			memory_make(true);
			time = losses[i].run();
			clock_report(losses[i].name, losses[i].variant, "us", time / 1000);
			munmap(memory, SIZE);
		}
	}
}

static void prepared_run(void)
{
	unsigned int round, i, n;
	double begin;

	memory_make(false);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < sizeof(prepared) / sizeof(prepared[0]); i++) {
			begin = clock_now();
			for (n = 0; n < TIMES; n++)
				prepared[i].run();
			clock_report(prepared[i].name, prepared[i].variant, "ns",
				     (clock_now() - begin) / TIMES);
		}
	}
}

int main(void)
{
	if (clock_pin(0))
		return 1;
	if (unplug_sigbus_install())
		die("unplug_sigbus_install");
	losses_run();
	prepared_run();
	return fclose(stdout) ? 1 : 0;
}
