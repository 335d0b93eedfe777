/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases of doc/mmap-races.md: the device of module/unplug-hole, whose mappings are made in
 * the way a case asks for, guarded by the plain algorithm if the driver under test is the
 * textbook, and by the core if it is ours.
 */
#ifndef UNPLUG_TEST_HOLE_H
#define UNPLUG_TEST_HOLE_H

#include "case.h"

#define HOLE_PAGE 4096
#define HOLE_PAGES 4		/* of the device */
#define HOLE_NODE "/dev/unplug-hole"
#define HOLE_BYTE 0x5c		/* its memory */
#define HOLE_LATER 0xa7		/* the same, after hole_fill() */

#define CASE_HOLE(id, row, ...)							\
	CASE(id, .naive = "absent: the plain algorithm is the control", .hole = row, __VA_ARGS__)

void hole_load(const char *arguments);	/* of the module */
int hole_open(void);
uint8_t *hole_map(int fd, int pages, int first);	/* shared, writable */
void hole_pull(void);			/* by another process */
void hole_pull_start(struct job *job);
void hole_fill(void);			/* somebody else's data come there */
int hole_late(void);			/* how often it was reached after unplug */
void hole_expect_early(void);		/* and before it, by what a textbook forgets */
int hole_byte(void);			/* the first one of its memory */
void hole_follow(const void *map);	/* a driver looks up the frame of a live mapping */
int hole_followed(void);		/* what it sees there */
void hole_unload(void);			/* nobody has it open */

/* Windows of the module, in functions of the kernel: "copy", "move", "zap" */
void hole_window_stop(const char *name);
void hole_window_wait(const char *name, const struct job *job);	/* who comes there */
void hole_window_go(const char *name);

/* Live: the device is seen at this place */
void hole_expect_live(const char *what, const uint8_t *at);
/* Revoked: neither read nor, if @writable, written */
void hole_expect_revoked(const char *what, uint8_t *at, bool writable);
/* Ours: a mapping is refused with EOPNOTSUPP, and this in the log. */
void hole_expect_refused(int fd, const char *why);

/*
 * The other process: it is told when to go on, and tells how far it has come. It has what
 * was open and mapped when it began.
 */
struct hole_other {
	struct job job;
	int fd;
	uint8_t *map;
	int go[2];
	int came[2];
};

void other_start(struct hole_other *other, int (*run)(void *arg));
void other_go(struct hole_other *other);	/* by the case */
void other_await(struct hole_other *other);
void other_end(struct hole_other *other);
void other_wait(struct hole_other *other);	/* by the other */
void other_came(struct hole_other *other);

#endif
