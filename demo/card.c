// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo/card.h"
#include "demo/clock.h"
#include "demo/proc.h"
#include "test/vm/host.h"

#define CARD_FIRST_SLOT 3	/* card N is in slot 3 + N of bus 0 */

static int card_uevents = -1;

/**
 * card_watch() - listen to the kernel's uevents, which card_wait() waits for
 *
 * Return: 0 or a negative errno.
 */
int card_watch(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };

	card_uevents = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			      NETLINK_KOBJECT_UEVENT);
	if (card_uevents < 0)
		return -errno;
	if (bind(card_uevents, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return 0;
}

/* One line of a file in sysfs; empty if there is none. */
static void card_attribute(const char *folder, const char *name, char text[CARD_TEXT])
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (proc_read(path, text, CARD_TEXT) < 0)
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static void card_driver(struct card *card)
{
	char path[128], target[256];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", card->slot);
	length = readlink(path, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	snprintf(card->driver, sizeof(card->driver), "%s", basename(target));
}

static bool card_find(struct card *card)
{
	char pattern[128], generation[CARD_TEXT];
	char *folder, *name;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "/sys/bus/pci/devices/%s/*/*/dev", card->slot);
	if (glob(pattern, GLOB_NOSORT, NULL, &found))
		return false;

	folder = dirname(found.gl_pathv[0]);
	card_attribute(folder, "generation", generation);
	name = basename(folder);
	snprintf(card->node, sizeof(card->node), "/dev/%.50s", name);
	card->device[0] = '\0';
	if (generation[0])
		snprintf(card->device, sizeof(card->device), "%.40s#%.20s", name,
			 generation);
	globfree(&found);
	card_driver(card);
	return !access(card->node, F_OK);
}

/**
 * card_wait() - wait until a card has a node
 * @card: filled
 * @number: the card
 * @until: give up then, by clock_now()
 *
 * Return: 0, -ETIMEDOUT or another negative errno.
 */
int card_wait(struct card *card, int number, uint64_t until)
{
	struct pollfd poll_fd = { .fd = card_uevents, .events = POLLIN };
	static char drain[8192];
	uint64_t now;

	memset(card, 0, sizeof(*card));
	card->number = number;
	snprintf(card->slot, sizeof(card->slot), "0000:00:%02x.0",
		 CARD_FIRST_SLOT + number);

	while (!card_find(card)) {
		now = clock_now();
		if (now >= until)
			return -ETIMEDOUT;
		if (poll(&poll_fd, 1, (until - now) / CLOCK_MS + 1) < 0 && errno != EINTR)
			return -errno;
		while (recv(card_uevents, drain, sizeof(drain), 0) > 0)
			;
	}
	return 0;
}

/*
 * In a process of its own: a driver may kill or hang whoever writes there, and
 * the scene has to go on to tell of it.
 */
static int card_write(const char *path, const char *text, int timeout)
{
	int status, fd, err;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		_exit(fd < 0 || write(fd, text, strlen(text)) < 0 ? errno : 0);
	}

	err = proc_wait(pid, clock_now() + timeout * CLOCK_S, &status);
	if (err)
		kill(pid, SIGKILL);
	if (err)
		return err;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EFAULT;
}

/**
 * card_out() - take a card out
 * @card: as filled by card_wait()
 * @way: how
 * @timeout: seconds
 *
 * Return: 0, or a negative errno: -ETIMEDOUT it hangs, -EFAULT whoever did it was
 *	   killed by the kernel.
 */
int card_out(const struct card *card, enum card_way way, int timeout)
{
	char path[128];

	switch (way) {
	case CARD_UNBIND:
		snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/unbind",
			 card->driver);
		return card_write(path, card->slot, timeout);
	case CARD_REMOVE:
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove",
			 card->slot);
		return card_write(path, "1", timeout);
	default:
		return host_pull(card->number) ? -ETIMEDOUT : 0;
	}
}

/**
 * card_in() - bring a card back
 * @card: as it was before card_out()
 * @way: how it was taken out
 * @timeout: seconds
 *
 * Return: 0 or a negative errno as of card_out(). Its node may take longer.
 */
int card_in(const struct card *card, enum card_way way, int timeout)
{
	char path[128];

	switch (way) {
	case CARD_UNBIND:
		snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind",
			 card->driver);
		return card_write(path, card->slot, timeout);
	case CARD_REMOVE:
		return card_write("/sys/bus/pci/rescan", "1", timeout);
	default:
		return host_plug(card->number) < 0 ? -ETIMEDOUT : 0;
	}
}

const char *card_way_name(enum card_way way)
{
	static const char *const names[] = {
		[CARD_UNBIND] = "unbind",
		[CARD_REMOVE] = "remove",
		[CARD_PULL] = "pull",
	};

	return names[way];
}
