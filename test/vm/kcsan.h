/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kcsan: whose a data race is that KCSAN reports
 *
 * With the strict rules, the kernel has races of its own, dozens in a boot. They are not
 * our subject, and there is no list of them that stays true. So: a report counts if it
 * names a module anywhere, in its first line or in either stack. This cannot hide one of
 * ours: kernels with KCSAN have everything built in (script/debug-kernel sees to that), all
 * modules are of this repository, and what they inline is in their own text. A frame
 * without a symbol counts as well: it may be of a module that was unloaded meanwhile. What an
 * interrupt came upon does not: it has no part in what the interrupt does; nor who called one of
 * a few functions that touch what is the kernel's own alone.
 *
 * Two pairs of functions are exempt by name, wherever called from: kcsan.c says which, which those
 * few are, and why.
 */
#ifndef UNPLUG_TEST_KCSAN_H
#define UNPLUG_TEST_KCSAN_H

#include <stdbool.h>

/**
 * struct kcsan - a report that is being read
 * @open: its first line came, its last did not yet
 * @ours: it named a module
 * @beyond: what follows, to the end of this stack, an interrupt came upon, or called what is
 *	    the kernel's own
 * @first: the first line
 */
struct kcsan {
	bool open, ours, beyond;
	char first[256];
};

bool kcsan_line(struct kcsan *report, const char *text);

#endif
