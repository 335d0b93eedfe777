/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#ifndef _UNPLUG_URING_UAPI_H
#define _UNPLUG_URING_UAPI_H

/* Commands of io_uring that /dev/unplug-uring knows */
enum uring_op {
	URING_NOW,	/* answered at once, with URING_ANSWER */
	URING_LATER,	/* when somebody writes its result to the parameter complete */
};

#define URING_ANSWER 42

#endif
