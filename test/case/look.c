// SPDX-License-Identifier: GPL-2.0-or-later
/* What the core shows of a device in debugfs; see look.h */

#define _GNU_SOURCE
#include "look.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROOT "/sys/kernel/debug/unplug"
#define STALL_MS "/sys/module/unplug/parameters/stall_ms"

/* The folder is named as the log names the card, without the colon. */
void look_path(const struct card *card, const char *file, char *path, size_t size)
{
	snprintf(path, size, ROOT "/%.*s/%s", (int)strlen(card->id) - 1, card->id, file);
}

/* Whoever has the last reference takes it away: this process, or a worker of the core. */
void look_wait_away(const struct card *card, const char *file)
{
	long end = now_ms() + case_timeout();
	char path[CARD_PATH];

	look_path(card, file, path, sizeof(path));
	while (!access(path, F_OK)) {
		if (now_ms() > end)
			case_end(OUTCOME_HANG, "%s stays", path);
		sched_yield();
	}
}

const char *look_at(const struct card *card, const char *file)
{
	static char text[65536];
	char path[CARD_PATH];
	size_t size = 0;
	ssize_t n;
	int fd;

	look_path(card, file, path, sizeof(path));
	fd = expect_works(path, open(path, O_RDONLY | O_CLOEXEC));
	while ((n = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += n;
	close(fd);
	text[size] = '\0';
	return text;
}

void look_for(const struct card *card, const char *file, const char *fmt, ...)
{
	const char *text = look_at(card, file);
	char want[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(want, sizeof(want), fmt, args);
	va_end(args);
	if (!strstr(text, want))
		case_fail("%s does not say '%s', but: %s", file, want, text);
}

void look_empty(const struct card *card, const char *file)
{
	const char *text = look_at(card, file);

	if (*text)
		case_fail("%s is to be empty, but says: %s", file, text);
}

void look_track(bool on)
{
	expect_equal("errno of tracking", file_write(ROOT "/tracking", on ? "1" : "0"), 0);
}

void look_stall(int ms)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", ms);
	expect_equal("errno of stall_ms", file_write(STALL_MS, text), 0);
}

static long inside_main(void *arg)
{
	struct inside *inside = arg;

	return inside->op->run(&inside->f);
}

void inside_begin(struct inside *inside, const struct op *op, const struct card *card)
{
	inside->op = op;
	op_open(&inside->f, card);
	hold_init(&inside->hold, OP_BYTES);
	inside->f.buffer = inside->hold.page;
	task_start(&inside->task, inside_main, inside);
	hold_wait(&inside->hold);
	/* The stack of who runs is not looked at. */
	task_wait_blocked(&inside->task);
}

void inside_end(struct inside *inside)
{
	hold_go(&inside->hold, OP_BYTE);
	task_wait(&inside->task);
	op_close(&inside->f);
}
