/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LIB_TEST_ASLEEP_H
#define _LIB_TEST_ASLEEP_H

/*
 * Does a thread of this process sleep? Who has said that he is about to may not yet: then nobody
 * has to wake him, and a test of waking him would pass without it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <cmocka.h>

static inline bool asleep(pid_t tid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
	fclose(file);
	return state == 'S';
}

#endif
