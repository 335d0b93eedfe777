/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#ifndef _UNPLUG_CALLBACK_UAPI_H
#define _UNPLUG_CALLBACK_UAPI_H

#include <linux/ioctl.h>

/* What calls the driver */
enum callback_kind {
	CALLBACK_WORK,
	CALLBACK_DELAYED_WORK,
	CALLBACK_TIMER,
	CALLBACK_HRTIMER,
	CALLBACK_HANDLER,
	CALLBACK_THREAD,
	CALLBACK_KINDS,
};

/*
 * What it does then: the argument is a kind. All but PENDING and LATE start it at once;
 * SECTION starts none, but has the ioctl itself wait for one in a hardware section.
 */
#define CALLBACK_ONCE		_IO('c', 0)	/* nothing more */
#define CALLBACK_AGAIN		_IO('c', 1)	/* starts itself again, for ever */
#define CALLBACK_HOLD		_IO('c', 2)	/* is held, then tries to start itself again */
#define CALLBACK_PULL		_IO('c', 3)	/* unplugs its device */
#define CALLBACK_PENDING	_IO('c', 4)	/* is started, but not yet */
#define CALLBACK_LATE		_IO('c', 5)	/* is started by an ioctl that was held before */
#define CALLBACK_SECTION	_IO('c', 6)	/* of ioctl: waits for an interrupt */

#endif
