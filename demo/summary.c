// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo/summary.h"

#define SUMMARY_ROUNDS 64

static const char *const summary_phases[] = { "pulled", "back", "leave" };

json_int_t summary_number(json_t *object, const char *first, const char *second)
{
	json_t *value = json_object_get(object, first);

	return json_integer_value(second ? json_object_get(value, second) : value);
}

static const char *summary_text(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

static void summary_add(json_t *object, const char *key, json_int_t count)
{
	json_object_set_new(object, key, json_integer(summary_number(object, key, NULL) + count));
}

static bool summary_is_old(json_t *client)
{
	return summary_number(client, "round", NULL) > 0;
}

/* What is wrong after the pull, and is told first however rare it is */
static int summary_rank(const char *result)
{
	return !strcmp(result, "ok") ? 2 : !strcmp(result, "killed");
}

static bool summary_before(const char *result, json_int_t count, json_t *entry)
{
	int rank = summary_rank(result), other = summary_rank(summary_text(entry, "result"));

	return rank != other ? rank > other : count > summary_number(entry, "count", NULL);
}

/* Counts by result as a list of pairs, what is wrong first, then the most frequent. */
static json_t *summary_sort(json_t *counts)
{
	json_t *list = json_array(), *count;
	const char *result;
	size_t i;

	json_object_foreach(counts, result, count) {
		for (i = 0; i < json_array_size(list); i++)
			if (summary_before(result, json_integer_value(count),
					   json_array_get(list, i)))
				break;
		json_array_insert_new(list, i, json_pack("{s:s, s:O}", "result", result,
							 "count", count));
	}
	return list;
}

/* Everything tried after the pull; what was tried before is not asked for. */
static void summary_client(json_t *client, json_t *operations)
{
	json_t *phases, *result, *counts;
	const char *operation, *name;
	size_t i;

	json_object_foreach(json_object_get(client, "operations"), operation, phases) {
		counts = json_object_get(operations, operation);
		if (!counts) {
			counts = json_object();
			json_object_set_new(operations, operation, counts);
		}
		for (i = 0; i < 3; i++)
			json_object_foreach(json_object_get(phases, summary_phases[i]),
					    name, result)
				summary_add(counts, name, json_integer_value(result));
	}
}

/* A client that was killed in an operation: that is how the operation ended. */
static void summary_killed(json_t *client, json_t *operations)
{
	const char *end = summary_text(client, "end"), *in = strstr(end, " in ");
	json_t *counts = in ? json_object_get(operations, in + 4) : NULL;

	if (counts && !strncmp(end, "killed", 6))
		summary_add(counts, "killed", 1);
}

static json_t *summary_operations(json_t *scene)
{
	json_t *sums = json_object(), *operations = json_object(), *client, *counts;
	const char *operation;
	size_t i;

	json_array_foreach(json_object_get(scene, "clients"), i, client)
		if (summary_is_old(client)) {
			summary_client(client, sums);
			summary_killed(client, sums);
		}
	json_object_foreach(sums, operation, counts)
		json_object_set_new(operations, operation, summary_sort(counts));
	json_decref(sums);
	return operations;
}

static json_int_t summary_worked(json_t *client, const char *phase)
{
	json_t *phases;
	const char *operation;
	json_int_t sum = 0;

	json_object_foreach(json_object_get(client, "operations"), operation, phases)
		sum += summary_number(phases, phase, "ok");
	return sum;
}

static json_t *summary_old(json_t *scene)
{
	json_int_t tries = 0, pulled = 0, back = 0, revived = 0;
	json_t *killed = json_array(), *client;
	int count = 0;
	size_t i;

	json_array_foreach(json_object_get(scene, "clients"), i, client) {
		if (!summary_is_old(client))
			continue;
		count++;
		pulled += summary_worked(client, "pulled");
		back += summary_worked(client, "back");
		revived += summary_number(client, "revived", NULL);
		tries += summary_number(client, "failed", NULL);
		if (!strncmp(summary_text(client, "end"), "killed", 6))
			json_array_append(killed, json_object_get(client, "end"));
	}
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:o}", "clients", count, "failed", tries,
			 "worked", pulled + back, "worked_back", back,
			 "revived", revived, "killed", killed);
}

static json_t *summary_fill(json_t *rounds)
{
	json_int_t measured = 0, changed = 0, bytes = 0, count;
	json_t *round, *value;
	size_t i;

	json_array_foreach(rounds, i, round) {
		value = json_object_get(round, "changed");
		if (!json_is_integer(value))
			continue;
		count = json_integer_value(value);
		measured++;
		changed += count > 0;
		bytes += count;
	}
	return json_pack("{s:I, s:I, s:I}", "measured", measured, "changed", changed,
			 "bytes", bytes);
}

/* Old patterns on the card that came back: a fresh one, or the same as before. */
static json_t *summary_back(json_t *rounds, bool fresh)
{
	json_int_t measured = 0, mapped = 0, written = 0;
	json_t *round;
	size_t i;

	json_array_foreach(rounds, i, round) {
		if (fresh != !strcmp(summary_text(round, "way"), "pull") ||
		    !json_is_integer(json_object_get(round, "old_mapped")))
			continue;
		measured++;
		mapped += summary_number(round, "old_mapped", NULL);
		written += summary_number(round, "old_written", NULL);
	}
	return json_pack("{s:I, s:I, s:I}", "measured", measured, "mapped", mapped,
			 "written", written);
}

