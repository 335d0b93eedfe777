// SPDX-License-Identifier: LGPL-2.1-or-later
/* The last words of a process that uses the library in a way that cannot be gone on with. */

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "internal.h"

/* One line, in one piece; what does not fit is left out. */
struct line {
	char text[320];
	size_t len;
};

static void line_add(struct line *line, const char *text)
{
	size_t n = strlen(text), left = sizeof(line->text) - 1 - line->len;

	if (n > left)
		n = left;
	memcpy(line->text + line->len, text, n);
	line->len += n;
}

static void line_add_number(struct line *line, uint64_t number, unsigned int base)
{
	char text[24], *at = text + sizeof(text);

	*--at = '\0';
	do
		*--at = "0123456789abcdef"[number % base];
	while (number /= base);
	line_add(line, at);
}

static void line_add_arguments(struct line *line, const char *format, va_list arguments)
{
	char text[2] = "";
	const char *name;

	for (; *format; format++) {
		if (*format != '%') {
			text[0] = *format;
			line_add(line, text);
			continue;
		}
		switch (*++format) {
		case 's':
			name = va_arg(arguments, const char *);
			line_add(line, name ? name : "(no name)");
			break;
		case 'u':
			line_add_number(line, va_arg(arguments, unsigned int), 10);
			break;
		default:	/* p */
			line_add(line, "0x");
			line_add_number(line, (uintptr_t)va_arg(arguments, void *), 16);
		}
	}
}

/*
 * unplug_fatal() - say why, on stderr, and abort
 * @format: as for printf(3): "function(what): what is wrong: what to do"; it may have %s, %u
 *	    and %p
 *
 * Context: Any, signal handlers too.
 */
void unplug_fatal(const char *format, ...)
{
	struct line line = { .len = 0 };
	va_list arguments;

	line_add(&line, "libunplug: ");
	va_start(arguments, format);
	line_add_arguments(&line, format, arguments);
	va_end(arguments);
	line.text[line.len++] = '\n';
	/* Not write(), in which a thread may be cancelled: it has to end all of them. */
	(void)syscall(SYS_write, STDERR_FILENO, line.text, line.len);
	abort();
}
