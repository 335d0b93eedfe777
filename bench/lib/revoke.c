// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * revoke: how long it takes to take memory back from those who have it mapped
 *
 *	revoke >SAMPLES
 *
 * Processes map it, write to every page, and sleep on. Kinds and sizes take turns. Beside the
 * library there is ftruncate() of a bare memfd, which is the least that can be done.
 */
#include "clock.h"

#include <fcntl.h>
#include <libunplug/shmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAPPERS_MAX 200

static const struct size {
	const char *name;
	size_t bytes;
	unsigned int mappers, rounds;
} sizes[] = {
	{ "revoke_4k_1", 4096, 1, 51 },
	{ "revoke_4k_8", 4096, 8, 31 },
	{ "revoke_4k_50", 4096, 50, 15 },
	{ "revoke_4k_200", 4096, 200, 11 },
	{ "revoke_1m_1", 1 << 20, 1, 51 },
	{ "revoke_1m_200", 1 << 20, 200, 7 },
	{ "revoke_64m_1", 64 << 20, 1, 15 },
	{ "revoke_1g_1", 1 << 30, 1, 5 },
};

static pid_t mappers[MAPPERS_MAX];
static int ready[2], go[2];	/* pipes */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A child, from here on. Its end is the end of go. */
static void map_and_sleep(char *memory, size_t bytes)
{
	char byte = 0;
	size_t i;

	for (i = 0; i < bytes; i += 4096)
		((volatile char *)memory)[i] = 1;
	close(go[1]);
	if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1))
		_exit(1);
	_exit(0);
}

static void bare_child(const struct size *size, int fd)
{
	char *memory = mmap(NULL, size->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		_exit(1);
	map_and_sleep(memory, size->bytes);
}

static void lent_child(const struct size *size, int sock)
{
	struct unplug_loan *loan;

	if (unplug_loan_borrow(&loan, sock, 0))
		_exit(1);
	map_and_sleep(unplug_loan_addr(loan), size->bytes);
}

static void mappers_begin(void)
{
	if (pipe2(ready, O_CLOEXEC) || pipe2(go, O_CLOEXEC))
		die("pipe");
}

/* Who has died instead is missed for ever: of all but himself the other end is closed. */
static void mappers_wait(unsigned int n)
{
	char byte;

	close(ready[1]);
	for (; n; n--)
		if (read(ready[0], &byte, 1) != 1)
			die("a process that maps it has failed");
}

static void mappers_end(unsigned int n)
{
	close(ready[0]);
	close(go[0]);
	close(go[1]);
	for (; n; n--)
		waitpid(mappers[n - 1], NULL, 0);
}

static double bare_revoke(const struct size *size)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);
	unsigned int i;
	double begin;

	if (fd < 0 || ftruncate(fd, size->bytes))
		die("memfd");
	mappers_begin();
	for (i = 0; i < size->mappers; i++) {
		mappers[i] = fork();
		if (!mappers[i])
			bare_child(size, fd);
	}
	mappers_wait(size->mappers);
	begin = clock_now();
	if (ftruncate(fd, 0))
		die("ftruncate");
	begin = clock_now() - begin;
	mappers_end(size->mappers);
	close(fd);
	return begin;
}

static double lent_revoke(const struct size *size)
{
	struct unplug_shmem *shmem;
	unsigned int i;
	double begin;
	int sock[2];

	if (unplug_shmem_create(&shmem, "bench", size->bytes, 0) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		die("unplug_shmem_create");
	mappers_begin();
	for (i = 0; i < size->mappers; i++) {
		if (unplug_shmem_lend(shmem, sock[0]))
			die("unplug_shmem_lend");
		mappers[i] = fork();
		if (!mappers[i])
			lent_child(size, sock[1]);
	}
	mappers_wait(size->mappers);
	begin = clock_now();
	if (unplug_shmem_revoke(shmem, -1, NULL))
		die("unplug_shmem_revoke");
	begin = clock_now() - begin;
	mappers_end(size->mappers);
	close(sock[0]);
	close(sock[1]);
	unplug_shmem_free(shmem);
	return begin;
}

int main(void)
{
	const struct size *size, *end = sizes + sizeof(sizes) / sizeof(sizes[0]);
	unsigned int round;

	for (size = sizes; size < end; size++) {
		for (round = 0; round < size->rounds; round++) {
			clock_report(size->name, "ftruncate", "us", bare_revoke(size) / 1000);
			clock_report(size->name, "unplug", "us", lent_revoke(size) / 1000);
			fflush(stdout);
		}
	}
	return fclose(stdout) ? 1 : 0;
}