static int summary_compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static json_t *summary_spread(double *values, size_t count)
{
	double median;

	if (!count)
		return json_null();
	qsort(values, count, sizeof(*values), summary_compare);
	median = (values[(count - 1) / 2] + values[count / 2]) / 2;
	return json_pack("{s:i, s:f, s:f}", "rounds", (int)count, "median", median,
			 "max", values[count - 1]);
}

static json_t *summary_event(json_t *rounds, const char *what)
{
	double values[SUMMARY_ROUNDS];
	json_t *round, *event;
	size_t count = 0, i;

	json_array_foreach(rounds, i, round) {
		event = json_object_get(json_object_get(round, "events"), what);
		if (event && count < SUMMARY_ROUNDS)
			values[count++] = summary_number(event, "us", NULL);
	}
	return summary_spread(values, count);
}

/* In ms, from the call to its return: through sysfs, or through the machine. */
static json_t *summary_call(json_t *rounds, bool pull)
{
	double values[SUMMARY_ROUNDS];
	size_t count = 0, i;
	json_t *round;

	json_array_foreach(rounds, i, round)
		if (pull == !strcmp(summary_text(round, "way"), "pull") &&
		    json_is_real(json_object_get(round, "returned")) && count < SUMMARY_ROUNDS)
			values[count++] = json_real_value(json_object_get(round, "call_us")) / 1000;
	return summary_spread(values, count);
}

static json_t *summary_times(json_t *rounds)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}",
			 "shut_us", summary_event(rounds, "shut"),
			 "drained_us", summary_event(rounds, "drained"),
			 "gone_us", summary_event(rounds, "gone"),
			 "sysfs_ms", summary_call(rounds, false),
			 "pull_ms", summary_call(rounds, true));
}

/* @least: what the slowest of the other cards did in the round it did least. */
static json_t *summary_others(json_t *rounds)
{
	json_int_t client = 0, fio = 0, failed = 0, least = -1, now;
	json_t *round, *other;
	double longest = 0;
	size_t i, j;

	json_array_foreach(rounds, i, round) {
		json_array_foreach(json_object_get(round, "others"), j, other) {
			now = summary_number(other, "client", NULL);
			client += now;
			failed += summary_number(other, "failed", NULL);
			fio += summary_number(other, "fio", NULL);
			if (least < 0 || now < least)
				least = now;
			if (json_real_value(json_object_get(other, "longest_us")) > longest)
				longest = json_real_value(json_object_get(other, "longest_us"));
		}
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:f}", "client", client, "failed", failed,
			 "fio", fio, "least", least < 0 ? 0 : least,
			 "longest_ms", longest / 1000);
}

static json_t *summary_fresh(json_t *rounds)
{
	json_int_t worked = 0, failed = 0;
	json_t *round;
	size_t i;

	json_array_foreach(rounds, i, round) {
		worked += summary_number(round, "new_client_worked", NULL) > 0;
		failed += summary_number(round, "new_client_failed", NULL);
	}
	return json_pack("{s:I, s:I}", "rounds", worked, "failed", failed);
}

static json_t *summary_fio(json_t *scene)
{
	json_t *others = json_object(), *pulled = json_object(), *fio, *round;
	json_int_t victim = summary_number(scene, "victim", NULL);
	double longest = 0;
	size_t i;

	json_array_foreach(json_object_get(scene, "fio"), i, fio) {
		if (summary_number(fio, "card", NULL) == victim)
			continue;
		summary_add(others, summary_text(fio, "end"), 1);
		if (json_real_value(json_object_get(fio, "max_us")) > longest)
			longest = json_real_value(json_object_get(fio, "max_us"));
	}
	json_array_foreach(json_object_get(scene, "rounds"), i, round)
		summary_add(pulled, summary_text(round, "fio_ended"), 1);
	return json_pack("{s:o, s:o, s:f}", "others", summary_sort(others),
			 "pulled", summary_sort(pulled), "longest_ms", longest / 1000);
}

/**
 * summary_make() - add a scene up
 * @scene: as the guest wrote it
 *
 * Return: a new object.
 */
json_t *summary_make(json_t *scene)
{
	json_t *rounds = json_object_get(scene, "rounds");

	return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "rounds", (int)json_array_size(rounds),
			 "operations", summary_operations(scene),
			 "old", summary_old(scene),
			 "fill", summary_fill(rounds),
			 "replug", summary_back(rounds, true),
			 "rebound", summary_back(rounds, false),
			 "times", summary_times(rounds),
			 "others", summary_others(rounds),
			 "fresh", summary_fresh(rounds),
			 "fio", summary_fio(scene));
}

void summary_results(json_t *summary, const char *operation, char *text, size_t size)
{
	json_t *list = json_object_get(json_object_get(summary, "operations"), operation);
	size_t length = 0, i;
	json_t *entry;

	snprintf(text, size, "-");
	json_array_foreach(list, i, entry) {
		if (length >= size)
			break;
		length += snprintf(text + length, size - length, "%s%s", i ? ", " : "",
				   summary_text(entry, "result"));
		if (json_array_size(list) > 1 && length < size)
			length += snprintf(text + length, size - length,
					   " %" JSON_INTEGER_FORMAT "x",
					   summary_number(entry, "count", NULL));
	}
}
