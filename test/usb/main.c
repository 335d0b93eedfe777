// SPDX-License-Identifier: GPL-2.0-or-later
/* displaylink: emulated USB display adapters; README.md says what for and how */

#include "client.h"
#include "console.h"
#include "options.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT 60
#define HARDWARE_NICE (-10)

static int seconds_to_wait(void)
{
	const char *text = getenv("UNPLUG_TIMEOUT");
	int n = text ? atoi(text) : 0;

	return n > 0 ? n : DEFAULT_TIMEOUT;
}

static void start_adapter(const struct options *o, struct adapter *a, int i)
{
	int error;

	a->display.kind = o->kind[i];
	a->display.mode = o->mode;
	a->served = o->serve;
	error = adapter_init(a, o->first + i, o->port[i]);
	if (!error && !o->unplugged) {
		adapter_plug(a);
		error = -a->error;
	}
	if (!error)
		return;
	fprintf(stderr, "displaylink: adapter %d, port %u: %s%s\n", a->number, o->port[i],
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
	struct adapter adapter[OPTIONS_ADAPTERS] = { 0 };
	struct emulator e = { adapter, o->count, seconds_to_wait(), false };
	struct export export;
	int listener, uevents, error, i;

	signal(SIGPIPE, SIG_IGN);
	/* Hardware does not wait until busy clients leave it a processor. */
	(void)!setpriority(PRIO_PROCESS, 0, HARDWARE_NICE);
	uevents = open_or_die(uevent_open(), "kernel messages");
	listener = open_or_die(console_open(o->socket), o->socket);
	error = export_open(&export, o->serve, adapter, o->count);
	if (error < 0)
		unlink(o->socket);
	open_or_die(error, "TCP port");
	for (i = 0; i < o->count; i++)
		start_adapter(o, &adapter[i], i);
	fflush(stdout);
	if (o->background && fork() > 0)
		_exit(0);
	console_run(&e, &export, listener, uevents);
	export_close(&export);
	for (i = 0; i < o->count; i++)
		adapter_free(&adapter[i]);
	unlink(o->socket);
	return 0;
}

int main(int argc, char **argv)
{
	bool ctl = argc > 1 && !strcmp(argv[1], "ctl");
	struct options o;
	int n = options_parse(&o, argc - ctl, argv + ctl);

	argv += ctl + n;
	argc -= ctl + n;
	if (ctl && argc > 0)
		return client_run(o.socket, argv, argc);
	if (ctl || argc > 0)
		options_usage();
	return emulate(&o);
}
