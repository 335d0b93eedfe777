/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options: what the emulator is started with; README.md lists them
 */
#ifndef UNPLUG_TEST_USB_OPTIONS_H
#define UNPLUG_TEST_USB_OPTIONS_H

#include "display.h"
#include "vhci.h"

#define OPTIONS_ADAPTERS VHCI_HUB_PORTS

/**
 * struct options - as given, or what holds without
 * @socket:	where commands come from
 * @mode:	that monitors prefer
 * @count:	how many adapters
 * @first:	number of the first
 * @kind:	of each
 * @port:	of each, of the virtual host controllers
 * @serve:	TCP port to offer them at, instead of plugging them; or 0
 * @unplugged:	plug none at start
 * @background:	return when all are plugged
 */
struct options {
	const char *socket;
	const struct mode *mode;
	int count;
	int first;
	const struct kind *kind[OPTIONS_ADAPTERS];
	unsigned int port[OPTIONS_ADAPTERS];
	unsigned int serve;
	bool unplugged;
	bool background;
};

/**
 * options_usage() - say how it is used, and end
 */
__attribute__((noreturn)) void options_usage(void);

/**
 * options_parse() - take options from the front of the arguments; ends with what is wrong
 * @o:		result
 * @argc:	as main()'s
 * @argv:	as main()'s
 *
 * Return: index of the first argument that is no option.
 */
int options_parse(struct options *o, int argc, char **argv);

#endif
