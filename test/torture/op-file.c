// SPDX-License-Identifier: GPL-2.0-or-later
/* What an actor does with a file */

#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int answer(long result)
{
	return result < 0 ? errno : 0;
}

static void forget_file(struct actor *actor, struct handle *handle)
{
	struct oracle_act act;
	int fd = handle->fd;

	if (fd < 0)
		return;
	handle->fd = -1;
	act_begin(actor, &act, ORACLE_CLOSE, handle);
	act_end(actor, &act, answer(close(fd)), handle->generation);
}

static void forget_map(struct handle *handle)
{
	if (handle->map)
		munmap((void *)handle->map, TORTURE_PAGES * TORTURE_PAGE);
	handle->map = NULL;
}

/* Who opens while a thaw is under way, or has been, has a file of the next turn, maybe. */
static uint32_t turn_to(const struct oracle_look *look)
{
	return look->state == TORTURE_FREEZING || look->state == TORTURE_FROZEN ?
		       look->turn : (look->turn + 1) & ~1u;
}

/* Of a file that was just opened: which card is it? 0: it does not say */
static uint64_t ask_generation(int fd)
{
	struct torture_info info;

	return ioctl(fd, TORTURE_IOC_INFO, &info) < 0 ? 0 : info.generation;
}

static int open_node(const char *path, bool nonblock)
{
	return open(path, O_RDWR | O_CLOEXEC | (nonblock ? O_NONBLOCK : 0));
}

/* Its file is @fd, of the card that was there before and after, if it was the same */
static void take_file(struct handle *handle, int fd, uint64_t generation,
		      const struct oracle_act *act)
{
	handle->fd = fd;
	handle->generation = generation;
	handle->opened_from = generation == act->generation ? act->before.turn : 0;
	handle->opened_to = turn_to(&act->after);
}

/**
 * op_open() - open the card in a slot
 *
 * What file and mapping the handle had goes before. It keeps nothing of a card that does not
 * say which one it is, unless there was but one.
 */
void op_open(struct actor *actor, const struct step *step)
{
	struct handle *handle = step->handle;
	uint64_t found = 0;
	struct oracle_act act;
	char path[32];
	int fd, err;

	forget_file(actor, handle);
	forget_map(handle);
	handle->slot = step->slot;
	handle->nonblock = step->a % 4 == 0;
	handle->generation = board_slot(step->slot);
	handle->opened_from = handle->opened_to = 0;
	act_begin(actor, &act, ORACLE_OPEN, handle);
	/* Files of earlier turns do not matter. */
	act.opened_from = act.opened_to = UINT32_MAX;
	snprintf(path, sizeof(path), "/dev/torture%u", step->slot);
	fd = open_node(path, handle->nonblock);
	err = answer(fd);
	if (fd >= 0)
		found = ask_generation(fd);
	act.last = board_slot(step->slot);
	if (act.last == act.generation && !found)
		found = act.last;
	act_end(actor, &act, err, found ? found : act.last);
	if (fd >= 0 && found && found == act.last)
		take_file(handle, fd, found, &act);
	else if (fd >= 0)
		close(fd);
	else
		dawdle(step->b, 2);	/* for somebody to plug one in */
}

static bool need_file(struct actor *actor, const struct step *step)
{
	if (step->handle->fd < 0)
		op_open(actor, step);
	return step->handle->fd >= 0;
}

void op_close(struct actor *actor, const struct step *step)
{
	forget_file(actor, step->handle);
}

/* The number of a card, by a node of our own, which is there for longer than the card */
void op_alias(struct actor *actor, const struct step *step)
{
	struct oracle_act act;
	char path[48];
	struct stat stat;
	uint64_t found = 0;
	int fd, err;

	if (!need_file(actor, step) || fstat(step->handle->fd, &stat) < 0)
		return;
	snprintf(path, sizeof(path), "/dev/torture-%s-%u", kind_name(actor->kind), actor->number);
	unlink(path);
	if (mknod(path, S_IFCHR | 0600, stat.st_rdev) < 0)
		return;
	dawdle(step->a, 10);
	act_begin(actor, &act, ORACLE_ALIAS, step->handle);
	act.opened_from = act.opened_to = UINT32_MAX;
	act.nonblock = false;
	fd = open_node(path, false);
	err = answer(fd);
	if (fd >= 0)
		found = ask_generation(fd);
	/* One that does not say is one that was pulled. */
	act_end(actor, &act, err, found ? found : act.generation);
	if (fd >= 0)
		close(fd);
	unlink(path);
}

void op_read(struct actor *actor, const struct step *step)
{
	struct oracle_act act;
	uint64_t whose = 0;
	ssize_t n;

	if (!need_file(actor, step))
		return;
	act_begin(actor, &act, ORACLE_READ, step->handle);
	n = read(step->handle->fd, &whose, sizeof(whose));
	act_end(actor, &act, answer(n), whose);
}

void op_write(struct actor *actor, const struct step *step)
{
	struct oracle_act act;
	uint64_t where = step->a;

	if (!need_file(actor, step))
		return;
	act_begin(actor, &act, ORACLE_WRITE, step->handle);
	act_end(actor, &act, answer(write(step->handle->fd, &where, sizeof(where))),
		step->handle->generation);
}

/* To memory of the caller's, or to the card's own */
int do_info(struct actor *actor, const struct handle *handle, void *to)
{
	struct torture_info ours = { 0 };
	struct oracle_act act;
	int err;

	act_begin(actor, &act, ORACLE_INFO, handle);
	act.own = to;
	err = answer(ioctl(handle->fd, TORTURE_IOC_INFO, to ? to : &ours));
	act_end(actor, &act, err, to ? handle->generation : ours.whose);
	return err;
}

void op_info(struct actor *actor, const struct step *step)
{
	if (need_file(actor, step))
		do_info(actor, step->handle, NULL);
}

void op_long(struct actor *actor, const struct step *step)
{
	uint64_t sections = step->a % 32;
	struct oracle_act act;

	if (!need_file(actor, step))
		return;
	act_begin(actor, &act, ORACLE_LONG, step->handle);
	act_end(actor, &act, answer(ioctl(step->handle->fd, TORTURE_IOC_LONG, &sections)),
		step->handle->generation);
}

/* From a card to itself: the fault is inside the operation. */
void op_own(struct actor *actor, const struct step *step)
{
	struct handle *handle = step->handle;

	if (!need_file(actor, step))
		return;
	if (!handle->map)
		op_map(actor, step);
	if (handle->map)
		do_info(actor, handle, (void *)&handle->map[TORTURE_WORD_USER +
							    step->a % (TORTURE_WORD_OP - 4)]);
}

static void poll_for(struct actor *actor, const struct step *step, int timeout)
{
	struct pollfd poll_fd = { .events = POLLIN };
	struct oracle_act act;
	int n;

	if (!need_file(actor, step))
		return;
	poll_fd.fd = step->handle->fd;
	act_begin(actor, &act, ORACLE_POLL, step->handle);
	n = poll(&poll_fd, 1, timeout);
	act_end(actor, &act, answer(n), (uint64_t)(unsigned short)poll_fd.revents);
}

void op_poll(struct actor *actor, const struct step *step)
{
	poll_for(actor, step, step->a % 10);
}

/* Until something happens: tokens are given as long as it is live; then it is pulled. */
void op_poll_long(struct actor *actor, const struct step *step)
{
	poll_for(actor, step, -1);
}
