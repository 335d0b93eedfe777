/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console: the loop that serves the kernel, other machines, and those who give commands
 *
 * One thread, one poll(): nothing in here waits for anybody, so that an adapter that
 * the kernel does not talk to any more holds nobody else up.
 */
#ifndef UNPLUG_TEST_USB_CONSOLE_H
#define UNPLUG_TEST_USB_CONSOLE_H

#include "command.h"
#include "export.h"

/**
 * console_open() - start to listen for commands
 * @path:	of the socket; a dead one is replaced, one in use is not
 *
 * Return: a descriptor, or a negative errno.
 */
int console_open(const char *path);

/**
 * console_run() - serve until told to quit
 * @e:		the emulator
 * @export:	from export_open()
 * @listener:	from console_open()
 * @uevents:	from uevent_open()
 */
void console_run(struct emulator *e, struct export *export, int listener, int uevents);

#endif
