/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client: gives a command to a running emulator
 */
#ifndef UNPLUG_TEST_USB_CLIENT_H
#define UNPLUG_TEST_USB_CLIENT_H

/**
 * client_run() - send the command, print the answer
 * @path:	of the emulator's socket
 * @words:	the command; relative paths in it become absolute
 * @count:	how many words
 *
 * Return: the exit status: 0 if it was done, 1 if not (the reason goes to stderr), 2 if
 * there is no emulator.
 */
int client_run(const char *path, char **words, int count);

#endif
