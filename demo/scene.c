// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "demo/clock.h"
#include "demo/proc.h"
#include "demo/scene.h"

#define SCENE_TAINT_DIE (1ul << 7)	/* the kernel had an oops */
#define SCENE_WARM_TURNS 2	/* a client works when it has done so many turns */
#define SCENE_WARM_LOAD 4	/* and fio so many operations */

static int scene_tick = -1;

static void scene_signal(int sig)
{
	int err = errno;

	(void)sig;
	eventfd_write(scene_tick, 1);
	errno = err;
}

/**
 * scene_init() - prepare for scene_wait()
 * @scene: the scene
 *
 * Return: 0 or a negative errno.
 */
int scene_init(struct scene *scene)
{
	struct sigaction action = { .sa_handler = scene_signal, .sa_flags = SA_RESTART };

	scene->tick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	scene_tick = scene->tick;
	if (scene->tick < 0 || sigaction(SIGCHLD, &action, NULL))
		return -errno;
	return 0;
}

uint64_t scene_until(const struct scene *scene)
{
	return clock_now() + scene->timeout * CLOCK_S;
}

/**
 * scene_wait() - wait until something is true
 * @scene: the scene
 * @condition: looked at after every turn of any client, and every end of a child
 * @data: for @condition
 *
 * Return: 0, or -ETIMEDOUT.
 */
int scene_wait(struct scene *scene, scene_condition *condition, void *data)
{
	struct pollfd poll_fd = { .fd = scene->tick, .events = POLLIN };
	uint64_t until = scene_until(scene), now, ticks;

	while (!condition(scene, data)) {
		now = clock_now();
		if (now >= until)
			return -ETIMEDOUT;
		if (poll(&poll_fd, 1, (until - now) / CLOCK_MS + 1) > 0 &&
		    read(scene->tick, &ticks, sizeof(ticks)) < 0 && errno != EAGAIN)
			return -errno;
	}
	return 0;
}

struct client *scene_worker(struct scene *scene, int card)
{
	return &scene->client[scene->worker[card]];
}

struct load *scene_runner(struct scene *scene, int card)
{
	return &scene->load[scene->runner[card]];
}

/*
 * True also when one of them has ended: who waits looks at what there is then,
 * instead of waiting for what cannot come.
 */
static bool scene_is_warm(struct scene *scene, void *data)
{
	int card = *(int *)data;
	struct client *client = scene_worker(scene, card);
	struct load *load = scene_runner(scene, card);

	if (client_reap(client) || !load_wait(load, 0))
		return true;
	return client->share->turns[CLIENT_WORK] >= SCENE_WARM_TURNS &&
	       load_running(load) && load_ops(load) >= SCENE_WARM_LOAD;
}

/**
 * scene_staff() - set a new client and a new fio to work on a card
 * @scene: the scene
 * @card: which; its entry in scene.card is up to date
 *
 * Return: 0 when both work, or a negative errno: -ECHILD one of them ended.
 */
int scene_staff(struct scene *scene, int card)
{
	const char *node = scene->card[card].node;
	struct client *client = &scene->client[scene->clients];
	struct load *load = &scene->load[scene->loads];
	int err;

	err = client_start(client, scene->clients, card, node, scene->tick);
	if (err)
		return err;
	scene->worker[card] = scene->clients++;

	err = load_start(load, scene->loads, card, node);
	if (err)
		return err;
	scene->runner[card] = scene->loads++;

	err = scene_wait(scene, scene_is_warm, &card);
	if (err)
		return err;
	return client->dead || load->dead ? -ECHILD : 0;
}

/**
 * scene_mark() - how far a card's workers are
 * @scene: the scene
 * @card: which
 * @mark: filled; the longest operation is counted anew from here
 */
void scene_mark(struct scene *scene, int card, struct scene_mark *mark)
{
	struct client_share *share = scene_worker(scene, card)->share;

	mark->client = share->ok;
	mark->failed = share->failed;
	mark->longest = atomic_exchange(&share->longest, 0);
	mark->fio = load_ops(scene_runner(scene, card));
}

/*
 * After an oops whoever closes something may hang for ever. There is nothing to
 * learn from that any more.
 */
static bool scene_is_unsound(void)
{
	char text[32];

	return proc_read("/proc/sys/kernel/tainted", text, sizeof(text)) > 0 &&
	       strtoul(text, NULL, 10) & SCENE_TAINT_DIE;
}

static bool scene_has_left(struct scene *scene, void *data)
{
	int i;

	(void)data;
	if (scene_is_unsound())
		return true;
	for (i = 0; i < scene->loads; i++)
		if (load_wait(&scene->load[i], 0))
			return false;
	for (i = 0; i < scene->clients; i++)
		if (!client_reap(&scene->client[i]))
			return false;
	return true;
}

/**
 * scene_leave() - end all fio, have all clients close what they hold
 * @scene: the scene; what does not end is a problem
 */
void scene_leave(struct scene *scene)
{
	const char *problem = NULL;
	int i;

	for (i = 0; i < scene->loads && !scene_is_unsound(); i++)
		load_stop(&scene->load[i]);
	for (i = 0; i < scene->clients && !scene_is_unsound(); i++)
		client_phase_set(&scene->client[i], CLIENT_LEAVE);

	if (scene_wait(scene, scene_has_left, NULL))
		problem = "a client or fio does not end";
	else if (scene_is_unsound())
		problem = "ends without closing: the kernel is not sound any more";
	if (problem)
		snprintf(scene->problem, sizeof(scene->problem), "%s", problem);
}
