// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a client does with mappings: all kinds of them, very many, and pins of their pages.
 * Promises: U3
 */

#include <pthread.h>
#include <stdint.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "hostile.h"

#ifdef HAVE_LIBURING
#include <liburing.h>
#endif

#define MANY 10000

enum { PRIVATE, MOVED, LOCKED, UNTOUCHED };

static enum outcome kinds_before(struct client *client)
{
	volatile unsigned char *private, *moved, *locked;
	size_t size = client->size;

	private = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, client->fd, 0);
	need(private != MAP_FAILED);
	private[0] = 1;
	moved = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, client->fd, 0);
	need(moved != MAP_FAILED);
	moved[0] = PATTERN;
	moved = mremap((void *)moved, size, size * 2, MREMAP_MAYMOVE);
	need(moved != MAP_FAILED);
	locked = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, client->fd, 0);
	need(locked != MAP_FAILED);
	skip_if(mlock((void *)locked, size), "mlock");
	client->data[PRIVATE] = (void *)private;
	client->data[MOVED] = (void *)moved;
	client->data[LOCKED] = (void *)locked;
	client->data[UNTOUCHED] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
				       client->fd, 0);
	need(client->data[UNTOUCHED] != MAP_FAILED);
	return PASSED;
}

static enum outcome kinds_after(struct client *client)
{
	volatile unsigned char *mem;
	int status;
	size_t i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(client->data); i++) {
		mem = client->data[i];
		need(gone_load(mem));
		need(gone_store(mem));
		need(gone_load(mem + client->size - 1));
	}
	pid = fork();
	if (!pid)
		_exit(!gone_load(client->mem) || !gone_load(client->data[PRIVATE]));
	need(waitpid(pid, &status, 0) == pid);
	need(WIFEXITED(status) && !WEXITSTATUS(status));
	return PASSED;
}

/* The kernel's accesses on the client's behalf */
static enum outcome calls_after(struct client *client)
{
	void *mem = (void *)client->mem;
	int pipes[2], fd;
	char byte;

	need(!pipe(pipes));
	need(refused(write(pipes[1], mem, 1), EFAULT));
	need(write(pipes[1], "x", 1) == 1);
	need(refused(read(pipes[0], mem, 1), EFAULT));
	need(refused(vmsplice(pipes[1], &(struct iovec){ mem, 1 }, 1, 0), EFAULT));
	need(refused(process_vm_readv(getpid(), &(struct iovec){ &byte, 1 }, 1,
				      &(struct iovec){ mem, 1 }, 1, 0), EFAULT));
	fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	skip_if(fd < 0, "/proc/self/mem");
	need(refused(pread(fd, &byte, 1, (off_t)(uintptr_t)mem), EIO));
	need(refused(pwrite(fd, &byte, 1, (off_t)(uintptr_t)mem), EIO));
	return PASSED;
}

static enum outcome many_before(struct client *client)
{
	size_t page = client->size / PAGES;
	volatile unsigned char **maps;
	int i;

	maps = calloc(MANY, sizeof(*maps));
	client->data[0] = maps;
	need(maps);
	for (i = 0; i < MANY; i++) {
		maps[i] = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, client->fd, 0);
		skip_if(maps[i] == MAP_FAILED, "10000 mappings");
		maps[i][1] = (unsigned char)i;
	}
	return PASSED;
}

static enum outcome many_after(struct client *client)
{
	volatile unsigned char **maps = client->data[0];
	int i;

	for (i = 0; i < MANY; i++)
		need(gone_load(maps[i]));
	return PASSED;
}

/* Pages in a pipe: the client keeps what they were. */
static enum outcome pipe_before(struct client *client)
{
	struct iovec iov = { .iov_base = (void *)client->mem, .iov_len = client->size };
	int *pipes = calloc(2, sizeof(*pipes));

	client->data[0] = pipes;
	need(pipes && !pipe(pipes));
	need(vmsplice(pipes[1], &iov, 1, 0) == (ssize_t)client->size);
	return PASSED;
}

static enum outcome pipe_after(struct client *client)
{
	unsigned char *buf = calloc(1, client->size);
	int *pipes = client->data[0];

	need(buf);
	need(read(pipes[0], buf, client->size) == (ssize_t)client->size);
	need(buf[0] == PATTERN && buf[client->size - 1] == PATTERN);
	return PASSED;
}

/* What a client keeps, the owner does not see. */
static enum outcome pin_unseen(struct owner *owner)
{
	volatile unsigned char *mem = unplug_shmem_addr(owner->shmem);

	need(mem[0] == 0);
	need(mem[unplug_shmem_size(owner->shmem) - 1] == 0);
	return PASSED;
}

#ifdef HAVE_LIBURING

/* One read or write of a byte at the registered buffer, by way of a pipe */
static enum outcome ring_move(struct client *client, int fd, bool store)
{
	struct io_uring *ring = client->data[0];
	void *mem = (void *)client->mem;
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;

	need(sqe);
	if (store)
		io_uring_prep_read_fixed(sqe, fd, mem, 1, 0, 0);
	else
		io_uring_prep_write_fixed(sqe, fd, mem, 1, 0, 0);
	need(io_uring_submit(ring) == 1);
	need(!io_uring_wait_cqe(ring, &cqe));
	need(cqe->res == 1);
	io_uring_cqe_seen(ring, cqe);
	return PASSED;
}

static enum outcome ring_before(struct client *client)
{
	struct iovec iov = { .iov_base = (void *)client->mem, .iov_len = client->size };
	struct io_uring *ring = calloc(1, sizeof(*ring));

	need(ring);
	errno = -io_uring_queue_init(4, ring, 0);
	skip_if(errno, "io_uring");
	errno = -io_uring_register_buffers(ring, &iov, 1);
	skip_if(errno, "fixed buffers");
	client->data[0] = ring;
	return PASSED;
}

static enum outcome ring_after(struct client *client)
{
	unsigned char byte = 0;
	int pipes[2];

	need(!pipe(pipes));
	need(ring_move(client, pipes[1], false) == PASSED);
	need(read(pipes[0], &byte, 1) == 1 && byte == PATTERN);
	need(write(pipes[1], "\x77", 1) == 1);
	need(ring_move(client, pipes[0], true) == PASSED);
	need(ring_move(client, pipes[1], false) == PASSED);
	need(read(pipes[0], &byte, 1) == 1 && byte == 0x77);
	return PASSED;
}

#else

static enum outcome ring_before(struct client *client)
{
	(void)client;
	skip_if(true, "built without liburing");
	return PASSED;
}

#define ring_after NULL

#endif

const struct act acts_map[] = {
	{ .name = "access-revoked" },
	{ .name = "mappings-of-each-kind", .before = kinds_before, .after = kinds_after },
	{ .name = "system-calls-revoked", .after = calls_after },
	{ .name = "10000-mappings", .before = many_before, .after = many_after },
	{ .name = "access-revoked-huge", .flags = UNPLUG_SHMEM_HUGE },
	{ .name = "access-revoked-read-only", .flags = UNPLUG_SHMEM_READ_ONLY },
	/* Promises: U3, a limit */
	{ .name = "pin-pipe", .before = pipe_before, .after = pipe_after, .owner = pin_unseen },
	/* Promises: U3, a limit */
	{ .name = "pin-io-uring", .before = ring_before, .after = ring_after,
	  .owner = pin_unseen },
};
const size_t n_acts_map = ARRAY_SIZE(acts_map);
