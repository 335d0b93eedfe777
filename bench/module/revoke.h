/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What bench/revoke asks the module for, by ioctl on /dev/unplug-bench-revoke; and FILL,
 * on the card.
 */
#ifndef _UNPLUG_BENCH_REVOKE_H
#define _UNPLUG_BENCH_REVOKE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * How the card's mappings are taken away. The first two are of a node that nothing
 * guards, /dev/unplug-bench-bare; the others of /dev/unplug-bench-card.
 */
enum revoke_kind {
	REVOKE_ZAP,		/* unmap_mapping_range(), the floor */
	REVOKE_SRCU,		/* after the readers of all devices, as DRM does it */
	REVOKE_UNPLUG,		/* unplug_iomem_mmap() */
	REVOKE_DUMMY,		/* the same, policy dummy */
	REVOKE_POPULATED,	/* remap_pfn_range() in ->mmap */
	REVOKE_KINDS
};

/*
 * Nanoseconds. @shut: until no entry is left; @drained: likewise, 0 if nothing guards.
 * The others are the steps of shut, after REVOKE_STEPS, else 0; @probe is what looking takes,
 * once in each of @hw and @zap, half in each of @close and @rest.
 */
struct revoke_times {
	__u64 shut;
	__u64 drained;
	__u64 close;
	__u64 hw;
	__u64 zap;
	__u64 rest;
	__u64 probe;
};

#define REVOKE_MAKE	_IO('r', 0)	/* a card, of the kind that is the argument */
#define REVOKE_PULL	_IOR('r', 1, struct revoke_times)
#define REVOKE_STEPS	_IO('r', 2)	/* from now on look at the steps, too */
#define REVOKE_FILL	_IO('r', 3)	/* the mapping that begins at the argument */

#endif /* _UNPLUG_BENCH_REVOKE_H */
