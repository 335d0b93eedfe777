/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command: what the emulator is told to do, one line each
 *
 * The commands are listed in README.md. Each gets one line back, "ok TEXT" or "error
 * TEXT". Some have to wait for something, which the console then does.
 */
#ifndef UNPLUG_TEST_USB_COMMAND_H
#define UNPLUG_TEST_USB_COMMAND_H

#include "adapter.h"

#define COMMAND_LINE 4352	/* a path and some words */

/**
 * struct emulator - all of it
 * @adapter:	the adapters
 * @count:	how many
 * @timeout:	seconds to wait for one event
 * @quit:	was told to end
 */
struct emulator {
	struct adapter *adapter;
	int count;
	int timeout;
	bool quit;
};

/**
 * struct command_wait - a command that goes on until a counter is large enough
 * @a:		whose counter; NULL if the command does not wait
 * @counter:	the counter
 * @value:	what it has to reach
 * @name:	of the counter
 */
struct command_wait {
	const struct adapter *a;
	const uint64_t *counter;
	uint64_t value;
	char name[16];
};

/**
 * command_run() - do a command, or find out what it has to wait for
 * @e:		the emulator
 * @line:	the command, without newline; is changed
 * @wait:	result
 * @answer:	result, if there is nothing to wait for: the line, without newline
 */
void command_run(struct emulator *e, char *line, struct command_wait *wait,
		 char answer[COMMAND_LINE]);

/**
 * command_waited() - has a command reached what it waits for?
 * @wait:	the command
 * @late:	it may not wait any longer
 * @answer:	result, if so: the line, without newline
 *
 * Return: whether there is an answer.
 */
bool command_waited(const struct command_wait *wait, bool late,
		    char answer[COMMAND_LINE]);

#endif
