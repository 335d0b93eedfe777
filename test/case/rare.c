// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operations that few drivers have: locks, iterators, splice, fdinfo, a say in what
 * becomes of mappings. The driver is module/rare.c, which keeps the locks of fcntl() or those of flock(); the others are the
 * core's.
 */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define MODULE "unplug-rare"
#define DO "/sys/module/unplug_rare/parameters/do"
#define TOLD "/sys/module/unplug_rare/parameters/told"
#define REFUSES "/sys/module/unplug_rare/parameters/refuses"
#define EOFS "/sys/module/unplug_rare/parameters/eofs"
#define PULLS "/sys/module/unplug_rare/parameters/pulls"
#define PAGE 4096
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

static void rare_do(const char *what)
{
	expect_equal(what, file_write(DO, what), 0);
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
	rare_do("pull");
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
	rare_do("pull");
	expect_equal("errno of read, late", error_of(read(rare.fd, bytes, 4)), ENODEV);
	expect_equal("errno of write, late", error_of(write(rare.fd, bytes, 4)), ENODEV);
	expect_equal("errno of splice, late",
		     error_of(splice(pipes[0], NULL, rare.fd, NULL, 2, 0)), ENODEV);
	expect_equal("the driver's word in fdinfo, late", told(rare.fd, "rare:"), false);
	close(pipes[0]);
	close(pipes[1]);
	rare_end(&rare);
}

/* Of a file that ends before all was sent, which the device is told of if it is there still */
static long send_file(struct rare *rare, int file)
{
	off_t from = 0;

	return sendfile(rare->fd, file, &from, 8);
}

static void expect_ends(int want)
{
	char text[16];

	expect_equal("errno of asking", file_read(EOFS, text, sizeof(text)), 0);
	expect_equal("how often the driver was told of the end", atoi(text), want);
}

CASE(splice_eof_after, .name = "splice-eof-after",
     .promise = "K1: the driver is told that no more is spliced to it, and is not after the pull",
     .naive = ABSENT)
{
	struct rare rare;
	int file = memfd_create("sent", MFD_CLOEXEC);

	if (file < 0 || write(file, "sent", 4) != 4)
		case_fail("memfd: %m");
	rare_init(&rare, "");
	expect_equal("bytes sent", send_file(&rare, file), 4);
	expect_ends(1);
	expect_equal("errno of having it pulled", file_write(PULLS, "1"), 0);
	expect_equal("bytes sent, by when it is pulled", send_file(&rare, file), 4);
	expect_ends(1);
	expect_errno("sendfile, late", send_file(&rare, file), ENODEV);
	expect_ends(1);
	close(file);
	rare_end(&rare);
}

/* Of unlocks, splits, moves, protections */
static void expect_told(const char *what, const char *counts)
{
	char line[64] = "";
	FILE *file = fopen(TOLD, "re");

	if (!file || !fgets(line, sizeof(line), file))
		case_fail(TOLD ": %m");
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, counts))
		case_fail("%s: the driver was told or asked %s times, expected %s", what, line, counts);
}

/* Nobody gets the lock meanwhile, but who has it is rid of it, and the driver knows. */
static void play_unlock_frozen(const char *arguments, int (*set)(int fd, short type))
{
	struct rare rare;

	rare_init(&rare, arguments);
	expect_equal("errno of a lock", set(rare.fd, F_WRLCK), 0);
	rare_do("freeze");
	expect_told("before", "0 0 0 0");
	expect_equal("errno of unlocking, frozen", set(rare.fd, F_UNLCK), 0);
	expect_told("unlocking, frozen", "1 0 0 0");
	expect_equal("errno of a lock that is free, frozen", set(rare.other, F_WRLCK), EAGAIN);
	rare_do("thaw");
	expect_equal("errno of a lock, thawed", set(rare.other, F_WRLCK), 0);
	expect_equal("errno of a second lock, thawed", set(rare.fd, F_WRLCK), EAGAIN);
	rare_end(&rare);
}

CASE(lock_frozen, .name = "lock-frozen",
     .promise = "K12: the driver of a frozen device is told that a lock is given back: fcntl's",
     .naive = ABSENT)
{
	play_unlock_frozen("", own_set);
}

static int flock_set(int fd, short type)
{
	return error_of(flock(fd, type == F_UNLCK ? LOCK_UN : LOCK_EX | LOCK_NB));
}

CASE(flock_frozen, .name = "flock-frozen",
     .promise = "K12: the driver of a frozen device is told that a lock is given back: flock's",
     .naive = ABSENT)
{
	play_unlock_frozen("flock=1", flock_set);
}

/*
 * A mapping of three pages is protected, loses its last page, and is moved, which answers
 * @error: another place is asked for at the device.
 */
static void change_mapping(void *map, int error)
{
	void *to = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	expect_works("mprotect", mprotect(map, 3 * PAGE, PROT_READ));
	expect_works("munmap of a part", munmap((char *)map + 2 * PAGE, PAGE));
	to = mremap(map, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	expect_equal("errno of mremap", to == MAP_FAILED ? errno : 0, error);
}

/* The driver says no, and is heard. */
static void expect_refused(void *map)
{
	void *to = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	expect_equal("errno of telling the driver to refuse", file_write(REFUSES, "1"), 0);
	expect_errno("mprotect, refused", mprotect(map, 3 * PAGE, PROT_READ), EXDEV);
	expect_errno("munmap of a part, refused", munmap((char *)map + 2 * PAGE, PAGE), EXDEV);
	to = mremap(map, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	expect_errno("mremap, refused", to == MAP_FAILED ? -1 : 0, EXDEV);
	expect_equal("errno of telling the driver not to", file_write(REFUSES, "0"), 0);
}

static void *map_rare(int fd)
{
	void *map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		case_fail("mmap: %m");
	expect_equal("signal of a touch", touch_write(map, 1), 0);
	return map;
}

CASE(map_asked, .name = "map-asked",
     .promise = "K3, K12: the driver has its say when a mapping is split, moved or protected, and none after "
		"the pull, when it can be split and protected all the same",
     .naive = ABSENT)
{
	struct rare rare;
	void *map[3];
	uint8_t value;
	int i;

	rare_init(&rare, "");
	for (i = 0; i < 3; i++)
		map[i] = map_rare(rare.fd);
	expect_told("before", "0 0 0 0");
	expect_refused(map[0]);
	expect_told("refused", "0 1 1 1");
	change_mapping(map[0], 0);
	expect_told("live", "0 2 2 2");
	rare_do("freeze");
	change_mapping(map[1], EAGAIN);
	expect_told("frozen", "0 3 2 3");
	rare_do("thaw");
	rare_do("pull");
	change_mapping(map[2], ENODEV);
	expect_told("late", "0 3 2 3");
	expect_equal("signal of a touch, late", touch_read(map[2], &value), SIGBUS);
	rare_end(&rare);
}
