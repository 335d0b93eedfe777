/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* What programs need to know of the driver */
#ifndef _MYDRIVER_H
#define _MYDRIVER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* In: a number; out: the same with all bits inverted by the card */
#define MYDRIVER_IOC_ECHO _IOWR('e', 0x00, __u32)

#endif
