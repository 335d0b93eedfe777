// SPDX-License-Identifier: GPL-2.0-or-later
/* Opens, mappings, faults and closes that are under way when the card is pulled */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096

/*
 * Somebody else, who waits for the word before he acts: hooks hold everyone, so
 * what is not to be held has to be done before.
 */
struct actor {
	struct card card;
	int fd;
	uint8_t *map;
	int start[2];
	struct job job;
};

static void actor_init(struct actor *actor)
{
	card_init(&actor->card, 1);
	actor->fd = -1;
	if (pipe(actor->start))
		case_fail("pipe: %m");
}

static void actor_wait(struct actor *actor)
{
	char byte;

	close(actor->start[1]);
	if (read(actor->start[0], &byte, 1) != 1)
		case_fail("the actor was never started");
}

/* What is open in this process is the actor's alone from then on. */
static void actor_start(struct actor *actor, int (*run)(void *arg))
{
	job_start(&actor->job, run, actor);
	if (actor->map)
		munmap(actor->map, PAGE);
	if (actor->fd >= 0)
		close(actor->fd);
}

static void actor_go(struct actor *actor)
{
	if (write(actor->start[1], "", 1) != 1)
		case_fail("pipe: %m");
}

static int open_late(void *arg)
{
	struct actor *actor = arg;

	actor_wait(actor);
	expect_errno("open", open(actor->card.node, O_RDWR | O_CLOEXEC), ENXIO);
	return 0;
}

CASE(open_during, .name = "open-during",
     .promise = "K7: an open that found the device, but was not active yet, fails with ENXIO",
     .naive = "absent: it has no such point; see open-active-during", .hooks = true)
{
	struct actor actor = { };

	actor_init(&actor);
	actor_start(&actor, open_late);
	hook_stop("open");
	actor_go(&actor);
	hook_wait("open");
	card_unplug(&actor.card);
	hook_go("open");
	job_wait(&actor.job);
}

static int open_active_late(void *arg)
{
	struct actor *actor = arg;
	char byte;
	int fd;

	actor_wait(actor);
	fd = open(actor->card.node, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		expect_errno("open", fd, ENXIO);
		return 0;
	}
	expect_errno("read of a file opened late", read(fd, &byte, 1), ENODEV);
	expect_works("close", close(fd));
	return 0;
}

CASE(open_active_during, .name = "open-active-during",
     .promise = "K7: a file opened by an insider of unplug is a dead one, or none",
     .naive = "wrong-errno", .hooks = true)
{
	struct actor actor = { };

	actor_init(&actor);
	actor_start(&actor, open_active_late);
	hook_stop("open-active");
	actor_go(&actor);
	hook_wait("open-active");
	card_unbind(&actor.card);
	if (!driver->naive && log_has(actor.card.id, "gone after"))
		case_fail("gone was declared with an open inside");
	hook_go("open-active");
	job_wait(&actor.job);
	card_wait_gone(&actor.card);
}

static int map_late(void *arg)
{
	struct actor *actor = arg;
	void *map;

	actor_wait(actor);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, actor->fd, 0);
	if (map == MAP_FAILED)
		expect_errno("mmap", -1, ENODEV);
	else
		expect_signal_bus("a mapping made during unplug", map);
	return 0;
}

CASE(map_during, .name = "map-during",
     .promise = "K3: a mapping not yet linked when unplug zaps is revoked all the same",
     .naive = "stale-map", .hooks = true)
{
	struct actor actor = { };

	actor_init(&actor);
	card_fill(1, 0);
	actor.fd = card_open(&actor.card);
	actor_start(&actor, map_late);
	hook_stop("mmap");
	actor_go(&actor);
	hook_wait("mmap");
	card_unbind(&actor.card);
	hook_go("mmap");
	job_wait(&actor.job);
	card_wait_gone(&actor.card);
	expect_untouched(1, "current", 0);
}

/* Twice: the fault that is held, and the touch after unplug */
static int fault_late(void *arg)
{
	struct actor *actor = arg;
	uint8_t value;

	actor_wait(actor);
	touch_read(actor->map, &value);
	actor_wait(actor);
	expect_signal_bus("a page whose fault was held", actor->map);
	return 0;
}

CASE(fault_during, .name = "fault-during",
     .promise = "K3: an entry that a fault makes while unplug begins is revoked",
     .naive = "stale-map", .hooks = true)
{
	struct actor actor = { };
	struct job unbind;

	actor_init(&actor);
	card_fill(1, 0);
	actor.fd = card_open(&actor.card);
	actor.map = card_map(actor.fd, PAGE, 0);
	actor_start(&actor, fault_late);
	hook_stop("fault");
	actor_go(&actor);
	hook_wait("fault");
	/* Unplug waits for the fault, which is at the hardware, and for no more. */
	card_unbind_start(&actor.card, &unbind);
	if (!driver->naive) {
		job_wait_in(&unbind, "unplug_dev");
		if (log_has(actor.card.id, "shut after"))
			case_fail("shut was declared with a fault at the hardware");
	}
	hook_go("fault");
	job_wait(&unbind);
	card_wait_gone(&actor.card);
	actor_go(&actor);
	job_wait(&actor.job);
	expect_untouched(1, "current", 0);
}

static int fault_after_shut(void *arg)
{
	struct actor *actor = arg;

	actor_wait(actor);
	expect_signal_bus("a fault that comes late", actor->map);
	return 0;
}

