// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Copies out of, and into, memory that may be lost, which stop there. They need no guard: the
 * handler knows by the address of the instruction that it is one of these, and by the address of the
 * access that it was the side that may be lost.
 */

#include "sigbus.h"

#include <string.h>

#if defined(__x86_64__) && !defined(LIBUNPLUG_PORTABLE)

/*
 * size_t sigbus_copy(void *to, const void *from, size_t len, const void *guarded)
 *
 * Returns what is left. In bulk first; if that faults, the rest byte by byte, as a fault in
 * bulk may come before the last byte that is there was moved. r8 and r9 have the side that may be
 * lost, for the handler.
 */
__asm__(".pushsection .text\n"
	".p2align 4\n"
	".hidden sigbus_copy\n"
	".hidden sigbus_copy_bulk\n"
	".hidden sigbus_copy_slow\n"
	".hidden sigbus_copy_load\n"
	".hidden sigbus_copy_store\n"
	".hidden sigbus_copy_done\n"
	".globl sigbus_copy\n"
	".globl sigbus_copy_bulk\n"
	".globl sigbus_copy_slow\n"
	".globl sigbus_copy_load\n"
	".globl sigbus_copy_store\n"
	".globl sigbus_copy_done\n"
	".type sigbus_copy, @function\n"
	"sigbus_copy:\n"
	"	.cfi_startproc\n"
	"	mov	%rcx, %r8\n"
	"	mov	%rdx, %r9\n"
	"	mov	%rdx, %rcx\n"
	"sigbus_copy_bulk:\n"
	"	rep movsb\n"
	"sigbus_copy_slow:\n"
	"	test	%rcx, %rcx\n"
	"	jz	sigbus_copy_done\n"
	"sigbus_copy_load:\n"
	"	movb	(%rsi), %al\n"
	"sigbus_copy_store:\n"
	"	movb	%al, (%rdi)\n"
	"	inc	%rsi\n"
	"	inc	%rdi\n"
	"	dec	%rcx\n"
	"	jnz	sigbus_copy_load\n"
	"sigbus_copy_done:\n"
	"	mov	%rcx, %rax\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size sigbus_copy, . - sigbus_copy\n"
	".popsection\n");

size_t sigbus_copy(void *to, const void *from, size_t len, const void *guarded);
extern const char sigbus_copy_bulk[] __attribute__((visibility("hidden")));
extern const char sigbus_copy_slow[] __attribute__((visibility("hidden")));
extern const char sigbus_copy_load[] __attribute__((visibility("hidden")));
extern const char sigbus_copy_store[] __attribute__((visibility("hidden")));
extern const char sigbus_copy_done[] __attribute__((visibility("hidden")));

/* Returns whether the fault was a copy's, which goes on behind it. */
bool sigbus_copy_fix(uintptr_t addr, ucontext_t *context)
{
	greg_t *regs = context->uc_mcontext.gregs;
	uintptr_t at = (uintptr_t)regs[REG_RIP];
	const char *to;

	if (at == (uintptr_t)sigbus_copy_bulk)
		to = sigbus_copy_slow;
	else if (at == (uintptr_t)sigbus_copy_load || at == (uintptr_t)sigbus_copy_store)
		to = sigbus_copy_done;
	else
		return false;
	if (addr - (uintptr_t)regs[REG_R8] >= (uintptr_t)regs[REG_R9])
		return false;
	regs[REG_RIP] = (greg_t)to;
	return true;
}

/* A copy that is under way is known by its registers: nothing is left of one that was left. */
void *sigbus_copies(void)
{
	return NULL;
}

void sigbus_copies_restore(void *outer)
{
	(void)outer;
}

#else

#define CHUNK 4096

/*
 * A copy that is under way in this thread: where it goes on, and the side that may be lost.
 * They nest, as a signal handler may copy, too.
 */
struct copy {
	jmp_buf env;
	struct copy *outer;
	uintptr_t guarded;
	size_t len;
};

static SIGBUS_TLS struct copy *copies;

/* Returns whether the fault was a copy's, which goes on at its place. */
bool sigbus_copy_fix(uintptr_t addr, ucontext_t *context)
{
	struct copy *copy = copies;

	if (!copy || addr - copy->guarded >= copy->len)
		return false;
	sigbus_resume(&copy->env, context);
	return true;
}

/* The innermost one, to be given back when those inside of it are left by a jump */
void *sigbus_copies(void)
{
	return copies;
}

void sigbus_copies_restore(void *outer)
{
	copies = outer;
}

/* Moves on by at most @chunk bytes, and says so only when it is done. */
static void copy_step(char *to, const char *from, size_t chunk, volatile size_t *left)
{
	memcpy(to, from, chunk);
	atomic_signal_fence(memory_order_seq_cst);
	*left -= chunk;
}

/* Returns what is left. */
static size_t sigbus_copy(void *to, const void *from, size_t len, const void *guarded)
{
	struct copy copy = { .outer = copies, .guarded = (uintptr_t)guarded, .len = len };
	volatile size_t left = len, chunk = CHUNK;

	if (setjmp(copy.env)) {
		if (chunk == 1)
			goto out;
		chunk = 1;
	}
	copies = &copy;
	atomic_signal_fence(memory_order_seq_cst);
	while (left)
		copy_step((char *)to + (len - left), (const char *)from + (len - left),
			  left < chunk ? left : chunk, &left);
out:
	copies = copy.outer;
	return left;
}

#endif

/**
 * unplug_sigbus_copy_in() - copy from memory that may be lost
 * @to: where to
 * @guarded: memory that may be lost; whether it is in a guard makes no difference
 * @len: how many bytes
 *
 * The ranges must not overlap.
 *
 * Context: Any thread that does not block SIGBUS; signal handlers, too, once there is
 *	    a handler: the first call installs it.
 * Return: How many bytes were copied: @len, or all those before the first one that was
 *	   gone. 0, too, if the handler cannot be installed, or for NULL.
 */
size_t unplug_sigbus_copy_in(void *to, const void *guarded, size_t len)
{
	if (!to || !guarded || sigbus_need() < 0)
		return 0;
	return len - sigbus_copy(to, guarded, len, guarded);
}

/**
 * unplug_sigbus_copy_out() - copy to memory that may be lost
 * @guarded: memory that may be lost; whether it is in a guard makes no difference
 * @from: where from
 * @len: how many bytes
 *
 * The ranges must not overlap. That a byte was copied does not say that somebody can read
 * it: the memory may be taken away with it.
 *
 * Context: As unplug_sigbus_copy_in().
 * Return: As unplug_sigbus_copy_in().
 */
size_t unplug_sigbus_copy_out(void *guarded, const void *from, size_t len)
{
	if (!guarded || !from || sigbus_need() < 0)
		return 0;
	return len - sigbus_copy(guarded, from, len, guarded);
}
