/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _LIBUNPLUG_SIGBUS_H
#define _LIBUNPLUG_SIGBUS_H

/**
 * DOC: sigbus
 *
 * Who maps memory that somebody else can take away (a file that may be truncated,
 * revocable memory, a device) is sent SIGBUS when it was taken. There is one handler of
 * that signal in a process, and every library wants it. Here they share it: each
 * registers its ranges, and says what is to be done about a loss.
 *
 *	struct unplug_sigbus_attr attr = { .policy = UNPLUG_SIGBUS_PATCH };
 *
 *	unplug_sigbus_register(&guard, addr, len, &attr);
 *	... use the memory: it may become zeroes, it will not kill ...
 *	unplug_sigbus_unregister(guard);
 *	munmap(addr, len);
 *
 * Three policies, by guard:
 *
 *	PATCH	the whole range becomes anonymous memory, zeroes, private to this process;
 *		the access is repeated, and works. Once per registration.
 *	JUMP	the thread goes on at its recovery point (unplug_sigbus_try()).
 *	CALL	a function of the owner's decides.
 *
 * And one way that needs no guard: unplug_sigbus_copy_in() and _copy_out() stop at the first
 * byte that is gone and say how many they copied.
 *
 * States of a guard
 * -----------------
 *
 *	FREE --register--> LIVE --unregister--> DYING --last handler out--> FREE
 *
 *	state   a fault in the range
 *	LIVE    is answered by the policy
 *	DYING   is nobody's; handlers that found it LIVE finish
 *
 * and, for PATCH, of its range: WHOLE --fault--> PATCHING --mmap--> PATCHED.
 *
 * Which guard
 * -----------
 *
 * Who may patch (PATCH, CALL) has his pages to himself: unplug_sigbus_register() refuses a guard
 * that overlaps with another, if either of the two may. Otherwise what was written to the
 * one that is patched already would be lost with the other, and its owner never know.
 * Guards of JUMP may be nested: of those that contain the address it is the smallest, and of two
 * equal ones the one that was found first, which is any. A fault of a guarded copy, on the side that it
 * guards, is the copy's, whatever guards are there. Anything else is nobody's, and goes to
 * the handler that was there before; if there was none, the process is killed by SIGBUS as it
 * would have been. So is what is no loss: SIGBUS sent by kill(2), misaligned
 * accesses, and memory errors.
 *
 * Other handlers
 * --------------
 *
 * Who installs a handler later has to call ours for what is not his, as we call his that
 * was there before. If he does not, losses are his, and no error is returned for that:
 * unplug_sigbus_check() says that we have been replaced, unplug_sigbus_install() puts us before
 * him, with him as the one who gets what is nobody's. We never do so on our own.
 *
 * What it does not do
 * -------------------
 *
 * - A thread that blocks SIGBUS is killed by a fault: the kernel asks no handler.
 *   unplug_sigbus_check() tells.
 * - A system call does not raise SIGBUS, it fails with EFAULT. Take that as "gone", too.
 * - A range of PATCH has to be all of the mapping, or at least whole pages of it (of huge
 *   ones, huge pages), and nothing else. The rest of a mapping that is not in the range stays lost.
 * - Handlers run on the thread's alternative stack, if there is one: it has to be large
 *   enough for those that were there before.
 * - The handler stays when the library is unloaded. The shared library is not unloaded; who
 *   links the static one into something that may be, by dlclose(3), has to link that
 *   with -z nodelete.
 * - Between fork and exec guards work in the child as in the parent. In the child of vfork
 *   they must not be registered or unregistered.
 */

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct unplug_sigbus;

/**
 * enum unplug_sigbus_policy - what is to be done about a loss
 * @UNPLUG_SIGBUS_PATCH: put zeroes in its place, and go on
 * @UNPLUG_SIGBUS_JUMP: go on at the thread's recovery point; without one it is nobody's
 * @UNPLUG_SIGBUS_CALL: ask &unplug_sigbus_attr.lost
 */
enum unplug_sigbus_policy {
	UNPLUG_SIGBUS_PATCH,
	UNPLUG_SIGBUS_JUMP,
	UNPLUG_SIGBUS_CALL
};

