/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#ifndef _UAPI_UNPLUG_IVSHMEM_H
#define _UAPI_UNPLUG_IVSHMEM_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct ivshmem_info - answer of IVSHMEM_IOC_INFO
 * @size: bytes of shared memory
 * @generation: differs for every card plugged in since the core was loaded, also
 *		if slot, name and size are the same
 */
struct ivshmem_info {
	__u64 size;
	__u64 generation;
};

#define IVSHMEM_IOC_INFO _IOR('u', 0x80, struct ivshmem_info)

/* What mappings of this open file show once the card is gone */
#define IVSHMEM_GONE_SIGBUS	0	/* nothing: who touches them gets SIGBUS */
#define IVSHMEM_GONE_DUMMY	1	/* a page of zeroes, writable, of each process */

#define IVSHMEM_IOC_GONE _IOW('u', 0x81, __u32)

#endif /* _UAPI_UNPLUG_IVSHMEM_H */
