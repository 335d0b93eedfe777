// SPDX-License-Identifier: GPL-2.0-or-later
/* See seat.h */

#define _GNU_SOURCE		/* basename() of a string that stays as it is */
#include "seat.h"

#include <err.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

const struct seat seats[BOARD_SEATS] = {
	{ "card1", "/sys/bus/pci/devices/0000:00:04.0", 1 },
	{ "card2", "/sys/bus/pci/devices/0000:00:05.0", 2 },
	{ "card3", "/sys/bus/pci/devices/0000:00:06.0", 3 },
	{ "card4", "/sys/bus/pci/devices/0000:00:07.0", 4 },
	{ "null0", "/sys/devices/platform/unplug-null.0", 0 },
	{ "null1", "/sys/devices/platform/unplug-null.1", 0 },
	{ "freeze", "/sys/devices/virtual", 0 },
};

void seat_node(int seat, int name, char path[SEAT_PATH])
{
	snprintf(path, SEAT_PATH, SEAT_NODES "/%s.%d", seats[seat].name, name);
}

/* The number of the device, which is in a folder of its class, below that of the seat */
static bool seat_number(int seat, dev_t *number)
{
	char pattern[256];
	unsigned int major, minor;
	bool found = false;
	glob_t files;
	FILE *file;

	snprintf(pattern, sizeof(pattern), "%s/{unplug,naive}/*/dev", seats[seat].folder);
	if (glob(pattern, GLOB_BRACE, NULL, &files))
		return false;
	file = fopen(files.gl_pathv[0], "re");
	if (file) {
		found = fscanf(file, "%u:%u", &major, &minor) == 2;
		fclose(file);
	}
	globfree(&files);
	if (found)
		*number = makedev(major, minor);
	return found;
}

bool seat_is_taken(int seat)
{
	dev_t number;

	return seat_number(seat, &number);
}

bool seat_driver(int seat, char name[SEAT_PATH])
{
	char path[SEAT_PATH], driver[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/driver", seats[seat].folder);
	n = readlink(path, driver, sizeof(driver) - 1);
	if (n < 0)
		return false;
	driver[n] = '\0';
	snprintf(name, SEAT_PATH, "%s", basename(driver));
	return true;
}

/*
 * mydriver lets users map registers, those of DMA among them. Who writes to these can have
 * the card reach all memory, or QEMU give up: such a node is for reading.
 */
static mode_t seat_mode(int seat)
{
	char driver[SEAT_PATH];

	return seat_driver(seat, driver) && !strcmp(driver, "mydriver") ? 0444 : 0666;
}

/* By another name first: there is a node by each name at any time. */
void seat_make_nodes(int seat)
{
	char path[SEAT_PATH], new[SEAT_PATH];
	mode_t mode = seat_mode(seat);
	dev_t number;
	int i;

	if (!seat_number(seat, &number))
		errx(1, "%s: its device went away by itself", seats[seat].name);
	for (i = 0; i < SEAT_NAMES; i++) {
		seat_node(seat, i, path);
		snprintf(new, sizeof(new), "/fuzz/%s.new", seats[seat].name);
		if (mknod(new, S_IFCHR, number) || chmod(new, mode) || rename(new, path))
			err(2, "cannot make the node %s", path);
	}
}
