/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_BENCH_H
#define _UNPLUG_BENCH_H

/*
 * What make bench measures inside the kernel. Reading a file of
 * /sys/kernel/debug/unplug-bench runs what it is named after and returns samples,
 * one a line, for bench/judge:
 *
 *	CASE VARIANT UNIT VALUE
 *
 * Only one reader at a time is of use: they would measure each other.
 */

#include <linux/completion.h>
#include <linux/percpu-refcount.h>
#include <linux/percpu-rwsem.h>
#include <linux/seq_file.h>
#include <linux/srcu.h>
#include <linux/types.h>
#include <unplug/device.h>
#include <unplug/gate.h>
#include "revoke.h"

/* A sample, from a number of thousandths */
static inline void sample(struct seq_file *seq, const char *what,
			  const char *variant, const char *unit, s64 milli)
{
	const char *sign = milli < 0 ? "-" : "";
	u64 n = milli < 0 ? -milli : milli;

	seq_printf(seq, "%s %s %s %s%llu.%03llu\n", what, variant, unit, sign,
		   n / 1000, n % 1000);
}

/* price.c: get and put, and where they are, for those who take them away */
int price_init(void);
void price_exit(void);
int price_show(struct seq_file *seq, void *data);
int price_text_show(struct seq_file *seq, void *data);

/**
 * struct door - what a device is behind, and may be taken away from
 * @drained: nobody is inside; for those that tell
 */
struct door {
	struct completion drained;
	union {
		struct unplug_gate gate;
		struct unplug_dev *dev;
		struct percpu_ref ref;
		struct percpu_rw_semaphore rwsem;
		struct srcu_struct srcu;
	};
};

/**
 * struct door_kind - one way to guard a device
 * @name: the variant's, in samples
 * @init: a door that users may enter
 * @enter: go in; may sleep there
 * @leave: given what @enter returned
 * @pull: let nobody in any more and wait for those inside, for each of the doors
 * @exit: of a door that was pulled, and nobody is inside; @pulled: or not pulled
 */
struct door_kind {
	const char *name;
	int (*init)(struct door *door);
	int (*enter)(struct door *door);
	void (*leave)(struct door *door, int index);
	void (*pull)(struct door *doors, int n);
	void (*exit)(struct door *door, bool pulled);
};

/* door.c */
#define DOOR_KINDS 6
extern const struct door_kind door_kinds[DOOR_KINDS];

/* The most that are pulled at once */
#define DOORS_MAX 64

/* pull.c: how long it takes to take something away */
int pull_show(struct seq_file *seq, void *data);

/* memory.c: what it costs while it is there */
int memory_show(struct seq_file *seq, void *data);

/* many.c: what it costs to take many away by one call */
int many_show(struct seq_file *seq, void *data);

/* node.c: nodes with the same operations, guarded and not */
int node_init(void);
void node_exit(void);

/* card.c: a card whose mappings are taken away */
int card_init(void);
void card_exit(void);
struct unplug_dev *card_make(enum revoke_kind kind);
void card_pull_bare(enum revoke_kind kind);

/* revoke.c: how long that takes */
int revoke_init(void);
void revoke_exit(void);

#endif /* _UNPLUG_BENCH_H */
