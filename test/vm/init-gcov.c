// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a kernel that counts (test/vm/config/gcov.config) has counted, modules that were
 * unloaded included: to the result folder, where script/coverage looks for it. Other kernels have
 * no such files.
 */

#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNTS "/sys/kernel/debug/gcov"
#define SAVED "/out/gcov"

static int copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	char data[65536];
	ssize_t n = -1;

	if (in >= 0 && out >= 0)
		while ((n = read(in, data, sizeof(data))) > 0 && write(out, data, n) == n)
			;
	close(in);
	close(out);
	return n;
}

static int save(const char *path, const struct stat *st, int type, struct FTW *where)
{
	const char *name = path + where->base, *end = strrchr(name, '.');
	char to[4096];
	int err = 0;

	(void)st;
	snprintf(to, sizeof(to), SAVED "%s", path + strlen(COUNTS));
	if (type == FTW_D)
		err = mkdir(to, 0755) < 0 && errno != EEXIST;
	else if (type == FTW_F && end && strcmp(end, ".gcda") == 0)
		err = copy(path, to);
	if (err)
		init_say("cannot save %s: %s", path, strerror(errno));
	return 0;
}

/**
 * init_save_counts() - keep what this kernel has counted, if it does
 */
void init_save_counts(void)
{
	if (access(COUNTS, F_OK) == 0)
		nftw(COUNTS, save, 16, FTW_PHYS);
}
