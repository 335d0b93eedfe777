// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long it takes to take mappings away: bench/revoke makes and fills them, and asks
 * for the pull. The events of a device are the core's own notes. Of the steps of shut
 * there are none, so kprobes at the functions that begin them look at the clock; not while
 * the whole is measured, as that costs.
 */

#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/uaccess.h>
#include "bench.h"

/* In the order in which shut comes to them; the last is for the price of looking. */
enum revoke_step {
	STEP_FOLD,
	STEP_ZAP,
	STEP_ZAPPED,
	STEP_MARK,
	STEPS
};

static DEFINE_MUTEX(revoke_lock);
static bool revoke_there, revoke_steps;
static enum revoke_kind revoke_kind = REVOKE_KINDS;
static struct unplug_dev *revoke_dev;

/* Who looks, and when he first came to each step */
static struct task_struct *step_task;
static ktime_t step_when[STEPS];

static int step_reached(struct kprobe *probe, struct pt_regs *regs);

static noinline void step_mark(void)
{
	barrier();
}

static struct kprobe step_probes[STEPS] = {
	[STEP_FOLD] = {
		.symbol_name = "unplug_gate_fold",
		.pre_handler = step_reached,
	},
	[STEP_ZAP] = {
		.symbol_name = "unmap_mapping_range",
		.pre_handler = step_reached,
	},
	[STEP_ZAPPED] = {
		.symbol_name = "unplug_populate_shut",
		.pre_handler = step_reached,
	},
	[STEP_MARK] = {
		.addr = (kprobe_opcode_t *)step_mark,
		.pre_handler = step_reached,
	},
};

static int step_reached(struct kprobe *probe, struct pt_regs *regs)
{
	ktime_t *when = &step_when[probe - step_probes];

	if (READ_ONCE(step_task) == current && !*when)
		*when = ktime_get();
	return 0;
}

/* From one look to the next with nothing in between */
static s64 step_price(void)
{
	ktime_t first;

	step_when[STEP_MARK] = 0;
	step_mark();
	first = step_when[STEP_MARK];
	step_when[STEP_MARK] = 0;
	step_mark();
	return ktime_to_ns(ktime_sub(step_when[STEP_MARK], first));
}

static void revoke_times_steps(struct revoke_times *times)
{
	struct unplug_dev *dev = revoke_dev;
	const ktime_t *when = step_when;

	times->close = ktime_to_ns(ktime_sub(when[STEP_FOLD], dev->when_called));
	times->hw = ktime_to_ns(ktime_sub(when[STEP_ZAP], when[STEP_FOLD]));
	times->zap = ktime_to_ns(ktime_sub(when[STEP_ZAPPED], when[STEP_ZAP]));
	times->rest = ktime_to_ns(ktime_sub(dev->when_shut, when[STEP_ZAPPED]));
	times->probe = step_price();
}

static void revoke_pull_dev(struct revoke_times *times)
{
	struct unplug_dev *dev = revoke_dev;

	memset(step_when, 0, sizeof(step_when));
	WRITE_ONCE(step_task, current);
	unplug_dev_unplug(dev);
	unplug_dev_wait_gone(dev);
	times->shut = ktime_to_ns(ktime_sub(dev->when_shut, dev->when_called));
	times->drained = ktime_to_ns(ktime_sub(dev->when_drained,
					       dev->when_called));
	if (revoke_steps)
		revoke_times_steps(times);
	WRITE_ONCE(step_task, NULL);
	unplug_dev_put(dev);
	revoke_dev = NULL;
}

static long revoke_pull(struct revoke_times __user *to)
{
	struct revoke_times times = { };
	ktime_t begin;

	if (revoke_kind == REVOKE_KINDS)
		return -ENODEV;
	if (revoke_dev) {
		revoke_pull_dev(&times);
	} else {
		begin = ktime_get();
		card_pull_bare(revoke_kind);
		times.shut = ktime_to_ns(ktime_sub(ktime_get(), begin));
	}
	revoke_kind = REVOKE_KINDS;
	return copy_to_user(to, &times, sizeof(times)) ? -EFAULT : 0;
}

static long revoke_make(unsigned long kind)
{
	struct unplug_dev *dev;

	if (kind >= REVOKE_KINDS)
		return -EINVAL;
	if (revoke_kind != REVOKE_KINDS)
		return -EBUSY;
	/* What the last one left to RCU is not to be waited for later. */
	rcu_barrier();
	dev = card_make(kind);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	revoke_dev = dev;
	revoke_kind = kind;
	return 0;
}

static long revoke_look(void)
{
	int i, err;

	if (revoke_steps)
		return 0;
	for (i = 0; i < STEPS; i++) {
		err = register_kprobe(&step_probes[i]);
		if (err)
			goto undo;
	}
	revoke_steps = true;
	return 0;
undo:
	while (i--)
		unregister_kprobe(&step_probes[i]);
	return err;
}

static long revoke_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	long ret = -ENOTTY;

	mutex_lock(&revoke_lock);
	switch (cmd) {
	case REVOKE_MAKE:
		ret = revoke_make(arg);
		break;
	case REVOKE_PULL:
		ret = revoke_pull((struct revoke_times __user *)arg);
		break;
	case REVOKE_STEPS:
		ret = revoke_look();
		break;
	}
	mutex_unlock(&revoke_lock);
	return ret;
}

static const struct file_operations revoke_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.unlocked_ioctl = revoke_ioctl,
};

static struct miscdevice revoke_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "unplug-bench-revoke",
	.fops = &revoke_fops,
};

/* Most of the machines have no card, and nothing to do here. */
int revoke_init(void)
{
	int err = card_init();

	if (err)
		return err == -ENODEV ? 0 : err;
	err = misc_register(&revoke_misc);
	if (err)
		card_exit();
	else
		revoke_there = true;
	return err;
}

void revoke_exit(void)
{
	struct revoke_times times;
	int i;

	if (!revoke_there)
		return;
	misc_deregister(&revoke_misc);
	if (revoke_dev)
		revoke_pull_dev(&times);
	for (i = 0; revoke_steps && i < STEPS; i++)
		unregister_kprobe(&step_probes[i]);
	card_exit();
}
