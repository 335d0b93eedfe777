/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#ifndef _UNPLUG_INSIDE_UAPI_H
#define _UNPLUG_INSIDE_UAPI_H

#include <linux/ioctl.h>

/*
 * ioctls of /dev/unplug-inside0 and 1: do what the parameter arm says, if that is for an
 * ioctl; wait for one on the other device, then each unplugs the other's; stay until
 * the parameter let is written
 */
#define INSIDE_ACT	_IO('i', 0)
#define INSIDE_MEET	_IO('i', 1)
#define INSIDE_HOLD	_IO('i', 2)

#endif
