// SPDX-License-Identifier: GPL-2.0-or-later
/* See way.h */

#include "way.h"
#include "seat.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "test/vm/host.h"

#define FREEZE_DO	"/sys/module/unplug_freeze/parameters/do"

const char *way_name(enum way way)
{
	static const char *const names[] = { "pull", "remove", "unbind", "reset", "end", "unload" };

	return names[way];
}

static int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), e = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		e = errno;
	close(fd);
	return e;
}

static void file_must(const char *path, const char *text)
{
	errno = file_write(path, text);
	if (errno)
		err(1, "'%s' to %s", text, path);
}

enum way way_draw(int seat, struct dice *dice)
{
	static const enum way freezes[] = { WAY_RESET, WAY_RESET, WAY_RESET, WAY_END, WAY_UNLOAD };

	if (seats[seat].card)
		return dice_below(dice, WAY_UNBIND + 1);
	if (!strcmp(seats[seat].name, "freeze"))
		return freezes[dice_below(dice, 5)];
	return WAY_UNBIND;
}

bool way_takes_away(enum way way)
{
	return way != WAY_RESET;
}

/* What a bus calls the device of a seat: the last part of its folder */
static const char *seat_address(int seat)
{
	return strrchr(seats[seat].folder, '/') + 1;
}

/* Let its driver go, and get it or another one: "bind" or "unbind". */
static int drive(int seat, const char *driver, const char *what)
{
	const char *bus = seats[seat].card ? "pci" : "platform";
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/%s/drivers/%s/%s", bus, driver, what);
	return file_write(path, seat_address(seat));
}

static void drive_must(int seat, const char *driver, const char *what)
{
	errno = drive(seat, driver, what);
	if (errno)
		err(1, "%s: cannot %s %s", seats[seat].name, what, driver);
}

/* The driver that was taken off last, of each seat */
static char drivers[BOARD_SEATS][SEAT_PATH];

static void unbind(int seat)
{
	if (!seat_driver(seat, drivers[seat]))
		errx(1, "%s: has no driver", seats[seat].name);
	drive_must(seat, drivers[seat], "unbind");
}

/*
 * That it cannot be frozen or thawed just now is no failure: a user had it frozen, by his
 * ioctl, or is still inside; then it stays as it is until the next time.
 */
static bool reset(const char *thaw)
{
	return !file_write(FREEZE_DO, "freeze") && !file_write(FREEZE_DO, "reset") &&
	       !file_write(FREEZE_DO, thaw);
}

/* The module is free when the device is gone, of which nobody tells; users are inside yet. */
static void unload(void)
{
	time_t end = time(NULL) + host_timeout() + 1;

	file_must(FREEZE_DO, "pull");
	while (syscall(SYS_delete_module, "unplug_freeze", O_NONBLOCK)) {
		if (errno != EAGAIN && errno != EBUSY)
			err(1, "unplug-freeze cannot be unloaded");
		if (time(NULL) > end)
			errx(1, "unplug-freeze is in use %d s after its device was pulled",
			     host_timeout());
		sched_yield();
	}
}

bool way_go(int seat, enum way way)
{
	char path[128];

	switch (way) {
	case WAY_PULL:
		if (host_pull(seats[seat].card))
			errx(1, "%s: the card was not let go of", seats[seat].name);
		return true;
	case WAY_REMOVE:
		snprintf(path, sizeof(path), "%s/remove", seats[seat].folder);
		file_must(path, "1");
		return true;
	case WAY_UNBIND:
		unbind(seat);
		return true;
	case WAY_RESET:
		return reset("thaw");
	case WAY_END:
		return reset("end");
	default:
		unload();
		return true;
	}
}

static void load(struct dice *dice)
{
	int fd = open("/modules/unplug-freeze.ko", O_RDONLY | O_CLOEXEC);
	const char *arguments = dice_one_in(dice, 2) ? "waits=1" : "waits=0";

	if (fd < 0 || syscall(SYS_finit_module, fd, arguments, 0))
		err(1, "unplug-freeze cannot be loaded");
	close(fd);
}

void way_back(int seat, enum way way, struct dice *dice)
{
	switch (way) {
	case WAY_PULL:
		if (host_plug(seats[seat].card) < 0)
			errx(1, "%s: the host has no new card", seats[seat].name);
		break;
	case WAY_REMOVE:
		file_must("/sys/bus/pci/rescan", "1");
		break;
	case WAY_UNBIND:
		drive_must(seat, drivers[seat], "bind");
		break;
	case WAY_UNLOAD:
		load(dice);
		break;
	default:
		break;
	}
}

/*
 * A new card only: one that unplug-edu was taken off may yet move bytes, and mydriver, which
 * knows nothing of that, would let it.
 */
void way_settle(int seat, enum way way, struct dice *dice)
{
	char driver[SEAT_PATH];

	if (way != WAY_PULL || !seat_driver(seat, driver) || strcmp(driver, "unplug-edu") ||
	    dice_one_in(dice, 2))
		return;
	drive_must(seat, driver, "unbind");
	if (drive(seat, "mydriver", "bind"))
		drive_must(seat, driver, "bind");
}
