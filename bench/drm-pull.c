// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * drm-pull: how long a DRM card's unplug takes, alone, and while another card is held
 *
 *	drm-pull idle|held VARIANT NODE OTHER
 *
 * Runs in the guest, with test/drm/module: NODE is unplugged as its driver would. Held is a
 * section of OTHER's driver, which somebody is in, for two seconds. Prints a sample as the
 * module does.
 */

#include "test/drm/module/unplug-drm-test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define HELD_SECONDS 2

static int test;

struct holder {
	int card;
	pid_t tid;
	pthread_t thread, clock;
};

static void fail(const char *what)
{
	fprintf(stderr, "drm-pull: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int node_open(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail(node);
	return fd;
}

/* Inside its gate, if it has one, and in a section of its driver */
static void *hold(void *arg)
{
	struct holder *holder = arg;
	bool gated = !ioctl(test, UNPLUG_DRM_TEST_GET, holder->card);

	__atomic_store_n(&holder->tid, gettid(), __ATOMIC_RELEASE);
	if (ioctl(test, UNPLUG_DRM_TEST_SECTION, holder->card) < 0)
		fail("a section of the other card");
	if (gated)
		ioctl(test, UNPLUG_DRM_TEST_PUT, holder->card);
	return NULL;
}

static void *leave(void *arg)
{
	(void)arg;
	sleep(HELD_SECONDS);
	ioctl(test, UNPLUG_DRM_TEST_LEAVE, 0);
	return NULL;
}

/* Nothing tells that a thread went to sleep: look until it did. */
static void holder_wait(struct holder *holder)
{
	char path[64], stack[4096] = "";
	FILE *file;
	size_t n;

	while (!strstr(stack, "unplug_drm_test_section")) {
		snprintf(path, sizeof(path), "/proc/self/task/%d/stack",
			 __atomic_load_n(&holder->tid, __ATOMIC_ACQUIRE));
		file = fopen(path, "r");
		n = file ? fread(stack, 1, sizeof(stack) - 1, file) : 0;
		stack[n] = '\0';
		if (file)
			fclose(file);
	}
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
	struct holder holder = { 0 };
	bool held = argc == 5 && !strcmp(argv[1], "held");
	double begin, us;
	int card;

	if (argc != 5 || (!held && strcmp(argv[1], "idle"))) {
		fprintf(stderr, "usage: drm-pull idle|held VARIANT NODE OTHER\n");
		return 2;
	}
	test = node_open("/dev/unplug-drm-test");
	card = node_open(argv[3]);
	holder.card = node_open(argv[4]);
	if (held) {
		if (pthread_create(&holder.thread, NULL, hold, &holder))
			fail("a thread");
		holder_wait(&holder);
		if (pthread_create(&holder.clock, NULL, leave, NULL))
			fail("a thread");
	}
	begin = now_us();
	if (ioctl(test, UNPLUG_DRM_TEST_UNPLUG, card) < 0 && errno != EINPROGRESS)
		fail("unplug");
	us = now_us() - begin;
	if (held) {
		pthread_join(holder.clock, NULL);
		pthread_join(holder.thread, NULL);
	}
	printf("drm_pull_%s %s us %.3f\n", argv[1], argv[2], us);
	return fclose(stdout) ? 1 : 0;
}
