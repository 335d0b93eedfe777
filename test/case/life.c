// SPDX-License-Identifier: GPL-2.0-or-later
/* Unplug called twice and from several sides, and what the neighbours notice */

#define _GNU_SOURCE
#include "case.h"
#include "op.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "test/vm/host.h"

CASE(unplug_twice, .name = "unplug-twice",
     .promise = "K7: unbind, then remove, then the host's pull: each one works",
     .naive = "passes: the driver core calls ->remove once")
{
	struct card card;

	card_init(&card, 1);
	card_unplug(&card);
	card_remove(&card);
	card_pull(&card);
}

/* All three ways at the same time. Who comes second may find nothing to do. */
static void unplug_three_ways(const struct card *card)
{
	char remove[CARD_PATH], number[16];
	struct job job[3];
	int i, err;

	snprintf(remove, sizeof(remove), "/sys/bus/pci/devices/%s/remove", card->address);
	snprintf(number, sizeof(number), "%d", card->number);
	card_unbind_start(card, &job[0]);
	job_do(&job[1], "write", remove, "1");
	job_do(&job[2], "host", "pull", number);
	for (i = 0; i < 3; i++) {
		err = job_wait(&job[i]);
		if (err && (i == 2 || (err != ENODEV && err != ENOENT)))
			case_fail("unplugging in way %d: %s", i, strerror(err));
	}
}

CASE(unplug_at_once, .name = "unplug-at-once",
     .promise = "K7: unbind, remove and the host's pull at the same time",
     .naive = "passes: the driver core calls ->remove once")
{
	struct card card;

	card_init(&card, 1);
	unplug_three_ways(&card);
	card_wait_gone(&card);
}

/* A write whose user does not let it end: see during.c */
struct held_write {
	struct op_file f;
	struct hold hold;
	struct task task;
};

static long held_write_main(void *arg)
{
	struct op_file *f = arg;

	return write(f->fd, f->buffer, OP_BYTES);
}

static void held_write_begin(struct held_write *w, const struct card *card)
{
	card_fill(card->number, 0);
	op_open(&w->f, card);
	hold_init(&w->hold, OP_BYTES);
	w->f.buffer = w->hold.page;
	task_start(&w->task, held_write_main, &w->f);
	hold_wait(&w->hold);
}

static void held_write_end(struct held_write *w)
{
	if (!task_running(&w->task))
		case_fail("the write was not held");
	hold_go(&w->hold, OP_BYTE);
	expect_errno("the late write", task_wait(&w->task), ENODEV);
	op_close(&w->f);
}

CASE(unplug_at_once_held, .name = "unplug-at-once-held",
     .promise = "K7: all three ways at once, with an operation inside that does not end",
     .naive = "hang")
{
	struct held_write w;
	struct card card;

	card_init(&card, 1);
	held_write_begin(&w, &card);
	unplug_three_ways(&card);
	held_write_end(&w);
	card_wait_gone(&card);
	expect_untouched(1, "current", 0);
}

/* The others go on: opened, read and mapped. */
static void check_neighbour(int number)
{
	uint8_t byte, *map;
	struct card card;
	int fd;

	card_init(&card, number);
	card_fill(number, OP_CARD_BYTE);
	fd = card_open(&card);
	expect_equal("read of a neighbour", pread(fd, &byte, 1, 0), 1);
	expect_equal("byte of a neighbour", byte, OP_CARD_BYTE);
	map = card_map(fd, OP_BYTES, 0);
	expect_equal("touching a neighbour", touch_read(map, &byte), 0);
	munmap(map, OP_BYTES);
	close(fd);
}

/*
 * The heart of it: an operation on card 2 does not end, card 2 is pulled, and
 * that holds up neither the pull nor anything else on the bus; nor does the late
 * insider reach the card that is in the slot by then.
 */
CASE(neighbour_held, .name = "neighbour-held",
     .promise = "K5: card 3 is pulled, gone and replugged while card 2 still drains",
     .naive = "hang")
{
	struct card a, b, fresh;
	struct held_write w;

	card_init(&a, 2);
	card_init(&b, 3);
	held_write_begin(&w, &a);
	card_pull(&a);
	card_pull(&b);
	card_wait_gone(&b);
	card_plug(&b);
	check_neighbour(3);
	check_neighbour(1);
	check_neighbour(4);
	if (!driver->naive && log_has(a.id, "gone after"))
		case_fail("card 2 was declared gone with an operation inside");

	fresh = a;
	card_plug(&fresh);
	check_neighbour(2);
	card_fill(2, 0);
	held_write_end(&w);
	card_wait_gone(&a);
	expect_untouched(2, "current", 0);
	check_neighbour(2);
}

/* Bounded by the kernel's own doing: several at once, each with an insider. */
CASE(neighbours_all_held, .name = "neighbours-all-held",
     .promise = "K5: all four cards are unplugged with an operation inside each",
     .naive = "hang")
{
	struct held_write w[CARDS];
	struct card card[CARDS];
	int i;

	for (i = 0; i < CARDS; i++) {
		card_init(&card[i], i + 1);
		held_write_begin(&w[i], &card[i]);
	}
	for (i = 0; i < CARDS; i++)
		card_unbind(&card[i]);
	for (i = CARDS - 1; i >= 0; i--) {
		held_write_end(&w[i]);
		card_wait_gone(&card[i]);
		expect_untouched(i + 1, "current", 0);
	}
}
