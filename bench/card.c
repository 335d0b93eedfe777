// SPDX-License-Identifier: GPL-2.0-or-later
#include "card.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

const char *const card_names[REVOKE_KINDS] = {
	[REVOKE_ZAP] = "zap",
	[REVOKE_SRCU] = "srcu_shared",
	[REVOKE_UNPLUG] = "unplug",
	[REVOKE_DUMMY] = "dummy",
	[REVOKE_POPULATED] = "populated",
};

void fail(const char *what)
{
	fprintf(stderr, "revoke: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int control(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/unplug-bench-revoke", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fail("/dev/unplug-bench-revoke (is there a card?)");
	return fd;
}

void card_make(enum revoke_kind kind)
{
	if (ioctl(control(), REVOKE_MAKE, kind) < 0)
		fail("make a card");
}

struct revoke_times card_pull(void)
{
	struct revoke_times times;

	if (ioctl(control(), REVOKE_PULL, &times) < 0)
		fail("pull");
	return times;
}

void card_steps(void)
{
	if (ioctl(control(), REVOKE_STEPS) < 0)
		fail("look at the steps");
}

int card_open(enum revoke_kind kind)
{
	const char *path = kind == REVOKE_ZAP || kind == REVOKE_SRCU ?
		"/dev/unplug-bench-bare" : "/dev/unplug-bench-card";
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail(path);
	return fd;
}

char *card_map(int fd, size_t bytes)
{
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		fail("mmap");
	if (ioctl(fd, REVOKE_FILL, at) < 0)
		fail("fill a mapping");
	return at;
}
