// SPDX-License-Identifier: GPL-2.0-or-later
/* Resolutions; see mode.h */

#include "mode.h"

#include <stddef.h>
#include <string.h>

const struct mode mode_table[] = {
	{ "640x480", 2517, 640, 16, 96, 800, 480, 10, 2, 525, 0 },
	{ "800x600", 4000, 800, 40, 128, 1056, 600, 1, 4, 628, 1 },
	{ "1024x768", 6500, 1024, 24, 136, 1344, 768, 3, 6, 806, 0 },
	{ 0 }
};

const struct mode *mode_find(const char *name)
{
	const struct mode *m;

	for (m = mode_table; m->name; m++) {
		if (!strcmp(m->name, name))
			return m;
	}
	return NULL;
}
