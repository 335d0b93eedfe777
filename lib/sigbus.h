/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _LIB_SIGBUS_H
#define _LIB_SIGBUS_H

/*
 * What the parts of the SIGBUS guard know of each other: the registry (sigbus.c), the
 * handler and its neighbours (sigbus-handler.c), what it does about a loss
 * (sigbus-answer.c), and the copies (sigbus-copy.c).
 */

#include <libunplug/sigbus.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <ucontext.h>

/* Of the word of a guard: it is registered; the rest counts handlers inside */
#define SIGBUS_LIVE	0x80000000u
#define SIGBUS_USERS	0x7fffffffu

enum sigbus_patch {
	SIGBUS_WHOLE,
	SIGBUS_PATCHING,
	SIGBUS_PATCHED,
	SIGBUS_FAILED,
};

/**
 * struct unplug_sigbus - a place for a guard; never freed, see sigbus.c
 * @word: SIGBUS_LIVE, and the number of handlers inside; a futex
 * @start: of the range; changed while the word is 0 only
 * @len: the same
 * @attr: the same; plain, as it is read by who is inside alone
 * @id: the same; of the registration: no other has it. Of a free place: when it was given back
 * @patch: enum sigbus_patch; a futex
 * @hits: faults of this registration that were answered
 * @taken: not free; under the registry's lock
 */
struct unplug_sigbus {
	_Atomic uint32_t word;
	_Atomic uintptr_t start;
	_Atomic size_t len;
	struct unplug_sigbus_attr attr;
	uint64_t id;
	_Atomic uint32_t patch;
	_Atomic uint32_t hits;
	bool taken;
};

/**
 * struct sigbus_inside - a thread is inside a guard: on the stack of its handler
 * @guard: which one
 * @outer: handlers nest, if a callback faults
 */
struct sigbus_inside {
	struct unplug_sigbus *guard;
	struct sigbus_inside *outer;
};

/* Initial-exec: the first use of another model may allocate, in a signal handler. */
#define SIGBUS_TLS _Thread_local __attribute__((tls_model("initial-exec")))

extern SIGBUS_TLS struct sigbus_inside *sigbus_inside;

struct unplug_sigbus *sigbus_find(uintptr_t addr);
void sigbus_put(struct unplug_sigbus *guard);
bool sigbus_is_inside(const struct unplug_sigbus *guard);
int sigbus_fork_init(void);
void sigbus_handler_lock(void);
void sigbus_handler_unlock(void);

bool sigbus_answer(uintptr_t addr, ucontext_t *context);
void sigbus_resume(jmp_buf *env, ucontext_t *context);
bool sigbus_copy_fix(uintptr_t addr, ucontext_t *context);
void *sigbus_copies(void);
void sigbus_copies_restore(void *copies);

int sigbus_need(void);

#endif /* _LIB_SIGBUS_H */
