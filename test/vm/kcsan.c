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

static bool names_pair(const char *text, const char *const ones[], const char *const others[])
{
	char one[64], other[64], end;

	if (sscanf(text, FIRST "data-race in %63s / %63s%c", one, other, &end) != 2)
		return false;
	return (is_one_of(one, ones) && is_one_of(other, others)) ||
	       (is_one_of(one, others) && is_one_of(other, ones));
}

/*
 * The kernel's own, though a module calls both sides: flags of a kobject share a byte. Deleting
 * it writes some, and leaves the one alone that a get or a put reads, as they may at any time.
 * And of a work that is queued again while it begins, one bit is set while another is read,
 * without a mark, in the same word.
 */
static bool is_known(const char *text)
{
	static const char *const writers[] = { "__kobject_del", "kobject_uevent_env", NULL };
	static const char *const readers[] = { "kobject_get", "kobject_put", NULL };
	static const char *const works[] = { "process_one_work", NULL };
	static const char *const queuers[] = { "queue_work_on", NULL };

	return names_pair(text, writers, readers) || names_pair(text, works, queuers);
}

/*
 * What the kernel reads and writes below these is the kernel's own, whoever has called them: page
 * tables and what it knows of them, a work that is being cancelled, the time, who polls. Of a
 * race with one of ours the other stack names us.
 */
static bool is_border(const char *text)
{
	static const char *const borders[] = {
		" unmap_mapping_range+", " __cancel_work_timer+", " ktime_get_seconds+", " pollwake+",
	};
	size_t i;

	for (i = 0; i < sizeof(borders) / sizeof(*borders); i++)
		if (strncmp(text, borders[i], strlen(borders[i])) == 0)
			return true;
	return false;
}

/* Who is at work in the task at hand, after its stack */
static bool is_context(const char *text)
{
	return strncmp(text, "Workqueue: ", 11) == 0;
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
		report->open = !is_known(text);
		report->ours = names_module(text);
		report->beyond = false;
		return true;
	}
	if (strncmp(text, LAST, strlen(LAST)) == 0)
		report->open = false;
	/* Stacks, the innermost first, have an empty line between them. */
	if (!text[strspn(text, " ")])
		report->beyond = false;
	else if (strstr(text, " asm_sysvec_") || strstr(text, " asm_common_interrupt") ||
		 is_border(text))
		report->beyond = true;
	else if (report->open && !report->beyond && !is_context(text) && names_module(text))
		report->ours = true;
	return false;
}
