/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: how a program in the guest asks the host for something
 *
 * The second serial port carries one line each way. A request is
 *
 *	ID WORD ARGUMENTS…
 *
 * and its answer "ID ok TEXT" or "ID error TEXT". ID is chosen by the asker and
 * unique in the guest: the answer to a program that died while it waited is then
 * known as stale by the next one, who drops it. The port is held by flock() from
 * the request to the answer, so that threads and processes take turns. What can be
 * asked is listed in README.md.
 */
#ifndef UNPLUG_TEST_VM_HOST_H
#define UNPLUG_TEST_VM_HOST_H

/* The longest line, either way, with its newline */
#define HOST_LINE 256

/**
 * host_request() - ask the host and wait for the answer
 * @answer:	gets the text after "ok" or "error"; may be NULL
 * @fmt:	the request, as for printf(), without newline
 *
 * Context: May sleep, for as long as the host takes. Any thread.
 * Return: 0 if the host answered ok, -1 if it answered error or there is no host.
 */
int host_request(char answer[HOST_LINE], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * host_number() - ask for a number
 * @fmt:	the request, as for printf(), without newline
 *
 * Return: the number answered, or -1; the reason is then printed to stderr.
 */
long host_number(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * host_pull() - have a card pulled and wait until the guest let go of it
 * @card:	1 and up
 *
 * Return: 0, or -1 with the reason printed to stderr.
 */
int host_pull(int card);

/**
 * host_plug() - plug a card with fresh, zeroed memory into its old slot
 * @card:	1 and up
 *
 * Return: the generation of the card, counted from 0 at boot, or -1 with the
 * reason printed to stderr.
 */
int host_plug(int card);

/**
 * host_timeout() - how long to wait for one event before giving up
 *
 * Scales with the boot time of the machine, so that only what hangs takes longer.
 *
 * Return: seconds.
 */
int host_timeout(void);

#endif
