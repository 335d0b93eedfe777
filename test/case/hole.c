// SPDX-License-Identifier: GPL-2.0-or-later
/* What the cases of mapping holes have in common; see hole.h */

#define _GNU_SOURCE
#include "hole.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PARAMETERS "/sys/module/unplug_hole/parameters/"

void hole_load(const char *arguments)
{
	char all[160];

	snprintf(all, sizeof(all), "kind=%s window_seconds=%d %s",
		 driver->textbook ? "textbook" : "gated", case_timeout() / 2000, arguments);
	expect_equal("errno of loading unplug-hole", module_load("unplug-hole", all), 0);
	node_wait(HOLE_NODE, true);
}

int hole_open(void)
{
	int fd = open(HOLE_NODE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		case_fail(HOLE_NODE ": %m");
	return fd;
}

uint8_t *hole_map(int fd, int pages, int first)
{
	return card_map(fd, pages * HOLE_PAGE, (off_t)first * HOLE_PAGE);
}

void hole_pull_start(struct job *job)
{
	job_do(job, "write", PARAMETERS "pull", "1");
}

void hole_pull(void)
{
	module_pull(PARAMETERS "pull");
}

void hole_fill(void)
{
	char text[8];

	snprintf(text, sizeof(text), "%d", HOLE_LATER);
	expect_equal("errno of filling", file_write(PARAMETERS "fill", text), 0);
}

static int hole_number(const char *path)
{
	char text[16];

	expect_equal(path, file_read(path, text, sizeof(text)), 0);
	return atoi(text);
}

int hole_late(void)
{
	return hole_number(PARAMETERS "late");
}

void hole_expect_early(void)
{
	if (!hole_number(PARAMETERS "early"))
		case_fail("the function this is about was not called");
}

static int window_write(const char *name, const char *state)
{
	char path[64];

	snprintf(path, sizeof(path), PARAMETERS "at_%s", name);
	return file_write(path, state);
}

void hole_window_stop(const char *name)
{
	int err = window_write(name, "stop");

	if (err == ENOENT)
		case_end(OUTCOME_SKIP, "this kernel has no place for the window '%s'", name);
	expect_equal("errno of stopping at a window", err, 0);
}

void hole_window_wait(const char *name, const struct job *job)
{
	char path[64];

	snprintf(path, sizeof(path), PARAMETERS "at_%s", name);
	job_wait_file(job, path, "held");
}

void hole_window_go(const char *name)
{
	expect_equal("errno of leaving a window", window_write(name, "go"), 0);
}

int hole_byte(void)
{
	return hole_number(PARAMETERS "byte");
}

void hole_follow(const void *map)
{
	char text[24];

	snprintf(text, sizeof(text), "%p", map);
	expect_equal("errno of following", file_write(PARAMETERS "follow", text), 0);
}

int hole_followed(void)
{
	return hole_number(PARAMETERS "followed");
}

void hole_unload(void)
{
	expect_equal("errno of unloading unplug-hole", module_unload_soon("unplug-hole"), 0);
}

void hole_expect_live(const char *what, const uint8_t *at)
{
	uint8_t value = 0;
	int sig = touch_read((void *)at, &value);

	if (sig || value != HOLE_BYTE)
		case_fail("%s, live: signal %d, 0x%02x", what, sig, value);
}

void hole_expect_revoked(const char *what, uint8_t *at, bool writable)
{
	uint8_t value = 0;
	int sig;

	if (writable) {
		expect_signal_bus(what, at);
		return;
	}
	sig = touch_read(at, &value);
	if (!sig)
		case_end(OUTCOME_STALE_MAP, "%s: read 0x%02x, expected SIGBUS", what, value);
	if (sig != SIGBUS)
		case_fail("%s: reading raised signal %d, expected SIGBUS", what, sig);
}

void hole_expect_refused(int fd, const char *why)
{
	void *map = mmap(NULL, HOLE_PAGES * HOLE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	expect_errno("a mapping that cannot be revoked", map == MAP_FAILED ? -1 : 0, EOPNOTSUPP);
	log_wait("unplug-hole: mapping refused", why);
}

/* What is open and mapped for the other is the other's alone from then on. */
void other_start(struct hole_other *other, int (*run)(void *arg))
{
	if (pipe2(other->go, O_CLOEXEC) || pipe2(other->came, O_CLOEXEC))
		case_fail("pipe: %m");
	job_start(&other->job, run, other);
	close(other->go[0]);
	close(other->came[1]);
	if (other->map)
		munmap(other->map, HOLE_PAGES * HOLE_PAGE);
	if (other->fd >= 0)
		close(other->fd);
}

void other_go(struct hole_other *other)
{
	word_tell(other->go[1]);
}

void other_await(struct hole_other *other)
{
	word_hear(other->came[0], "the other process");
}

/* And nothing is left that could hold the module. */
void other_end(struct hole_other *other)
{
	expect_equal("status of the other process", job_wait(&other->job), 0);
	close(other->go[1]);
	close(other->came[0]);
	hole_unload();
}

void other_wait(struct hole_other *other)
{
	word_hear(other->go[0], "the case");
}

void other_came(struct hole_other *other)
{
	word_tell(other->came[1]);
}
