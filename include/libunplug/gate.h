/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _LIBUNPLUG_GATE_H
#define _LIBUNPLUG_GATE_H

/**
 * DOC: gate
 *
 * A gate counts who is inside one device. Everybody who wants to work with the
 * device takes an active reference first and puts it when the work is done:
 *
 *	if (!unplug_gate_get_active(gate))
 *		return -ENODEV;
 *	... the device will not go away under this code ...
 *	unplug_gate_put_active(gate);
 *
 * A gate is not a lock: any number of users are inside at once, nobody ever
 * waits to get in, and a reference says nothing about other users. It is not a
 * reference count of memory either: the gate has to be kept alive by other
 * means as long as anybody may call get. It is the twin of the kernel's,
 * include/unplug/gate.h.
 *
 * States
 * ------
 *
 *	NEW --open--> LIVE --kill--> DYING --fold--> DRAINING --last one out--> DEAD
 *	 |	       ^		  ^				 |
 *	 |	       +------------------|--thaw------------------------+
 *	 +--------------------kill--------+
 *
 *	state     get     put              who may be inside
 *	NEW       fails   -                nobody
 *	LIVE      enters  per-CPU words    anybody
 *	DYING     fails   drain word       those who entered while LIVE
 *	DRAINING  fails   drain word       those who entered while LIVE
 *	DEAD      fails   -                nobody
 *
 * A gate of zeroes, before unplug_gate_init() or after unplug_gate_destroy(), says that it is NEW,
 * and lets nobody in. All else that is done to it is refused with -EINVAL, or ends the process
 * with a line on stderr where no error can be returned.
 *
 * Whoever was refused by a gate that had been open is refused until it is thawed, if
 * ever, and so is whoever he tells. It is the caller (the device) who serialises open,
 * shut and thaw of one gate.
 *
 * unplug_gate_shut() is kill, close and fold in one. It waits for no user: it returns
 * at once, and nobody gets in after it. That the last one left is told in three ways, of
 * which any may be used: unplug_gate_wait_drained(), an eventfd, the callback
 * ->drained. The gate may be freed as soon as one of them said so, if nobody else waits for it. ->drained comes first: the gate
 * is DRAINING until it has returned, is not thawed before, and who waits is told then. Or it
 * returns false: it has freed the gate, or given it away, and nobody else is told.
 *
 * Where get and put may be called
 * -------------------------------
 *
 * In any thread, and in signal handlers, with a gate that is there: NULL is not looked for. Both
 * may nest, and a reference may be put by another thread, or on another CPU, than the one that got it. Not between vfork() and
 * exec. After fork() the child says by unplug_gate_forked() who is inside. A gate
 * must not lie in memory that processes share.
 *
 * How it counts, and why that is right, says lib/gate.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && defined(__LP64__) && defined(__gnu_linux__) && \
	!defined(UNPLUG_ATOMICS)
#include <features.h>
#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 35)
#include <sys/rseq.h>
#define UNPLUG_GATE_RSEQ
#endif
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum unplug_gate_state - how far a gate is
 * @UNPLUG_GATE_NEW: not opened yet
 * @UNPLUG_GATE_LIVE: users come and go
 * @UNPLUG_GATE_DYING: nobody new is let in
 * @UNPLUG_GATE_DRAINING: the last user to leave makes it dead, by way of ->drained
 * @UNPLUG_GATE_DEAD: nobody is inside, and ->drained has returned
 */
enum unplug_gate_state {
	UNPLUG_GATE_NEW,
	UNPLUG_GATE_LIVE,
	UNPLUG_GATE_DYING,
	UNPLUG_GATE_DRAINING,
	UNPLUG_GATE_DEAD
};

/**
 * struct unplug_gate - the active references of one device; all fields private
 * @slots: what CPU 0 has counted, in and out; that of CPU n is n pages further
 * @bound: who runs on a CPU below it counts in the slot of that; the others in @word.
 *	   0 if the gate is not live
 * @cpus: @bound while the gate is live: how many slots there are; 0 without
 *	  restartable sequences
 * @word: flags, and the count of who could not use a slot: the drain word
 * @drained: called once each time the gate was shut, when nobody is inside any more; false: it
 *	     has given the gate away
 * @base: the sum of all slots when nobody is inside
 * @eventfd: written to at the same time, or -1
 * @reserved: for later
 */
struct unplug_gate {
	char *slots;
	uint32_t bound;
	uint32_t cpus;
	uint64_t word;
	bool (*drained)(struct unplug_gate *gate);
	uint32_t base;
	int eventfd;
	void *reserved[3];
};

int unplug_gate_init(struct unplug_gate *gate,
		     bool (*drained)(struct unplug_gate *gate));
void unplug_gate_destroy(struct unplug_gate *gate);

void unplug_gate_open(struct unplug_gate *gate);
void unplug_gate_kill(struct unplug_gate *gate);
int unplug_gates_close(struct unplug_gate *const gates[], unsigned int n);
int unplug_gate_thaw(struct unplug_gate *gate);
void unplug_gate_fold(struct unplug_gate *gate);
int unplug_gate_shut(struct unplug_gate *gate);
int unplug_gates_shut(struct unplug_gate *const gates[], unsigned int n);

int unplug_gate_wait_drained(struct unplug_gate *gate, int timeout);
void unplug_gate_set_eventfd(struct unplug_gate *gate, int fd);
void unplug_gate_forked(struct unplug_gate *gate, unsigned int inside);

