// SPDX-License-Identifier: GPL-2.0-or-later
/* What debugfs says of a device, against the truth: who is inside, who has it open or mapped */

#define _GNU_SOURCE
#include "look.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARAMETER "/sys/module/unplug/parameters/tracking"
#define TRACKING "/sys/kernel/debug/unplug/tracking"

/* By a record: who, in what, and where he sleeps, down to the guard */
static void named(const struct op *op, const char *member, const char *function)
{
	struct inside inside;
	struct card card;

	card_init(&card, 1);
	look_track(true);
	inside_begin(&inside, op, &card);
	look_for(&card, "state", "inside: 1\n");
	look_for(&card, "holders", "inside: task %d of process %d (case), in %s for ",
		 inside.task.tid, getpid(), member);
	look_for(&card, "holders", " [unplug_ivshmem]\n");
	look_for(&card, "holders", " guard_%s+", function);
	if (strstr(look_at(&card, "holders"), "more"))
		case_fail("others are inside: %s", look_at(&card, "holders"));
	inside_end(&inside);
	look_empty(&card, "holders");
	look_track(false);
}

#define NAMED(id, text, member, function)					\
	CASE(id##_named, .name = text "-named",					\
	     .promise = "K8: who is inside a " text " is named, with his stack",	\
	     .naive = LOOK_ABSENT)						\
	{									\
		named(&op_##id, member, function);				\
	}									\
	static const struct case_info *const entry_##id##_named

NAMED(read, "read", "read", "read");
NAMED(write, "write", "write", "write");
NAMED(ioctl, "ioctl", "unlocked_ioctl", "ioctl");

static int open_card(void *arg)
{
	return open(arg, O_RDWR | O_CLOEXEC) < 0;
}

static int map_card(void *arg)
{
	return !card_map(*(int *)arg, OP_BYTES, 0);
}

static int touch_card(void *arg)
{
	uint8_t byte;

	return touch_read(arg, &byte);
}

/* Held by a hook; another process, as mmap and faults hold the lock of the memory map */
static void named_at(const struct card *card, const char *point, const char *op,
		     int (*run)(void *arg), void *arg)
{
	struct job job;

	hook_stop(point);
	job_start(&job, run, arg);
	hook_wait(point);
	look_for(card, "holders", "inside: task %d of process %d (case), in %s for ", job.pid,
		 job.pid, op);
	hook_go(point);
	expect_equal(op, job_wait(&job), 0);
	look_empty(card, "holders");
}

CASE(holders_during, .name = "holders-during",
     .promise = "K8: who is inside an open, an mmap, a fault is named", .naive = LOOK_ABSENT,
     .hooks = true)
{
	struct card card;
	uint8_t *map;
	int fd;

	card_init(&card, 1);
	fd = card_open(&card);
	map = card_map(fd, OP_BYTES, 0);
	look_track(true);
	named_at(&card, "open-active", "open", open_card, card.node);
	named_at(&card, "mmap", "mmap", map_card, &fd);
	named_at(&card, "fault", "fault", touch_card, map);
	look_track(false);
}

/* A release holds up gone; no gate counts it. */
CASE(release_named, .name = "release-named",
     .promise = "K8: who is inside a release that was forced is named", .naive = LOOK_ABSENT,
     .hooks = true)
{
	struct card card;
	int fd;

	card_init(&card, 1);
	fd = card_open(&card);
	look_track(true);
	hook_stop("release-claimed");
	card_unbind(&card);
	hook_wait("release-claimed");
	look_for(&card, "holders", ", in release for ");
	look_for(&card, "files", "process %d (case) ", getpid());
	look_for(&card, "files", ", releasing\n");
	hook_go("release-claimed");
	card_wait_gone(&card);
	look_for(&card, "files", ", released\n");
	look_empty(&card, "holders");
	look_track(false);
	close(fd);
}

/* The opener's child: who is inside has the file from another. */
struct heir {
	struct op_file f;
	int inside[2];
};

static long heir_write(void *arg)
{
	return op_write.run(arg);
}

static int heir_main(void *arg)
{
	struct heir *heir = arg;
	struct hold hold;
	struct task task;

	hold_init(&hold, OP_BYTES);
	heir->f.buffer = hold.page;
	task_start(&task, heir_write, &heir->f);
	hold_wait(&hold);
	task_wait_blocked(&task);
	word_tell(heir->inside[1]);
	return pause();		/* until he is killed */
}

static void heir_begin(struct heir *heir, struct card *card, struct job *job)
{
	card_init(card, 1);
	op_open(&heir->f, card);
	if (pipe(heir->inside))
		case_fail("pipe: %m");
	job_start(job, heir_main, heir);
	word_hear(heir->inside[0], "the heir");
}

CASE(holders_untracked, .name = "holders-untracked",
     .promise = "K8: who sleeps inside is found by his stack, where none is written down",
     .naive = LOOK_ABSENT)
{
	struct inside inside;
	struct card card, other;
	struct heir heir;
	struct job job;

	look_track(false);
	heir_begin(&heir, &card, &job);
	inside_begin(&inside, &op_read, &card);
	look_for(&card, "holders", "inside, by its stack: task %d of process %d (case)",
		 inside.task.tid, getpid());
	look_for(&card, "holders", " guard_read+");
	look_for(&card, "holders", " of process %d (case)", job.pid);
	look_for(&card, "holders", " guard_write+");
	card_init(&other, 2);
	look_empty(&other, "holders");
	job_kill(&job);
	inside_end(&inside);
	look_empty(&card, "holders");
}

CASE(tracking_during, .name = "tracking-during",
     .promise = "K8: tracking may be switched while users are inside; these are counted",
     .naive = LOOK_ABSENT)
{
	struct inside before, after;
	struct card card;

	card_init(&card, 1);
	look_track(false);
	inside_begin(&before, &op_read, &card);
	look_track(true);
	look_for(&card, "holders", "1 more: inside before tracking was on");
	inside_begin(&after, &op_write, &card);
	look_for(&card, "holders", "inside: task %d ", after.task.tid);
	look_for(&card, "holders", "1 more: ");
	inside_end(&before);
	if (strstr(look_at(&card, "holders"), "more"))
		case_fail("nobody else is inside: %s", look_at(&card, "holders"));
	look_track(false);
	look_for(&card, "holders", "by its stack: task %d ", after.task.tid);
	look_track(true);
	look_for(&card, "holders", "1 more: ");
	inside_end(&after);
	look_empty(&card, "holders");
	look_track(false);
}

static volatile int storm_over;

static long storm_main(void *arg)
{
	struct op_file *f = arg;

	while (!storm_over)
		op_ioctl.run(f);
	return 0;
}

CASE(tracking_storm, .name = "tracking-storm", .serial = true,
     .promise = "K8: no record is left, however often tracking is switched under load",
     .naive = LOOK_ABSENT)
{
	struct task tasks[3];
	struct op_file f;
	struct card card;
	int i;

	card_init(&card, 1);
	op_open(&f, &card);
	for (i = 0; i < 3; i++)
		task_start(&tasks[i], storm_main, &f);
	for (i = 0; i < 100; i++) {
		look_track(i % 2 == 0);
		look_at(&card, "holders");
	}
	look_track(true);
	storm_over = 1;
	for (i = 0; i < 3; i++)
		task_wait(&tasks[i]);
	look_empty(&card, "holders");
	card_unplug(&card);
	look_empty(&card, "holders");
	look_track(false);
	op_close(&f);
}

CASE(tracking_input, .name = "tracking-input",
     .promise = "K8: tracking takes 0 and 1, in debugfs and as a parameter", .naive = LOOK_ABSENT)
{
	char text[16];

	look_track(false);
	expect_equal("errno of 2", file_write(TRACKING, "2"), EINVAL);
	expect_equal("errno of maybe", file_write(TRACKING, "maybe"), EINVAL);
	expect_equal("errno of foo", file_write(TRACKING, "foo"), EINVAL);
	expect_equal("errno of 11", file_write(TRACKING, "11"), EINVAL);
	expect_equal("errno of nothing", file_write(PARAMETER, ""), 0);
	expect_equal("errno of 7", file_write(PARAMETER, "7"), EINVAL);
	file_read(TRACKING, text, sizeof(text));
	if (strcmp(text, "0"))
		case_fail("tracking is '%s', expected 0", text);
	expect_equal("errno of 1", file_write(PARAMETER, "1"), 0);
	file_read(TRACKING, text, sizeof(text));
	if (strcmp(text, "1"))
		case_fail("tracking is '%s', expected 1", text);
	expect_equal("errno of n", file_write(TRACKING, "n\n"), 0);
	file_read(PARAMETER, text, sizeof(text));
	if (strcmp(text, "N"))
		case_fail("the parameter is '%s', expected N", text);
}

/* Of who has the files and mappings of a device that is gone, until the last reference */
static int keeper_main(void *arg)
{
	int *words = arg;
	char byte;

	word_tell(words[1]);
	return read(words[2], &byte, 1) != 0;
}

CASE(files_after, .name = "files-after",
     .promise = "K8: who opened and who mapped a card is told until the last of them let go",
     .naive = LOOK_ABSENT)
{
	int words[4], fd;
	char path[CARD_PATH];
	struct card card;
	struct job job;
	uint8_t *map;

	card_init(&card, 1);
	fd = card_open(&card);
	map = card_map(fd, 2 * OP_BYTES, OP_BYTES);
	if (pipe(words) || pipe(words + 2))
		case_fail("pipe: %m");
	job_start(&job, keeper_main, words);
	word_hear(words[0], "the child");
	look_for(&card, "files", "process %d (case) ", getpid());
	look_for(&card, "files", ", flags 0%o, open\n", O_RDWR | 0100000);
	look_for(&card, "mappings", "%lx-%lx pgoff 1 process %d (case)", (unsigned long)map,
		 (unsigned long)map + 2 * OP_BYTES, getpid());
	look_for(&card, "mappings", "process %d (case)", job.pid);
	look_for(&card, "state", "state: live\n");

	card_unplug(&card);
	look_for(&card, "state", "state: gone\n");
	look_for(&card, "files", ", released\n");
	look_for(&card, "mappings", "process %d (case)", job.pid);
	look_path(&card, "state", path, sizeof(path));
	job_kill(&job);
	munmap(map, 2 * OP_BYTES);
	expect_works("access of debugfs", access(path, F_OK));
	close(fd);
	look_wait_away(&card, "state");
}

/*
 * What an administrator does: looks who it is, and kills him; he is stopped, or a
 * debugger has him, as he likes.
 */
static void named_and_killed(struct card *card, struct job *job)
{
	const char *said;
	int pid;

	card_unbind(card);
	log_wait(card->id, "still inside");
	said = strstr(look_at(card, "holders"), "of process ");
	if (!said || sscanf(said, "of process %d", &pid) != 1)
		case_fail("holders names nobody: %s", look_at(card, "holders"));
	expect_equal("process inside", pid, job->pid);
	kill(pid, SIGKILL);
	job_kill(job);
	card_wait_gone(card);
}

CASE(holder_stopped, .name = "holder-stopped",
     .promise = "K8: a holder who is stopped is named, and killing him ends it",
     .naive = LOOK_ABSENT)
{
	struct heir heir;
	struct card card;
	struct job job;

	look_track(true);	/* the signal keeps him busy asking for the page */
	heir_begin(&heir, &card, &job);
	kill(job.pid, SIGSTOP);
	named_and_killed(&card, &job);
	look_track(false);
	op_close(&heir.f);
}

CASE(holder_traced, .name = "holder-traced",
     .promise = "K8: a holder somebody traces is named, and killing him ends it",
     .naive = LOOK_ABSENT)
{
	struct heir heir;
	struct card card;
	struct job job;

	look_track(true);
	heir_begin(&heir, &card, &job);
	expect_works("ptrace", ptrace(PTRACE_SEIZE, job.pid, 0, 0));
	expect_works("ptrace", ptrace(PTRACE_INTERRUPT, job.pid, 0, 0));
	named_and_killed(&card, &job);
	look_track(false);
	op_close(&heir.f);
}
