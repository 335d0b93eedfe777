// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <pthread.h>
#include <string.h>

#include "demo/clock.h"
#include "demo/sample.h"

#define SAMPLES 4096
#define SAMPLE_STEP (100 * CLOCK_MS)

/**
 * struct sample - what happened on a card in one step
 * @client: operations of its client that worked
 * @fio: operations of its fio
 * @old_worked: operations through descriptors and mappings of a card that had
 *		been taken out: they worked
 * @old_failed: they failed
 */
struct sample {
	unsigned short client;
	unsigned short fio;
	unsigned short old_worked;
	unsigned short old_failed;
};

static struct sample sample_list[SAMPLES][SCENE_CARDS + 1];
static uint64_t sample_time[SAMPLES];
static atomic_uint sample_count;

/* What the thread saw last; nobody else touches these. */
static uint64_t sample_ok[SCENE_CLIENTS];
static uint64_t sample_old_ok[SCENE_CLIENTS];
static uint64_t sample_old_failed[SCENE_CLIENTS];
static uint64_t sample_load[SCENE_LOADS];

static uint64_t sample_delta(uint64_t *last, uint64_t now)
{
	uint64_t delta = now > *last ? now - *last : 0;

	if (now > *last)
		*last = now;
	return delta;
}

static void sample_take(struct scene *scene, struct sample samples[SCENE_CARDS + 1])
{
	struct client_share *share;
	struct sample *sample;
	uint64_t old;
	int i;

	for (i = 0; i < scene->clients; i++) {
		share = scene->client[i].share;
		sample = &samples[scene->client[i].card];
		old = share->old_ok;
		sample->old_worked += sample_delta(&sample_old_ok[i], old);
		sample->old_failed += sample_delta(&sample_old_failed[i], share->old_failed);
		if (share->phase != CLIENT_LEAVE)
			sample->client += sample_delta(&sample_ok[i], share->ok - old);
	}
	for (i = 0; i < scene->loads; i++)
		samples[scene->load[i].card].fio +=
			sample_delta(&sample_load[i], load_ops(&scene->load[i]));
}

static void *sample_main(void *arg)
{
	struct scene *scene = arg;
	uint64_t next = clock_now();
	unsigned int i;

	for (i = 0; i < SAMPLES; i++) {
		next = clock_pace(next, SAMPLE_STEP);
		sample_take(scene, sample_list[i]);
		sample_time[i] = clock_now();
		sample_count = i + 1;
	}
	return NULL;
}

/**
 * sample_start() - begin to take samples
 * @scene: the scene
 *
 * Return: 0 or a negative errno.
 */
int sample_start(struct scene *scene)
{
	pthread_t thread;
	int err;

	err = pthread_create(&thread, NULL, sample_main, scene);
	if (!err)
		pthread_detach(thread);
	return -err;
}

/**
 * sample_json() - the samples so far
 * @scene: the scene
 *
 * Return: an object: seconds, and per card the four numbers.
 */
json_t *sample_json(const struct scene *scene)
{
	unsigned int count = sample_count, i;
	json_t *seconds = json_array(), *cards = json_array();
	int card;

	for (i = 0; i < count; i++)
		json_array_append_new(seconds, json_real((double)(sample_time[i] - scene->begin) / CLOCK_S));

	for (card = 1; card <= scene->cards; card++) {
		json_t *client = json_array(), *fio = json_array();
		json_t *worked = json_array(), *failed = json_array();

		for (i = 0; i < count; i++) {
			const struct sample *sample = &sample_list[i][card];

			json_array_append_new(client, json_integer(sample->client));
			json_array_append_new(fio, json_integer(sample->fio));
			json_array_append_new(worked, json_integer(sample->old_worked));
			json_array_append_new(failed, json_integer(sample->old_failed));
		}
		json_array_append_new(cards, json_pack("{s:i, s:o, s:o, s:o, s:o}",
						       "card", card, "client", client,
						       "fio", fio, "old_worked", worked,
						       "old_failed", failed));
	}
	return json_pack("{s:o, s:o}", "seconds", seconds, "cards", cards);
}
