// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A user of a DRM card: opens it, makes a dumb buffer, maps it, and sleeps in a read
 * of its events. Says "ready", waits for a line on stdin, by which time the card
 * has been pulled, and prints what every operation answers now:
 *
 *	read ENODEV
 *	ioctl ENODEV
 *	map SIGBUS
 *	...
 *
 * A mapping is "alive" if it still has what was written before, or has become "zeroes".
 *
 * The read that slept is waited for as long as UNPLUG_TIMEOUT says; it then reads
 * "asleep".
 */

#define _GNU_SOURCE
#include <libdrm/drm.h>
#include <libdrm/drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FILL 0x5a

static int fd;
static uint64_t offset;
static uint32_t handle;
static size_t size;
static sigjmp_buf on_bus;

static void die(const char *what)
{
	fprintf(stderr, "drm-user: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void say(const char *what, long result)
{
	const char *name = strerrorname_np(errno);

	printf("%s %s\n", what, result < 0 ? name : "ok");
	fflush(stdout);
}

static void handle_bus(int signal)
{
	(void)signal;
	siglongjmp(on_bus, 1);
}

static const char *touch(volatile uint8_t *map)
{
	uint8_t before;

	if (sigsetjmp(on_bus, 1))
		return "SIGBUS";
	before = *map;
	*map = FILL + 1;
	if (*map != FILL + 1)
		return "read-only";
	return before == FILL ? "alive" : before ? "changed" : "zeroes";
}

static uint8_t *make_buffer(void)
{
	struct drm_mode_create_dumb create = { .width = 640, .height = 480, .bpp = 32 };
	struct drm_mode_map_dumb map = { 0 };
	uint8_t *memory;

	if (ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &create))
		die("DRM_IOCTL_MODE_CREATE_DUMB");
	handle = create.handle;
	size = create.size;
	map.handle = handle;
	if (ioctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &map))
		die("DRM_IOCTL_MODE_MAP_DUMB");
	offset = map.offset;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	if (memory == MAP_FAILED)
		die("mmap");
	memset(memory, FILL, size);
	return memory;
}

static void *read_events(void *arg)
{
	char events[4096];
	ssize_t n = read(fd, events, sizeof(events));

	*(int *)arg = n < 0 ? errno : 0;
	return NULL;
}

/* What a sleeping reader was woken with. */
static void report_reader(pthread_t reader, const int *err)
{
	const char *timeout = getenv("UNPLUG_TIMEOUT");
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += timeout ? atoi(timeout) : 30;
	if (pthread_timedjoin_np(reader, NULL, &end)) {
		printf("sleeping-read asleep\n");
		return;
	}
	errno = *err;
	say("sleeping-read", *err ? -1 : 0);
}

static void report(const char *node, uint8_t *memory)
{
	struct drm_mode_create_dumb create = { .width = 64, .height = 64, .bpp = 32 };
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	struct drm_version version = { 0 };
	void *again;
	char byte[64];

	printf("map %s\n", touch(memory));
	say("ioctl", ioctl(fd, DRM_IOCTL_VERSION, &version));
	say("ioctl-dumb", ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &create));
	again = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	say("mmap", again == MAP_FAILED ? -1 : 0);
	poll(&poll_fd, 1, 0);
	printf("poll %s%s%s%s\n", poll_fd.revents & POLLIN ? "IN" : "",
	       poll_fd.revents & POLLHUP ? "HUP" : "", poll_fd.revents & POLLERR ? "ERR" : "",
	       poll_fd.revents ? "" : "quiet");
	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	say("read", read(fd, byte, sizeof(byte)));
	say("open", open(node, O_RDWR));
	say("munmap", munmap(memory, size));
	say("close", close(fd));
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = handle_bus };
	pthread_t reader;
	uint8_t *memory;
	int err = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: drm-user NODE\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR);
	if (fd < 0)
		die(argv[1]);
	sigaction(SIGBUS, &action, NULL);
	memory = make_buffer();
	if (pthread_create(&reader, NULL, read_events, &err))
		die("pthread_create");
	printf("ready\n");
	fflush(stdout);
	if (getchar() == EOF)
		die("stdin");
	report_reader(reader, &err);
	report(argv[1], memory);
	return 0;
}
