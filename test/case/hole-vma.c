// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mappings that become two, or others: fork, mremap, split and merge. The textbook has a
 * list of them, which is behind: rows b, c and d of doc/mmap-races.md.
 */

#define _GNU_SOURCE
#include "hole.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int child_main(void *arg)
{
	struct hole_other *other = arg;
	int i;

	other_wait(other);
	for (i = 0; i < HOLE_PAGES; i++)
		hole_expect_revoked("a child's mapping", other->map + i * HOLE_PAGE, true);
	return 0;
}

static void touch_all(uint8_t *map)
{
	int i;

	for (i = 0; i < HOLE_PAGES; i++)
		hole_expect_live("a mapping", map + i * HOLE_PAGE);
}

static void other_map(struct hole_other *other, const char *arguments)
{
	hole_load(arguments);
	other->fd = hole_open();
	other->map = hole_map(other->fd, HOLE_PAGES, 0);
	touch_all(other->map);
}

CASE_HOLE(hole_fork_after, "b", .name = "hole-fork-after",
	  .promise = "K3: entries that a child has inherited are revoked",
	  .textbook = "stale-map")
{
	struct hole_other other = { };

	other_map(&other, "way=pfn zap=list");
	/* The parent, which is this process, lets go of its own. */
	other_start(&other, child_main);
	hole_pull();
	hole_fill();
	other_go(&other);
	other_end(&other);
}