enum unplug_gate_state unplug_gate_state(const struct unplug_gate *gate);
unsigned int unplug_gate_inside(const struct unplug_gate *gate);

/* The other halves of get and put, not to be called by themselves */
bool unplug_gate_get_slow(struct unplug_gate *gate) __attribute__((cold));
void unplug_gate_put_slow(struct unplug_gate *gate) __attribute__((cold));

#ifdef UNPLUG_GATE_RSEQ
/* Broken twins, which the tests have to find, look elsewhere, and take their time. */
#ifndef UNPLUG_GATE_LOOK
#define UNPLUG_GATE_LOOK(slow)						\
	"cmpl %[bound], %%eax\n\t"					\
	"jae %l[" #slow "]\n\t"
#define UNPLUG_GATE_DELAY
#endif

/*
 * The descriptor is taken back at the end (slow does so, too): the kernel may look at it any
 * time later, when the code has long been unloaded. But code that is not made for a shared
 * object is part of the program, and stays: so compile by -fPIC whatever may be unloaded.
 */
#if defined(__PIC__) && !defined(__PIE__)
#define UNPLUG_GATE_ZERO [zero] "r" (UINT64_C(0)),
#define UNPLUG_GATE_LEAVE "movq %[zero], %%fs:%c[cs](%[rseq])\n\t"
#else
#define UNPLUG_GATE_ZERO
#define UNPLUG_GATE_LEAVE
#endif

/*
 * One restartable sequence: if this CPU is below @bound, count one in the word of
 * its slot. Whoever is preempted, migrated or interrupted by a signal in it, or hit by
 * shut's membarrier, has counted nothing and goes to slow: tried once only, so
 * a debugger may step through it.
 *
 * In AT&T's syntax: a program that is compiled by -masm=intel defines UNPLUG_ATOMICS.
 *
 * The descriptor is in the section group of the function ("?"), if that has one: C++
 * makes many of an inline function and links one.
 */
#define UNPLUG_GATE_COUNT(gate, word, slow)				\
	__asm__ goto (							\
		".pushsection __rseq_cs, \"aw?\"\n\t"			\
		".balign 32\n"						\
		"771:\n\t"						\
		".long 0, 0\n\t"					\
		".quad 772f, 773f - 772f, 774f\n\t"			\
		".popsection\n\t"					\
		".pushsection __rseq_abort, \"ax?\"\n\t"		\
		".byte 0x0f, 0xb9, 0x3d\n\t" /* the signature as an operand of ud1 */ \
		".long %c[sig]\n"					\
		"774:\n\t"						\
		"jmp %l[" #slow "]\n\t"					\
		".popsection\n\t"					\
		"leaq 771b(%%rip), %%rax\n\t"				\
		"movq %%rax, %%fs:%c[cs](%[rseq])\n"			\
		"772:\n\t"						\
		"movl %%fs:%c[cpu](%[rseq]), %%eax\n\t"			\
		UNPLUG_GATE_LOOK(slow)					\
		"shlq $12, %%rax\n\t"					\
		"addq %[slots], %%rax\n\t"				\
		UNPLUG_GATE_DELAY					\
		"incl " #word "(%%rax)\n"				\
		"773:\n\t"						\
		UNPLUG_GATE_LEAVE					\
		:							\
		: [rseq] "r" (__rseq_offset),				\
		  [bound] "m" ((gate)->bound),				\
		  [slots] "m" ((gate)->slots),				\
		  UNPLUG_GATE_ZERO					\
		  [cpu] "i" (offsetof(struct rseq, cpu_id)),		\
		  [cs] "i" (offsetof(struct rseq, rseq_cs)),		\
		  [sig] "i" (RSEQ_SIG)					\
		: "rax", "cc", "memory"					\
		: slow)
#endif

/**
 * unplug_gate_get_active() - enter a gate
 * @gate: the gate
 *
 * Never waits. A user who is inside already may enter again, but must be
 * prepared to be refused: the gate may have been shut in between.
 *
 * Ownership: the caller owes unplug_gate_put_active() if it succeeds. The
 *	    gate's memory is kept by other means.
 * Context: Any thread, signal handlers; not a vfork child.
 * Return: true if the caller is inside and owes unplug_gate_put_active();
 *	   false if the gate is not live.
 */
static inline __attribute__((always_inline)) bool
unplug_gate_get_active(struct unplug_gate *gate)
{
#ifdef UNPLUG_GATE_RSEQ
	UNPLUG_GATE_COUNT(gate, 0, slow);
	return true;
slow:
#endif
	return unplug_gate_get_slow(gate);
}

/**
 * unplug_gate_put_active() - leave a gate
 * @gate: the gate, entered by unplug_gate_get_active()
 *
 * May be called by another thread, on another CPU and in another context than
 * the get it ends. The gate must not be touched afterwards on the strength of
 * that reference.
 *
 * Ownership: the caller is no longer inside.
 * Context: Any thread, signal handlers; not a vfork child. Calls ->drained if it was
 *	    the last one to leave a gate that was shut.
 */
static inline __attribute__((always_inline)) void
unplug_gate_put_active(struct unplug_gate *gate)
{
#ifdef UNPLUG_GATE_RSEQ
	UNPLUG_GATE_COUNT(gate, 4, slow);
	return;
slow:
#endif
	unplug_gate_put_slow(gate);
}

#ifdef __cplusplus
}
#endif

#endif /* _LIBUNPLUG_GATE_H */
