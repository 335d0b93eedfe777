/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
#ifndef UNPLUG_TEST_FREEZE_UAPI_H
#define UNPLUG_TEST_FREEZE_UAPI_H

#include <linux/ioctl.h>

/* Yields the generation, if it is small. */
#define FREEZE_IOC_GENERATION	_IO('z', 0)
/* To freeze the device from inside */
#define FREEZE_IOC_FREEZE	_IO('z', 1)
/* What mappings of this file show when the device is away: not 0: a dummy page */
#define FREEZE_IOC_DUMMY	_IO('z', 2)

/* What the device's page is full of: before, during and after a reset */
#define FREEZE_BEFORE	0xb0
#define FREEZE_DURING	0xee
#define FREEZE_AFTER	0xa0

#endif
