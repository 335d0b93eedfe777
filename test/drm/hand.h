/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hand: a user of a DRM card that does what it is told, one line at a time
 *
 * Each line on stdin is a command and is answered by one line on stdout, so that a
 * script decides in which order things happen on several cards:
 *
 *	open /dev/dri/card1	ok
 *	hold resources		held		(inside the ioctl, see below)
 *	state			inside
 *	go			ok
 *
 * An operation (ops.c, kms.c) named alone is done at once. Its answer is "ok", a word of
 * its own, or the name of an errno. There are two ways to leave one unfinished, one at
 * a time, in a thread:
 *
 *	start OP	the thread runs; "started"
 *	hold OP		what the kernel fills for OP, or reads, lies in memory that nobody serves yet:
 *			"held" when the kernel is there, and waits
 *
 * and then
 *
 *	state		"inside", or "back" if it returned
 *	in FUNCTION	until it sleeps in that function of the kernel: "ok" or "back"
 *	go		serves the memory, tells loops to end, waits: the operation's answer
 *
 * What takes longer than UNPLUG_TIMEOUT seconds is answered by "asleep".
 */
#ifndef UNPLUG_TEST_DRM_HAND_H
#define UNPLUG_TEST_DRM_HAND_H

#include <libdrm/drm.h>
#include <libdrm/drm_mode.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define ANSWER 64

/**
 * struct call - an operation being done
 * @op:		which
 * @argument:	the rest of the line
 * @buffer:	a page the operation has the kernel fill, or read; below 4 GiB
 * @first:	what the kernel reads there first, if it was held
 * @answer:	what came of it
 */
struct call {
	const struct op *op;
	char argument[200];
	void *buffer;
	uint64_t first;
	char answer[ANSWER];
};

struct op {
	const char *name;
	void (*run)(struct call *call);
};

/* Each ends with an entry without a name. */
extern const struct op ops[];		/* ops.c: files, memory, the test's module */
extern const struct op kms_ops[];	/* kms.c: pictures */
extern const struct op event_ops[];	/* event.c: reading events in vain */
extern const struct op picture_ops[];	/* picture.c: known ones */
extern const struct op memory_ops[];	/* memory.c: who uses a mapping */
extern const struct op atomic_ops[];	/* atomic.c: commits */
extern const struct op fence_ops[];	/* fence.c: sync files */
extern const struct op lease_ops[];	/* lease.c: a lessee */
extern const struct op prime_ops[];	/* prime.c: dma-bufs, and a second card */
extern const struct op uevent_ops[];	/* uevent.c: what the kernel tells everybody */

/**
 * struct card - the one card of this program
 * @fd:		open file, or -1
 * @memory:	mapping of the buffer
 * @size:	of it
 * @offset:	what to mmap
 * @handle:	of the buffer
 * @stop:	loops are to end
 */
struct card {
	int fd;
	uint8_t *memory;
	size_t size;
	uint64_t offset;
	uint32_t handle;
	volatile bool stop;
};

extern struct card card;

/**
 * struct screen - what it shows
 * @crtc:	the first
 * @connector:	the first
 * @fb:		the buffer, as a frame buffer
 * @mode:	640x480
 */
struct screen {
	uint32_t crtc;
	uint32_t connector;
	uint32_t fb;
	struct drm_mode_modeinfo mode;
};

extern struct screen screen;

/* Its CRTC and connector: 0, or -1 and errno */
int find_screen(void);

/* Its primary plane; 0 before "atomic" */
uint32_t atomic_plane(void);

/* What commits wait for, and what they promise; descriptors, or -1 */
extern int fence_in;
extern int32_t fence_out;

/* "ok" or the name of errno */
void answer_result(struct call *call, long result);
void answer(struct call *call, const char *text);

/* What only the test's module can do (module/unplug-drm-test.h) */
int request(unsigned int number, unsigned long argument);

/* hold.c: an operation in a thread */
void call_start(const struct call *call, bool hold, char *said);
void call_state(char *said);
void call_in(const char *function, char *said);
void call_go(char *said);

/* How long to wait for one event */
void deadline(clockid_t clock, struct timespec *end);
int timeout_ms(void);

#endif
