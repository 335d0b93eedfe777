/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_WORD_H
#define _UNPLUG_WORD_H

/**
 * DOC: word
 *
 * What each CPU keeps of a gate: OPEN plus a count while it admits users, about
 * SHUT once it does not. The sign tells. Only its own CPU writes it, by single
 * instructions that interrupts, and the scheduler, cannot split.
 */

#include <linux/bits.h>
#include <linux/percpu.h>
#include <linux/types.h>

#define UNPLUG_WORD_OPEN	((long)BIT(62))
#define UNPLUG_WORD_SHUT	(-UNPLUG_WORD_OPEN)

/* Where the increment leaves its sign in flags */
#if defined(CONFIG_X86_64) && defined(CONFIG_SMP) && !defined(CONFIG_UML)
#define UNPLUG_WORD_FLAGS
#endif

/* As an operand: behind %gs, so an offset and no address of the kernel's */
#define UNPLUG_WORD_HERE(word)	(*(long *)(__force uintptr_t)(word))

/**
 * unplug_word_inc() - count one in on this CPU
 * @word: of each CPU
 *
 * Ownership: the caller is inside the gate if it succeeds.
 * Context: Any.
 * Return: true if this CPU is open; else nothing was counted.
 */
static __always_inline bool unplug_word_inc(long __percpu *word)
{
#ifdef UNPLUG_WORD_FLAGS
	bool open;

	/*
	 * The flags of the increment say it all. this_cpu_inc_return() is xadd,
	 * which took seven times as long (measured on a Zen 4).
	 */
	asm volatile("incq %%gs:%1"
		     : "=@ccg" (open), "+m" (UNPLUG_WORD_HERE(word))
		     : : "memory");
	return open;
#else
	return this_cpu_inc_return(*word) > 0;
#endif
}

/**
 * unplug_word_dec() - count one out on this CPU
 * @word: of each CPU
 *
 * Ownership: the caller is outside the gate if it succeeds, and must not touch
 *	    @word any more.
 * Context: Any.
 * Return: true if this CPU is open; else nothing was counted.
 */
static __always_inline bool unplug_word_dec(long __percpu *word)
{
#ifdef UNPLUG_WORD_FLAGS
	bool open;

	asm volatile("decq %%gs:%1"
		     : "=@ccg" (open), "+m" (UNPLUG_WORD_HERE(word))
		     : : "memory");
	return open;
#else
	return this_cpu_dec_return(*word) > 0;
#endif
}

#endif /* _UNPLUG_WORD_H */
