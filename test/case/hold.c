// SPDX-License-Identifier: GPL-2.0-or-later
/* Two ways to hold an operation where it is: hooks and userfaultfd; see case.h */

#define _GNU_SOURCE
#include "case.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HOOKS "/sys/kernel/debug/unplug-hooks"

bool hook_at(const char *point)
{
	const char *at;
	size_t n = strlen(point);

	if (!driver->hooks)
		return true;
	/* One name may begin another: look for whole words. */
	for (at = driver->hooks; (at = strstr(at, point)); at += n)
		if ((at == driver->hooks || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

static void hook_write(const char *point, const char *word)
{
	char path[CARD_PATH];
	int err;

	snprintf(path, sizeof(path), HOOKS "/%s", point);
	err = file_write(path, word);
	if (err)
		case_fail("%s %s: %s", word, path, strerror(err));
}

void hook_stop(const char *point)
{
	if (hook_at(point))
		hook_write(point, "stop");
}

void hook_wait(const char *point)
{
	char path[CARD_PATH];
	struct job job;
	int err;

	if (!hook_at(point))
		return;
	snprintf(path, sizeof(path), HOOKS "/%s", point);
	job_do(&job, "write", path, "wait");
	err = job_wait(&job);
	if (err)
		case_fail("wait %s: %s", path, strerror(err));
}

void hook_go(const char *point)
{
	if (hook_at(point))
		hook_write(point, "go");
}

void hook_go_all(void)
{
	char path[CARD_PATH + 256];
	struct dirent *entry;
	DIR *dir = opendir(HOOKS);

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), HOOKS "/%s", entry->d_name);
		if (entry->d_name[0] != '.')
			file_write(path, "go");
	}
	if (dir)
		closedir(dir);
}

void hold_init(struct hold *hold, size_t size)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	hold->size = size;
	/* Below 4 GiB, so that 32-bit system calls can name it too. */
	hold->page = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (hold->page == MAP_FAILED)
		case_fail("mmap: %m");
	hold->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (hold->uffd < 0 || ioctl(hold->uffd, UFFDIO_API, &api))
		case_fail("userfaultfd: %m");
	reg.range.start = (uintptr_t)hold->page;
	reg.range.len = size;
	if (ioctl(hold->uffd, UFFDIO_REGISTER, &reg))
		case_fail("UFFDIO_REGISTER: %m");
}

void hold_wait(struct hold *hold)
{
	struct uffd_msg msg;

	if (poll_in(hold->uffd, case_timeout()) != 1)
		case_end(OUTCOME_HANG, "the operation never reached its buffer");
	if (read(hold->uffd, &msg, sizeof(msg)) != sizeof(msg) ||
	    msg.event != UFFD_EVENT_PAGEFAULT)
		case_fail("userfaultfd: unexpected event");
}

/* Takes no mmap_lock, which a thread of the process that is held may have. */
void hold_wake(struct hold *hold)
{
	struct uffdio_range range = { .start = (uintptr_t)hold->page, .len = hold->size };

	if (ioctl(hold->uffd, UFFDIO_WAKE, &range))
		case_fail("UFFDIO_WAKE: %m");
}

void hold_go(struct hold *hold, uint8_t fill)
{
	struct uffdio_copy copy = { .dst = (uintptr_t)hold->page, .len = hold->size };
	void *source = malloc(hold->size);

	if (!source)
		abort();
	memset(source, fill, hold->size);
	copy.src = (uintptr_t)source;
	if (ioctl(hold->uffd, UFFDIO_COPY, &copy))
		case_fail("UFFDIO_COPY: %m");
	free(source);
}
