// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Three deadlocks of a percpu rwsem around the operations, which is what the mail of
 * 2013 proposes: see doc/why-not.md. Each case runs against the devices textbookN of
 * unplug-textbook, where it has to deadlock, and against gatedN, which do the same
 * behind the gate and have to fail as documented, and to become gone.
 *
 * The order of events is forced. Who is to be inside when unplug comes reads a page that
 * the case serves (struct hold); the read lock is closed to newcomers when the record
 * of unplug-textbook says so; only then is he let go on.
 *
 * A deadlock is proved by the state: see cycle.h. The victims are a process of their own,
 * so that who looks at them shares neither memory map nor locks with them, and comes to
 * his end.
 */

#define _GNU_SOURCE
#include "case.h"
#include "cycle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <unistd.h>
#include "test/case/module/unplug-textbook/uapi.h"

#define PAGE 4096

/**
 * struct deed - what a thread of the victims does
 * @fd: with this file
 * @cmd: this command
 * @call: of these arguments
 */
struct deed {
	int fd;
	unsigned long cmd;
	struct textbook_call call;
};

/**
 * struct scene - what the case and its victims have in common; shared memory
 * @victims: the process
 * @task: its threads
 * @deed: what each one does
 * @hold: where each one is held; the case has a descriptor of its own for it
 * @ready: the victims tell the case that they have come so far
 * @go: the other way round
 */
struct scene {
	struct job victims;
	struct task task[2];
	struct deed deed[2];
	struct hold hold[2];
	int ready[2];
	int go[2];
};

static long do_ioctl(void *arg)
{
	struct deed *deed = arg;

	return ioctl(deed->fd, deed->cmd, &deed->call);
}

/* Device @number of the kind the case is run against */
static const char *node(int number)
{
	static const char *const nodes[2][2] = {
		{ "gated0", "gated1" },
		{ "textbook0", "textbook1" },
	};

	return nodes[driver->textbook][number];
}

static int node_open(int number)
{
	char path[CARD_PATH];

	snprintf(path, sizeof(path), "/dev/%s", node(number));
	return expect_works(path, open(path, O_RDWR | O_CLOEXEC));
}

/* Thread @i enters device @i, where it is held before it does the rest. */
static void enter_held(struct scene *scene, int i, unsigned long cmd)
{
	struct deed *deed = &scene->deed[i];

	hold_init(&scene->hold[i], PAGE);
	deed->fd = node_open(i);
	deed->cmd = cmd;
	deed->call.from = (uintptr_t)scene->hold[i].page;
}

