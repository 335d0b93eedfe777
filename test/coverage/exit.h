/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Included before all else where coverage of a program is counted: the counts are written by
 * exit(), and many a child of the tests ends by _exit() or abort().
 */
#ifndef UNPLUG_TEST_COVERAGE_EXIT_H
#define UNPLUG_TEST_COVERAGE_EXIT_H

#include <stdlib.h>
#include <unistd.h>

void __gcov_dump(void);

static inline __attribute__((noreturn)) void coverage_exit(int status)
{
	__gcov_dump();
	_exit(status);
}

static inline __attribute__((noreturn)) void coverage_abort(void)
{
	__gcov_dump();
	abort();
}

#define _exit(status) coverage_exit(status)
#define abort() coverage_abort()

#endif
