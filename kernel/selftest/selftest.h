/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_SELFTEST_H
#define _UNPLUG_SELFTEST_H

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/types.h>

/* In every build; the first that does not hold ends the test and the load. */
#define CHECK(condition)						\
do {									\
	if (!(condition)) {						\
		pr_err("unplug-selftest: %s:%d: not so: %s\n",		\
		       __func__, __LINE__, #condition);			\
		return -EPROTO;						\
	}								\
} while (0)

/**
 * struct selftest - one test
 * @name: operation-state
 * @run: returns 0, or a negative error after a line in the log
 * @promise: what of doc/promises.md it is about, as in a case; script/promises reads it
 */
struct selftest {
	const char *name;
	int (*run)(void);
	const char *promise;
};

void selftest_crowd_wait(const atomic_t *rounds);
int selftest_crowd(int (*user)(void *arg), void (*test)(void *arg), void *arg,
		   bool hotplug);

extern const struct selftest selftests_gate[];
extern const struct selftest selftests_device[];
extern const struct selftest selftests_many[];
extern const struct selftest selftests_thaw[];
extern const struct selftest selftests_callback[];

#endif /* _UNPLUG_SELFTEST_H */
