/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* What the cases of ../uring-iopoll.c and their driver agree on */
#ifndef _UNPLUG_IOPOLL_UAPI_H
#define _UNPLUG_IOPOLL_UAPI_H

#define IOPOLL_KEPT	4	/* at once */
#define IOPOLL_ANSWER	4	/* of what the hardware has done */

#endif
