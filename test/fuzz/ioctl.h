/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioctl: the numbers that our drivers know, with arguments as hostile as may be */
#ifndef UNPLUG_FUZZ_IOCTL_H
#define UNPLUG_FUZZ_IOCTL_H

#include <stdbool.h>
#include "dice.h"

/* What mappings of the file show when its device is away: if the call worked */
enum ioctl_policy {
	IOCTL_NO_POLICY,	/* as before */
	IOCTL_SIGBUS,
	IOCTL_DUMMY,		/* may be zeroes */
};

/**
 * struct ioctl_call - what to call
 * @number: one of a driver's, or nearly
 * @exact: it is one of a driver's, so nobody before the driver answers
 * @policy: what it says of mappings
 * @arg: may point to memory_good(), which is filled in then
 */
struct ioctl_call {
	unsigned long number;
	bool exact;
	enum ioctl_policy policy;
	void *arg;
};

struct ioctl_call ioctl_draw(struct dice *dice, void *mapping);

/* As a program of 32 bits calls it: -1 and errno, as ever. Where there is none, ENOSYS. */
int ioctl_compat(int fd, unsigned long number, void *arg);

#endif
