/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_CLIENT_H
#define _DEMO_CLIENT_H

/**
 * DOC: client
 *
 * A process that works on one card: one operation in flight, paced, all kinds
 * of operations in turn. It never lets go of what it opened; when its card is
 * pulled it goes on trying. Four phases, set by the scene:
 *
 *	WORK ----> PULLED ----> BACK ----> LEAVE
 *
 *	WORK	the card is there
 *	PULLED	the unplug is over, as far as the driver tells
 *	BACK	a card is in the slot again, the client's is not
 *	LEAVE	unmap, close, exit
 *
 * An operation counts for the phase it began in. Results go to memory shared
 * with the scene, which therefore has them also if the client is killed in the
 * middle of an operation.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "demo/op.h"

enum client_phase {
	CLIENT_WORK,
	CLIENT_PULLED,
	CLIENT_BACK,
	CLIENT_LEAVE,
	CLIENT_PHASES,
};

#define CLIENT_TALLIES 6
#define CLIENT_NODE 64

/**
 * struct client_tally - how often an operation ended in one way
 * @result: as of op_run()
 * @count: how often; 0 marks the end of the list
 */
struct client_tally {
	atomic_int result;
	atomic_uint count;
};

/**
 * struct client_share - between client and scene
 * @phase: written by the scene, all else by the client
 * @ready: 1 the card is open, negative errno when that failed
 * @busy: kind of the operation in flight, or -1
 * @turns: turns that lay within one phase entirely
 * @ok: operations that worked
 * @failed: that did not
 * @old_ok: of these, begun after the pull
 * @old_failed: of these, begun after the pull
 * @revived: that worked although an earlier one of this client had failed
 * @longest: slowest operation in ns; the scene resets it
 * @tally: results by operation and phase
 */
struct client_share {
	atomic_int phase;
	atomic_int ready;
	atomic_int busy;
	atomic_uint turns[CLIENT_PHASES];
	atomic_ullong ok;
	atomic_ullong failed;
	atomic_ullong old_ok;
	atomic_ullong old_failed;
	atomic_ullong revived;
	atomic_ullong longest;
	struct client_tally tally[OP_KINDS][CLIENT_PHASES][CLIENT_TALLIES];
};

/**
 * struct client - the scene's side
 * @id: number, see struct op_client
 * @card: 1...
 * @round: round in which its card is pulled; 0 for a card that stays
 * @node: what it opened
 * @pid: its process
 * @share: see there
 * @dead: the process ended
 * @status: of waitpid(), when @dead
 */
struct client {
	int id;
	int card;
	int round;
	char node[CLIENT_NODE];
	pid_t pid;
	struct client_share *share;
	bool dead;
	int status;
};

int client_start(struct client *client, int id, int card, const char *node,
		 int tick);
void client_phase_set(struct client *client, enum client_phase phase);
bool client_reap(struct client *client);
void client_end_name(const struct client *client, char *text, size_t size);

const char *client_phase_name(enum client_phase phase);

#endif /* _DEMO_CLIENT_H */
