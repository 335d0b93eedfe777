/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failnth: operations in which everything fails in turn
 *
 * Each allocation and each copy from or to user memory of an operation: the first one,
 * then, in a fresh attempt, the second, and so on until an attempt has no more of them
 * (the kernel's Documentation/fault-injection). However that ends, with an error that is
 * declared or well, the device works afterwards; that nothing is left of any attempt is
 * seen at the end, when all modules are unloaded and kmemleak is asked.
 */
#ifndef UNPLUG_TEST_FAILNTH_H
#define UNPLUG_TEST_FAILNTH_H

/**
 * struct attempt - an operation that is tried again and again
 * @name: for messages
 * @errors: what it may answer when something in it fails; ends with 0
 * @before: prepares one attempt; optional
 * @run: the operation alone, as a system call: -1 and errno
 * @after: looks what became of it, and makes good for the next; optional
 */
struct attempt {
	const char *name;
	int errors[6];
	void (*before)(void);
	long (*run)(void);
	void (*after)(long result);
};

/* Ends the case, as skipped, where the kernel has no fault injection. */
void failnth_need(void);
void failnth_each(const struct attempt *a);

#define FAILNTH_ABSENT \
	"absent: naive forgets to look at results, and memory that fails is no removal"

#endif