CASE(fault_late, .name = "fault-late",
     .promise = "K3: a fault that was inside, but not at the hardware, makes no entry",
     .naive = "stale-map", .hooks = true)
{
	struct actor actor = { };

	actor_init(&actor);
	card_fill(1, 0);
	actor.fd = card_open(&actor.card);
	actor.map = card_map(actor.fd, PAGE, 0);
	actor_start(&actor, fault_after_shut);
	hook_stop("operation");
	if (!driver->naive) {
		actor_go(&actor);
		hook_wait("operation");
		card_unbind(&actor.card);
		hook_go("operation");
	} else {
		/* No fault handler: nothing can be held. */
		hook_go("operation");
		card_unbind(&actor.card);
		actor_go(&actor);
	}
	job_wait(&actor.job);
	card_wait_gone(&actor.card);
	expect_untouched(1, "current", 0);
}

static int close_late(void *arg)
{
	struct actor *actor = arg;

	actor_wait(actor);
	expect_works("close", close(actor->fd));
	return 0;
}

/* With freed memory poisoned: what was written to it shows. */
static void check_freed_memory(void)
{
	file_write("/sys/kernel/slab/kmalloc-8k/validate", "1");
}

static void close_held_at(const char *point, bool unplug_ends)
{
	struct actor actor = { };
	struct job unbind;

	actor_init(&actor);
	actor.fd = card_open(&actor.card);
	actor_start(&actor, close_late);
	hook_stop(point);
	actor_go(&actor);
	hook_wait(point);
	card_unbind_start(&actor.card, &unbind);
	if (unplug_ends) {
		/* Gone, although the close has not got on: the file was released. */
		job_wait(&unbind);
		card_wait_gone(&actor.card);
		hook_go(point);
	} else {
		log_wait(actor.card.id, "drained after");
		if (log_has(actor.card.id, "gone after"))
			case_fail("gone was declared with a release running");
		hook_go(point);
		job_wait(&unbind);
		card_wait_gone(&actor.card);
	}
	job_wait(&actor.job);
	check_freed_memory();
}

CASE(close_during, .name = "close-during",
     .promise = "K7: unplug releases a file whose last close is on its way, and does not wait",
     .naive = "oops", .hooks = true, .poison = true)
{
	close_held_at("release", true);
}

CASE(close_claimed_during, .name = "close-claimed-during",
     .promise = "K2: gone waits for a driver's release that is running",
     .naive = "absent: it has no such point; see close-during", .hooks = true)
{
	close_held_at("release-claimed", false);
}

/* K6, K10: files outlive the card; what their last close touches must exist. */
CASE(close_after, .name = "close-after",
     .promise = "K10: closing 64 files after unplug touches no freed memory",
     .naive = "oops", .poison = true)
{
	struct card card;
	int fd[64], i;

	card_init(&card, 1);
	for (i = 0; i < 64; i++)
		fd[i] = card_open(&card);
	card_unplug(&card);
	for (i = 0; i < 64; i++)
		expect_works("close", close(fd[i]));
	check_freed_memory();
}

/*
 * While unplug itself is held, at each of its steps in turn: nobody waits for it,
 * neither the users of this card nor those of the others.
 */
static void check_users(struct actor *actor, bool zapped)
{
	uint8_t value;
	char byte;

	expect_errno("read", read(actor->fd, &byte, 1), ENODEV);
	expect_errno("mmap",
		     mmap(NULL, PAGE, PROT_READ, MAP_SHARED, actor->fd, 0) == MAP_FAILED ? -1 : 0,
		     ENODEV);
	expect_errno("open of another node", open("/tmp/alias", O_RDWR | O_CLOEXEC), ENXIO);
	expect_equal("touching a page that was not there raised signal",
		     touch_read(actor->map + PAGE, &value), SIGBUS);
	if (zapped)
		expect_signal_bus("a page that was there", actor->map);
}

static void check_others(void)
{
	struct card card;
	uint8_t value;
	char byte;
	int fd, i;

	for (i = 2; i <= CARDS; i++) {
		card_init(&card, i);
		fd = card_open(&card);
		expect_equal("read of a neighbour", pread(fd, &byte, 1, 0), 1);
		expect_equal("touching a neighbour", touch_read(card_map(fd, PAGE, 0), &value), 0);
		close(fd);
	}
}

static void unplug_held_at(const char *point)
{
	struct actor actor = { };
	struct job unbind;
	uint8_t value;

	actor_init(&actor);
	unlink("/tmp/alias");
	expect_works("mknod", mknod("/tmp/alias", S_IFCHR | 0600, card_devt(&actor.card)));
	actor.fd = card_open(&actor.card);
	actor.map = card_map(actor.fd, 2 * PAGE, 0);
	touch_read(actor.map, &value);
	hook_stop(point);
	card_unbind_start(&actor.card, &unbind);
	hook_wait(point);
	check_users(&actor, strcmp(point, "closed"));
	check_others();
	munmap(actor.map, 2 * PAGE);
	expect_works("close", close(actor.fd));
	hook_go(point);
	job_wait(&unbind);
	card_wait_gone(&actor.card);
}

#define UNPLUG_HELD(id, text)							\
	CASE_OF(unplug_##id, unplug_held_at, text,				\
		.name = "users-" text,						\
		.promise = "K1, K5: nobody waits for an unplug that is held at '" text "'", \
		.naive = "absent: it has no such step", .hooks = true)

UNPLUG_HELD(closed, "closed");
UNPLUG_HELD(shut, "shut");
UNPLUG_HELD(drained, "drained");
