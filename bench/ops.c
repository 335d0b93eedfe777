// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ops: what the guards cost a user, in instructions
 *
 * Runs in the guest whose time stamp counter counts instructions. Does the same to the
 * nodes of unplug-bench, guarded and not, taking turns, and last to the guarded one while it is
 * tracked who is inside. Prints samples as the module does: CASE VARIANT UNIT VALUE.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#define ROUNDS 41
#define COUNT 128		/* operations in a round; few enough to miss most timer ticks */
#define PAGE 4096
#define NODES 4		/* the last is the one before it, tracked */
#define TRACKING "/sys/kernel/debug/unplug/tracking"

struct node {
	const char *variant;
	const char *path;
	int fd;
};

static void fail(const char *what)
{
	fprintf(stderr, "ops: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void sample(const char *name, const struct node *node, uint64_t all)
{
	printf("%s %s instructions %.3f\n", name, node->variant, (double)all / COUNT);
}

static void run_ioctl(const struct node *node)
{
	uint64_t begin = __rdtsc();
	int i;

	for (i = 0; i < COUNT; i++)
		if (ioctl(node->fd, 0, 0) < 0)
			fail("ioctl");
	sample("null_ioctl", node, __rdtsc() - begin);
}

static void run_read(const struct node *node)
{
	static char buffer[PAGE] __attribute__((aligned(PAGE)));
	uint64_t begin;
	int i;

	memset(buffer, 1, sizeof(buffer));
	begin = __rdtsc();
	for (i = 0; i < COUNT; i++)
		if (read(node->fd, buffer, sizeof(buffer)) != sizeof(buffer))
			fail("read");
	sample("read_4k", node, __rdtsc() - begin);
}

/*
 * The mapping begins at a multiple of 2 MiB, so that one page table has all its
 * entries; the touch before the first that counts makes it.
 */
static void run_fault(const struct node *node)
{
	char *at = (char *)0x200000000000;
	char *p = mmap(at, (COUNT + 1) * PAGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED_NOREPLACE, node->fd, 0);
	uint64_t begin;
	int i;

	if (p != at)
		fail("mmap");
	*(volatile char *)p = 0;
	begin = __rdtsc();
	for (i = 1; i <= COUNT; i++)
		*(volatile char *)(p + i * PAGE) = 0;
	sample("minor_fault", node, __rdtsc() - begin);
	munmap(p, (COUNT + 1) * PAGE);
}

static void set_tracking(const char *on)
{
	int fd = open(TRACKING, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, on, 1) != 1)
		fail(TRACKING);
	close(fd);
}

static void run_rounds(const struct node *nodes, unsigned int count)
{
	static void (*const runs[])(const struct node *) = { run_ioctl, run_read, run_fault };
	unsigned int i, n, round;

	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
			for (n = 0; n < count; n++)
				runs[i](&nodes[n]);
}

int main(void)
{
	struct node nodes[NODES] = {
		{ "plain", "/dev/unplug-bench-plain", -1 },
		{ "gates", "/dev/unplug-bench-gates", -1 },
		{ "guarded", "/dev/unplug-bench-guarded", -1 },
		{ "tracked", "/dev/unplug-bench-guarded", -1 },
	};
	unsigned int n;

	for (n = 0; n < NODES; n++) {
		nodes[n].fd = open(nodes[n].path, O_RDWR | O_CLOEXEC);
		if (nodes[n].fd < 0)
			fail(nodes[n].path);
	}
	run_rounds(nodes, NODES - 1);
	set_tracking("1");
	run_rounds(&nodes[NODES - 1], 1);
	set_tracking("0");
	return fclose(stdout) ? 1 : 0;
}
