// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A user of drivers of the kernel tree, converted or as they are:
 *
 *	convert-user SCENE FORM
 *
 * uses a device, has it taken away under processes that are inside its driver, and prints
 * what everybody was answered as lines "result SCENE: WHAT | ANSWER". Form "stock" is the
 * control: what would only show that freed memory is used is left out there.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/phantom.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "test/vm/host.h"

#define HAMMERS 3
#define BATCH 20

#define BOARD "/sys/module/unplug_board/parameters/"

static const char *scene;
static bool gated;

__attribute__((format(printf, 2, 3), noreturn))
static void fail(const char *what, const char *fmt, ...)
{
	va_list args;

	printf("result %s: %s | ", scene, what);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	exit(1);
}

static void result(const char *what, const char *answer)
{
	printf("result %s: %s | %s\n", scene, what, answer);
	fflush(stdout);
}

static const char *answer(long ret)
{
	return ret < 0 ? strerrorname_np(errno) : "ok";
}

static long file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n;
}

static long file_number(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		fail(path, "%m");
	close(fd);
	return strtol(text, NULL, 10);
}

/* A driver may still be busy with binding to it: look until it is there, and live (ENXIO). */
static int device_open(const char *path)
{
	time_t end = time(NULL) + host_timeout();
	int fd;

	while ((fd = open(path, O_RDWR | O_CLOEXEC)) < 0) {
		if ((errno != ENOENT && errno != ENXIO) || time(NULL) > end)
			fail("open", "%s: %s", path, strerrorname_np(errno));
		sched_yield();
	}
	return fd;
}

/* The child's status is errno of what it did, 0 if that worked. */
static pid_t child_start(long (*run)(int fd), int fd)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		fail("fork", "%m");
	if (!pid)
		_exit(run(fd) < 0 ? errno : 0);
	return pid;
}

/* Nothing tells that a process went to sleep: look until it did. */
static void child_wait_asleep(pid_t pid)
{
	char path[64], stat[512], *state;
	int fd;

	do {
		sched_yield();
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		memset(stat, 0, sizeof(stat));
		if (fd < 0 || read(fd, stat, sizeof(stat) - 1) <= 0)
			fail("a sleeper", "gone");
		close(fd);
		state = strrchr(stat, ')');
	} while (!state || strncmp(state, ") S", 3));
}

/*
 * What it was answered; @still if it did not come back. The control is not given time:
 * what would have ended it is over.
 */
static const char *child_end(pid_t pid, bool wait, const char *still)
{
	struct pollfd child = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int status;

	if (poll(&child, 1, wait ? host_timeout() * 1000 : 0) != 1)
		return still;
	close(child.fd);
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status))
		return "killed";
	return WEXITSTATUS(status) ? strerrorname_np(WEXITSTATUS(status)) : "ok";
}

/* Processes in a loop until they fail; each says when it has been round BATCH times. */
struct hammer {
	pid_t pid;
	int rounds[2];
};

static struct hammer hammers[HAMMERS];
static long (*hammer_do)(int fd);

static long hammer_main(int fd)
{
	int out, i;

	for (i = 0; hammers[i].pid; i++)
		;
	out = hammers[i].rounds[1];
	for (i = 1; hammer_do(fd) >= 0; i++)
		if (i % BATCH == 0 && write(out, "", 1) < 0 && errno != EAGAIN)
			return -1;
	return -1;
}

static void hammers_start(long (*operation)(int fd), int fd)
{
	struct hammer *h;
	char round;

	hammer_do = operation;
	for (h = hammers; h < hammers + HAMMERS; h++) {
		if (pipe(h->rounds) || fcntl(h->rounds[1], F_SETFL, O_NONBLOCK))
			fail("pipe", "%m");
		h->pid = child_start(hammer_main, fd);
	}
	for (h = hammers; h < hammers + HAMMERS; h++)
		if (read(h->rounds[0], &round, 1) != 1)
			fail("load", "%m");
}

/* It has ended, or goes on: two more batches, of which one was begun after the pull. */
static const char *hammer_end(struct hammer *h)
{
	struct pollfd events[] = {
		{ .fd = pidfd_open(h->pid, 0), .events = POLLIN },
		{ .fd = h->rounds[0], .events = POLLIN },
	};
	char old[65536];
	int rounds;

	fcntl(h->rounds[0], F_SETFL, O_NONBLOCK);
	while (read(h->rounds[0], old, sizeof(old)) > 0)
		;
	for (rounds = 0; rounds < 2; rounds++) {
		if (poll(events, 2, host_timeout() * 1000) <= 0)
			return "hangs";
		if (events[0].revents)
			return child_end(h->pid, true, "");
		if (read(h->rounds[0], old, 1) != 1)
			return "pipe";
	}
	kill(h->pid, SIGKILL);
	return "goes on";
}

static void hammers_end(void)
{
	const char *one, *all = NULL;
	struct hammer *h;

	for (h = hammers; h < hammers + HAMMERS; h++) {
		one = hammer_end(h);
		all = all && strcmp(one, all) ? "not all the same" : one;
	}
	result("those at work when it is pulled", all);
}

