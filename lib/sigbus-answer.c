// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is done about a loss: the policies, and recovery points. All of it but arm and end
 * runs in the signal handler. Letters: see sigbus.c.
 */

#include "sigbus.h"
#include "internal.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As the kernel has it; glibc's sigset_t is larger. */
#define KERNEL_SIGSET_SIZE 8

/* The recovery points of this thread, innermost first */
static SIGBUS_TLS struct unplug_sigbus_point *points;

/*
 * The registration that this thread last found patched already, and where. It may have
 * faulted before the patch; if so, it will not do so again.
 */
static SIGBUS_TLS uint64_t stale_id;
static SIGBUS_TLS uintptr_t stale_addr;

/* By raw system call: mmap() may be somebody's wrapper, with locks. */
static bool patch_map(struct unplug_sigbus *guard)
{
	int prot = guard->attr.prot ? guard->attr.prot : PROT_READ | PROT_WRITE;
	uintptr_t start = guard->start;

	return (uintptr_t)syscall(SYS_mmap, start, guard->len, prot,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
				  -1, 0L) == start;
}

/* Be who patches, or wait for him. */
static void patch_once(struct unplug_sigbus *guard)
{
	uint32_t state = SIGBUS_WHOLE;

	if (atomic_compare_exchange_strong_explicit(&guard->patch, &state, SIGBUS_PATCHING,	/* G */
						    memory_order_acquire,
						    memory_order_acquire)) {
		state = patch_map(guard) ? SIGBUS_PATCHED : SIGBUS_FAILED;
		atomic_store_explicit(&guard->patch, state, memory_order_release);	/* G */
		syscall(SYS_futex, &guard->patch, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
		return;
	}
	while (state == SIGBUS_PATCHING) {
		syscall(SYS_futex, &guard->patch, FUTEX_WAIT_PRIVATE, SIGBUS_PATCHING,
			NULL, NULL, 0);
		state = atomic_load_explicit(&guard->patch, memory_order_acquire);	/* G */
	}
}

/*
 * All signals, those of the C library, too: our handler may have been called by one that does not
 * block them. Raw, as pthread_sigmask() leaves some out.
 */
static void signals_block(uint64_t *before)
{
	uint64_t all = ~UINT64_C(0);

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, before, KERNEL_SIGSET_SIZE);
}

static void signals_restore(uint64_t before)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET_SIZE);
}

static bool policy_patch(struct unplug_sigbus *guard, uintptr_t addr)
{
	switch (atomic_load_explicit(&guard->patch, memory_order_acquire)) {
	case SIGBUS_PATCHED:
		/* Somebody mapped something else there, and lost that: not ours. */
		if (stale_id == guard->id && stale_addr == addr)
			return false;
		stale_id = guard->id;
		stale_addr = addr;
		return true;
	case SIGBUS_FAILED:
		return false;
	}
	patch_once(guard);
	return guard->patch == SIGBUS_PATCHED;
}

/* The innermost point that is for @guard, or NULL */
static struct unplug_sigbus_point *point_find(const struct unplug_sigbus *guard)
{
	struct unplug_sigbus_point *point;

	for (point = points; point; point = point->outer) {
		if (!point->guard || point->guard == guard)
			break;
	}
	return point;
}

/*
 * Here a thread goes on after a loss: outside the handler, with the signals it had. Nothing
 * was pushed as a return address, and a sanitizer must not look for it.
 */
__attribute__((noreturn, no_sanitize("thread", "address")))
static void land(jmp_buf *env)
{
	longjmp(*env, 1);
}

#if defined(__x86_64__) && !defined(LIBUNPLUG_PORTABLE)

#define RED_ZONE	128
#define FLAG_DIRECTION	0x400

/*
 * Have the handler return into land(), instead of leaving it by longjmp(): whoever
 * called it, as handlers installed later do, returns as well, and gives back his locks.
 */
