/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#ifndef _UAPI_UNPLUG_EDU_H
#define _UAPI_UNPLUG_EDU_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * write: 4 bytes, a number; the card computes its factorial, modulo 2^32. One at a time
 *	  per open file: EBUSY until the result was read
 * read:	  4 bytes, the result; waits for it. ENODATA if nothing was written, ETIMEDOUT if the
 *	  card took longer than timeout_ms in sysfs
 */

/* Bytes of the card's own memory that users reach. */
#define EDU_BYTES 2048

/**
 * struct edu_transfer - between a user's memory and the card's, by DMA
 * @offset: in the card
 * @count: bytes, at least 1; both together at most EDU_BYTES
 * @buffer: address in the user's memory
 */
struct edu_transfer {
	__u32 offset;
	__u32 count;
	__u64 buffer;
};

#define EDU_IOC_PUT _IOW('u', 0x90, struct edu_transfer)	/* to the card */
#define EDU_IOC_GET _IOW('u', 0x91, struct edu_transfer)	/* from it */

#endif /* _UAPI_UNPLUG_EDU_H */
