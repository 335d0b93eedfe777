// SPDX-License-Identifier: GPL-2.0-or-later
/* The device at the end of the cable; see display.h */

#include "display.h"

#include <string.h>

static const struct kind *const kind_table[] = { &displaylink_kind, &gud_kind, NULL };

const struct kind *display_kind(const char *name, size_t len)
{
	const struct kind *const *k;

	for (k = kind_table; *k; k++) {
		if (strlen((*k)->name) == len && !strncmp((*k)->name, name, len))
			return *k;
	}
	return NULL;
}

void display_reset(struct display *d, int number)
{
	screen_reset(&d->screen);
	edid_make(d->edid, number, d->mode);
	d->kind->reset(d);
}

void display_free(struct display *d)
{
	d->kind->reset(d);
	screen_free(&d->screen);
}
