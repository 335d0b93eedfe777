// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is left when all is over: nothing. But a file and a mapping of each first card are
 * kept, until the module of its driver is long gone.
 */

#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "scenario.h"

static struct actor keeper;
static struct handle kept[TORTURE_SLOTS];

/* The plain algorithms' files pin their module. */
static bool keeps(void)
{
	return !strcmp(world->scenario->guard, "unplug");
}

void keep_begin(void)
{
	struct step step = { .a = 1 };
	unsigned int i;

	keeper = (struct actor) { .kind = kind_find(KIND_LAST) };
	if (!keeps())
		return;
	for (i = 0; i < world->scenario->cards; i++) {
		kept[i] = (struct handle) { .fd = -1 };
		step.handle = &kept[i];
		step.slot = i;
		op_map(&keeper, &step);
		op_load(&keeper, &step);
	}
}

static void check(bool good, const char *promise, const char *why, const char *more)
{
	struct oracle_verdict verdict = { promise, why };

	if (!good)
		accuse(&verdict, "%s", more);
}

/* Every card that was ever plugged in */
static bool all_gone(void)
{
	long end = now_ms() + world->patience_ms;

	while (world->board->gone != world->board->plugged && now_ms() < end)
		dawdle(2000, 2);
	return world->board->gone == world->board->plugged;
}

static bool nobody_alive(void)
{
	long end = now_ms() + world->patience_ms;

	while (ioctl(world->control, TORTURE_CTL_ALIVE) > 0 && now_ms() < end)
		dawdle(2000, 2);
	return ioctl(world->control, TORTURE_CTL_ALIVE) <= 0;
}

/* There is no board any more, and no driver. */
static void use_kept(const struct handle *handle)
{
	struct oracle_act act = {
		.op = ORACLE_READ, .before = { TORTURE_GONE }, .after = { TORTURE_GONE },
		.dummy = world->scenario->dummy,
	};
	struct oracle_verdict verdict;
	uint64_t whose;

	if (handle->fd < 0)
		return;
	act.answer = read(handle->fd, &whose, sizeof(whose)) < 0 ? errno : 0;
	if (!oracle_is_legal(&act, &verdict))
		accuse(&verdict, "read, the driver unloaded: %d", act.answer);
	if (!handle->map)
		return;
	act.op = ORACLE_LOAD;
	act.answer = map_touch(handle->map, &whose);
	act.value = whose;
	if (!oracle_is_legal(&act, &verdict))
		accuse(&verdict, "load, the driver unloaded: %d", act.answer);
}

/* Files in flight */
static void let_go_post(void)
{
	close(world->post[0]);
	close(world->post[1]);
}

static void let_go_kept(void)
{
	struct step step = { 0 };
	unsigned int i;

	if (keeps())
		let_go_post();
	for (i = 0; keeps() && i < world->scenario->cards; i++) {
		step.handle = &kept[i];
		op_unmap(&keeper, &step);
		if (kept[i].fd >= 0)
			close(kept[i].fd);
	}
}

/* The driver goes while its files are open, the core when they are closed. */
static bool unload(void)
{
	unsigned int i;
	int err;

	err = module_unload("unplug_torture");
	check(!err, "K2", "all cards are gone, but their driver cannot be unloaded", strerror(errno));
	for (i = 0; !err && keeps() && i < world->scenario->cards; i++)
		use_kept(&kept[i]);
	let_go_kept();
	if (!err) {
		err = module_unload("unplug");
		check(!err, "K10", "all files are closed, but the core cannot be unloaded",
		      strerror(errno));
	}
	return !err;
}

/**
 * keep_end() - see that nothing is left
 * @clean: all actors have come to their ends
 *
 * Return: true if so.
 */
bool keep_end(bool clean)
{
	char text[64];
	bool gone;

	if (!clean) {
		watch_tell(true);
		return false;
	}
	ioctl(world->control, TORTURE_CTL_GIVE_UP);
	if (!keeps())
		let_go_post();
	gone = all_gone();
	snprintf(text, sizeof(text), "%llu of %llu", (unsigned long long)world->board->gone,
		 (unsigned long long)world->board->plugged);
	check(gone, "K6", "cards are not gone, with nobody inside", text);
	check(nobody_alive(), "K10", "all files are closed, but cards are not freed", "");
	watch_facts();
	board_close();
	if (gone)
		gone = unload();
	watch_tell(true);
	return gone;
}
