// SPDX-License-Identifier: GPL-2.0-or-later
/* What a hand can do: hear what the kernel tells everybody of its devices */

#define _GNU_SOURCE
#include "hand.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KERNEL_GROUP 1
#define KEPT 65536

static int ears = -1;
/* All messages since "listen", each line of them with a blank before and behind */
static char heard[KEPT];
static size_t heard_size;

static void op_listen(struct call *call)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };

	heard_size = 0;
	heard[0] = '\0';
	if (ears >= 0)
		close(ears);
	ears = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		      NETLINK_KOBJECT_UEVENT);
	answer_result(call, ears < 0 ? -1 : bind(ears, (struct sockaddr *)&address,
						  sizeof(address)));
}

/* A message is a line, its parts have blanks between them. */
static void keep(const char *text, size_t n)
{
	size_t i;

	if (heard_size + n + 3 > KEPT)
		return;
	heard[heard_size++] = ' ';
	for (i = 0; i < n; i++)
		heard[heard_size++] = text[i] ? text[i] : ' ';
	heard[heard_size++] = '\n';
	heard[heard_size] = '\0';
}

static void take_all(void)
{
	char text[8192];
	ssize_t n;

	while ((n = recv(ears, text, sizeof(text), 0)) > 0)
		keep(text, n);
}

/* Was there a message with both? */
static bool was_heard(const char *first, const char *second)
{
	const char *line, *end;

	for (line = heard; (end = strchr(line, '\n')); line = end + 1)
		if (memmem(line, end - line, first, strlen(first)) &&
		    memmem(line, end - line, second, strlen(second)))
			return true;
	return false;
}

/*
 * heard [now] FIRST SECOND: a message with both words: "yes"; waits for it, or, now,
 * says "no"
 */
static void op_heard(struct call *call)
{
	struct pollfd fd = { .fd = ears, .events = POLLIN };
	bool now = !strncmp(call->argument, "now ", 4);
	char first[100] = " ", second[100] = " ";

	if (sscanf(call->argument + (now ? 4 : 0), "%98s %98s", first + 1, second + 1) != 2) {
		answer(call, "EINVAL");
		return;
	}
	strcat(first, " ");
	strcat(second, " ");
	do {
		take_all();
		if (was_heard(first, second)) {
			answer(call, "yes");
			return;
		}
	} while (!now && poll(&fd, 1, timeout_ms()) == 1);
	answer(call, now ? "no" : "asleep");
}

const struct op uevent_ops[] = {
	{ "listen", op_listen },
	{ "heard", op_heard },
	{ }
};
