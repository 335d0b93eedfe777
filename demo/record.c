// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "demo/clock.h"
#include "demo/record.h"
#include "demo/sample.h"

static json_t *record_time(const struct scene *scene, uint64_t when)
{
	return when ? json_real((double)(int64_t)(when - scene->begin) / CLOCK_S) : json_null();
}

/* Numbers that were not measured are -1 here and null there. */
static json_t *record_number(long number)
{
	return number < 0 ? json_null() : json_integer(number);
}

static json_t *record_result(int result)
{
	return result < 0 ? json_null() : json_string(op_result_name(result));
}

static json_t *record_text(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static json_t *record_events(const struct scene *scene, const struct scene_round *round)
{
	json_t *events = json_object();
	const struct event *event;
	int i;

	for (i = 0; i < 3; i++) {
		event = &round->events[i];
		if (event->what[0])
			json_object_set_new(events, event->what,
					    json_pack("{s:I, s:o}", "us", (json_int_t)event->us,
						      "read", record_time(scene, event->seen)));
	}
	return events;
}

static json_t *record_others(const struct scene *scene, const struct scene_round *round)
{
	json_t *others = json_array();
	const struct scene_mark *mark;
	int card;

	for (card = 1; card <= scene->cards; card++) {
		mark = &round->others[card];
		if (card != scene->victim)
			json_array_append_new(others,
				json_pack("{s:i, s:I, s:I, s:I, s:f}", "card", card,
					  "client", (json_int_t)mark->client,
					  "failed", (json_int_t)mark->failed,
					  "fio", (json_int_t)mark->fio,
					  "longest_us", (double)mark->longest / CLOCK_US));
	}
	return others;
}

static json_t *record_round(const struct scene *scene, int i)
{
	const struct scene_round *round = &scene->round[i];

	return json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o}",
			 "round", i + 1,
			 "way", card_way_name(round->way),
			 "node", round->before.node,
			 "device", round->before.device,
			 "called", record_time(scene, round->called),
			 "returned", record_time(scene, round->returned),
			 "back", record_time(scene, round->back),
			 "call_us", (double)(round->returned - round->called) / CLOCK_US,
			 "events", record_events(scene, round),
			 "open_by_name", record_result(round->by_name),
			 "changed", record_number(round->changed),
			 "old_mapped", record_number(round->mapped),
			 "old_written", record_number(round->written),
			 "others", record_others(scene, round),
			 "fio_ended", record_result(round->load_error),
			 "fio_operations", (json_int_t)round->load_ios,
			 "new_client_worked", (json_int_t)round->fresh,
			 "new_client_failed", (json_int_t)round->fresh_failed,
			 "problem", record_text(round->problem));
}

static json_t *record_tally(const struct client_tally *tally)
{
	json_t *results = json_object();
	int i;

	for (i = 0; i < CLIENT_TALLIES && tally[i].count; i++)
		json_object_set_new(results, op_result_name(tally[i].result),
				    json_integer(tally[i].count));
	return results;
}

static json_t *record_operations(const struct client_share *share)
{
	json_t *operations = json_object(), *phases;
	int kind, phase;

	for (kind = 0; kind < OP_KINDS; kind++) {
		phases = json_object();
		for (phase = 0; phase < CLIENT_PHASES; phase++)
			if (share->tally[kind][phase][0].count)
				json_object_set_new(phases, client_phase_name(phase),
						    record_tally(share->tally[kind][phase]));
		json_object_set_new(operations, op_name(kind), phases);
	}
	return operations;
}

static json_t *record_client(const struct client *client)
{
	char end[SCENE_TEXT];

	client_end_name(client, end, sizeof(end));
	return json_pack("{s:i, s:i, s:i, s:s, s:s, s:I, s:I, s:I, s:o}",
			 "client", client->id, "card", client->card,
			 "round", client->round, "node", client->node, "end", end,
			 "worked", (json_int_t)client->share->ok,
			 "failed", (json_int_t)client->share->failed,
			 "revived", (json_int_t)client->share->revived,
			 "operations", record_operations(client->share));
}

static json_t *record_load(const struct load *load)
{
	const char *end = "not ended";

	if (load->dead)
		end = load->error < 0 ? "no report" : op_result_name(load->error);
	return json_pack("{s:i, s:s, s:s, s:I, s:f, s:f}", "card", load->card,
			 "node", load->node, "end", end,
			 "operations", (json_int_t)load->ios,
			 "mean_us", load->mean_us, "max_us", load->max_us);
}

static json_t *record_scene(const struct scene *scene)
{
	json_t *rounds = json_array(), *clients = json_array(), *fio = json_array();
	json_t *unload = json_object();
	struct utsname name;
	int i;

	uname(&name);
	for (i = 0; i < scene->done; i++)
		json_array_append_new(rounds, record_round(scene, i));
	for (i = 0; i < scene->clients; i++)
		json_array_append_new(clients, record_client(&scene->client[i]));
	for (i = 0; i < scene->loads; i++)
		json_array_append_new(fio, record_load(&scene->load[i]));
	for (i = 0; i < scene->unloads; i++)
		json_object_set_new(unload, scene->unload[i].module,
				    json_string(op_result_name(scene->unload[i].error)));

	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:o, s:b, s:o, s:o, s:o, s:o, s:o}",
			 "label", scene->label, "kernel", name.release,
			 "cards", scene->cards, "victim", scene->victim,
			 "planned", scene->planned,
			 "problem", record_text(scene->problem),
			 "finished", scene->finished,
			 "rounds", rounds, "clients", clients, "fio", fio,
			 "unload", unload, "samples", sample_json(scene));
}

/* In one piece: jansson itself would write word by word, each a request to the host. */
static int record_save(json_t *record, const char *path)
{
	char *text = record ? json_dumps(record, JSON_REAL_PRECISION(9)) : NULL;
	size_t length = text ? strlen(text) : 0, done = 0;
	ssize_t now = 0;
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || !text)
		err = fd < 0 ? -errno : -ENOMEM;
	for (; !err && done < length; done += now) {
		now = write(fd, text + done, length - done);
		if (now < 0)
			err = -errno;
	}
	if (!err && fsync(fd))
		err = -errno;
	if (fd >= 0)
		close(fd);
	free(text);
	return err;
}

/**
 * record_write() - write what is known so far
 * @scene: the scene; scene.json in its folder is replaced as a whole
 *
 * Return: 0 or a negative errno.
 */
int record_write(const struct scene *scene)
{
	char path[256], temporary[256];
	json_t *record = record_scene(scene);
	int err;

	snprintf(path, sizeof(path), "%s/scene.json", scene->out);
	snprintf(temporary, sizeof(temporary), "%s/scene.json.new", scene->out);
	err = record_save(record, temporary);
	if (!err && rename(temporary, path))
		err = -errno;
	json_decref(record);
	return err;
}
