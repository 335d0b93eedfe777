// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "demo/clock.h"
#include "demo/record.h"
#include "demo/round.h"
#include "test/vm/host.h"

#define ROUND_TURNS 3		/* tries of every operation by every old client */
#define ROUND_OTHERS 20		/* operations of each other card's client */
#define ROUND_OTHERS_FIO 4	/* and of its fio */
#define ROUND_FILL 0xa5

/**
 * struct round - a round in progress
 * @scene: the scene
 * @found: what will be recorded
 * @phase: the old clients' phase
 * @turns: turns they have to reach in it (index = client)
 * @others: where the other cards were when the card was taken out
 */
struct round {
	struct scene *scene;
	struct scene_round *found;
	enum client_phase phase;
	unsigned int turns[SCENE_CLIENTS];
	struct scene_mark others[SCENE_CARDS + 1];
};

__attribute__((format(printf, 2, 3)))
static bool round_fail(struct round *round, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(round->found->problem, sizeof(round->found->problem), fmt, args);
	va_end(args);
	return false;
}

static bool round_is_old(const struct scene *scene, int i)
{
	return scene->client[i].round > 0;
}

/* Every old client that is still alive has tried everything often enough. */
static bool round_tried(struct scene *scene, void *data)
{
	struct round *round = data;
	struct client *client;
	int i;

	for (i = 0; i < scene->clients; i++) {
		client = &scene->client[i];
		if (!round_is_old(scene, i) || client_reap(client))
			continue;
		if (client->share->turns[client->share->phase] < round->turns[i])
			return false;
	}
	return true;
}

/* From now on, ROUND_TURNS more turns of everybody old; or tell who hangs. */
static bool round_try(struct round *round)
{
	struct scene *scene = round->scene;
	struct client *client;
	char how[SCENE_TEXT / 2];
	int i;

	for (i = 0; i < scene->clients; i++) {
		client = &scene->client[i];
		round->turns[i] = client->share->turns[client->share->phase] + ROUND_TURNS;
	}
	if (!scene_wait(scene, round_tried, round))
		return true;

	for (i = 0; i < scene->clients; i++) {
		client = &scene->client[i];
		if (!round_is_old(scene, i) || client->dead ||
		    client->share->turns[client->share->phase] >= round->turns[i])
			continue;
		client_end_name(client, how, sizeof(how));
		return round_fail(round, "the client of round %d does not go on: %s",
				  client->round, how);
	}
	return true;
}

static bool round_others_went_on(struct scene *scene, void *data)
{
	struct round *round = data;
	struct client *client;
	struct load *load;
	int card;

	for (card = 1; card <= scene->cards; card++) {
		client = scene_worker(scene, card);
		load = scene_runner(scene, card);
		if (card == scene->victim || client_reap(client) || !load_wait(load, 0))
			continue;
		if (client->share->ok < round->others[card].client + ROUND_OTHERS ||
		    load_ops(load) < round->others[card].fio + ROUND_OTHERS_FIO)
			return false;
	}
	return true;
}

static bool round_take_out(struct round *round)
{
	static const char *const whats[] = { "shut", "drained", "gone" };
	struct scene *scene = round->scene;
	struct scene_round *found = round->found;
	struct card *card = &found->before;
	int i, err;

	found->called = clock_now();
	err = card_out(card, found->way, scene->timeout);
	found->returned = clock_now();
	if (err == -ETIMEDOUT)
		return round_fail(round, "%s of card %d does not return",
				  card_way_name(found->way), card->number);
	if (err)
		return round_fail(round, "%s of card %d: %s", card_way_name(found->way),
				  card->number, err == -EFAULT ?
				  "killed by the kernel" : strerror(-err));

	found->told = card->device[0];
	for (i = 0; i < 3 && found->told; i++)
		if (event_wait(card->device, whats[i], scene_until(scene), &found->events[i]))
			return round_fail(round, "%s was never %s", card->device, whats[i]);
	return true;
}