static long unbind(int fd)
{
	(void)fd;
	return file_write(strcmp(scene, "freefall") ?
			  "/sys/bus/platform/drivers/wilco_telem/unbind" :
			  "/sys/bus/platform/drivers/smo8800/unbind",
			  strcmp(scene, "freefall") ? "wilco_telem" : "smo8800");
}

/* --- the free fall sensor: one reader, asleep until it falls --------------------- */

static long freefall_read(int fd)
{
	char falls;

	return read(fd, &falls, 1);
}

static void freefall_fall(int fd)
{
	pid_t reader = child_start(freefall_read, fd);

	child_wait_asleep(reader);
	if (file_write(BOARD "fall", "1") < 0)
		fail("fall", "%m");
	result("a fall, to who sleeps in read", child_end(reader, true, "asleep"));
}

static void freefall(void)
{
	int fd = device_open("/dev/freefall");
	pid_t reader;

	freefall_fall(fd);
	reader = child_start(freefall_read, fd);
	child_wait_asleep(reader);
	result("unbind", child_end(child_start(unbind, fd), true, "does not return"));
	result("who sleeps in read when it is pulled", child_end(reader, gated, "asleep"));
	if (!gated)
		return;
	result("read, old descriptor", answer(freefall_read(fd)));
	result("open, old name", answer(open("/dev/freefall", O_RDWR)));
	if (file_write("/sys/bus/platform/drivers/smo8800/bind", "smo8800") < 0)
		fail("bind", "%m");
	result("read, old descriptor", answer(freefall_read(fd)));
	close(fd);
	freefall_fall(device_open("/dev/freefall"));
}

/* --- Wilco's telemetry: mails, counted by who gets them ------------------------------ */

static long telemetry_write(int fd)
{
	/* WILCO_EC_TELEM_GET_VERSION of the driver, which has it in no header */
	static const char version[] = { 0x38, 0, 0 };

	return write(fd, version, sizeof(version));
}

/*
 * While others use this descriptor: they spoil each other's mails, for which the driver answers
 * EINVAL: it was reached, and that is what is asked here.
 */
static long telemetry_shared(int fd)
{
	long ret = telemetry_write(fd);

	return ret < 0 && errno == EINVAL ? 0 : ret;
}

static void telemetry(void)
{
	int fd = device_open("/dev/wilco_telem0");
	long mails;

	result("write", answer(telemetry_write(fd)));
	hammers_start(telemetry_shared, fd);
	result("unbind", child_end(child_start(unbind, fd), true, "does not return"));
	mails = file_number(BOARD "mails");
	result("write, old descriptor", answer(telemetry_shared(fd)));
	result("mails after unbind",
	       file_number(BOARD "mails") == mails ? "none" : "some");
	hammers_end();
	result("open, old name", answer(open("/dev/wilco_telem0", O_RDWR)));
}

/* --- Phantom: a card on PCI, whose first register is read ------------------------------ */

static long phantom_ioctl(int fd)
{
	struct phm_reg reg = { .reg = 0 };

	return ioctl(fd, PHN_GETREG, &reg);
}

#define CARD "0000:00:04.0"

/*
 * The card is another one, which the driver has to be told to take. The kernel shows
 * it a little after the host has plugged it: look until it does.
 */
static void phantom_bind(void)
{
	time_t end = time(NULL) + host_timeout();

	while (file_write("/sys/bus/pci/devices/" CARD "/driver_override", "phantom") < 0) {
		if (errno != ENOENT || time(NULL) > end)
			fail("driver_override", "%m");
		sched_yield();
	}
	if (file_write("/sys/bus/pci/drivers_probe", CARD) < 0)
		fail("bind", "%m");
}

static void phantom(void)
{
	struct pollfd old = { .events = POLLIN };

	phantom_bind();
	old.fd = device_open("/dev/phantom0");
	result("ioctl", answer(phantom_ioctl(old.fd)));
	hammers_start(phantom_ioctl, old.fd);
	if (host_pull(1))
		fail("pull", "the card is still there");
	hammers_end();
	if (!gated)
		return;
	result("ioctl, old descriptor", answer(phantom_ioctl(old.fd)));
	result("poll, old descriptor", poll(&old, 1, 0) == 1 &&
	       old.revents == (POLLHUP | POLLERR) ? "HUP|ERR" : "something else");
	result("open, old name", answer(open("/dev/phantom0", O_RDWR)));
	if (host_plug(1) < 0)
		fail("plug", "no card");
	phantom_bind();
	result("ioctl, new card", answer(phantom_ioctl(device_open("/dev/phantom0"))));
	result("ioctl, old descriptor", answer(phantom_ioctl(old.fd)));
}

static const struct {
	const char *name;
	void (*play)(void);
} scenes[] = {
	{ "freefall", freefall },
	{ "telemetry", telemetry },
	{ "phantom", phantom },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc == 3 && i < sizeof(scenes) / sizeof(*scenes); i++) {
		if (strcmp(argv[1], scenes[i].name))
			continue;
		scene = argv[1];
		gated = !strcmp(argv[2], "unplug");
		scenes[i].play();
		return 0;
	}
	fprintf(stderr, "usage: convert-user freefall|telemetry|phantom stock|unplug\n");
	return 2;
}
