/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#ifndef _UNPLUG_TEXTBOOK_UAPI_H
#define _UNPLUG_TEXTBOOK_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct textbook_call - argument of both commands
 * @from: address of 8 bytes that are read as soon as the device is entered. Who
 *	  serves that page himself decides when the rest follows
 * @to: address they are written to then
 * @fd: TEXTBOOK_IOC_NEST: a device of the same kind, entered between the two
 *	and left at the end
 * @pad: 0
 */
struct textbook_call {
	__u64 from;
	__u64 to;
	__s32 fd;
	__u32 pad;
};

#define TEXTBOOK_IOC_COPY _IOW('u', 0xa0, struct textbook_call)
#define TEXTBOOK_IOC_NEST _IOW('u', 0xa1, struct textbook_call)

#endif /* _UNPLUG_TEXTBOOK_UAPI_H */
