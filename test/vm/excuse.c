// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of the kernel's log that tell of memory that was made to fail; see excuse.h */

#include "excuse.h"

#include <string.h>

/**
 * struct saying - how it says so
 * @begin: what the line begins with
 * @part: what is in it, too
 * @excuse: what goes with it
 *
 * The memory is that of vmalloc, for anything; that of a tracepoint's fields; that of a
 * module's folder of drivers. 6.1 goes on without the folder, links the driver from the root
 * of sysfs, and finds that link the next time.
 */
static const struct saying {
	const char *begin;
	const char *part;
	enum excuse excuse;
} sayings[] = {
	{ "", "vmalloc error: ", EXCUSE_STACK },
	{ "WARNING: ", " event_define_fields+", EXCUSE_STACK },
	{ "sysfs: cannot create duplicate filename '//platform:", "", EXCUSE_STACK },
	{ "kobject_add_internal failed", "(error: -12 ", EXCUSE_LINE },
};

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

enum excuse excuse_line(bool *failing, const char *text)
{
	unsigned int i;

	if (begins(text, "failing: "))
		*failing = true;
	else if (begins(text, "case "))
		*failing = false;
	for (i = 0; *failing && i < sizeof(sayings) / sizeof(sayings[0]); i++)
		if (begins(text, sayings[i].begin) && strstr(text, sayings[i].part))
			return sayings[i].excuse;
	return EXCUSE_NONE;
}
