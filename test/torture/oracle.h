/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oracle: what is legal, by doc/promises.md, and which promise is broken by what is not
 *
 * The only place that knows. Everything in it is a function of its arguments alone: what was
 * asked, what the board said before and after, what was answered; or a fact of the kernel
 * half's; or who has not come back.
 *
 * Between the two looks at the board a card may have gone through several states. So an
 * answer is legal if there is a moment in between at which it would have been right:
 *
 *	before	after		may work	EAGAIN	ENODEV
 *	LIVE	LIVE, same turn	has to
 *	LIVE	another turn	yes		yes
 *	FROZEN	same		no		has to
 *	-	PULLING ..	yes		-	yes
 *	SHUT ..	-		no		no	has to
 *
 * (A file that a thaw has ended fares as if its card were shut.)
 */
#ifndef UNPLUG_TORTURE_ORACLE_H
#define UNPLUG_TORTURE_ORACLE_H

#include <stdbool.h>
#include <stdint.h>
#include "module/torture-uapi.h"

/* X(id, name, answer when the card is away) */
#define ORACLE_OPS(X)							\
	X(OPEN, "open", ENOENT)						\
	X(ALIAS, "open-alias", ENXIO)					\
	X(CLOSE, "close", 0)						\
	X(READ, "read", ENODEV)						\
	X(WRITE, "write", ENODEV)					\
	X(INFO, "ioctl", ENODEV)					\
	X(LONG, "ioctl-long", ENODEV)					\
	X(HOLD, "ioctl-hold", ENODEV)					\
	X(POLL, "poll", 0)						\
	X(MMAP, "mmap", ENODEV)						\
	X(LOAD, "load", ORACLE_SIGBUS)					\
	X(STORE, "store", ORACLE_SIGBUS)				\
	X(PEEK, "ptrace", EIO)						\
	X(PULL, "pull", 0)						\
	X(WAIT_GONE, "wait-gone", 0)					\
	X(WAIT_NEIGHBOUR, "wait-neighbour", 0)				\
	X(FREEZE, "freeze", ENODEV)					\
	X(THAW, "thaw", ENODEV)						\
	X(PLUG, "plug", 0)						\
	X(OTHER, "other", 0)

enum oracle_op {
#define ORACLE_ENUM(id, name, away) ORACLE_##id,
	ORACLE_OPS(ORACLE_ENUM)
#undef ORACLE_ENUM
	ORACLE_OP_MAX
};

/* Answers beside those of errno: a signal */
#define ORACLE_SIGBUS	1001
#define ORACLE_SIGSEGV	1002

/**
 * struct oracle_look - a card, as the board had it
 * @state: of the card; TORTURE_NONE: of none
 * @turn: see struct torture_entry; likewise the rest
 */
struct oracle_look {
	enum torture_state state;
	uint32_t turn, ending, ended;
};

/**
 * struct oracle_act - what was done, and what came of it
 * @op: what
 * @generation: of the card; of OPEN: of the one that was in the slot before
 * @last: of OPEN: of the one that was there after
 * @opened_from: not before this turn
 * @opened_to: not after this one
 * @before: when it began
 * @after: when it had ended
 * @nonblock: it does not wait for a token, nor for a thaw
 * @waits: newcomers wait for a thaw
 * @dummy: mappings show zeroes while the card cannot be reached
 * @signals: somebody sends signals that are handled
 * @own: the memory it was given is a mapping of the card
 * @answer: 0 or an error
 * @value: if it worked: whose the card is; of POLL: the events
 */
struct oracle_act {
	enum oracle_op op;
	uint64_t generation, last;
	uint32_t opened_from, opened_to;
	struct oracle_look before, after;
	bool nonblock, waits, dummy, signals, own;
	int answer;
	uint64_t value;
};

/**
 * struct oracle_verdict - what is wrong
 * @promise: K1 …
 * @why: in words
 */
struct oracle_verdict {
	const char *promise, *why;
};

const char *oracle_op_name(enum oracle_op op);
bool oracle_is_legal(const struct oracle_act *act, struct oracle_verdict *verdict);
void oracle_fact(enum torture_fact fact, struct oracle_verdict *verdict);
bool oracle_is_stuck(enum oracle_op op, const struct oracle_look *look, uint32_t opened_to,
		     bool waits, struct oracle_verdict *verdict);

#endif