static int fork_late(void *arg)
{
	struct hole_other *other = arg;
	int status;
	pid_t pid;

	other_wait(other);
	pid = fork();
	if (!pid)
		_exit(child_main(other));
	other_came(other);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		case_fail("fork: %m");
	hole_expect_revoked("the parent's mapping", other->map, true);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* The other is held at @window, then unplug between two mappings, and he goes on. */
static void hold_both(struct hole_other *other, int (*run)(void *arg), const char *window,
		      struct job *pull)
{
	other_map(other, "way=pfn zap=list opens=1");
	other_start(other, run);
	hole_window_stop(window);
	other_go(other);
	hole_window_wait(window, &other->job);
	hole_window_stop("zap");
	hole_pull_start(pull);
	hole_window_wait("zap", pull);
	hole_window_go(window);
}

static void let_go(struct hole_other *other, struct job *pull)
{
	hole_window_go("zap");
	expect_equal("errno of the pull", job_wait(pull), 0);
	hole_fill();
	other_go(other);
	other_end(other);
}

/*
 * The child's mapping is there, its entries are not: fork is held. Then unplug is, between
 * the two mappings, and the entries are copied. The list has the child first: it is zapped
 * before the parent, from which it gets entries then.
 */
CASE_HOLE(hole_fork_during, "b", .name = "hole-fork-during",
	  .promise = "K3: a fork in the middle of unplug takes no entries along",
	  .textbook = "stale-map", .hooks = true)
{
	struct hole_other other = { };
	struct job pull;

	hold_both(&other, fork_late, "copy", &pull);
	other_await(&other);
	let_go(&other, &pull);
}

#define STORM_FEW 8	/* before unplug; it goes on until unplug is over */
#define STORM_MOST 400

/* Forks, and forks; then all children, and their parent, look. */
static int storm_main(void *arg)
{
	struct hole_other *other = arg;
	int look[2], n, bad = 0, status;

	if (pipe(look))
		case_fail("pipe: %m");
	for (n = 0; n < STORM_MOST && poll_in(other->go[0], 0) != 1; n++) {
		pid_t pid = fork();

		if (pid < 0)
			case_fail("fork: %m");
		if (!pid) {
			close(look[1]);
			_exit(read(look[0], &status, 1) || child_main(other));
		}
		if (n == STORM_FEW)
			other_came(other);
	}
	close(look[1]);
	while (n-- > 0)
		bad |= wait(&status) < 0 || status;
	hole_expect_revoked("the parent's mapping", other->map, true);
	return bad;
}

CASE_HOLE(hole_fork_storm, "b", .name = "hole-fork-storm",
	  .promise = "K3: no child of hundreds that are forked while unplug runs keeps an entry",
	  .textbook = "stale-map")
{
	struct hole_other other = { };
	char all[STORM_MOST] = { };

	other_map(&other, "way=pfn zap=list");
	other_start(&other, storm_main);
	other_await(&other);
	hole_pull();
	/* The parent sees it, and leaves it to them: each child takes one. */
	if (write(other.go[1], all, sizeof(all)) != sizeof(all))
		case_fail("pipe: %m");
	other_end(&other);
}

static uint8_t *elsewhere(size_t length)
{
	void *at = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		case_fail("mmap: %m");
	return at;
}

static uint8_t *move(uint8_t *map, int pages)
{
	size_t length = pages * HOLE_PAGE;
	void *to = mremap(map, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere(length));

	expect_works("mremap", to == MAP_FAILED ? -1 : 0);
	return to;
}

static int moved_main(void *arg)
{
	struct hole_other *other = arg;
	uint8_t *map = move(other->map, HOLE_PAGES);

	other_came(other);
	other_wait(other);
	hole_expect_revoked("what was moved", map, true);
	hole_expect_revoked("its end", map + 3 * HOLE_PAGE, true);
	return 0;
}

CASE_HOLE(hole_move_after, "c", .name = "hole-move-after",
	  .promise = "K3: a mapping that was moved is revoked", .textbook = "stale-map")
{
	struct hole_other other = { };

	other_map(&other, "way=pfn zap=list");
	other_start(&other, moved_main);
	other_await(&other);
	hole_pull();
	hole_fill();
	other_go(&other);
	other_end(&other);
}

static int move_late(void *arg)
{
	struct hole_other *other = arg;

	other_wait(other);
	return moved_main(other);
}

/* As in hole-fork-during: the new place is zapped, then the entries come there. */
CASE_HOLE(hole_move_during, "c", .name = "hole-move-during",
	  .promise = "K3: a move in the middle of unplug takes no entries along",
	  .textbook = "stale-map", .hooks = true)
{
	struct hole_other other = { };
	struct job pull;

	hold_both(&other, move_late, "move", &pull);
	/* The entries have moved, and he waits for the lock that unplug has while it zaps. */
	job_wait_in(&other.job, driver->textbook ? "untrack" : "unlink_file_vma");
	let_go(&other, &pull);
}

static void expect_not_grown(uint8_t *map)
{
	void *to = mremap(map, HOLE_PAGES * HOLE_PAGE, (HOLE_PAGES + 1) * HOLE_PAGE,
			  MREMAP_MAYMOVE);

	expect_errno("growing", to == MAP_FAILED ? -1 : 0, EFAULT);
	to = mremap(map, HOLE_PAGES * HOLE_PAGE, HOLE_PAGES * HOLE_PAGE,
		    MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	expect_errno("moving with MREMAP_DONTUNMAP", to == MAP_FAILED ? -1 : 0, EINVAL);
	hole_expect_live("what stayed as it was", map);
}

static void expect_grown(uint8_t *map)
{
	uint8_t value;

	map = mremap(map, HOLE_PAGES * HOLE_PAGE, (HOLE_PAGES + 1) * HOLE_PAGE, MREMAP_MAYMOVE);
	expect_works("growing", map == MAP_FAILED ? -1 : 0);
	if (!touch_read(map + HOLE_PAGES * HOLE_PAGE, &value))
		case_end(OUTCOME_STALE_MAP, "0x%02x was read behind the device", value);
}

/* What the textbook looks at in ->mmap alone is not looked at when a mapping grows. */
CASE_HOLE(hole_grow, "c", .name = "hole-grow",
	  .promise = "K3: mremap neither grows nor doubles a mapping", .textbook = "stale-map")
{
	uint8_t *map;
	int fd;

	hole_load(driver->textbook ? "way=page" : "way=pfn");
	fd = hole_open();
	map = hole_map(fd, HOLE_PAGES, 0);
	hole_expect_live("a mapping", map);
	if (driver->textbook)
		expect_grown(map);
	else
		expect_not_grown(map);
	munmap(map, HOLE_PAGES * HOLE_PAGE);
	close(fd);
	hole_unload();
}

static int split_main(void *arg)
{
	struct hole_other *other = arg;
	uint8_t *map = other->map;

	expect_works("munmap in the middle", munmap(map + HOLE_PAGE, HOLE_PAGE));
	expect_works("mprotect", mprotect(map + 3 * HOLE_PAGE, HOLE_PAGE, PROT_READ));
	other_came(other);
	other_wait(other);
	hole_expect_revoked("before the gap", map, true);
	hole_expect_revoked("behind the gap", map + 2 * HOLE_PAGE, true);
	hole_expect_revoked("the read-only end", map + 3 * HOLE_PAGE, false);
	return 0;
}

CASE_HOLE(hole_split_after, "d", .name = "hole-split-after",
	  .promise = "K3: a mapping that was split is revoked in all its parts",
	  .textbook = "stale-map")
{
	struct hole_other other = { };

	other_map(&other, "way=pfn zap=list");
	other_start(&other, split_main);
	other_await(&other);
	hole_pull();
	hole_fill();
	other_go(&other);
	other_end(&other);
}

/* Two mappings that fit become one, and ->mmap is not called for the second. */
CASE_HOLE(hole_merge_after, "d", .name = "hole-merge-after",
	  .promise = "K1: mmap fails after unplug, also where it would enlarge a mapping",
	  .textbook = "wrong-errno")
{
	uint8_t *at = elsewhere(HOLE_PAGES * HOLE_PAGE);
	void *map;
	int fd;

	hole_load(driver->textbook ? "way=page" : "way=pfn");
	fd = hole_open();
	map = mmap(at, 2 * HOLE_PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
	expect_works("mmap", map == MAP_FAILED ? -1 : 0);
	hole_expect_live("the first half", map);
	hole_pull();
	map = mmap(at + 2 * HOLE_PAGE, 2 * HOLE_PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
		   2 * HOLE_PAGE);
	expect_errno("mmap of the second half", map == MAP_FAILED ? -1 : 0, ENODEV);
	munmap(at, HOLE_PAGES * HOLE_PAGE);
	close(fd);
	hole_unload();
}
