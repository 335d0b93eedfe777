/* SPDX-License-Identifier: GPL-2.0-or-later */
/* look: what the core shows of a device in debugfs, for cases that compare it with the truth */
#ifndef UNPLUG_TEST_LOOK_H
#define UNPLUG_TEST_LOOK_H

#include "case.h"
#include "op.h"

#define LOOK_ABSENT "absent: it knows of nobody inside"

void look_path(const struct card *card, const char *file, char *path, size_t size);
const char *look_at(const struct card *card, const char *file);	/* all of it, until the next call */
void look_for(const struct card *card, const char *file, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));	/* it has to say that */
void look_wait_away(const struct card *card, const char *file);
void look_empty(const struct card *card, const char *file);
void look_track(bool on);	/* /sys/kernel/debug/unplug/tracking */
void look_stall(int ms);	/* parameter stall_ms */

/* Somebody in an operation, held by the page his buffer is */
struct inside {
	const struct op *op;
	struct op_file f;
	struct hold hold;
	struct task task;
};

void inside_begin(struct inside *inside, const struct op *op, const struct card *card);
void inside_end(struct inside *inside);		/* he is let go, and back */

#endif
