// SPDX-License-Identifier: GPL-2.0-or-later
/* What the guest asks for on the request port; the protocol is in host.h */

#include "agent.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void reply(struct vm *vm, const char *id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void reply(struct vm *vm, const char *id, const char *fmt, ...)
{
	char line[2 * HOST_LINE];
	va_list args;
	int n;

	n = snprintf(line, sizeof(line), "%.31s ", id);
	va_start(args, fmt);
	n += vsnprintf(line + n, HOST_LINE, fmt, args);
	va_end(args);
	if (n > HOST_LINE - 1)
		n = HOST_LINE - 1;
	line[n++] = '\n';
	if (write(vm->request_fd, line, n) != n)
		say("cannot answer the guest: %s", strerror(errno));
}

/* A whole number in any of C's notations, from @min to @max */
static bool parse_number(const char *text, long min, long max, long *value)
{
	char *end;

	if (!text || !*text)
		return false;
	*value = strtol(text, &end, 0);
	return !*end && *value >= min && *value <= max;
}

/* Some request's first argument, a card; answers for the caller if it is none. */
static int parse_card(struct vm *vm, const char *id, const char *text)
{
	long card;

	if (parse_number(text, 1, vm->config->cards, &card))
		return card;
	reply(vm, id, "error no card '%s' (1 to %d)", text ?: "", vm->config->cards);
	return 0;
}

static void card_wait(struct vm *vm, const char *id, int card)
{
	struct card *c = &vm->card[card];

	if (c->state == CARD_GONE) {
		reply(vm, id, "ok");
		return;
	}
	/* Who waited before must be dead, as one request is in flight at a time. */
	snprintf(c->waiter, sizeof(c->waiter), "%s", id);
	c->deadline = now() + timeout_seconds(vm);
}

void answer_left(struct vm *vm, int card)
{
	struct card *c = &vm->card[card];

	if (c->waiter[0])
		reply(vm, c->waiter, "ok");
	c->waiter[0] = '\0';
}

/* Answer those who waited too long; return when to call again. */
double answer_timeouts(struct vm *vm, double t)
{
	double next = 1e18;
	int card;

	for (card = 1; card <= vm->config->cards; card++) {
		struct card *c = &vm->card[card];

		if (!c->waiter[0])
			continue;
		if (c->deadline <= t) {
			reply(vm, c->waiter, "error timeout");
			c->waiter[0] = '\0';
		} else if (c->deadline < next) {
			next = c->deadline;
		}
	}
	return next;
}

static void do_unplug(struct vm *vm, const char *id, int card, bool wait)
{
	char error[HOST_LINE];

	if (card_unplug(vm, card, error) < 0)
		reply(vm, id, "error %s", error);
	else if (wait)
		card_wait(vm, id, card);
	else
		reply(vm, id, "ok");
}

static void do_plug(struct vm *vm, const char *id, int card)
{
	char error[HOST_LINE];

	if (card_plug(vm, card, error) < 0)
		reply(vm, id, "error %s", error);
	else
		reply(vm, id, "ok %d", vm->card[card].generation);
}

static void do_pattern(struct vm *vm, const char *id, int card, char **arg)
{
	long generation = vm->card[card].generation, byte = 0, n;
	bool find = strcmp(arg[0], "find") == 0;
	char path[4096];

	if ((!arg[2] || strcmp(arg[2], "current") != 0) &&
	    !parse_number(arg[2], 0, vm->card[card].generation, &generation)) {
		reply(vm, id, "error no generation '%s' of card %d (0 to %d or current)",
		      arg[2] ?: "", card, vm->card[card].generation);
		return;
	}
	if (!arg[3] || (!find && !parse_number(arg[3], 0, 255, &byte))) {
		reply(vm, id, "error not a byte: '%s'", arg[3] ?: "");
		return;
	}
	card_file(vm, card, generation, path);
	if (find)
		n = pattern_find(path, arg[3]);
	else if (strcmp(arg[0], "count") == 0)
		n = pattern_count(path, byte);
	else
		n = pattern_fill(path, byte);
	if (n < 0)
		reply(vm, id, "error %s: %s", arg[0], strerror(errno));
	else
		reply(vm, id, "ok %ld", n);
}

/* init's reports; true if the line was one */
static bool report(struct vm *vm, const char *id, const char *word, const char *text)
{
	if (strcmp(word, "started") == 0) {
		loop_started(vm);
		reply(vm, id, "ok %d", timeout_seconds(vm));
	} else if (strcmp(word, "left") == 0) {
		snprintf(vm->left, sizeof(vm->left), "%s", text);
		reply(vm, id, "ok");
	} else if (strcmp(word, "stuck") == 0) {
		snprintf(vm->stuck, sizeof(vm->stuck), "%s", text);
		reply(vm, id, "ok");
	} else if (strcmp(word, "exit") == 0) {
		loop_exited(vm, atoi(text));
		reply(vm, id, "ok");
	} else {
		return false;
	}
	return true;
}

static void dispatch(struct vm *vm, const char *id, char **arg)
{
	int card;

	card = parse_card(vm, id, arg[1]);
	if (!card)
		return;
	if (strcmp(arg[0], "pull") == 0)
		do_unplug(vm, id, card, true);
	else if (strcmp(arg[0], "unplug-begin") == 0)
		do_unplug(vm, id, card, false);
	else if (strcmp(arg[0], "unplug-wait") == 0)
		card_wait(vm, id, card);
	else if (strcmp(arg[0], "plug") == 0)
		do_plug(vm, id, card);
	else
		do_pattern(vm, id, card, arg);
}

static bool is_card_request(const char *word)
{
	static const char *const words[] = {
		"pull", "unplug-begin", "unplug-wait", "plug", "fill", "count", "find",
	};
	unsigned int i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

static void answer_line(struct vm *vm, char *line)
{
	char *id = line, *word, *text, *arg[6] = { }, *state;
	int n = 0;

	word = strchr(line, ' ');
	if (!word) {
		say("not a request: %s", line);
		return;
	}
	*word++ = '\0';
	text = word + strcspn(word, " ");
	if (*text)
		*text++ = '\0';
	if (report(vm, id, word, text))
		return;
	if (strcmp(word, "log") == 0) {
		say("%s", text);
		reply(vm, id, "ok");
	} else if (strcmp(word, "ping") == 0) {
		reply(vm, id, "ok");
	} else if (is_card_request(word)) {
		arg[n++] = word;
		for (text = strtok_r(text, " ", &state); text && n < 5;
		     text = strtok_r(NULL, " ", &state))
			arg[n++] = text;
		dispatch(vm, id, arg);
	} else {
		reply(vm, id, "error unknown request '%.60s'", word);
	}
}

void answer_input(struct vm *vm, const char *data, size_t n)
{
	struct line *line = &vm->request;

	for (; n > 0; data++, n--) {
		if (*data == '\n') {
			line->text[line->n] = '\0';
			answer_line(vm, line->text);
			line->n = 0;
		} else if (line->n < sizeof(line->text) - 1) {
			line->text[line->n++] = *data;
		}
	}
}