static void scene_start(struct scene **at, int (*victims)(void *arg))
{
	struct scene *scene;
	struct job job;
	int err = module_load("unplug-textbook", "");

	if (err)
		case_fail("loading unplug-textbook: %s", strerror(err));
	scene = mmap(NULL, sizeof(*scene), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (scene == MAP_FAILED || pipe(scene->ready) || pipe(scene->go))
		case_fail("scene: %m");
	*at = scene;
	/* Not in shared memory: the child has its own idea of it. */
	job_start(&job, victims, scene);
	scene->victims = job;
	close(scene->ready[1]);
	close(scene->go[0]);
	word_hear(scene->ready[0], "the victims");
}

/* Thread @i is inside, at the page the case serves. */
static void wait_held(const struct scene *scene, int i, struct hold *hold)
{
	struct cycle inside = { };

	*hold = scene->hold[i];
	hold->uffd = pidfd_getfd(scene->victims.fd, hold->uffd, 0);
	if (hold->uffd < 0)
		case_fail("pidfd_getfd: %m");
	hold_wait(hold);
	cycle_inside(&inside, node(i), "ioctl", scene->task[i].tid);
	cycle_wait(&inside, &scene->victims);
}

/* From another process: who unplugs holds nothing but what unplug takes. */
static void unplug_start(struct job *job, int number)
{
	job_do(job, "write", TEXTBOOK_CONTROL, node(number));
}

/* Newcomers wait (textbook), or fail (ours) from here on. */
static void unplug_wait(struct job *job, int number, const struct scene *scene)
{
	struct cycle closed = { };

	if (driver->textbook) {
		cycle_unplug(&closed, node(number), job->pid);
		cycle_wait(&closed, &scene->victims);
	} else {
		expect_equal("errno of unplug", job_wait(job), 0);
	}
}

/* Ours: the victims found what they were to find, and nothing is left. */
static void scene_end(struct scene *scene, int devices)
{
	char id[24];
	int i;

	expect_equal("status of the victims", job_wait(&scene->victims), 0);
	for (i = 0; i < devices; i++) {
		snprintf(id, sizeof(id), "%s#", node(i));
		log_wait(id, "gone after");
	}
	expect_equal("errno of unloading unplug-textbook", module_unload_soon("unplug-textbook"),
		     0);
}

#define CASE_TEXTBOOK(id, ...)							\
	CASE(id, .naive = "absent: it has no lock to wait for", .textbook = "deadlock", __VA_ARGS__)

/*
 * 1. The copy of an ioctl goes to a mapping of the device itself.
 *
 *	thread	inside (read lock); faults on the mapping; asks for the read lock again:
 *		waits for unplug
 *	unplug	waits for the thread to leave
 *
 * Only percpu_up_write() wakes the thread, in a function that unplug has yet to come to;
 * only the last percpu_up_read() wakes unplug, and the thread alone is inside. Both waits
 * are deaf to signals.
 */
static int own_mapping_victims(void *arg)
{
	struct scene *scene = arg;
	void *map;

	enter_held(scene, 0, TEXTBOOK_IOC_COPY);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, scene->deed[0].fd, 0);
	if (map == MAP_FAILED)
		case_fail("mmap: %m");
	scene->deed[0].call.to = (uintptr_t)map;
	task_start(&scene->task[0], do_ioctl, &scene->deed[0]);
	word_tell(scene->ready[1]);
	expect_errno("copy to the own mapping", task_wait(&scene->task[0]), EFAULT);
	return 0;
}

CASE_TEXTBOOK(deadlock_own_mapping, .name = "deadlock-own-mapping",
	      .promise = "K4: a copy to a mapping of the pulled device itself fails, never waits")
{
	struct cycle cycle = { };
	struct scene *scene;
	struct hold hold;
	struct job unplug;

	scene_start(&scene, own_mapping_victims);
	wait_held(scene, 0, &hold);
	unplug_start(&unplug, 0);
	unplug_wait(&unplug, 0, scene);
	hold_go(&hold, 1);
	if (driver->textbook) {
		cycle_inside(&cycle, node(0), "ioctl", scene->task[0].tid);
		cycle_waits(&cycle, node(0), "fault", scene->task[0].tid);
		cycle_unplug(&cycle, node(0), unplug.pid);
		cycle_wait(&cycle, &scene->victims);
		case_end(OUTCOME_DEADLOCK, "ioctl waits in a fault for unplug, unplug for ioctl");
	}
	scene_end(scene, 1);
}

/*
 * 2. mmap against ioctl, two threads of one process.
 *
 *	ioctl	inside (read lock); its copy faults: waits for mmap_lock
 *	mmap	has mmap_lock for writing, as ever when ->mmap is called; asks for the read
 *		lock: waits for unplug
 *	unplug	waits for the ioctl to leave
 *
 * mmap_lock is given back by mmap alone. Here one of the waits, that for mmap_lock, can be
 * ended from outside, by killing the process; nothing else ends it. The ioctl is let go
 * without being served, so that it has to ask for mmap_lock again: to serve its page would
 * take that lock too. (Kernels newer than 6.1 make do with the lock of the VMA in such a
 * fault; there the deadlock is left to operations that take mmap_lock themselves.)
 */
static long tell_and_mmap(void *arg)
{
	struct scene *scene = arg;
	void *map;

	word_tell(scene->ready[1]);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, scene->deed[0].fd, 0);
	return map == MAP_FAILED ? -1 : 0;
}

static int mmap_lock_victims(void *arg)
{
	struct scene *scene = arg;

	enter_held(scene, 0, TEXTBOOK_IOC_COPY);
	scene->deed[0].call.to = scene->deed[0].call.from + sizeof(uint64_t);
	task_start(&scene->task[0], do_ioctl, &scene->deed[0]);
	word_tell(scene->ready[1]);
	word_hear(scene->go[0], "the case");
	task_start(&scene->task[1], tell_and_mmap, scene);
	expect_errno("mmap", task_wait(&scene->task[1]), ENODEV);
	word_tell(scene->ready[1]);
	/* Who was inside before may finish. */
	expect_works("ioctl", task_wait(&scene->task[0]));
	return 0;
}

