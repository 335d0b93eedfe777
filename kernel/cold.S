/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What unplug_cold_call() and unplug_cold_ask() call: see cold.h. The stack has the two
 * arguments; the answer replaces the first.
 */

#include <linux/linkage.h>
#include <asm/frame.h>

/* Between the arguments and the registers saved below lies the return address. */
#define SAVED	(9 * 8)
#define DEV	(SAVED + 8 + FRAME_OFFSET)
#define OP	(DEV + 8)

.macro COLD func
SYM_FUNC_START(\func\()_cold)
	FRAME_BEGIN
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	movq	DEV(%rsp), %rdi
	movq	OP(%rsp), %rsi
	call	\func
	movq	%rax, DEV(%rsp)
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	FRAME_END
	RET
SYM_FUNC_END(\func\()_cold)
.endm

.text
COLD unplug_guard_refused
COLD unplug_holder_enter
COLD unplug_holder_leave
COLD unplug_guard_stale
