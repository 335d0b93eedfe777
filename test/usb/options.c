// SPDX-License-Identifier: GPL-2.0-or-later
/* What the emulator is started with; see options.h */

#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SOCKET "/run/displaylink.sock"
#define USBIP_PORT 3240
#define MAX_NUMBER 255

void options_usage(void)
{
	fprintf(stderr,
		"usage: displaylink [OPTIONS]               be the adapters\n"
		"       displaylink ctl [--socket PATH] COMMAND…\n"
		"  --adapters N    how many, 1 to %d (4)\n"
		"  --first N       number of the first (1)\n"
		"  --kinds K,K,…   displaylink (the default) or gud; the last is that of all the rest\n"
		"  --ports P,P,…   of the virtual host controllers, one each (0,1,2,…)\n"
		"  --mode WxH      that the monitors prefer: 640x480, 800x600 or 1024x768 (the default)\n"
		"  --serve[=PORT]  offer them by TCP (%d) to usbip, instead of plugging them here\n"
		"  --socket PATH   where commands come from (" DEFAULT_SOCKET ")\n"
		"  --unplugged     plug none at start\n"
		"  --background    return when all are plugged, and go on in the background\n",
		OPTIONS_ADAPTERS, USBIP_PORT);
	exit(2);
}

static __attribute__((noreturn)) void refuse(const char *option, const char *value,
					     const char *allowed)
{
	fprintf(stderr, "displaylink: %s %s: must be %s\n", option, value, allowed);
	exit(2);
}

static long parse_number(const char *option, const char *text, long max,
			 const char *allowed)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || n < 1 || n > max)
		refuse(option, text, allowed);
	return n;
}

static void parse_ports(struct options *o, const char *text)
{
	const char *p = text;
	char *end;
	int n = 0;

	while (n < OPTIONS_ADAPTERS && *p >= '0' && *p <= '9') {
		o->port[n++] = strtoul(p, &end, 10);
		p = *end == ',' ? end + 1 : end;
	}
	if (*p || !n)
		refuse("--ports", text, "at most 15 numbers with commas between them");
	o->count = n;
}

static void parse_kinds(struct options *o, const char *text)
{
	const char *p = text;
	int n = 0;

	while (n < OPTIONS_ADAPTERS && *p) {
		size_t len = strcspn(p, ",");

		o->kind[n] = display_kind(p, len);
		if (!o->kind[n++])
			break;
		p += len + (p[len] == ',');
	}
	if (!n || *p || !o->kind[n - 1])
		refuse("--kinds", text, "at most 15 of displaylink and gud with commas between them");
	for (; n < OPTIONS_ADAPTERS; n++)
		o->kind[n] = o->kind[n - 1];
}

static void parse_mode(struct options *o, const char *text)
{
	o->mode = mode_find(text);
	if (!o->mode)
		refuse("--mode", text, "640x480, 800x600 or 1024x768");
}

static void parse_one(struct options *o, int c)
{
	if (c == 'n')
		o->count = parse_number("--adapters", optarg, OPTIONS_ADAPTERS,
					"a number from 1 to 15");
	else if (c == 'f')
		o->first = parse_number("--first", optarg, MAX_NUMBER - OPTIONS_ADAPTERS,
					"a number from 1 to 240");
	else if (c == 'k')
		parse_kinds(o, optarg);
	else if (c == 'p')
		parse_ports(o, optarg);
	else if (c == 'm')
		parse_mode(o, optarg);
	else if (c == 't')
		o->serve = optarg ? parse_number("--serve", optarg, UINT16_MAX,
						 "a TCP port, 1 to 65535") : USBIP_PORT;
	else if (c == 's')
		o->socket = optarg;
	else if (c == 'u')
		o->unplugged = true;
	else if (c == 'b')
		o->background = true;
	else
		options_usage();
}

int options_parse(struct options *o, int argc, char **argv)
{
	static const struct option list[] = {
		{ "adapters", required_argument, NULL, 'n' },
		{ "first", required_argument, NULL, 'f' },
		{ "kinds", required_argument, NULL, 'k' },
		{ "ports", required_argument, NULL, 'p' },
		{ "mode", required_argument, NULL, 'm' },
		{ "serve", optional_argument, NULL, 't' },
		{ "socket", required_argument, NULL, 's' },
		{ "unplugged", no_argument, NULL, 'u' },
		{ "background", no_argument, NULL, 'b' },
		{ 0 }
	};
	int c, i;

	*o = (struct options) {
		.socket = DEFAULT_SOCKET,
		.mode = mode_find("1024x768"),
		.count = 4,
		.first = 1,
	};
	for (i = 0; i < OPTIONS_ADAPTERS; i++) {
		o->kind[i] = &displaylink_kind;
		o->port[i] = i;
	}
	while ((c = getopt_long(argc, argv, "+", list, NULL)) >= 0)
		parse_one(o, c);
	return optind;
}