static int round_open_by_name(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/*
 * While the card is out: its client, and those before it, go on trying. Where
 * the BAR is still decoded, the host has filled the card before and looks what
 * has become of it after.
 */
static bool round_probe_out(struct round *round)
{
	struct scene_round *found = round->found;
	struct scene *scene = round->scene;
	int card = scene->victim;

	found->by_name = round_open_by_name(found->before.node);
	if (found->way != CARD_PULL &&
	    host_request(NULL, "fill %d current %d", card, ROUND_FILL))
		return round_fail(round, "the host cannot fill card %d", card);
	if (!round_try(round))
		return false;
	if (found->way != CARD_PULL)
		found->changed = host_number("count %d current %d", card, ROUND_FILL);
	record_write(scene);
	if (scene_wait(scene, round_others_went_on, round))
		return round_fail(round, "the other cards do not go on");

	if (load_wait(scene_runner(scene, card), scene_until(scene)))
		return round_fail(round, "fio on card %d does not end", card);
	found->load_error = scene_runner(scene, card)->error;
	found->load_ios = scene_runner(scene, card)->ios;
	return true;
}

static bool round_bring_back(struct round *round)
{
	struct scene_round *found = round->found;
	struct scene *scene = round->scene;
	int card = scene->victim, i, err;

	err = card_in(&found->before, found->way, scene->timeout);
	if (!err)
		err = card_wait(&scene->card[card], card, scene_until(scene));
	if (err)
		return round_fail(round, "card %d does not come back: %s", card,
				  strerror(-err));
	found->back = clock_now();

	for (i = 0; i < scene->clients; i++)
		if (round_is_old(scene, i))
			client_phase_set(&scene->client[i], CLIENT_BACK);
	return true;
}

/* How many of the patterns old clients store are on the card now. */
static long round_find(struct scene *scene, bool mapped)
{
	char hex[2 * OP_PATTERN + 1];
	long found, sum = 0;
	int i;

	for (i = 0; i < scene->clients; i++) {
		if (!round_is_old(scene, i))
			continue;
		op_pattern_hex(i, mapped, hex);
		found = host_number("find %d current %s", scene->victim, hex);
		if (found < 0)
			return found;
		sum += found;
	}
	return sum;
}

static bool round_probe_back(struct round *round)
{
	struct scene_round *found = round->found;
	struct scene *scene = round->scene;
	int card = scene->victim, err;
	struct client_share *share;

	err = scene_staff(scene, card);
	share = scene_worker(scene, card)->share;
	found->fresh = share->ok;
	found->fresh_failed = share->failed;
	if (err)
		return round_fail(round, "nobody can work on card %d that came back: %s",
				  card, err == -ECHILD ? "client or fio ended" : strerror(-err));
	if (!round_try(round))
		return false;
	found->mapped = round_find(scene, true);
	found->written = round_find(scene, false);
	return true;
}

static void round_others(struct round *round, bool end)
{
	struct scene *scene = round->scene;
	struct scene_mark mark, *sum;
	int card;

	for (card = 1; card <= scene->cards; card++) {
		if (card == scene->victim)
			continue;
		scene_mark(scene, card, &mark);
		if (!end) {
			round->others[card] = mark;
			continue;
		}
		sum = &round->found->others[card];
		sum->client = mark.client - round->others[card].client;
		sum->failed = mark.failed - round->others[card].failed;
		sum->fio = mark.fio - round->others[card].fio;
		sum->longest = mark.longest;
	}
}

/**
 * round_run() - do one round
 * @scene: the scene; its next entry of scene.round is filled
 * @way: how to take the card out
 */
void round_run(struct scene *scene, enum card_way way)
{
	struct round round = { .scene = scene, .found = &scene->round[scene->done] };
	struct client *client = scene_worker(scene, scene->victim);
	struct scene_round *found = round.found;
	bool good;

	scene->done++;
	found->way = way;
	found->before = scene->card[scene->victim];
	found->changed = found->mapped = found->written = -1;
	found->by_name = found->load_error = -1;

	round_others(&round, false);
	good = round_take_out(&round);
	client->round = scene->done;
	client_phase_set(client, CLIENT_PULLED);
	good = good && round_probe_out(&round) && round_bring_back(&round);
	round_others(&round, true);
	if (good)
		round_probe_back(&round);
}
