/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#ifndef _UNPLUG_SLEEPER_UAPI_H
#define _UNPLUG_SLEEPER_UAPI_H

/* How a read of /dev/unplug-sleeper waits for a byte: the argument of its ioctl */
enum sleeper_way {
	SLEEPER_UNINTERRUPTIBLE,	/* in the core's helpers */
	SLEEPER_INTERRUPTIBLE,
	SLEEPER_KILLABLE,
	SLEEPER_TIMEOUT,		/* an hour; interruptible */
	SLEEPER_LOCKED,
	SLEEPER_SECTION,		/* in a hardware section; uninterruptible */
	SLEEPER_QUEUE,			/* on a queue unplug was told of */
	SLEEPER_CANCEL,			/* in a completion that ->cancel completes */
	SLEEPER_WAYS,
};

#endif
