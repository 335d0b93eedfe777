// SPDX-License-Identifier: GPL-2.0-only
/*
 * One known bug each: what a detector of a debug kernel is for, to prove that it detects.
 * Writing the name of a bug to the parameter "make" makes it. The module knows nothing of
 * unplug. What it allocates for "leak" has no other reference until the module goes: the
 * leak check of the cases uses it as a sign that the search has come up to date.
 */

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#define BYTES 40

/* The compiler shall neither see nor avoid what comes. */
static void *hidden(void *p)
{
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

static int detect_uaf(void)
{
	char *p = hidden(kmalloc(BYTES, GFP_KERNEL));

	if (!p)
		return -ENOMEM;
	kfree(p);
	pr_info("detect: %d\n", READ_ONCE(*(char *)hidden(p)));
	return 0;
}

static int detect_oob(void)
{
	char *p = hidden(kmalloc(BYTES, GFP_KERNEL));

	if (!p)
		return -ENOMEM;
	WRITE_ONCE(p[BYTES], 1);
	kfree(p);
	return 0;
}

static int detect_vmalloc(void)
{
	char *p = hidden(vmalloc(BYTES));

	if (!p)
		return -ENOMEM;
	/* In the same page: the access itself does no harm. */
	pr_info("detect: %d\n", READ_ONCE(p[2 * BYTES]));
	vfree(p);
	return 0;
}

static DEFINE_MUTEX(first_lock);
static DEFINE_MUTEX(second_lock);

static int detect_lock_order(void)
{
	mutex_lock(&first_lock);
	mutex_lock(&second_lock);
	mutex_unlock(&second_lock);
	mutex_unlock(&first_lock);

	mutex_lock(&second_lock);
	mutex_lock(&first_lock);
	mutex_unlock(&first_lock);
	mutex_unlock(&second_lock);
	return 0;
}

static DEFINE_SPINLOCK(atomic_lock);

/* By taking a mutex, lockdep would end with this, too: it sees a lock in a wrong place. */
static int detect_sleep_atomic(void)
{
	spin_lock(&atomic_lock);
	might_sleep();
	spin_unlock(&atomic_lock);
	return 0;
}

static int *published;

static int detect_rcu(void)
{
	int *p = rcu_dereference((*(int __rcu **)&published));

	return p ? *p : 0;
}

static void do_nothing(struct work_struct *work)
{
}

static int detect_free_active_work(void)
{
	struct delayed_work *work = kzalloc(sizeof(*work), GFP_KERNEL);

	if (!work)
		return -ENOMEM;
	INIT_DELAYED_WORK(work, do_nothing);
	schedule_delayed_work(work, MAX_JIFFY_OFFSET / 2);
	/* The detector takes the timer off the list before the memory goes. */
	kfree(work);
	return 0;
}

static int detect_list(void)
{
	LIST_HEAD(head);
	LIST_HEAD(item);

	list_add(&item, &head);
	list_del(&item);
	list_del(hidden(&item));
	return 0;
}

static int detect_refcount(void)
{
	refcount_t count = REFCOUNT_INIT(1);

	if (refcount_dec_and_test(&count))
		refcount_inc(&count);
	return 0;
}

/* Several: an address may be left on a stack by chance. */
#define LEAKS 8

static int detect_leak(void)
{
	char *p;
	int i;

	for (i = 0; i < LEAKS; i++) {
		p = hidden(kmalloc(BYTES, GFP_KERNEL));
		if (!p)
			return -ENOMEM;
	}
	return 0;
}

/* Not bugs of this module: the allocation that is made to fail says so. */
static int detect_failing_slab(void)
{
	char *p = hidden(kmalloc(BYTES, GFP_KERNEL));

	if (!p)
		pr_info("detect: kmalloc failed\n");
	kfree(p);
	return 0;
}

static int detect_failing_page(void)
{
	unsigned long page = __get_free_page(GFP_KERNEL);

	if (!page)
		pr_info("detect: __get_free_page failed\n");
	free_page(page);
	return 0;
}

/* From the page that the program's arguments are on: there for sure, and mapped */
static int detect_failing_copy(void)
{
	char byte;

	if (copy_from_user(&byte, (void __user *)current->mm->arg_start, 1))
		pr_info("detect: copy_from_user failed\n");
	return 0;
}

/*
 * Races: two threads, until KCSAN has had many chances. "race" is a lost update; in
 * "barrier" every access is marked, or ordered by the flag if only it had a barrier.
 */
#define ROUNDS 300000

static int race_count;
static int barrier_data, barrier_flag;

static int race_thread(void *arg)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		race_count++;
		barrier();
		if (i % 1024 == 0)
			cond_resched();
	}
	complete(arg);
	return 0;
}

static int barrier_writer(void *arg)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (!READ_ONCE(barrier_flag)) {
			barrier_data++;
			/* Missing: smp_store_release() */
			WRITE_ONCE(barrier_flag, 1);
		}
		if (i % 1024 == 0)
			cond_resched();
	}
	complete(arg);
	return 0;
}

static int barrier_reader(void *arg)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		/* Would match the missing smp_store_release() of the writer. */
		if (smp_load_acquire(&barrier_flag)) {
			barrier_data++;
			WRITE_ONCE(barrier_flag, 0);
		}
		if (i % 1024 == 0)
			cond_resched();
	}
	complete(arg);
	return 0;
}

static int run_two(int (*one)(void *arg), int (*other)(void *arg))
{
	DECLARE_COMPLETION_ONSTACK(one_done);
	DECLARE_COMPLETION_ONSTACK(other_done);
	struct task_struct *task;

	task = kthread_run(one, &one_done, "detect-one");
	if (IS_ERR(task))
		return PTR_ERR(task);
	task = kthread_run(other, &other_done, "detect-other");
	if (!IS_ERR(task))
		wait_for_completion(&other_done);
	wait_for_completion(&one_done);
	return PTR_ERR_OR_ZERO(task);
}

static int detect_race(void)
{
	return run_two(race_thread, race_thread);
}

static int detect_barrier(void)
{
	return run_two(barrier_writer, barrier_reader);
}

static const struct {
	const char *name;
	int (*make)(void);
} bugs[] = {
	{ "uaf", detect_uaf },
	{ "oob", detect_oob },
	{ "vmalloc", detect_vmalloc },
	{ "lock-order", detect_lock_order },
	{ "sleep-atomic", detect_sleep_atomic },
	{ "rcu", detect_rcu },
	{ "free-active-work", detect_free_active_work },
	{ "list", detect_list },
	{ "refcount", detect_refcount },
	{ "leak", detect_leak },
	{ "failing-slab", detect_failing_slab },
	{ "failing-page", detect_failing_page },
	{ "failing-copy", detect_failing_copy },
	{ "race", detect_race },
	{ "barrier", detect_barrier },
};

static int detect_make(const char *text, const struct kernel_param *param)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++)
		if (sysfs_streq(text, bugs[i].name))
			return bugs[i].make();
	pr_err("unplug-detect: no bug is named %s", text);
	return -ENOENT;
}

static const struct kernel_param_ops make_ops = {
	.set = detect_make,
};
module_param_cb(make, &make_ops, NULL, 0200);
MODULE_PARM_DESC(make, "the bug to make now");

MODULE_DESCRIPTION("Known bugs, to prove the detectors of debug kernels");
MODULE_LICENSE("GPL");
