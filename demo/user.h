/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_USER_H
#define _DEMO_USER_H

/**
 * DOC: user
 *
 * A process that uses an edu card in one way until that fails, then keeps its
 * descriptor and does nothing more. Results lie in memory shared with the scene, which
 * has them also if the process is killed or never comes back.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * enum user_kind - what it does
 * @USER_COMPUTE: writes numbers and reads their factorials, which are checked
 * @USER_MOVE: has bytes moved from the card to its memory, by DMA
 * @USER_WAIT: reads the result of a slow computation
 * @USER_POLL: polls until there is something to read, and never asked for it
 */
enum user_kind {
	USER_COMPUTE,
	USER_MOVE,
	USER_WAIT,
	USER_POLL,
	USER_KINDS,
};

#define USER_BYTE 0xb7		/* what the cards are filled with */
#define USER_BYTES 1024

/**
 * struct user_share - between user and scene; written by the user
 * @turns: operations that worked
 * @asked: of those who wait: they are about to
 * @ended: it failed
 * @result: then: as of op_result_name()
 * @when: then: clock_now()
 */
struct user_share {
	atomic_uint turns;
	atomic_bool asked;
	atomic_bool ended;
	atomic_int result;
	atomic_ullong when;
};

/**
 * struct user - the scene's side
 * @card: number
 * @kind: what it does
 * @pid: its process
 * @share: see there
 */
struct user {
	int card;
	enum user_kind kind;
	pid_t pid;
	struct user_share *share;
};

int user_start(struct user *user, int card, const char *node, enum user_kind kind, int tick);
const char *user_kind_name(enum user_kind kind);

#endif /* _DEMO_USER_H */
