/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_OP_H
#define _DEMO_OP_H

/**
 * DOC: op
 *
 * The operations a client tries on a card, in turn. All go through things the
 * client got when it started, a descriptor, a mapping and a handle of the node,
 * so the very same code is the load before the pull and the probe after it.
 *
 * Each client owns two pages of the card: through the first it stores with its
 * mapping, into the second it writes with its descriptor. What it stores are
 * eight bytes nobody else ever stores, different for the two ways: finding them
 * in the file behind a card says who reached that card and how.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OP_PAGE 4096
#define OP_PATTERN 8
#define OP_CLIENTS 48		/* fit into the half of a 1 MiB card fio leaves alone */

enum op_kind {
	OP_READ,
	OP_WRITE,
	OP_LSEEK,
	OP_IOCTL,
	OP_MMAP,
	OP_POLL,
	OP_OPEN,
	OP_LOAD,
	OP_STORE,
	OP_COPY,
	OP_TURN,		/* so many in one turn; the rest at the end only */
	OP_MUNMAP = OP_TURN,
	OP_CLOSE,
	OP_KINDS,
};

/* Results: 0 worked, an errno, or one of these. */
enum op_result {
	OP_SIGBUS = 1000,
	OP_SIGSEGV,
	OP_HANGUP,		/* poll: EPOLLHUP and EPOLLERR, nothing else */
	OP_RESULTS,
};

/**
 * struct op_client - what one client holds
 * @id: below OP_CLIENTS; chooses its pages and patterns
 * @fd: the card, open
 * @path: O_PATH handle of the node's inode: reopening goes through it, so it
 *	  means this node also after it was deleted and made anew
 * @map: its two pages
 * @pipe: for writing out of the mapping
 * @slot: which eight bytes of a page are next
 * @written: the slot holds what the client wrote; a read may be compared
 */
struct op_client {
	int id;
	int fd;
	int path;
	volatile uint64_t *map;
	int pipe[2];
	unsigned int slot;
	bool written;
};

uint64_t op_pattern(int id, bool mapped);
void op_pattern_hex(int id, bool mapped, char hex[2 * OP_PATTERN + 1]);

int op_client_init(struct op_client *client, int id, const char *node);
int op_run(struct op_client *client, enum op_kind kind);

const char *op_name(enum op_kind kind);
const char *op_result_name(int result);

#endif /* _DEMO_OP_H */
