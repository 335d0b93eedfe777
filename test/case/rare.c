// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operations that few drivers have: locks, iterators, splice, fdinfo. The driver is
 * module/rare.c, which keeps the locks of fcntl() or those of flock(); the others are the
 * core's.
 */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define MODULE "unplug-rare"
#define PULL "/sys/module/unplug_rare/parameters/pull"
#define ABSENT "absent: it has no such operation"

/* Two files of the device: their locks are in each other's way. */
struct rare {
	int fd, other;
};

static void rare_init(struct rare *rare, const char *arguments)
{
	const char *node = "/dev/" MODULE;

	expect_equal("errno of loading " MODULE, module_load(MODULE, arguments), 0);
	rare->fd = expect_works(node, open(node, O_RDWR | O_CLOEXEC));
	rare->other = expect_works(node, open(node, O_RDWR | O_CLOEXEC));
}

static void rare_end(struct rare *rare)
{
	close(rare->fd);
	close(rare->other);
	expect_equal("errno of unloading " MODULE, module_unload_soon(MODULE), 0);
}

static int error_of(long ret)
{
	return ret < 0 ? errno : 0;
}

/* The errno of fcntl() with a lock of the open file */
static int own(int fd, int cmd, short *type)
{
	struct flock lock = { .l_type = *type, .l_whence = SEEK_SET };
	int error = error_of(fcntl(fd, cmd, &lock));

	*type = lock.l_type;
	return error;
}

static int own_set(int fd, short type)
{
	return own(fd, F_OFD_SETLK, &type);
}

/* Does a line of what /proc tells of the file begin with that? */
static bool told(int fd, const char *word)
{
	char path[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		case_fail("%s: %m", path);
	while (fgets(line, sizeof(line), file))
		found |= strstr(line, word) == line;
	fclose(file);
	return found;
}

static void play_locks(const char *arguments)
{
	struct rare rare;
	short type = F_WRLCK;

	rare_init(&rare, arguments);
	expect_equal("errno of a lock", own_set(rare.fd, F_WRLCK), 0);
	expect_equal("errno of a second lock", own_set(rare.other, F_WRLCK), EAGAIN);
	expect_equal("errno of asking for it", own(rare.other, F_OFD_GETLK, &type), 0);
	expect_equal("the lock that is in its way", type, F_WRLCK);
	expect_equal("errno of flock", error_of(flock(rare.fd, LOCK_EX)), 0);
	expect_equal("errno of a second flock", error_of(flock(rare.other, LOCK_EX | LOCK_NB)),
		     EAGAIN);
	expect_equal("locks are told of", told(rare.fd, "lock:"), true);
	module_pull(PULL);
	expect_equal("errno of a lock, late", own_set(rare.other, F_WRLCK), ENODEV);
	expect_equal("errno of asking for it, late", own(rare.other, F_OFD_GETLK, &type), ENODEV);
	expect_equal("errno of flock, late", error_of(flock(rare.other, LOCK_EX | LOCK_NB)),
		     ENODEV);
	expect_equal("errno of unlocking, late", own_set(rare.fd, F_UNLCK), 0);
	expect_equal("errno of flock's, late", error_of(flock(rare.fd, LOCK_UN)), 0);
	expect_equal("locks are told of, late", told(rare.fd, "lock:"), false);
	rare_end(&rare);
}

CASE(lock_after, .name = "lock-after",
     .promise = "K1, K10: a late lock is refused, a late unlock is not: fcntl's are the driver's",
     .naive = ABSENT)
{
	play_locks("");
}

CASE(flock_after, .name = "flock-after",
     .promise = "K1, K10: a late lock is refused, a late unlock is not: flock's are the driver's",
     .naive = ABSENT)
{
	play_locks("flock=1");
}

CASE(iter_after, .name = "iter-after",
     .promise = "K1: reads and writes by iterators, and splice, are refused like any others",
     .naive = ABSENT)
{
	char bytes[4] = "";
	struct rare rare;
	int pipes[2];

	rare_init(&rare, "");
	if (pipe2(pipes, O_CLOEXEC) || write(pipes[1], "late", 4) != 4)
		case_fail("pipe: %m");
	expect_equal("bytes read", read(rare.fd, bytes, 4), 4);
	expect_equal("the word", memcmp(bytes, "rare", 4), 0);
	expect_equal("bytes written", write(rare.fd, bytes, 4), 4);
	expect_equal("bytes spliced", splice(pipes[0], NULL, rare.fd, NULL, 2, 0), 2);
	expect_equal("the driver's word in fdinfo", told(rare.fd, "rare:"), true);
	module_pull(PULL);
	expect_equal("errno of read, late", error_of(read(rare.fd, bytes, 4)), ENODEV);
	expect_equal("errno of write, late", error_of(write(rare.fd, bytes, 4)), ENODEV);
	expect_equal("errno of splice, late",
		     error_of(splice(pipes[0], NULL, rare.fd, NULL, 2, 0)), ENODEV);
	expect_equal("the driver's word in fdinfo, late", told(rare.fd, "rare:"), false);
	close(pipes[0]);
	close(pipes[1]);
	rare_end(&rare);
}
