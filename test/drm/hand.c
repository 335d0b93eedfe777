// SPDX-License-Identifier: GPL-2.0-or-later
/* The commands of a hand: see hand.h */

#define _GNU_SOURCE
#include "hand.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct card card = { .fd = -1 };

int timeout_ms(void)
{
	const char *text = getenv("UNPLUG_TIMEOUT");
	int seconds = text ? atoi(text) : 0;

	return (seconds > 0 ? seconds : 60) * 1000;
}

void deadline(clockid_t clock, struct timespec *end)
{
	clock_gettime(clock, end);
	end->tv_sec += timeout_ms() / 1000;
}

void answer(struct call *call, const char *text)
{
	snprintf(call->answer, sizeof(call->answer), "%s", text);
}

void answer_result(struct call *call, long result)
{
	answer(call, result < 0 ? strerrorname_np(errno) : "ok");
}

static const struct op *op_find(const char *name)
{
	const struct op *const tables[] = {
		ops, kms_ops, event_ops, picture_ops, memory_ops, atomic_ops, fence_ops,
		lease_ops, prime_ops, uevent_ops, NULL
	};
	const struct op *const *table;
	const struct op *op;

	for (table = tables; *table; table++)
		for (op = *table; op->name; op++)
			if (!strcmp(op->name, name))
				return op;
	return NULL;
}

/* "OP ARGUMENT" */
static bool call_parse(struct call *call, char *text)
{
	char *blank = strchr(text, ' ');

	memset(call, 0, sizeof(*call));
	if (blank) {
		*blank = '\0';
		snprintf(call->argument, sizeof(call->argument), "%s", blank + 1);
	}
	call->op = op_find(text);
	return call->op;
}

static void run_now(struct call *call)
{
	static void *buffer;

	if (!buffer)
		buffer = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	call->buffer = buffer;
	call->op->run(call);
}

static void command(char *line, char *said)
{
	bool hold = !strncmp(line, "hold ", 5);
	struct call call;

	if (!strcmp(line, "state")) {
		call_state(said);
	} else if (!strcmp(line, "go")) {
		call_go(said);
	} else if (!strncmp(line, "in ", 3)) {
		call_in(line + 3, said);
	} else if (hold || !strncmp(line, "start ", 6)) {
		if (call_parse(&call, line + (hold ? 5 : 6)))
			call_start(&call, hold, said);
	} else if (call_parse(&call, line)) {
		run_now(&call);
		strcpy(said, call.answer);
	}
}

int main(void)
{
	char line[256], said[ANSWER];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		strcpy(said, "unknown");
		command(line, said);
		printf("%s\n", said);
		fflush(stdout);
	}
	return 0;
}
