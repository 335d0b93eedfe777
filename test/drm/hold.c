// SPDX-License-Identifier: GPL-2.0-or-later
/* An operation in a thread, and a page it cannot get past: see hand.h */

#define _GNU_SOURCE
#include "hand.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096

/**
 * struct left - the operation that was left unfinished
 * @call:	it
 * @thread:	that does it
 * @tid:	of the thread
 * @busy:	there is one
 * @back:	it returned
 * @uffd:	serves its page, or -1
 */
static struct left {
	struct call call;
	pthread_t thread;
	pid_t tid;
	bool busy;
	bool back;
	int uffd;
} left = { .uffd = -1 };

static void *left_main(void *arg)
{
	(void)arg;
	__atomic_store_n(&left.tid, gettid(), __ATOMIC_RELEASE);
	left.call.op->run(&left.call);
	__atomic_store_n(&left.back, true, __ATOMIC_RELEASE);
	return NULL;
}

/* A page nobody serves: who touches it first, be it the kernel, waits. */
static int page_arm(void *page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)page, .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &reg)) {
		close(uffd);
		return -1;
	}
	return uffd;
}

/* What it has when served: @first, then zeroes */
static void page_serve(int uffd, void *page, uint64_t first)
{
	static uint64_t content[PAGE / sizeof(uint64_t)];
	struct uffdio_copy copy = {
		.dst = (uintptr_t)page, .src = (uintptr_t)content, .len = PAGE,
	};

	content[0] = first;
	ioctl(uffd, UFFDIO_COPY, &copy);
}

static bool page_reached(int uffd)
{
	struct pollfd fd = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	return poll(&fd, 1, timeout_ms()) == 1 && read(uffd, &msg, sizeof(msg)) == sizeof(msg);
}

void call_start(const struct call *call, bool hold, char *said)
{
	if (left.busy) {
		strcpy(said, "busy");
		return;
	}
	left = (struct left){ .call = *call, .busy = true, .uffd = -1 };
	/* Below 4 GiB, so that 32-bit system calls can name it too */
	left.call.buffer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (hold)
		left.uffd = page_arm(left.call.buffer);
	if (left.call.buffer == MAP_FAILED || (hold && left.uffd < 0) ||
	    pthread_create(&left.thread, NULL, left_main, NULL)) {
		strcpy(said, strerrorname_np(errno));
		left.busy = false;
		return;
	}
	strcpy(said, !hold ? "started" : page_reached(left.uffd) ? "held" : "not-held");
}

static bool left_inside(void)
{
	return left.busy && !__atomic_load_n(&left.back, __ATOMIC_ACQUIRE);
}

void call_state(char *said)
{
	strcpy(said, !left.busy ? "none" : left_inside() ? "inside" : "back");
}

/* Nothing tells that a thread went to sleep: look until it did. */
void call_in(const char *function, char *said)
{
	struct timespec end, now;
	char path[64], stack[4096];
	FILE *file;
	size_t n;

	deadline(CLOCK_MONOTONIC, &end);
	strcpy(said, "ok");
	while (left_inside()) {
		snprintf(path, sizeof(path), "/proc/self/task/%d/stack",
			 __atomic_load_n(&left.tid, __ATOMIC_ACQUIRE));
		file = fopen(path, "r");
		n = file ? fread(stack, 1, sizeof(stack) - 1, file) : 0;
		stack[n] = '\0';
		if (file)
			fclose(file);
		if (strstr(stack, function))
			return;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > end.tv_sec) {
			strcpy(said, "asleep");
			return;
		}
		sched_yield();
	}
	strcpy(said, "back");
}

void call_go(char *said)
{
	struct timespec end;

	if (!left.busy) {
		strcpy(said, "none");
		return;
	}
	card.stop = true;
	if (left.uffd >= 0)
		page_serve(left.uffd, left.call.buffer, left.call.first);
	deadline(CLOCK_REALTIME, &end);
	if (pthread_timedjoin_np(left.thread, NULL, &end)) {
		strcpy(said, "asleep");
		return;
	}
	card.stop = false;
	close(left.uffd);
	munmap(left.call.buffer, PAGE);
	left.busy = false;
	strcpy(said, left.call.answer);
}
