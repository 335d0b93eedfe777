/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#ifndef _UNPLUG_TORTURE_UAPI_H
#define _UNPLUG_TORTURE_UAPI_H

/*
 * torture: what the two halves of unplug-torture tell each other
 *
 *	/dev/torture0, 1 …	a card in each slot, as long as one is plugged in
 *	/dev/torture-control	plugs, pulls, freezes, thaws; reading gives the facts; mapping
 *				gives the board
 *
 * The board
 * ---------
 *
 * What the kernel half knows of each card, for who wants to judge what he was answered: he looks
 * before an operation and after it. A state is written before what leads to it is
 * called (PULLING, FREEZING, THAWING), or after it has returned (SHUT, FROZEN): between the
 * two nobody can know. Cards are told apart by generation: that of a card is its entry's as
 * long as no later card needs the same place, which is long after it was shut.
 */

#include <linux/ioctl.h>
#include <linux/types.h>

#define TORTURE_SLOTS	16
#define TORTURE_PAGES	4		/* of registers, that users map */
#define TORTURE_ENTRIES	4096
#define TORTURE_PAGE	4096

/* In this order; those from FREEZING to THAWING may be followed by LIVE */
enum torture_state {
	TORTURE_NONE,
	TORTURE_PLUGGING,
	TORTURE_LIVE,
	TORTURE_FREEZING,
	TORTURE_FROZEN,
	TORTURE_THAWING,
	TORTURE_PULLING,
	TORTURE_SHUT,
	TORTURE_DRAINED,
	TORTURE_GONE,
};

/**
 * struct torture_entry - a card, on the board
 * @generation: of the card; 0 while this is written
 * @moment: turn << 8 | state. The turn is odd from before freeze is called until after
 *	    thaw has returned
 * @ending: files opened in an earlier turn may have been ended by a thaw
 * @ended: they have been
 */
struct torture_entry {
	__u64 generation;
	__u64 moment;
	__u32 ending;
	__u32 ended;
};

/**
 * struct torture_board - what is mapped
 * @slot: generation of the card that is in each slot, or was the last one there
 * @plugged: cards that were ever plugged in
 * @gone: of these, that are gone
 * @facts: that were recorded
 * @entry: by generation
 */
struct torture_board {
	__u64 slot[TORTURE_SLOTS];
	__u64 plugged;
	__u64 gone;
	__u64 facts;
	struct torture_entry entry[TORTURE_ENTRIES];
};

/*
 * The registers of a slot: pages that stay where they are, as a BAR does, so that the next
 * card has them, too. Each begins with a word that says whose they are; the other words
 * are written by users, and by operations for them, who write their card's generation.
 */
#define TORTURE_WORDS		(TORTURE_PAGE / 8)
#define TORTURE_WORD_USER	1	/* by way of a mapping: from here on */
#define TORTURE_WORD_OP		256	/* by ->write */
#define TORTURE_AWAY		0x6177617961776179ULL	/* no card there */
#define TORTURE_ICE		0x6963656963656963ULL	/* a frozen one */
/* else the generation */

/**
 * struct torture_info - answer of TORTURE_IOC_INFO
 * @generation: the card's, as its driver knows it
 * @whose: first word of its registers
 */
struct torture_info {
	__u64 generation;
	__u64 whose;
};

#define TORTURE_IOC_INFO _IOR('u', 0xb0, struct torture_info)
/* A long one: so many hardware sections, each followed by a look at user memory */
#define TORTURE_IOC_LONG _IOWR('u', 0xb1, __u64)
/* Stays inside until TORTURE_CTL_LET_GO of the slot, or killed */
#define TORTURE_IOC_HOLD _IO('u', 0xb2)

/**
 * struct torture_pull - argument of TORTURE_CTL_PULL
 * @slots: a bit each
 * @how: enum torture_how
 */
struct torture_pull {
	__u32 slots;
	__u32 how;
};

enum torture_how {
	TORTURE_PULL_EACH,	/* one after the other */
	TORTURE_PULL_MANY,	/* in one call */
	TORTURE_PULL_ASYNC,	/* asked for, then waited for */
};

/* Of a slot: the number is the argument */
#define TORTURE_CTL_PLUG	_IO('u', 0xc0)
#define TORTURE_CTL_PULL	_IOW('u', 0xc1, struct torture_pull)
#define TORTURE_CTL_FREEZE	_IO('u', 0xc2)
#define TORTURE_CTL_THAW_KEEP	_IO('u', 0xc3)
#define TORTURE_CTL_THAW_END	_IO('u', 0xc4)
#define TORTURE_CTL_LET_GO	_IO('u', 0xc5)
/* Ends what a broken guard has hang on purpose: no argument */
#define TORTURE_CTL_GIVE_UP	_IO('u', 0xc6)
/* How many structures of cards are not freed yet: no argument */
#define TORTURE_CTL_ALIVE	_IO('u', 0xc7)

/*
 * What the kernel half has seen, and should not have. Which promise that breaks, if any,
 * oracle.c says: X(id, name)
 */
#define TORTURE_FACTS(X)						\
	X(BODY_DRAINED, "body-drained")	/* an operation ran in a drained card */ \
	X(BODY_FREED, "body-freed")	/* in one whose memory is freed */ \
	X(BODY_THAWED, "body-thawed")	/* over a freeze and a thaw */	\
	X(HW_AWAY, "hw-away")		/* hardware touched, shut */	\
	X(HW_OTHER, "hw-other")		/* another card's hardware */	\
	X(HW_FROZEN, "hw-frozen")	/* frozen hardware */		\
	X(RELEASE_TWICE, "release-twice")				\
	X(RELEASE_GONE, "release-gone")	/* ->release after ->gone */	\
	X(GONE_TWICE, "gone-twice")					\
	X(GONE_INSIDE, "gone-inside")	/* ->gone with operations inside */ \
	X(GONE_OPEN, "gone-open")	/* ->gone with files not released */ \
	X(STORE_AWAY, "store-away")	/* registers written, no card there */ \
	X(STORE_OP_AWAY, "store-op-away")	/* by ->write */	\
	X(STORE_OTHER, "store-other")	/* by users of another card */	\
	X(STORE_FROZEN, "store-frozen")	/* while frozen */		\
	X(GATE_FREED, "gate-freed")	/* the guard used what it had freed */ \
	X(GONE_QUEUED, "gone-queued")	/* somebody is on a queue of the driver's */ \
	X(PULL_FAILED, "pull-failed")	/* unplug has said something else */ \
	X(FREEZE_FAILED, "freeze-failed") /* freeze has, and nobody pulled */ \
	X(THAW_FAILED, "thaw-failed")	/* likewise */

enum torture_fact {
#define TORTURE_FACT_ENUM(id, name) TORTURE_FACT_##id,
	TORTURE_FACTS(TORTURE_FACT_ENUM)
#undef TORTURE_FACT_ENUM
	TORTURE_FACT_MAX
};

#endif /* _UNPLUG_TORTURE_UAPI_H */
