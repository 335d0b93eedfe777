/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_FILE_H
#define _UNPLUG_FILE_H

/* The record of an open file. Its life is in file.c, what others ask of it in file_info.c. */

#include <linux/sched.h>
#include "internal.h"

enum unplug_file_state {
	UNPLUG_FILE_OPEN,
	UNPLUG_FILE_CLAIMED,
	UNPLUG_FILE_RELEASED,
};

/**
 * struct unplug_file - an open file
 * @node: in dev->files
 * @open: in dev->open, while it is OPEN
 * @file: key; holds no reference
 * @state: under dev->files_lock
 * @policy: what its mappings show after unplug; likewise
 * @met: a mapping has shown it: it is not to be changed any more; likewise
 * @stale: released by thaw; under dev->files_lock, read without
 * @fasync: the driver may have it in a list, whatever FASYNC says
 * @process: that opened it; likewise how it was called, and when
 * @comm: "
 * @since: "
 * @poll: see poll.c; NULL until the first poll
 * @rcu: for who looks it up without the lock
 * @dummies: see dummy.c; under dev->files_lock
 * @populated: see populate.c; likewise
 */
struct unplug_file {
	struct hlist_node node;
	struct list_head open;
	struct file *file;
	enum unplug_file_state state;
	enum unplug_policy policy;
	bool met;
	bool stale;
	bool fasync;
	struct pid *process;
	char comm[TASK_COMM_LEN];
	ktime_t since;
	struct unplug_poll *poll;
	struct rcu_head rcu;
	struct unplug_dummies dummies;
	struct list_head populated;
};

struct unplug_file *unplug_file_find(struct unplug_dev *dev, struct file *file);

#endif /* _UNPLUG_FILE_H */
