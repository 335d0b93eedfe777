// SPDX-License-Identifier: GPL-2.0-or-later
/* A new card in the old one's place, with files and mappings of the old one open */

#define _GNU_SOURCE
#include "case.h"
#include "op.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "include/uapi/unplug/ivshmem.h"
#include "test/vm/host.h"

#define PAGE 4096
#define ALIAS "/tmp/alias"

struct old {
	struct card card;
	int fd;
	uint8_t *map;
	dev_t devt;
	uint64_t generation;
};

static void old_init(struct old *old)
{
	card_init(&old->card, 2);
	old->fd = card_open(&old->card);
	old->map = card_map(old->fd, PAGE, 0);
	old->devt = card_devt(&old->card);
	old->generation = card_generation(old->fd);
	expect_equal("touching a live mapping", touch_write(old->map, 1), 0);
}

CASE(replug_file, .name = "replug-file",
     .promise = "K9: an old descriptor stays dead when a new card is in the slot",
     .naive = "wrong-errno")
{
	struct ivshmem_info info;
	struct card fresh;
	struct old old;
	char byte = 0;
	int fd;

	old_init(&old);
	fresh = old.card;
	card_pull(&old.card);
	card_wait_gone(&old.card);
	card_plug(&fresh);
	fd = card_open(&fresh);
	expect_equal("read of the new card", read(fd, &byte, 1), 1);
	expect_errno("read of the old file", read(old.fd, &byte, 1), ENODEV);
	expect_errno("write of the old file", write(old.fd, &byte, 1), ENODEV);
	expect_errno("ioctl of the old file", ioctl(old.fd, IVSHMEM_IOC_INFO, &info), ENODEV);
	expect_works("close of the old file", close(old.fd));
	expect_equal("read of the new card", read(fd, &byte, 1), 1);
}

CASE(replug_map, .name = "replug-map",
     .promise = "K9: an old mapping does not reach the new card in the slot",
     .naive = "stale-map")
{
	struct card fresh;
	struct old old;
	int i;

	old_init(&old);
	fresh = old.card;
	card_pull(&old.card);
	card_wait_gone(&old.card);
	card_plug(&fresh);
	for (i = 0; i < PAGE; i++)
		touch_write(old.map + i, 0xee);
	expect_untouched(2, "current", 0);
	expect_signal_bus("an old mapping", old.map);
}

CASE(replug_generation, .name = "replug-generation",
     .promise = "K9: the new card has another generation, and says so",
     .naive = "passes: it counts its cards too")
{
	struct card fresh;
	struct old old;

	old_init(&old);
	fresh = old.card;
	card_pull(&old.card);
	card_wait_gone(&old.card);
	card_plug(&fresh);
	if (card_generation(card_open(&fresh)) <= old.generation)
		case_fail("the generation did not rise");
}

CASE(replug_minor, .name = "replug-minor",
     .promise = "K9: the minor number is not reused: an old node opens nothing",
     .naive = "wrong-errno")
{
	struct card fresh;
	struct old old;

	old_init(&old);
	fresh = old.card;
	unlink(ALIAS);
	expect_works("mknod", mknod(ALIAS, S_IFCHR | 0600, old.devt));
	card_pull(&old.card);
	card_wait_gone(&old.card);
	card_plug(&fresh);
	expect_errno("open of the old node", open(ALIAS, O_RDWR | O_CLOEXEC), ENXIO);
	expect_works("close of the old file", close(old.fd));
	munmap(old.map, PAGE);
	expect_errno("open of the old node, nothing being open",
		     open(ALIAS, O_RDWR | O_CLOEXEC), ENXIO);
	/* The number is free now, and is not the next one to be given. */
	card_unplug(&fresh);
	card_bind(&fresh);
	expect_errno("open of the old node, another card having come",
		     open(ALIAS, O_RDWR | O_CLOEXEC), ENXIO);
}

CASE(rebind_map, .name = "rebind-map",
     .promise = "K9: an old mapping stays dead when the driver is bound again",
     .naive = "stale-map")
{
	struct old old;

	old_init(&old);
	card_unplug(&old.card);
	card_bind(&old.card);
	card_fill(2, 0);
	expect_signal_bus("an old mapping", old.map);
	expect_untouched(2, "current", 0);
}

/* The node elsewhere: one device, two inodes */
CASE(alias_after, .name = "alias-after",
     .promise = "K3: what was opened and mapped through another node is revoked too",
     .naive = "stale-map")
{
	struct card card;
	uint8_t *map;
	char byte;
	int fd;

	card_init(&card, 1);
	unlink(ALIAS);
	expect_works("mknod", mknod(ALIAS, S_IFCHR | 0600, card_devt(&card)));
	fd = expect_works("open of the alias", open(ALIAS, O_RDWR | O_CLOEXEC));
	expect_equal("read through the alias", read(fd, &byte, 1), 1);
	map = card_map(fd, PAGE, 0);
	touch_write(map, 1);
	card_unplug(&card);
	expect_signal_bus("mapped through the alias", map);
	expect_errno("read through the alias", read(fd, &byte, 1), ENODEV);
}

