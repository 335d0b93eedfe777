// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the core from inside the kernel: what a driver sees of it. They run
 * when the module is loaded; it refuses to load if one fails.
 */

#include <linux/kernel.h>
#include <linux/module.h>
#include "selftest.h"

static int __init selftest_run(const struct selftest *tests, unsigned int *n)
{
	int err;

	for (; tests->name; tests++) {
		err = tests->run();
		pr_info("unplug-selftest: %s %s (%s)\n", err ? "not ok" : "ok",
			tests->name, tests->promise);
		if (err)
			return err;
		++*n;
	}
	return 0;
}

static int __init selftest_init(void)
{
	unsigned int n = 0;
	int err;

	err = selftest_run(selftests_gate, &n);
	if (!err)
		err = selftest_run(selftests_thaw, &n);
	if (!err)
		err = selftest_run(selftests_device, &n);
	if (!err)
		err = selftest_run(selftests_many, &n);
	if (!err)
		err = selftest_run(selftests_callback, &n);
	if (!err)
		pr_info("unplug-selftest: all %u passed\n", n);
	return err;
}

/* Nothing stays behind; there is an exit so that the module can be unloaded. */
static void __exit selftest_exit(void)
{
}

module_init(selftest_init);
module_exit(selftest_exit);
MODULE_DESCRIPTION("Self tests of unplug: fails to load if one fails");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
