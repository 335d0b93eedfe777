/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TEST_LIB_HOSTILE_H
#define _TEST_LIB_HOSTILE_H

/*
 * Clients that do to lent memory what they can, each in a process of its own. An act has two
 * halves on the client's side: before the owner revokes, and after. The owner's side is the same
 * for all, if the act has none of its own. Which promises an act is about is said in the first
 * comment of its file, or before it in the table.
 */

#include <errno.h>
#include <fcntl.h>
#include <libunplug/shmem.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#define PAGES		8
#define PATTERN		0x3c
#define REVOKE_MS	60000	/* a limit; what is not delayed takes microseconds */

enum outcome {
	PASSED,
	FAILED,
	SKIPPED,
};

/**
 * struct client - what a client has
 * @fd: the descriptor that came
 * @mem: a shared mapping of all of it
 * @size: of it
 * @writable: the mapping is
 * @data: what an act keeps from one half to the other
 */
struct client {
	int fd;
	volatile unsigned char *mem;
	size_t size;
	bool writable;
	void *data[4];
};

/**
 * struct owner - what the owner has
 * @shmem: the memory
 * @sock: to lend it
 * @ready: the client says that its first half is done
 * @go: it is told to begin the second
 * @pid: of the client
 */
struct owner {
	struct unplug_shmem *shmem;
	int sock[2];
	int ready[2];
	int go[2];
	pid_t pid;
};

/**
 * struct act - one thing that a client does
 * @name: what, and in which state
 * @flags: of unplug_shmem_create()
 * @before: first half; may be NULL
 * @after: second half; may be NULL
 * @revoke: the owner's side in between; NULL: revoke, which has to succeed
 * @owner: what is to be seen by the owner in the end, when the client is no more; may be NULL
 */
struct act {
	const char *name;
	unsigned int flags;
	enum outcome (*before)(struct client *client);
	enum outcome (*after)(struct client *client);
	enum outcome (*revoke)(struct owner *owner);
	enum outcome (*owner)(struct owner *owner);
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Ends the half that it is in. */
#define need(condition) \
	do { \
		if (!(condition)) { \
			printf("# %s:%d: not so: %s (errno %d: %s)\n", __FILE__, __LINE__, \
			       #condition, errno, strerror(errno)); \
			return FAILED; \
		} \
	} while (0)

#define skip_if(condition, why) \
	do { \
		if (condition) { \
			printf("# not possible here: %s (errno %d: %s)\n", why, errno, \
			       strerror(errno)); \
			return SKIPPED; \
		} \
	} while (0)

/* The call has to fail with this error. */
#define refused(call, error) \
	(errno = 0, (long)(call) < 0 && errno == (error))

bool gone_load(volatile unsigned char *at);
bool gone_store(volatile unsigned char *at);
enum outcome all_gone(struct client *client);
enum outcome act_play(const struct act *act);

extern const struct act acts_file[], acts_map[], acts_stall[];
extern const size_t n_acts_file, n_acts_map, n_acts_stall;

#endif /* _TEST_LIB_HOSTILE_H */
