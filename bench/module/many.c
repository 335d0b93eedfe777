// SPDX-License-Identifier: GPL-2.0-only
/*
 * What unplug_dev_unplug_many() costs for one device, for 64 and for 1000 that nobody uses,
 * in instructions: until the last of them is shut, and until it returns. The second has
 * the removal of nodes in it, by which nobody is kept waiting who wants a device to be shut.
 *
 * Needs the machine whose clock counts instructions (test/vm/run --icount), and a console that
 * prints no lines of the log: it would be the larger part.
 */

#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <uapi/linux/sched/types.h>
#include <unplug/device.h>
#include "bench.h"

#define MANY_ROUNDS	7
#define MANY_MAX	1000
#define MANY_LINES	100

struct many_dev {
	struct unplug_dev dev;
};

/* Nanoseconds from the call, one an instruction; @log: of it, lines that say shut */
struct many_times {
	s64 shut;
	s64 log;
	s64 returned;
};

static const struct file_operations many_fops = {
	.owner = THIS_MODULE,
};

static const struct unplug_driver many_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-bench-many",
	.fops = &many_fops,
};

/* The line of the log that says that a device is shut */
static s64 many_line(void)
{
	ktime_t begin = ktime_get();
	int i;

	for (i = 0; i < MANY_LINES; i++)
		pr_info("unplug: %s#%llu: shut after %lld us\n",
			"unplug-bench-many100", 10000ULL + i, 1000LL + i);
	return ktime_to_ns(ktime_sub(ktime_get(), begin)) / MANY_LINES;
}

static struct unplug_dev *many_make(int number)
{
	struct many_dev *device;
	int err;

	device = unplug_dev_alloc(&many_driver, NULL, struct many_dev, dev);
	if (IS_ERR(device))
		return ERR_CAST(device);
	err = unplug_dev_register(&device->dev, "unplug-bench-many%d", number);
	if (!err)
		return &device->dev;
	unplug_dev_put(&device->dev);
	return ERR_PTR(err);
}

/*
 * Workers have what follows shut to do. They get the only processor when we sleep, which
 * is not before all devices are shut.
 */
static s64 many_pull(struct unplug_dev *devs[], int n, struct many_times *times)
{
	ktime_t begin, end, shut = 0;
	int i, err;

	sched_set_fifo(current);
	begin = ktime_get();
	err = unplug_dev_unplug_many(devs, n);
	end = ktime_get();
	sched_set_normal(current, 0);
	for (i = 0; i < n; i++) {
		unplug_dev_wait_gone(devs[i]);
		shut = max(shut, devs[i]->when_shut);
	}
	times->shut = ktime_to_ns(ktime_sub(shut, begin));
	times->returned = ktime_to_ns(ktime_sub(end, begin));
	/* Nobody is inside: what is left to a worker then is an error here. */
	return err;
}

static int many_measure(struct unplug_dev *devs[], int n,
			struct many_times *times)
{
	int made, err = 0;

	for (made = 0; made < n; made++) {
		devs[made] = many_make(made);
		if (IS_ERR(devs[made])) {
			err = PTR_ERR(devs[made]);
			break;
		}
	}
	/* What making them left to RCU is not to be done meanwhile. */
	rcu_barrier();
	if (err)
		unplug_dev_unplug_many(devs, made);
	else
		err = many_pull(devs, n, times);
	while (made--)
		unplug_dev_put(devs[made]);
	return err;
}

static void many_sample(struct seq_file *seq, const char *what,
			const struct many_times *times, int devices)
{
	sample(seq, what, "shut", "instructions", 1000 * times->shut / devices);
	sample(seq, what, "log", "instructions", 1000 * times->log / devices);
	sample(seq, what, "returned", "instructions",
	       1000 * times->returned / devices);
}

static int many_round(struct seq_file *seq, struct unplug_dev *devs[])
{
	static const struct {
		const char *name;
		int n;
	} many[] = { { "many_1", 1 }, { "many_64", 64 }, { "many_1000", MANY_MAX } };
	struct many_times times[ARRAY_SIZE(many)] = { }, more;
	s64 line = many_line();
	int i, err;

	for (i = 0; i < ARRAY_SIZE(many); i++) {
		err = many_measure(devs, many[i].n, &times[i]);
		if (err)
			return err;
		/* The last one has its line after it is shut. */
		times[i].log = line * (many[i].n - 1);
		many_sample(seq, many[i].name, &times[i], 1);
	}
	more.shut = times[2].shut - times[0].shut;
	more.log = times[2].log - times[0].log;
	more.returned = times[2].returned - times[0].returned;
	many_sample(seq, "many_further", &more, MANY_MAX - 1);
	return 0;
}

int many_show(struct seq_file *seq, void *data)
{
	struct unplug_dev **devs = kcalloc(MANY_MAX, sizeof(*devs), GFP_KERNEL);
	int round, err = 0;

	if (!devs)
		return -ENOMEM;
	for (round = 0; round < MANY_ROUNDS && !err; round++)
		err = many_round(seq, devs);
	kfree(devs);
	return err;
}
