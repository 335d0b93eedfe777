// SPDX-License-Identifier: GPL-2.0-only
/* Many devices that go at once. */

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <unplug/device.h>
#include "selftest.h"

#define MANY 1000

struct many {
	struct unplug_dev dev;
};

static struct unplug_dev *devs[MANY];
static atomic_t many_gone;

static void many_gone_one(struct unplug_dev *dev)
{
	atomic_inc(&many_gone);
}

static const struct file_operations many_fops = {
	.owner = THIS_MODULE,
	.llseek = noop_llseek,
};

static const struct unplug_driver many_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-selftest-many",
	.fops = &many_fops,
	.gone = many_gone_one,
};

static int many_register(unsigned int n)
{
	struct many *many;
	unsigned int i;

	atomic_set(&many_gone, 0);
	for (i = 0; i < n; i++) {
		many = unplug_dev_alloc(&many_driver, NULL, struct many, dev);
		CHECK(!IS_ERR(many));
		devs[i] = &many->dev;
		CHECK(!unplug_dev_register(devs[i], "unplug-many%u", i));
	}
	return 0;
}

static void many_put(unsigned int n)
{
	while (n--)
		unplug_dev_put(devs[n]);
}

#ifdef CONFIG_KPROBES
static atomic_t rounds;

static int count_round(struct kprobe *probe, struct pt_regs *regs)
{
	atomic_inc(&rounds);
	return 0;
}

static struct kprobe round_probe = {
	.symbol_name = "unplug_gates_close",
	.pre_handler = count_round,
};

/* From outside: each call of it is an interrupt on each CPU. */
static int unplug_counted(unsigned int n, int *err)
{
	atomic_set(&rounds, 0);
	round_probe.addr = NULL;
	round_probe.flags = 0;
	CHECK(!register_kprobe(&round_probe));
	*err = unplug_dev_unplug_many(devs, n);
	unregister_kprobe(&round_probe);
	CHECK(atomic_read(&rounds) == 1);
	return 0;
}
#else
static int unplug_counted(unsigned int n, int *err)
{
	*err = unplug_dev_unplug_many(devs, n);
	return 0;
}
#endif

static int many_one_round(unsigned int n)
{
	unsigned int i;
	int err;

	CHECK(!many_register(n));
	CHECK(!unplug_counted(n, &err));
	CHECK(!err);
	CHECK(atomic_read(&many_gone) == n);
	for (i = 0; i < n; i++)
		CHECK(unplug_dev_is_gone(devs[i]) &&
		      !unplug_dev_get_active(devs[i]));
	/* Again: there is nothing to do. */
	CHECK(!unplug_dev_unplug_many(devs, n));
	many_put(n);
	return 0;
}

static int many_1(void)
{
	return many_one_round(1);
}

static int many_64(void)
{
	return many_one_round(64);
}

static int many_1000(void)
{
	return many_one_round(MANY);
}

static int many_none(void)
{
	CHECK(!unplug_dev_unplug_many(devs, 0));
	return 0;
}

/* The insider of one leaves when all others are gone: it holds up none of them. */
struct stuck {
	struct work_struct work;
	struct unplug_dev *dev;
	unsigned int others;
};

static void stuck_work(struct work_struct *work)
{
	struct stuck *stuck = container_of(work, struct stuck, work);
	unsigned int i;

	for (i = 0; i < 64; i++) {
		if (devs[i] != stuck->dev)
			wait_for_completion(&devs[i]->gone);
	}
	stuck->others = atomic_read(&many_gone);
	unplug_dev_put_active(stuck->dev);
}

static int many_one_stuck(void)
{
	struct stuck stuck = { };
	int err;

	CHECK(!many_register(64));
	stuck.dev = devs[7];
	CHECK(unplug_dev_get_active(stuck.dev));
	INIT_WORK_ONSTACK(&stuck.work, stuck_work);
	queue_work(system_unbound_wq, &stuck.work);
	err = unplug_dev_unplug_many(devs, 64);
	flush_work(&stuck.work);
	destroy_work_on_stack(&stuck.work);
	CHECK(!err);
	CHECK(stuck.others == 63);
	CHECK(atomic_read(&many_gone) == 64);
	many_put(64);
	return 0;
}

/* The same of a hardware section: it holds up its own device, from being shut. */
struct section {
	struct work_struct work;
	struct unplug_dev *dev;
	struct completion begun;
	unsigned int others;
	bool shut;
};

static void section_work(struct work_struct *work)
{
	struct section *section = container_of(work, struct section, work);
	bool entered = unplug_dev_hw_enter(section->dev);
	unsigned int i;

	complete(&section->begun);
	for (i = 0; entered && i < 64; i++) {
		if (devs[i] == section->dev)
			continue;
		wait_for_completion(&devs[i]->shut);
		section->others++;
	}
	section->shut = completion_done(&section->dev->shut);
	if (entered)
		unplug_dev_hw_exit(section->dev);
}

static int many_one_section(void)
{
	struct section section = { };
	int err;

	CHECK(!many_register(64));
	section.dev = devs[7];
	init_completion(&section.begun);
	INIT_WORK_ONSTACK(&section.work, section_work);
	queue_work(system_unbound_wq, &section.work);
	wait_for_completion(&section.begun);
	err = unplug_dev_unplug_many(devs, 64);
	flush_work(&section.work);
	destroy_work_on_stack(&section.work);
	CHECK(!err);
	CHECK(section.others == 63);
	CHECK(!section.shut);
	CHECK(atomic_read(&many_gone) == 64);
	many_put(64);
	return 0;
}

/* One twice, one that was unplugged before, one that never was there. */
static int many_mixed(void)
{
	struct many *new;

	CHECK(!many_register(3));
	CHECK(!unplug_dev_unplug(devs[1]));
	devs[3] = devs[0];
	CHECK(!unplug_dev_unplug_many(devs, 4));
	CHECK(atomic_read(&many_gone) == 3);
	many_put(3);

	CHECK(!many_register(2));
	new = unplug_dev_alloc(&many_driver, NULL, struct many, dev);
	CHECK(!IS_ERR(new));
	devs[2] = devs[1];
	devs[1] = &new->dev;
	CHECK(unplug_dev_unplug_many(devs, 3) == -EINVAL);
	CHECK(atomic_read(&many_gone) == 2);
	many_put(3);
	return 0;
}

const struct selftest selftests_many[] = {
	{ "many none", many_none, "K7" },
	{ "many 1", many_1, "K7" },
	{ "many 64", many_64, "K7" },
	{ "many 1000", many_1000, "K7" },
	{ "many one-stuck", many_one_stuck, "K7" },
	{ "many one-section", many_one_section, "K7" },
	{ "many mixed", many_mixed, "K7" },
	{ }
};
