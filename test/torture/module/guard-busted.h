/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TORTURE_GUARD_BUSTED_H
#define _TORTURE_GUARD_BUSTED_H

/*
 * A device guarded by plain means: a flag, counters of each CPU under RCU, a list of open
 * files, an inode for all mappings, all of it the module's own. It is what one writes
 * after reading how it is done; without a mistake it keeps what it can promise. Each mistake
 * below is planted into it, one at a time (busted=NAME), and the oracle has to find it.
 *
 * What it cannot promise, mistake or not:
 *
 *	K2	its tables, and those of its mappings, are the module's: that stays as long
 *		as a file or a mapping does. So does the card's structure, as pollers stand
 *		on wait queues in it
 *	K3	mappings that ->mmap populates, or whose handler returns pages, are not
 *		looked for
 *	K4	SIGBUS is all it has: no dummy pages
 *	K6	who sleeps otherwise than by ->sleep of the guard is not woken; no SIGIO
 *	K7	no unplug from inside, and each card has grace periods of its own
 *	K8	nobody is named. A worker sits and waits for each card that is not drained
 *	K12	who meets a frozen card is told EAGAIN, never made to wait
 *
 * A mistake does its damage in memory that is kept until the module goes, and poisoned: what is
 * freed too early is found by looking at it, on a stock kernel, and takes nobody down.
 */

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu-rwsem.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "guard.h"

/* The names are those of the scenarios BUSTED-NAME, in ../scenario. */
#define BUSTED_MISTAKES(X)							\
	X(NONE, "none")		/* plain */					\
	X(RWSEM, "rwsem")	/* newcomers wait for a lock */			\
	X(FLAG, "flag-only")	/* a flag is looked at, nobody counts */	\
	X(NO_BARRIER, "no-barrier") /* shut does not wait for who has looked */	\
	X(GLOBAL, "global-gate") /* one gate for all cards */			\
	X(PUT, "put-outside")	/* put goes on outside of the RCU section */	\
	X(ZAP_FIRST, "zap-first") /* mappings are zapped before the drain */	\
	X(ONE_ZAP, "one-zap")	/* and not again when it is over */		\
	X(BARE_FAULT, "bare-fault") /* the fault handler is not guarded */	\
	X(EARLY_FREE, "early-free") /* gone without waiting for anybody */	\
	X(GONE_FIRST, "gone-first") /* gone before files are released */	\
	X(TWICE, "release-twice") /* forced, and by the last close */		\
	X(NUMBER, "stale-number") /* numbers are free at once */		\
	X(NO_WAKE, "no-wake")	/* pollers are not woken */			\
	X(ERRNO, "wrong-errno")	/* EIO */					\
	X(OLD_STATE, "old-state") /* thaw does not wait for insiders */		\
	X(LEAK, "leak")		/* a reference is not put */

enum busted_mistake {
#define BUSTED_ENUM(id, name) BUSTED_##id,
	BUSTED_MISTAKES(BUSTED_ENUM)
#undef BUSTED_ENUM
	BUSTED_MAX
};

enum busted_state {
	BUSTED_STATE_LIVE,
	BUSTED_STATE_FROZEN,
	BUSTED_STATE_DYING,
};

/**
 * struct busted_gate - who is inside
 * @shut: nobody enters
 * @canary: whether it is freed
 * @inside: how many entered less how many left, on each CPU
 * @wait: who waits until nobody is inside
 * @rwsem: instead of these, with the mistake RWSEM
 * @quarantine: those that are freed
 */
struct busted_gate {
	bool shut;
	unsigned int canary;
	int __percpu *inside;
	wait_queue_head_t wait;
	struct percpu_rw_semaphore rwsem;
	struct list_head quarantine;
};

/**
 * struct busted_dev - a device
 * @card: what the driver knows of it; pollers wait on its head, and are woken by shut and
 *	  thaw, too
 * @ref: make's, unplug's, and one of each open file
 * @state: written under @reset
 * @drained: nobody is inside, and nobody will be
 * @number: its minor number; -1: none
 * @gate: operations and faults; under RCU, until the card is gone
 * @hw: hardware sections; likewise
 * @inode: owns all mappings
 * @sleepers: woken by shut and freeze
 * @files_lock: protects @files, @unreleased and the states of files
 * @files: those that are open
 * @unreleased: how many of them the driver has not released
 * @ended: a thaw has released some
 * @files_wait: woken when it has
 * @reset: freeze, thaw, and unplug up to shut, one at a time
 * @gone_work: from shut to gone
 * @gone: completed for ever
 * @all: those that are not freed
 */
struct busted_dev {
	struct torture_card card;
	struct kref ref;
	enum busted_state state;
	bool drained;
	int number;
	struct busted_gate __rcu *gate;
	struct busted_gate __rcu *hw;
	struct inode *inode;
	wait_queue_head_t sleepers;
	spinlock_t files_lock;
	struct list_head files;
	unsigned int unreleased;
	bool ended;
	wait_queue_head_t files_wait;
	struct mutex reset;
	struct work_struct gone_work;
	struct completion gone;
	struct list_head all;
};

static inline struct busted_dev *busted_of(const struct file *file)
{
	return file->f_mapping->host->i_private;
}

extern enum busted_mistake busted_mistake;
extern bool busted_given_up;	/* what hangs by mistake is to end */

static inline bool busted(enum busted_mistake mistake)
{
	return busted_mistake == mistake;
}

/* How wide a mistake's window is made at most, in microseconds */
#define BUSTED_WINDOW 30000

/* guard-busted.c */
void busted_get(struct busted_dev *dev);
void busted_put(struct busted_dev *dev);

/* guard-busted-gate.c: those that return int, a token for leave, or what to answer */
void busted_window(enum busted_mistake mistake);
int busted_gates_new(struct busted_dev *dev);
void busted_gates_free(struct busted_dev *dev);
void busted_gates_exit(void);
int busted_enter(struct busted_dev *dev);
void busted_leave(struct busted_dev *dev, int token);
bool busted_hw_enter(struct busted_dev *dev);
void busted_hw_exit(struct busted_dev *dev);
void busted_gates_shut(struct busted_dev *dev);
void busted_gates_open(struct busted_dev *dev);
void busted_wait_hw(struct busted_dev *dev);
void busted_wait_drained(struct busted_dev *dev);
bool busted_wait_idle(struct busted_dev *dev, unsigned long timeout);

/* guard-busted-number.c: nodes, and which device an open is about */
int busted_numbers_init(void);
void busted_numbers_exit(void);
int busted_node_make(struct busted_dev *dev, const char *name);
void busted_node_hide(struct busted_dev *dev);
void busted_number_free(struct busted_dev *dev);
struct busted_dev *busted_number_find(unsigned int number);

/* guard-busted-file.c: open files, and the tables before the driver's */
extern const struct file_operations busted_fops;
int busted_enter_file(struct busted_dev *dev, struct file *file);
void busted_release_all(struct busted_dev *dev);

/* guard-busted-map.c */
int busted_maps_init(void);
void busted_maps_exit(void);
int busted_map_init(struct busted_dev *dev);
int busted_map(struct file *file, struct vm_area_struct *vma);
void busted_zap(struct busted_dev *dev);
bool busted_map_enter(struct torture_card *card);
void busted_map_exit(struct torture_card *card);

static inline struct busted_dev *to_busted(struct torture_card *card)
{
	return container_of(card, struct busted_dev, card);
}

#endif /* _TORTURE_GUARD_BUSTED_H */
