/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_COLD_H
#define _UNPLUG_COLD_H

/*
 * Calls from a branch that is hardly ever taken.
 *
 * A function that makes a call, on whatever branch, has to keep what it still needs in
 * registers that calls leave alone, and saves these where it begins: on each of its
 * branches. So a call for who looks on now and then would cost every operation some
 * stores. What is called here leaves all registers alone, and finds its arguments on the
 * stack (cold.S): the usual way has a nop more, and nothing else. test/run looks at
 * the instructions (gate-cost).
 */

#include <linux/tracepoint-defs.h>

struct file;
struct unplug_dev;

DECLARE_TRACEPOINT(unplug_refused);

#if defined(CONFIG_X86_64) && !defined(CONFIG_UML)
#include <asm/asm.h>

/* void func(struct unplug_dev *dev, const char *op), named in cold.S */
#define unplug_cold_call(func, dev, op)					\
	asm volatile("pushq %[arg_op]\n\t"				\
		     "pushq %[arg_dev]\n\t"				\
		     "call " #func "_cold\n\t"				\
		     "addq $16, %%rsp"					\
		     : ASM_CALL_CONSTRAINT				\
		     : [arg_dev] "r" (dev), [arg_op] "ri" (op)		\
		     : "memory", "cc")

/* unsigned long func(struct unplug_dev *dev, struct file *file), likewise */
#define unplug_cold_ask(func, dev, file)				\
({									\
	unsigned long __answer;						\
									\
	asm volatile("pushq %[arg_file]\n\t"				\
		     "pushq %[arg_dev]\n\t"				\
		     "call " #func "_cold\n\t"				\
		     "popq %[answer]\n\t"				\
		     "addq $8, %%rsp"					\
		     : [answer] "=r" (__answer), ASM_CALL_CONSTRAINT	\
		     : [arg_dev] "r" (dev), [arg_file] "r" (file)	\
		     : "memory", "cc");					\
	__answer;							\
})
#else
#define unplug_cold_call(func, dev, op)		func(dev, op)
#define unplug_cold_ask(func, dev, file)	func(dev, file)
#endif

void unplug_guard_refused(struct unplug_dev *dev, const char *op);
void unplug_holder_enter(struct unplug_dev *dev, const char *op);
void unplug_holder_leave(struct unplug_dev *dev, const char *op);
unsigned long unplug_guard_stale(struct unplug_dev *dev, struct file *file);

#endif /* _UNPLUG_COLD_H */
