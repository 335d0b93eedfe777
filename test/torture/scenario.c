// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading scenarios: see scenario.h */

#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "world.h"

static int read_number(const char *text, double max, double *number)
{
	char *end;

	*number = strtod(text, &end);
	return end == text || *end || *number < 0 || *number > max ? -1 : 0;
}

static int read_actor(struct scenario *scenario, char *text)
{
	char *number = strchr(text, ' ');
	double n = 1;

	if (number)
		*number++ = '\0';
	if (scenario->kinds == SCENARIO_ACTORS ||
	    (number && read_number(number, ACTORS_MAX, &n) < 0))
		return -1;
	scenario->actor[scenario->kinds].kind = kind_find(text);
	scenario->actor[scenario->kinds].number = n;
	return scenario->actor[scenario->kinds++].kind ? 0 : -1;
}

static int copy(char *to, size_t size, const char *text)
{
	return snprintf(to, size, "%s", text) < (int)size ? 0 : -1;
}

static int read_line(struct scenario *s, const char *key, char *text)
{
	double number;

	if (!strcmp(key, "promises"))
		return copy(s->promises, sizeof(s->promises), text);
	if (!strcmp(key, "guard"))
		return copy(s->guard, sizeof(s->guard), text);
	if (!strcmp(key, "module"))
		return copy(s->module, sizeof(s->module), text);
	if (!strcmp(key, "actor"))
		return read_actor(s, text);
	if (!strcmp(key, "finds")) {
		s->finds++;
		return 0;
	}
	if (read_number(text, 3600, &number) < 0)
		return -1;
	if (!strcmp(key, "cards"))
		s->cards = number;
	else if (!strcmp(key, "seconds"))
		s->seconds = number;
	else if (!strcmp(key, "pause"))
		s->pause_ms = number;
	else if (!strcmp(key, "hooks"))
		s->hooks = number;
	else if (!strcmp(key, "serial"))
		s->serial = number;
	else if (!strcmp(key, "waits"))
		s->waits = number;
	else if (!strcmp(key, "dummy"))
		s->dummy = number;
	else
		return -1;
	return 0;
}

static void set_name(struct scenario *scenario, const char *path)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	snprintf(scenario->name, sizeof(scenario->name), "%.*s", (int)strcspn(base, "."), base);
	scenario->busted = !strncmp(scenario->name, "BUSTED-", 7);
}

/* What every one has to say, besides what may be written in a line */
static const char *lacks(const struct scenario *scenario)
{
	if (scenario->cards < (scenario_has(scenario, "holder") ? 2 : 1))
		return "at least 1 card, for a holder 2";
	if (!*scenario->promises)
		return "promises; if none, that";
	if (scenario->busted && !scenario->finds)
		return "what is found";
	return NULL;
}

/**
 * scenario_read() - read a scenario
 * @scenario: filled
 * @path: the file
 *
 * Return: 0, or -1: it was said what is wrong.
 */
int scenario_read(struct scenario *scenario, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[512], *text;
	int number = 0, err = 0;

	*scenario = (struct scenario) { .guard = "unplug", .cards = 4, .seconds = 5, .pause_ms = 20 };
	set_name(scenario, path);
	if (!file) {
		fprintf(stderr, "torture: %s: %s\n", path, strerror(errno));
		return -1;
	}
	while (!err && fgets(line, sizeof(line), file)) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		if (!*line || *line == '#')
			continue;
		text = strchr(line, ' ');
		if (text)
			*text++ = '\0';
		err = text ? read_line(scenario, line, text) : -1;
	}
	fclose(file);
	if (!err && lacks(scenario)) {
		fprintf(stderr, "torture: %s has to have %s\n", path, lacks(scenario));
		return -1;
	}
	if (err)
		fprintf(stderr, "torture: %s:%d: '%s %s': see README.md for what is allowed\n",
			path, number, line, text ? text : "");
	return err;
}

/**
 * scenario_print() - a line, for test/torture/run
 * @scenario: NAME PROMISES SECONDS shipped|hooks parallel|serial GUARD
 */
void scenario_print(const struct scenario *scenario)
{
	printf("%s\t%s\t%g\t%s\t%s\t%s\n", scenario->name, scenario->promises,
	       scenario->seconds, scenario->hooks ? "hooks" : "shipped",
	       scenario->serial ? "serial" : "parallel", scenario->guard);
}

/* Is a promise among those of a scenario? */
bool scenario_names(const struct scenario *scenario, const char *promise)
{
	const char *at = scenario->promises;
	size_t n = strlen(promise);

	while ((at = strstr(at, promise))) {
		if (!at[n] || at[n] == ' ')
			return true;
		at += n;
	}
	return false;
}

bool scenario_has(const struct scenario *scenario, const char *kind)
{
	unsigned int i;

	for (i = 0; i < scenario->kinds; i++)
		if (scenario->actor[i].kind == kind_find(kind))
			return true;
	return false;
}