CASE_TEXTBOOK(deadlock_mmap_lock, .name = "deadlock-mmap-lock",
	      .promise = "K1: mmap of a pulled device, which has mmap_lock, fails, never waits")
{
	struct cycle waits = { }, cycle = { };
	struct scene *scene;
	struct hold hold;
	struct job unplug;

	scene_start(&scene, mmap_lock_victims);
	wait_held(scene, 0, &hold);
	unplug_start(&unplug, 0);
	unplug_wait(&unplug, 0, scene);
	word_tell(scene->go[1]);
	word_hear(scene->ready[0], "who calls mmap");
	if (driver->textbook) {
		cycle_waits(&waits, node(0), "mmap", scene->task[1].tid);
		cycle_wait(&waits, &scene->victims);
		hold_wake(&hold);
		cycle_inside(&cycle, node(0), "ioctl", scene->task[0].tid);
		cycle_asleep(&cycle, scene->task[0].tid, CYCLE_IN_MMAP_LOCK);
		cycle_waits(&cycle, node(0), "mmap", scene->task[1].tid);
		cycle_unplug(&cycle, node(0), unplug.pid);
		cycle_wait(&cycle, &scene->victims);
		case_end(OUTCOME_DEADLOCK,
			 "mmap waits for unplug, unplug for ioctl, ioctl for mmap_lock");
	}
	word_hear(scene->ready[0], "who has called mmap");
	hold_go(&hold, 1);
	scene_end(scene, 1);
}

/*
 * 3. Two operations, each inside one device and about to enter the other, while both
 * devices are unplugged.
 *
 *	first	inside 0 (read lock); asks for that of 1: waits for unplug of 1
 *	unplug	of 1 waits for the second to leave
 *	second	inside 1; asks for the read lock of 0: waits for unplug of 0
 *	unplug	of 0 waits for the first to leave
 *
 * As in 1, each is woken by the next one in the cycle, and by nobody else.
 */
static int two_cards_victims(void *arg)
{
	struct scene *scene = arg;
	uint64_t to[2];
	int i;

	for (i = 0; i < 2; i++) {
		enter_held(scene, i, TEXTBOOK_IOC_NEST);
		scene->deed[i].call.to = (uintptr_t)&to[i];
	}
	scene->deed[0].call.fd = scene->deed[1].fd;
	scene->deed[1].call.fd = scene->deed[0].fd;
	for (i = 0; i < 2; i++)
		task_start(&scene->task[i], do_ioctl, &scene->deed[i]);
	word_tell(scene->ready[1]);
	for (i = 0; i < 2; i++)
		expect_errno("nested entry", task_wait(&scene->task[i]), ENODEV);
	return 0;
}

CASE_TEXTBOOK(deadlock_two_cards, .name = "deadlock-two-cards",
	      .promise = "K1: operations that enter two pulled devices crosswise fail, never wait")
{
	struct cycle cycle = { };
	struct job unplug[2];
	struct scene *scene;
	struct hold hold[2];
	int i;

	scene_start(&scene, two_cards_victims);
	for (i = 0; i < 2; i++)
		wait_held(scene, i, &hold[i]);
	for (i = 0; i < 2; i++)
		unplug_start(&unplug[i], i);
	for (i = 0; i < 2; i++)
		unplug_wait(&unplug[i], i, scene);
	for (i = 0; i < 2; i++)
		hold_go(&hold[i], 1);
	if (driver->textbook) {
		for (i = 0; i < 2; i++) {
			cycle_inside(&cycle, node(i), "ioctl", scene->task[i].tid);
			cycle_waits(&cycle, node(!i), "nested", scene->task[i].tid);
			cycle_unplug(&cycle, node(i), unplug[i].pid);
		}
		cycle_wait(&cycle, &scene->victims);
		case_end(OUTCOME_DEADLOCK,
			 "each operation waits for the unplug of the other device");
	}
	scene_end(scene, 2);
}