/**
 * enum unplug_sigbus_verdict - what &unplug_sigbus_attr.lost decided
 * @UNPLUG_SIGBUS_RETRY: it is mended, repeat the access
 * @UNPLUG_SIGBUS_DO_PATCH: as UNPLUG_SIGBUS_PATCH
 * @UNPLUG_SIGBUS_DO_JUMP: as UNPLUG_SIGBUS_JUMP
 * @UNPLUG_SIGBUS_PASS: not mine: ask the handler that was there before
 */
enum unplug_sigbus_verdict {
	UNPLUG_SIGBUS_RETRY,
	UNPLUG_SIGBUS_DO_PATCH,
	UNPLUG_SIGBUS_DO_JUMP,
	UNPLUG_SIGBUS_PASS
};

/**
 * struct unplug_sigbus_attr - how a range is guarded
 * @policy: what is to be done about a loss
 * @prot: of the memory put in its place, as for mmap(2); 0: PROT_READ | PROT_WRITE
 * @lost: for UNPLUG_SIGBUS_CALL: called in the signal handler of the thread that faulted, all
 *	  signals blocked, with the address it could not reach. Only what is
 *	  async-signal-safe may be called there; it has to return, and is not to be left by longjmp():
 *	  UNPLUG_SIGBUS_DO_JUMP is the way
 * @data: for @lost
 */
struct unplug_sigbus_attr {
	enum unplug_sigbus_policy policy;
	int prot;
	enum unplug_sigbus_verdict (*lost)(struct unplug_sigbus *guard, void *addr, void *data);
	void *data;
};

/**
 * struct unplug_sigbus_point - where a thread goes on after a loss
 * @env: the place
 * @outer: the point that was armed before; points nest
 * @guard: whose losses end here, or NULL: those of any guard
 * @copies: the copies that were under way when it was armed; those begun since end with a loss
 *
 * Private: to be used through unplug_sigbus_try() and unplug_sigbus_end().
 */
struct unplug_sigbus_point {
	jmp_buf env;
	struct unplug_sigbus_point *outer;
	struct unplug_sigbus *guard;
	void *copies;
};

/* What unplug_sigbus_check() may find: bits */
#define UNPLUG_SIGBUS_ABSENT	1	/* never installed in this process */
#define UNPLUG_SIGBUS_REPLACED	2	/* somebody else has the signal now */
#define UNPLUG_SIGBUS_BLOCKED	4	/* this thread blocks it: a fault kills */

int unplug_sigbus_install(void);
unsigned int unplug_sigbus_check(void);

int unplug_sigbus_register(struct unplug_sigbus **guardp, void *addr, size_t len,
			   const struct unplug_sigbus_attr *attr);
int unplug_sigbus_unregister(struct unplug_sigbus *guard);
bool unplug_sigbus_lost(const struct unplug_sigbus *guard);

size_t unplug_sigbus_copy_in(void *to, const void *guarded, size_t len);
size_t unplug_sigbus_copy_out(void *guarded, const void *from, size_t len);

int unplug_sigbus_arm(struct unplug_sigbus_point *point, struct unplug_sigbus *guard);
void unplug_sigbus_end(struct unplug_sigbus_point *point);

/**
 * unplug_sigbus_try() - set a recovery point, and say how this place was reached
 * @point: local to the calling function; evaluated twice
 * @guard: whose losses end here, or NULL: those of any guard with UNPLUG_SIGBUS_JUMP
 *
 * To be the whole condition of an if:
 *
 *	if (unplug_sigbus_try(&point, guard)) {
 *		... use the memory ...
 *		unplug_sigbus_end(&point);
 *	} else {
 *		... it was lost; the point is not armed any more ...
 *	}
 *
 * What holds for setjmp() holds here (ISO C does not count this among the places where it may be
 * called; gcc and clang, which the library is for, do): local variables changed since have to be volatile,
 * the function must not return with the point armed, and in C++ no destructor may
 * be skipped. Between the two do nothing that cannot be left half done: take no locks,
 * do not allocate.
 *
 * Context: Any, signal handlers included. A handler must not be left by a point that was
 *	    armed outside of it.
 * Return: Not 0 when it was set, 0 after a loss.
 */
#define unplug_sigbus_try(point, guard) \
	(setjmp((point)->env) ? 0 : unplug_sigbus_arm((point), (guard)))

#ifdef __cplusplus
}
#endif

#endif /* _LIBUNPLUG_SIGBUS_H */
