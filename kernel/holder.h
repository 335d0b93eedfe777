/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_HOLDER_H
#define _UNPLUG_HOLDER_H

/*
 * Who is inside a device, by name.
 *
 * The gate counts and does not know whom. While tracking is on, a guard that lets
 * somebody in writes down who it is, and takes that back when he leaves. It is off
 * until somebody wants to know: a static key, so that guards cost a nop more each way.
 *
 * Who was inside when tracking was switched on has no record, and so have references
 * the driver took itself (unplug_dev_get_active()): the gate's count less the
 * records says how many these are. Switching off forgets all records.
 *
 * A record is found again by its task: operations nest, so the last one of a task is the
 * one that ends, also if a timer has interrupted it.
 */

#include <linux/jump_label.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/types.h>

struct seq_file;
struct task_struct;
struct unplug_dev;

DECLARE_STATIC_KEY_FALSE(unplug_tracking);

/**
 * struct unplug_holder - somebody inside
 * @node: in dev->holders, in the order they came
 * @id: rises in that order
 * @task: with a reference; for a timer or an interrupt who was interrupted
 * @op: what he does: the member of the driver's table, or what called the driver
 * @since: when he came
 * @interrupt: @task is but the one that was interrupted
 * @counted: by the gate; a release is not
 */
struct unplug_holder {
	struct list_head node;
	u64 id;
	struct task_struct *task;
	const char *op;
	ktime_t since;
	bool interrupt;
	bool counted;
};

void unplug_tracking_set(bool on);
bool unplug_tracking_is_on(void);

bool unplug_holder_next(struct unplug_dev *dev, u64 after,
			struct unplug_holder *copy);
u64 unplug_holder_last(struct unplug_dev *dev);
unsigned int unplug_holder_unknown(struct unplug_dev *dev);
void unplug_holder_forget(struct unplug_dev *dev);
void unplug_holder_release_begin(struct unplug_dev *dev);
void unplug_holder_release_end(struct unplug_dev *dev);

#endif /* _UNPLUG_HOLDER_H */
