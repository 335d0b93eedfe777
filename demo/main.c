// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scene - the part of the demonstration that runs in the virtual machine:
 *
 *	scene LABEL ROUNDS [MODULE...]
 *
 * LABEL names the driver in messages. The modules are unloaded at the end, in
 * this order. Results go to scene.json in $UNPLUG_OUT. The exit status is 0 if
 * the scene was played to its end, whatever was found; judging is for others.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "demo/clock.h"
#include "demo/record.h"
#include "demo/round.h"
#include "demo/sample.h"
#include "test/vm/host.h"

#define MAIN_CARDS 4
#define MAIN_VICTIM 2

/* Both measurements of stale access come first: a driver may not live long. */
static const enum card_way main_ways[] = {
	CARD_UNBIND, CARD_PULL, CARD_REMOVE, CARD_PULL,
};

#define MAIN_WAYS (sizeof(main_ways) / sizeof(main_ways[0]))

static struct scene main_scene = {
	.cards = MAIN_CARDS,
	.victim = MAIN_VICTIM,
};

static int main_usage(void)
{
	fprintf(stderr, "usage: scene LABEL ROUNDS [MODULE...], ROUNDS from 1 to %d\n",
		SCENE_ROUNDS);
	return 2;
}

static bool main_fail(struct scene *scene, const char *what, int err)
{
	snprintf(scene->problem, sizeof(scene->problem), "%s: %s", what, strerror(-err));
	return false;
}

/*
 * Cards that are there at boot get their address from the firmware, plugged ones
 * from the kernel: the same for each. The victim is to be one of these already
 * when work begins, or the first exchange would put the new card out of reach of
 * the old mappings by chance. Nobody has it open yet.
 */
static int main_exchange(struct scene *scene)
{
	struct card *card = &scene->card[scene->victim];

	return card_wait(card, scene->victim, scene_until(scene)) ?:
	       card_out(card, CARD_PULL, scene->timeout) ?:
	       card_in(card, CARD_PULL, scene->timeout);
}

static bool main_prepare(struct scene *scene)
{
	int card, err;

	scene->timeout = host_timeout();
	scene->begin = clock_now();
	err = scene_init(scene) ?: event_start() ?: card_watch() ?:
	      main_exchange(scene) ?: sample_start(scene);
	if (err)
		return main_fail(scene, "preparing", err);

	for (card = 1; card <= scene->cards; card++) {
		err = card_wait(&scene->card[card], card, scene_until(scene));
		if (err)
			return main_fail(scene, "no node of a card", err);
		err = scene_staff(scene, card);
		if (err)
			return main_fail(scene, "client and fio on a card", err);
	}
	return true;
}

static void main_tell(const struct scene *scene)
{
	const struct scene_round *round = &scene->round[scene->done - 1];
	uint64_t others = 0;
	int card;

	for (card = 1; card <= scene->cards; card++)
		others += round->others[card].client + round->others[card].fio;
	printf("%-6s %d/%d %-6s ", scene->label, scene->done, scene->planned,
	       card_way_name(round->way));
	if (round->told)
		printf("gone after %llu us, ", (unsigned long long)round->events[2].us);
	if (round->changed >= 0)
		printf("%ld bytes changed, ", round->changed);
	if (round->problem[0])
		printf("%s\n", round->problem);
	else
		printf("back %.1f s later; others did %llu\n",
		       (double)(round->back - round->called) / CLOCK_S,
		       (unsigned long long)others);
}

static void main_rounds(struct scene *scene)
{
	const struct scene_round *round;

	do {
		round_run(scene, main_ways[scene->done % MAIN_WAYS]);
		round = &scene->round[scene->done - 1];
		record_write(scene);
		main_tell(scene);
	} while (!round->problem[0] && scene->done < scene->planned);

	scene->finished = !round->problem[0];
}

static void main_unload(struct scene *scene, const char *module)
{
	int error = syscall(SYS_delete_module, module, O_NONBLOCK) ? errno : 0;

	scene->unload[scene->unloads].module = module;
	scene->unload[scene->unloads++].error = error;
}

int main(int argc, char **argv)
{
	struct scene *scene = &main_scene;
	int i, err;

	if (argc < 3 || argc > 7)
		return main_usage();
	scene->label = argv[1];
	scene->out = getenv("UNPLUG_OUT") ?: "/out";
	scene->planned = atoi(argv[2]);
	if (scene->planned < 1 || scene->planned > SCENE_ROUNDS)
		return main_usage();

	if (main_prepare(scene)) {
		printf("%-6s clients and fio work on %d cards\n", scene->label, scene->cards);
		main_rounds(scene);
		scene_leave(scene);
		for (i = 3; i < argc && !scene->problem[0]; i++)
			main_unload(scene, argv[i]);
	}
	if (scene->problem[0])
		printf("%-6s %s\n", scene->label, scene->problem);

	err = record_write(scene);
	if (err)
		fprintf(stderr, "scene: cannot write scene.json to %s: %s\n", scene->out,
			strerror(-err));
	return err || !scene->finished || scene->problem[0] ? EXIT_FAILURE : EXIT_SUCCESS;
}
