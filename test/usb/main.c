// SPDX-License-Identifier: GPL-2.0-or-later
/* displaylink: emulated USB display adapters; README.md says what for and how */

#include "client.h"
#include "console.h"
#include "vhci.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAX_ADAPTERS VHCI_HUB_PORTS
#define DEFAULT_SOCKET "/run/displaylink.sock"
#define DEFAULT_TIMEOUT 60
#define HARDWARE_NICE (-10)

struct options {
	const char *socket;
	const struct mode *mode;
	int count;
	unsigned int port[MAX_ADAPTERS];
	bool unplugged;
	bool background;
};

static __attribute__((noreturn)) void usage(void)
{
	fprintf(stderr,
		"usage: displaylink [OPTIONS]               be the adapters\n"
		"       displaylink ctl [--socket PATH] COMMAND…\n"
		"  --adapters N    how many, 1 to %d (4)\n"
		"  --ports P,P,…   of the virtual host controllers, one each (0,1,2,…)\n"
		"  --mode WxH      that the monitors prefer: 640x480, 800x600 or 1024x768 (the default)\n"
		"  --socket PATH   where commands come from (" DEFAULT_SOCKET ")\n"
		"  --unplugged     plug none at start\n"
		"  --background    return when all are plugged, and go on in the background\n",
		MAX_ADAPTERS);
	exit(2);
}

static __attribute__((noreturn)) void refuse(const char *option, const char *value,
					     const char *allowed)
{
	fprintf(stderr, "displaylink: %s %s: must be %s\n", option, value, allowed);
	exit(2);
}

static void parse_count(struct options *o, const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || n < 1 || n > MAX_ADAPTERS)
		refuse("--adapters", text, "a number from 1 to 15");
	o->count = n;
}

static void parse_ports(struct options *o, const char *text)
{
	const char *p = text;
	char *end;
	int n = 0;

	while (n < MAX_ADAPTERS && *p >= '0' && *p <= '9') {
		o->port[n++] = strtoul(p, &end, 10);
		p = *end == ',' ? end + 1 : end;
	}
	if (*p || !n)
		refuse("--ports", text, "at most 15 numbers with commas between them");
	o->count = n;
}

static void parse(struct options *o, int argc, char **argv)
{
	static const struct option list[] = {
		{ "adapters", required_argument, NULL, 'n' },
		{ "ports", required_argument, NULL, 'p' },
		{ "mode", required_argument, NULL, 'm' },
		{ "socket", required_argument, NULL, 's' },
		{ "unplugged", no_argument, NULL, 'u' },
		{ "background", no_argument, NULL, 'b' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", list, NULL)) >= 0) {
		if (c == 'n')
			parse_count(o, optarg);
		else if (c == 'p')
			parse_ports(o, optarg);
		else if (c == 'm')
			o->mode = mode_find(optarg);
		else if (c == 's')
			o->socket = optarg;
		else if (c == 'u')
			o->unplugged = true;
		else if (c == 'b')
			o->background = true;
		else
			usage();
		if (!o->mode)
			refuse("--mode", optarg, "640x480, 800x600 or 1024x768");
	}
}

static int seconds_to_wait(void)
{
	const char *text = getenv("UNPLUG_TIMEOUT");
	int n = text ? atoi(text) : 0;

	return n > 0 ? n : DEFAULT_TIMEOUT;
}

static void start_adapter(const struct options *o, struct adapter *a, int i)
{
	int error = adapter_init(a, i + 1, o->port[i], o->mode);

	if (!error && !o->unplugged) {
		adapter_plug(a);
		error = -a->error;
	}
	if (!error)
		return;
	fprintf(stderr, "displaylink: adapter %d, port %u: %s%s\n", i + 1, o->port[i],
		strerror(-error), error == -ENOENT ? " (is vhci-hcd loaded?)" :
		error == -EINVAL ? " (not at a high speed hub)" : "");
	unlink(o->socket);
	exit(1);
}

static int open_or_die(int fd, const char *what)
{
	if (fd >= 0)
		return fd;
	fprintf(stderr, "displaylink: %s: %s\n", what, strerror(-fd));
	exit(1);
}

static int emulate(const struct options *o)
{
	struct adapter adapter[MAX_ADAPTERS] = { 0 };
	struct emulator e = { adapter, o->count, seconds_to_wait(), false };
	int listener, uevents, i;

	signal(SIGPIPE, SIG_IGN);
	/* Hardware does not wait until busy clients leave it a processor. */
	(void)!setpriority(PRIO_PROCESS, 0, HARDWARE_NICE);
	uevents = open_or_die(uevent_open(), "kernel messages");
	listener = open_or_die(console_open(o->socket), o->socket);
	for (i = 0; i < o->count; i++)
		start_adapter(o, &adapter[i], i);
	fflush(stdout);
	if (o->background && fork() > 0)
		_exit(0);
	console_run(&e, listener, uevents);
	for (i = 0; i < o->count; i++)
		adapter_free(&adapter[i]);
	unlink(o->socket);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = {
		.socket = DEFAULT_SOCKET,
		.mode = mode_find("1024x768"),
		.count = 4,
	};
	bool ctl = argc > 1 && !strcmp(argv[1], "ctl");
	int i;

	for (i = 0; i < MAX_ADAPTERS; i++)
		o.port[i] = i;
	parse(&o, argc - ctl, argv + ctl);
	argv += ctl + optind;
	argc -= ctl + optind;
	if (ctl && argc > 0)
		return client_run(o.socket, argv, argc);
	if (ctl || argc > 0)
		usage();
	return emulate(&o);
}