void sigbus_resume(jmp_buf *env, ucontext_t *context)
{
	greg_t *regs = context->uc_mcontext.gregs;

	regs[REG_RIP] = (greg_t)land;
	regs[REG_RDI] = (greg_t)env;
	/* As after a call: 8 more than a multiple of 16 */
	regs[REG_RSP] = ((regs[REG_RSP] - RED_ZONE) & ~(greg_t)15) - 8;
	regs[REG_EFL] &= ~(greg_t)FLAG_DIRECTION;
}

#else

void sigbus_resume(jmp_buf *env, ucontext_t *context)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &context->uc_sigmask, NULL, KERNEL_SIGSET_SIZE);
	land(env);
}

#endif

/*
 * Returns whether the loss was answered, and in @pointp where to go on, if not where
 * it happened.
 */
static bool policy_apply(struct unplug_sigbus *guard, uintptr_t addr,
			 struct unplug_sigbus_point **pointp)
{
	const struct unplug_sigbus_attr *attr = &guard->attr;
	enum unplug_sigbus_verdict verdict;

	switch (attr->policy) {
	case UNPLUG_SIGBUS_PATCH:
		return policy_patch(guard, addr);
	case UNPLUG_SIGBUS_JUMP:
		*pointp = point_find(guard);
		return *pointp;
	case UNPLUG_SIGBUS_CALL:
		break;
	}

	verdict = attr->lost(guard, (void *)addr, attr->data);
	switch (verdict) {
	case UNPLUG_SIGBUS_RETRY:
		return true;
	case UNPLUG_SIGBUS_DO_PATCH:
		return policy_patch(guard, addr);
	case UNPLUG_SIGBUS_DO_JUMP:
		*pointp = point_find(guard);
		return *pointp;
	case UNPLUG_SIGBUS_PASS:
		break;
	}
	return false;
}

/*
 * Returns whether the loss at @addr was a guard's, and is answered. With all signals blocked: a
 * handler that interrupted who patches, and faulted, would wait for itself, and one that jumps
 * out of here would leave the guard entered for ever.
 */
bool sigbus_answer(uintptr_t addr, ucontext_t *context)
{
	struct sigbus_inside inside = { .outer = sigbus_inside };
	struct unplug_sigbus_point *point = NULL;
	bool answered = false;
	uint64_t before;

	signals_block(&before);
	inside.guard = sigbus_find(addr);
	if (!inside.guard)
		goto out;

	sigbus_inside = &inside;
	answered = policy_apply(inside.guard, addr, &point);
	if (answered)
		atomic_fetch_add_explicit(&inside.guard->hits, 1, memory_order_relaxed);
	sigbus_inside = inside.outer;
	sigbus_put(inside.guard);
	if (point) {
		points = point->outer;
		sigbus_copies_restore(point->copies);
		sigbus_resume(&point->env, context);
	}
out:
	signals_restore(before);
	return answered;
}

/**
 * unplug_sigbus_arm() - the part of unplug_sigbus_try() that is no macro
 * @point: its place was set already. Aborts, with a line on stderr, if it is NULL
 * @guard: whose losses end there, or NULL: those of any
 *
 * Context: Any.
 * Return: 1.
 */
int unplug_sigbus_arm(struct unplug_sigbus_point *point, struct unplug_sigbus *guard)
{
	if (!point)
		unplug_fatal("unplug_sigbus_arm(NULL): it takes a point of the calling function's");
	point->guard = guard;
	point->outer = points;
	point->copies = sigbus_copies();
	atomic_signal_fence(memory_order_release);
	points = point;
	atomic_signal_fence(memory_order_seq_cst);
	return 1;
}

/**
 * unplug_sigbus_end() - disarm a recovery point
 * @point: the one that this thread armed last. Aborts, with a line on stderr, if it is another
 *
 * Context: Any. Not after a loss that ended there, which disarms it.
 */
void unplug_sigbus_end(struct unplug_sigbus_point *point)
{
	atomic_signal_fence(memory_order_seq_cst);
	if (!point || point != points)
		unplug_fatal("unplug_sigbus_end(point %p): it is not the one armed last, %p: end each once, the inner one first",
			     (void *)point, (void *)points);
	points = point->outer;
}
