// SPDX-License-Identifier: GPL-2.0-or-later
/* What the emulator is told to do; see command.h */

#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANK " \t\r"

/**
 * struct call - a command, taken apart
 * @e:		the emulator
 * @a:		the adapter that is the first argument
 * @rest:	what follows it; "" if nothing does
 * @wait:	see command_run()
 * @answer:	likewise
 */
struct call {
	struct emulator *e;
	struct adapter *a;
	char *rest;
	struct command_wait *wait;
	char *answer;
};

static __attribute__((format(printf, 2, 3)))
void call_answer(struct call *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->answer, COMMAND_LINE, fmt, args);
	va_end(args);
}

static bool parse_number(const char *word, uint64_t *value)
{
	char *end;

	if (!word || *word < '0' || *word > '9')
		return false;
	errno = 0;
	*value = strtoull(word, &end, 10);
	return !*end && !errno;
}

static void answer_plugged(struct call *c, bool plugged)
{
	if (plugged)
		call_answer(c, "ok");
	else
		call_answer(c, "error adapter %d is not plugged", c->a->number);
}

static void wait_for(struct call *c, const char *name, uint64_t value)
{
	c->wait->counter = adapter_counter(c->a, name);
	if (!c->wait->counter) {
		call_answer(c, "error no counter '%s' (see stats)", name);
		return;
	}
	c->wait->a = c->a;
	c->wait->value = value;
	snprintf(c->wait->name, sizeof(c->wait->name), "%s", name);
}

static void call_plug(struct call *c)
{
	uint64_t plugs = c->a->plugs;

	if (!adapter_plug(c->a))
		call_answer(c, "error adapter %d is plugged", c->a->number);
	else if (c->a->served)
		call_answer(c, "ok");
	else
		wait_for(c, "plugs", plugs + 1);
}

static void call_after(struct call *c, enum adapter_state state)
{
	uint64_t urbs;

	if (!parse_number(c->rest, &urbs) || !urbs)
		call_answer(c, "error '%s' is no number of URBs from 1", c->rest);
	else
		answer_plugged(c, adapter_light(c->a, urbs, state));
}

static void call_hang(struct call *c)
{
	if (*c->rest)
		call_after(c, ADAPTER_HUNG);
	else
		answer_plugged(c, adapter_turn(c->a, ADAPTER_HUNG));
}

static void call_vanish(struct call *c)
{
	if (*c->rest)
		call_after(c, ADAPTER_UNPLUGGED);
	else
		answer_plugged(c, adapter_vanish(c->a));
}

static void call_silent(struct call *c)
{
	answer_plugged(c, adapter_turn(c->a, ADAPTER_SILENT));
}

static void call_wedge(struct call *c)
{
	answer_plugged(c, adapter_turn(c->a, ADAPTER_WEDGED));
}

static void call_resume(struct call *c)
{
	answer_plugged(c, adapter_turn(c->a, ADAPTER_RUNNING));
}

/* What the emulator cannot see, but those who read its events want to */
static void call_note(struct call *c)
{
	adapter_note(c->a, c->rest);
	call_answer(c, "ok");
}

static void call_stats(struct call *c)
{
	char text[512];

	adapter_stats(c->a, text, sizeof(text));
	call_answer(c, "ok %s", text);
}

static void call_shot(struct call *c)
{
	const char *error;

	if (*c->rest != '/') {
		call_answer(c, "error '%s' is no absolute path", c->rest);
		return;
	}
	error = screen_shot(&c->a->display.screen, c->rest);
	if (error)
		call_answer(c, "error no picture of screen %d: %s", c->a->number, error);
	else
		call_answer(c, "ok %ux%u", c->a->display.screen.width, c->a->display.screen.height);
}

static void call_color(struct call *c)
{
	const char *x_word = strtok(c->rest, BLANK), *y_word = strtok(NULL, BLANK);
	uint64_t x, y;
	long color;

	if (!parse_number(x_word, &x) || !parse_number(y_word, &y)) {
		call_answer(c, "error no column and line, each a number from 0");
		return;
	}
	color = x > UINT16_MAX || y > UINT16_MAX ? -1 :
						   screen_color(&c->a->display.screen, x, y);
	if (color < 0)
		call_answer(c, "error no pixel there: the picture has %ux%u",
			    c->a->display.screen.width, c->a->display.screen.height);
	else
		call_answer(c, "ok %06lx", color);
}

static void call_wait(struct call *c)
{
	const char *name = strtok(c->rest, BLANK), *word = strtok(NULL, BLANK);
	uint64_t value;

	if (!name)
		call_answer(c, "error no counter to wait for");
	else if (!parse_number(word, &value))
		call_answer(c, "error no number that '%s' has to reach", name);
	else
		wait_for(c, name, value);
}

static const struct {
	const char *name;
	void (*call)(struct call *c);
} calls[] = {
	{ "plug", call_plug },	  { "vanish", call_vanish }, { "hang", call_hang },
	{ "silent", call_silent }, { "wedge", call_wedge },   { "resume", call_resume },
	{ "shot", call_shot },	  { "color", call_color },   { "stats", call_stats },
	{ "wait", call_wait },	  { "note", call_note },
};

#define CALLS (sizeof(calls) / sizeof(*calls))

/* The adapter that the word names, or NULL with an answer */
static struct adapter *find_adapter(struct call *c, const char *word)
{
	uint64_t first = c->e->adapter->number, n;

	if (parse_number(word, &n) && n >= first && n < first + c->e->count)
		return &c->e->adapter[n - first];
	call_answer(c, "error '%s' is no adapter (%d to %d)", word ? word : "",
		    (int)first, (int)first + c->e->count - 1);
	return NULL;
}

static void call_named(struct call *c, const char *name)
{
	static char nothing[1];
	char *word;
	size_t i;

	for (i = 0; i < CALLS && strcmp(name, calls[i].name); i++)
		;
	if (i == CALLS) {
		call_answer(c, "error unknown command '%.100s'", name);
		return;
	}
	word = strtok(NULL, BLANK);
	c->rest = strtok(NULL, "");
	if (!c->rest)
		c->rest = nothing;
	c->rest += strspn(c->rest, BLANK);
	c->a = find_adapter(c, word);
	if (c->a)
		calls[i].call(c);
}

void command_run(struct emulator *e, char *line, struct command_wait *wait,
		 char answer[COMMAND_LINE])
{
	struct call c = { .e = e, .wait = wait, .answer = answer };
	const char *name = strtok(line, BLANK);

	wait->a = NULL;
	if (!name) {
		call_answer(&c, "error no command");
	} else if (!strcmp(name, "quit")) {
		e->quit = true;
		call_answer(&c, "ok");
	} else {
		call_named(&c, name);
	}
}

bool command_waited(const struct command_wait *wait, bool late,
		    char answer[COMMAND_LINE])
{
	unsigned long long now = *wait->counter;

	if (now >= wait->value)
		snprintf(answer, COMMAND_LINE, "ok %llu", now);
	else if (late && wait->a->state == ADAPTER_PLUGGING)
		snprintf(answer, COMMAND_LINE, "error timeout: the port of adapter %d: %s",
			 wait->a->number, strerror(wait->a->error));
	else if (late)
		snprintf(answer, COMMAND_LINE,
			 "error timeout: %s of adapter %d is %llu, not %llu yet", wait->name,
			 wait->a->number, now, (unsigned long long)wait->value);
	else
		return false;
	return true;
}
