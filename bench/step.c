// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The processor traps after each instruction while its trap flag is set. Instructions
 * are told apart by their first bytes, as far as the question is concerned.
 */
#include "step.h"
#include "cpu.h"

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define TRAP_FLAG 0x100
#define FEW 8			/* pairs of the short walk; the long one has one more */

static struct { unsigned long instructions, atomics, fences; } count;
static FILE *list;
static sigjmp_buf lost;
static bool walking;

/* Where the opcode begins; @lock: there is a lock prefix */
static const uint8_t *opcode(const uint8_t *p, bool *lock)
{
	static const uint8_t prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26,
					    0x64, 0x65, 0xf0 };

	*lock = false;
	for (; memchr(prefixes, *p, sizeof(prefixes)); p++)
		*lock |= *p == 0xf0;
	return (*p & 0xf0) == 0x40 ? p + 1 : p;
}

/* addl $0, …(%rsp): 83 /0 with a SIB byte for the stack */
static bool adds_zero(const uint8_t *p)
{
	return p[0] == 0x83 && (p[1] & 0x3f) == 0x04 && p[2] == 0x24 &&
	       p[(p[1] >> 6 == 1) ? 4 : (p[1] >> 6 == 2) ? 7 : 3] == 0;
}

static void instruction(const uint8_t *at)
{
	bool lock;
	const uint8_t *p = opcode(at, &lock);
	bool xchg = (p[0] & 0xfe) == 0x86 && p[1] < 0xc0;
	bool mfence = p[0] == 0x0f && p[1] == 0xae && (p[2] & 0xf8) == 0xf0;
	int i;

	count.instructions++;
	if (mfence || (lock && adds_zero(p)))
		count.fences++;
	else if (lock || xchg)
		count.atomics++;
	if (!list)
		return;
	fprintf(list, "%lx", (unsigned long)at | 0xffffffff00000000);
	for (i = 0; i < 15; i++)
		fprintf(list, " %02x", at[i]);
	fputc('\n', list);
}

/* Only what lies where the image is: not the way there and back. */
static void on_trap(int signal, siginfo_t *info, void *context)
{
	uint64_t at = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

	(void)signal, (void)info;
	if (at >= 0x80000000 && at < 1UL << 32)
		instruction((const uint8_t *)at);
}

static void on_loss(int signal, siginfo_t *info, void *context)
{
	ucontext_t *where = context;

	if (signal == SIGSEGV && cpu_fault((uint64_t)info->si_addr))
		return;
	where->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
	fprintf(stderr, "replay: signal %d at %llx, address %p\n", signal,
		where->uc_mcontext.gregs[REG_RIP], info->si_addr);
	if (!walking)
		_Exit(1);
	siglongjmp(lost, 1);
}

void step_init(void)
{
	struct sigaction trap = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	struct sigaction loss = { .sa_sigaction = on_loss, .sa_flags = SA_SIGINFO };

	sigaction(SIGTRAP, &trap, NULL);
	sigaction(SIGSEGV, &loss, NULL);
	sigaction(SIGBUS, &loss, NULL);
	sigaction(SIGILL, &loss, NULL);
}

static void trap_flag(bool on)
{
	unsigned long flags = __builtin_ia32_readeflags_u64();

	__builtin_ia32_writeeflags_u64(on ? flags | TRAP_FLAG : flags & ~TRAP_FLAG);
}

static int walk(const struct loop *loop, unsigned long pairs)
{
	memset(&count, 0, sizeof(count));
	if (sigsetjmp(lost, 1)) {
		fprintf(stderr, "replay: %s leads out of what was taken from the guest\n",
			loop->name);
		return -1;
	}
	walking = true;
	trap_flag(true);
	loop->run(loop->object, pairs);
	trap_flag(false);
	walking = false;
	return 0;
}

/* One pair is what a walk of one pair more executes in addition. */
static int pair_count(const struct loop *loop, struct steps *steps)
{
	if (walk(loop, FEW) < 0)
		return -1;
	steps->instructions = count.instructions;
	steps->atomics = count.atomics;
	steps->fences = count.fences;
	if (walk(loop, FEW + 1) < 0)
		return -1;
	steps->instructions = count.instructions - steps->instructions;
	steps->atomics = count.atomics - steps->atomics;
	steps->fences = count.fences - steps->fences;
	return 0;
}

static int path_list(const struct loop *loop, const char *folder)
{
	char path[4096];
	int r;

	snprintf(path, sizeof(path), "%s/%s.path", folder, loop->name);
	list = fopen(path, "we");
	if (!list)
		return -1;
	r = walk(loop, 1);
	fclose(list);
	list = NULL;
	return r;
}

int step_count(const struct loop *loop, const struct loop *empty, const char *listing,
	       struct steps *steps)
{
	struct steps around;

	if (pair_count(empty, &around) < 0 || pair_count(loop, steps) < 0)
		return -1;
	steps->instructions -= around.instructions;
	steps->atomics -= around.atomics;
	steps->fences -= around.fences;
	return listing ? path_list(loop, listing) : 0;
}
