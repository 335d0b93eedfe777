// SPDX-License-Identifier: GPL-2.0-or-later
/* What programs that manage devices see: attributes and uevents */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void attribute(const struct card *card, const char *name, char *text, size_t size)
{
	char path[CARD_PATH];

	snprintf(path, sizeof(path), "/sys/class/%s/%s/%s", driver->class, card->name, name);
	expect_works(path, file_read(path, text, size) ? -1 : 0);
}

CASE(attributes_before, .name = "attributes-before",
     .promise = "K9: generation, state and number of a live card are in sysfs",
     .naive = "wrong-errno")
{
	char text[64], want[64];
	struct card card;
	int fd;

	card_init(&card, 1);
	fd = card_open(&card);
	attribute(&card, "generation", text, sizeof(text));
	expect_equal("generation", atol(text), card_generation(fd));
	attribute(&card, "state", text, sizeof(text));
	if (strcmp(text, "live"))
		case_fail("state is '%s', expected 'live'", text);
	attribute(&card, "dev", text, sizeof(text));
	snprintf(want, sizeof(want), "%u:%u", major(card_devt(&card)), minor(card_devt(&card)));
	if (strcmp(text, want))
		case_fail("dev is '%s', the node is %s", text, want);
	close(fd);
}

CASE(attributes_after, .name = "attributes-after",
     .promise = "K1: the attributes go with the device; an open one says ENODEV",
     .naive = "absent: it has no attributes")
{
	char path[CARD_PATH], text[64];
	struct card card;
	int fd;

	card_init(&card, 1);
	snprintf(path, sizeof(path), "/sys/class/%s/%s/state", driver->class, card.name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	expect_works("open of state", fd);
	card_unplug(&card);
	expect_errno("read of an open attribute", read(fd, text, sizeof(text)), ENODEV);
	close(fd);
	expect_errno("open of state", open(path, O_RDONLY | O_CLOEXEC), ENOENT);
}

CASE(mode_before, .name = "mode-before",
     .promise = "K1: a node is for root alone unless its driver says otherwise",
     .naive = "passes: 0600 is the kernel's default")
{
	struct card card;
	struct stat st;

	card_init(&card, 1);
	expect_works("stat", stat(card.node, &st));
	expect_equal("mode", st.st_mode & 07777, 0600);
}

static int uevent_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		case_fail("uevent socket: %m");
	return fd;
}

/* A uevent is lines that end with a zero byte: is @want one of them? */
static bool uevent_says(const char *event, size_t n, const char *want)
{
	const char *at;

	for (at = event; at < event + n; at += strlen(at) + 1)
		if (!strcmp(at, want))
			return true;
	return false;
}

static void uevent_wait(int fd, const char *action, const struct card *card)
{
	char event[8192], want_action[32], want_name[64], want_system[32];
	ssize_t n;

	snprintf(want_action, sizeof(want_action), "ACTION=%s", action);
	snprintf(want_name, sizeof(want_name), "DEVNAME=%s", card->name);
	snprintf(want_system, sizeof(want_system), "SUBSYSTEM=%s", driver->class);
	do {
		if (poll_in(fd, case_timeout()) != 1)
			case_end(OUTCOME_HANG, "no uevent '%s' of %s", action, card->name);
		n = recv(fd, event, sizeof(event) - 1, 0);
		if (n < 0)
			case_fail("uevent socket: %m");
		event[n] = '\0';
	} while (!uevent_says(event, n, want_action) || !uevent_says(event, n, want_name) ||
		 !uevent_says(event, n, want_system));
}

CASE(uevents_after, .name = "uevents-after",
     .promise = "K1: remove and add are announced, and the device is live by then",
     .naive = "passes: device_create() and device_destroy() announce it")
{
	struct card card, fresh;
	int fd, events;

	card_init(&card, 1);
	fresh = card;
	fd = card_open(&card);
	events = uevent_open();
	card_unplug(&card);
	uevent_wait(events, "remove", &card);
	card_bind(&fresh);
	uevent_wait(events, "add", &fresh);
	close(card_open(&fresh));
	close(fd);
}