CASE(open_alias_after, .name = "open-alias-after",
     .promise = "K1: opening another node of the device fails with ENXIO",
     .naive = "wrong-errno")
{
	struct card card;
	int fd;

	card_init(&card, 1);
	unlink(ALIAS);
	expect_works("mknod", mknod(ALIAS, S_IFCHR | 0600, card_devt(&card)));
	fd = expect_works("open of the alias", open(ALIAS, O_RDWR | O_CLOEXEC));
	card_unplug(&card);
	expect_errno("open of the alias", open(ALIAS, O_RDWR | O_CLOEXEC), ENXIO);
	close(fd);
	expect_errno("open of the alias", open(ALIAS, O_RDWR | O_CLOEXEC), ENXIO);
}

CASE(open_before, .name = "open-before", .promise = "K1: open works on a live card",
     .naive = "passes: nothing was pulled")
{
	struct card card;

	card_init(&card, 1);
	expect_works("close", close(card_open(&card)));
}

CASE(open_after, .name = "open-after", .promise = "K1: the node goes with the device: ENOENT",
     .naive = "passes: device_destroy() removes the node")
{
	struct card card;
	int fd;

	card_init(&card, 1);
	fd = card_open(&card);
	card_unplug(&card);
	expect_errno("open", open(card.node, O_RDWR | O_CLOEXEC), ENOENT);
	close(fd);
}

/*
 * Users who go on writing, by descriptor and by mapping, while the host fills the
 * card with a pattern of its own: what changes afterwards was reached by them. The
 * driver is unbound, so that the card stays where it is, and can be reached.
 */
#define ROUND 64		/* bytes */

struct writer {
	struct old old;
	int rounds[2];
};

static int writer_main(void *arg)
{
	struct writer *writer = arg;
	struct old *old = &writer->old;
	uint8_t block[ROUND] = { };
	int i;

	for (;;) {
		for (i = 0; i < PAGE; i += 64)
			touch_write(old->map + i, 0xee);
		if (pwrite(old->fd, block, sizeof(block), PAGE) < 0 && errno != ENODEV &&
		    errno != ENOSPC)
			case_fail("pwrite: %m");
		/* Some bytes a round: whoever reads them sets the pace. */
		if (write(writer->rounds[1], block, ROUND) != ROUND)
			return 0;
	}
}

static void writer_rounds(int fd, int n)
{
	char bytes[ROUND];

	for (; n; n--)
		if (poll_in(fd, case_timeout()) != 1 || read(fd, bytes, ROUND) != ROUND)
			case_end(OUTCOME_HANG, "the writer does not get on");
}

CASE(writer_after, .name = "writer-after",
     .promise = "K3: who goes on writing after unplug changes nothing in the card",
     .naive = "stale-map")
{
	struct writer writer;
	struct old *old = &writer.old;
	struct job job;

	old_init(old);
	if (pipe2(writer.rounds, O_CLOEXEC))
		case_fail("pipe: %m");
	fcntl(writer.rounds[0], F_SETPIPE_SZ, PAGE);
	job_start(&job, writer_main, &writer);
	writer_rounds(writer.rounds[0], 10);
	card_unplug(&old->card);
	card_fill(2, 0x77);
	/* More than the pipe holds: the last ones were written after the fill. */
	writer_rounds(writer.rounds[0], PAGE / ROUND + 10);
	expect_untouched(2, "current", 0x77);
	job_kill(&job);
}

static int open_answer(void *path)
{
	return open(path, O_RDWR | O_CLOEXEC) < 0 ? errno : 0;
}

/* Refused while the gates are not open yet, answered when they are. */
CASE(open_registering, .name = "open-registering",
     .promise = "K12: who opens a card that is not registered yet is not told to try again",
     .naive = "absent: it freezes nothing, and tells nobody to try again", .hooks = true)
{
	struct job bind, early;
	struct card card;

	card_init(&card, 1);
	card_unplug(&card);
	hook_stop("node");
	hook_stop("open-refused");
	card_bind_start(&card, &bind);
	hook_wait("node");
	card_init(&card, 1);
	job_start(&early, open_answer, card.node);
	hook_wait("open-refused");
	hook_go("node");
	expect_equal("bind", job_wait(&bind), 0);
	hook_go("open-refused");
	expect_equal("open", job_wait(&early), ENXIO);
	expect_works("open", card_open(&card));
}
