// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the log says of an unplug that takes long. (The judge of logs takes their other name for
 * a complaint of the kernel's.)
 */

#define _GNU_SOURCE
#include "look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SOON 1		/* ms */
#define DRAIN "1 operations still inside: shut, but not drained"

static void stalled(bool tracking)
{
	struct inside inside;
	struct card card;
	char who[64];

	card_init(&card, 1);
	look_track(tracking);
	look_stall(SOON);
	inside_begin(&inside, &op_write, &card);
	card_unbind(&card);
	log_wait(card.id, DRAIN);
	snprintf(who, sizeof(who), tracking ? "inside: task %d of process %d (case), in write for " :
		 "inside, by its stack: task %d of process %d (case)", inside.task.tid, getpid());
	log_wait(card.id, who);
	log_wait(card.id, " ivshmem_write+");
	log_wait(card.id, " guard_write+");
	inside_end(&inside);
	card_wait_gone(&card);
	look_stall(10000);
	look_track(false);
}

CASE(stall_tracked, .name = "slow-tracked",
     .promise = "K8: the log names who keeps a device from being drained",
     .naive = LOOK_ABSENT)
{
	stalled(true);
}

CASE(stall_untracked, .name = "slow-untracked",
     .promise = "K8: the log names who sleeps inside by his stack, if none was written down",
     .naive = LOOK_ABSENT)
{
	stalled(false);
}

/* unplug has waited for drain_ms by then, in vain. */
CASE(stall_never, .name = "slow-quiet",
     .promise = "K8: with stall_ms=0 the log names nobody", .naive = LOOK_ABSENT)
{
	struct inside inside;
	struct card card;

	card_init(&card, 1);
	look_stall(0);
	inside_begin(&inside, &op_write, &card);
	card_unbind(&card);
	log_wait(card.id, "still inside, continues");
	if (log_has(card.id, "not drained"))
		case_fail("the log says who is inside");
	inside_end(&inside);
	card_wait_gone(&card);
	look_stall(10000);
}

/* Many are inside. */
#define MANY 11

CASE(stall_many, .name = "slow-many",
     .promise = "K8: the log names eight of many who are inside, and counts the others",
     .naive = LOOK_ABSENT)
{
	struct inside inside[MANY];
	struct card card;
	int i;

	card_init(&card, 1);
	look_track(true);
	look_stall(SOON);
	for (i = 0; i < MANY; i++)
		inside_begin(&inside[i], &op_write, &card);
	card_unbind(&card);
	log_wait(card.id, "11 operations still inside");
	log_wait(card.id, "and 3 more");
	for (i = 0; i < MANY; i++)
		inside_end(&inside[i]);
	card_wait_gone(&card);
	look_stall(10000);
	look_track(false);
}

/* In another process: a fault holds the lock of the memory map. */
static int touch_card(void *arg)
{
	uint8_t byte;

	return touch_read(arg, &byte);
}

CASE(stall_section, .name = "slow-section",
     .promise = "K8: the log says that hardware sections hold up the bus",
     .naive = LOOK_ABSENT, .hooks = true)
{
	struct job unbind, toucher;
	struct card card;
	uint8_t *map;
	int fd;

	card_init(&card, 1);
	fd = card_open(&card);
	look_track(true);
	look_stall(SOON);
	hook_stop("fault");
	map = card_map(fd, OP_BYTES, 0);
	job_start(&toucher, touch_card, map);
	hook_wait("fault");
	card_unbind_start(&card, &unbind);
	log_wait(card.id, "1 hardware sections have not ended yet");
	log_wait(card.id, "in fault for ");
	hook_go("fault");
	job_wait(&toucher);
	expect_equal("errno of unbind", job_wait(&unbind), 0);
	card_wait_gone(&card);
	look_stall(10000);
	look_track(false);
	close(fd);
}

CASE(stall_release, .name = "slow-release",
     .promise = "K8: the log says that a release holds up the end",
     .naive = LOOK_ABSENT, .hooks = true)
{
	struct card card;
	int fd;

	card_init(&card, 1);
	fd = card_open(&card);
	look_stall(SOON);
	hook_stop("release-claimed");
	card_unbind(&card);
	hook_wait("release-claimed");
	log_wait(card.id, "1 files not released yet");
	hook_go("release-claimed");
	card_wait_gone(&card);
	look_stall(10000);
	close(fd);
}
