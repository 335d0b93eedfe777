// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading KCSAN's reports line by line; see kcsan.h */

#include "kcsan.h"

#include <stdio.h>
#include <string.h>

#define FIRST "BUG: KCSAN: "
#define LAST "=========="

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* "function+0x12/0x34 [module]", or an address that has no name any more */
static bool names_module(const char *text)
{
	const char *at = text;
	size_t n;

	while ((at = strchr(at, '['))) {
		at++;
		n = strspn(at, LETTERS "0123456789_-");
		if (n && at[n] == ']' && strchr(LETTERS, at[0]))
			return true;
	}
	return strncmp(text + strspn(text, " "), "0xffffffff", 10) == 0;
}

static bool is_one_of(const char *name, const char *const names[])
{
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

/*
 * The kernel's own, though a module calls both: flags of a kobject share a byte. Deleting it
 * writes some, and leaves the one alone that a get or a put reads, as they may at any time.
 */
static bool is_kobject_flags(const char *text)
{
	static const char *const writers[] = { "__kobject_del", "kobject_uevent_env", NULL };
	static const char *const readers[] = { "kobject_get", "kobject_put", NULL };
	char one[64], other[64], end;

	if (sscanf(text, FIRST "data-race in %63s / %63s%c", one, other, &end) != 2)
		return false;
	return (is_one_of(one, writers) && is_one_of(other, readers)) ||
	       (is_one_of(one, readers) && is_one_of(other, writers));
}

/**
 * kcsan_line() - take the next line of the kernel's log
 * @report:	zeroed before the first
 * @text:	the line, without its time stamp
 *
 * Return: true for a first line, which is then no complaint by itself. All others may be
 * the words of somebody else, on another processor, and are to be looked at. After each
 * line @report->ours tells the verdict as far as it is known.
 */
bool kcsan_line(struct kcsan *report, const char *text)
{
	if (strncmp(text, FIRST, strlen(FIRST)) == 0) {
		snprintf(report->first, sizeof(report->first), "%s", text);
		report->open = !is_kobject_flags(text);
		report->ours = names_module(text);
		return true;
	}
	if (strncmp(text, LAST, strlen(LAST)) == 0)
		report->open = false;
	else if (report->open && names_module(text))
		report->ours = true;
	return false;
}
