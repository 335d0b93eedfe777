// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a client does to the file: its seals, its size, its contents, its name in /proc.
 * Promises: U3
 */

#include <grp.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "hostile.h"

#define NOBODY 65534

static enum outcome reseal(struct client *client)
{
	static const int seals[] = {
		F_SEAL_SHRINK, F_SEAL_WRITE, F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(seals); i++)
		need(refused(fcntl(client->fd, F_ADD_SEALS, seals[i]), EPERM));
	need(!(fcntl(client->fd, F_GET_SEALS) & F_SEAL_SHRINK));
	return PASSED;
}

static enum outcome regrow(struct client *client)
{
	need(refused(ftruncate(client->fd, (off_t)client->size * 2), EPERM));
	if (lseek(client->fd, 0, SEEK_END) == 0)
		need(refused(ftruncate(client->fd, 1), EPERM));
	return PASSED;
}

static enum outcome do_fallocate(struct client *client)
{
	off_t size = (off_t)client->size;

	need(refused(fallocate(client->fd, 0, 0, size), EPERM));
	need(refused(fallocate(client->fd, FALLOC_FL_KEEP_SIZE, 0, size), EPERM));
	need(refused(fallocate(client->fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096), EOPNOTSUPP));
	need(refused(fallocate(client->fd, FALLOC_FL_INSERT_RANGE, 0, 4096), EOPNOTSUPP));
	return PASSED;
}

/* Each way there is to put bytes into a file */
static enum outcome refill(struct client *client)
{
	char buf[64] = "refill";
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	int pipes[2], from;
	off_t zero = 0;

	need(lseek(client->fd, 0, SEEK_SET) == 0);
	need(refused(write(client->fd, buf, sizeof(buf)), EPERM));
	need(refused(pwrite(client->fd, buf, sizeof(buf), 0), EPERM));
	need(refused(pwritev(client->fd, &iov, 1, 0), EPERM));
	need(!pipe(pipes));
	need(write(pipes[1], buf, sizeof(buf)) == sizeof(buf));
	need(refused(splice(pipes[0], NULL, client->fd, &zero, sizeof(buf), 0), EPERM));
	from = memfd_create("from", MFD_CLOEXEC);
	need(from >= 0 && write(from, buf, sizeof(buf)) == sizeof(buf));
	zero = 0;
	need(refused(sendfile(client->fd, from, &zero, sizeof(buf)), EPERM));
	zero = 0;
	need(copy_file_range(from, &zero, client->fd, &(off_t){ 0 }, sizeof(buf), 0) < 0);
	return PASSED;
}

static enum outcome truncate_own(struct client *client)
{
	need(!ftruncate(client->fd, 0));
	return PASSED;
}

/* The owner goes on with zeroes, is told, and can still revoke. */
static enum outcome owner_survives(struct owner *owner)
{
	volatile unsigned char *mem = unplug_shmem_addr(owner->shmem);
	size_t size = unplug_shmem_size(owner->shmem);

	need(unplug_shmem_lost(owner->shmem));
	need(mem[0] == 0 && mem[size - 1] == 0);
	mem[1] = 1;
	need(mem[1] == 1);
	return PASSED;
}

static enum outcome truncate_revoke(struct owner *owner)
{
	need(owner_survives(owner) == PASSED);
	need(!unplug_shmem_revoke(owner->shmem, REVOKE_MS, NULL));
	return PASSED;
}

static enum outcome punch(struct client *client)
{
	need(!fallocate(client->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			(off_t)client->size));
	need(client->mem[0] == 0);
	return PASSED;
}

/* A hole is new memory of the same file: shared as before, and revoked as before. */
static enum outcome punch_revoke(struct owner *owner)
{
	volatile unsigned char *mem = unplug_shmem_addr(owner->shmem);

	need(mem[0] == 0);
	need(!unplug_shmem_lost(owner->shmem));
	need(!unplug_shmem_revoke(owner->shmem, REVOKE_MS, NULL));
	return PASSED;
}

static int reopen(struct client *client, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", client->fd);
	return open(path, flags | O_CLOEXEC);
}

static enum outcome reopen_write(struct client *client)
{
	int fd = reopen(client, O_RDWR);
	volatile unsigned char *mem;

	need(fd >= 0);
	need(refused(ftruncate(fd, (off_t)client->size), EPERM));
	need(refused(pwrite(fd, "x", 1, 0), EPERM));
	mem = mmap(NULL, client->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(mem != MAP_FAILED);
	need(gone_store(mem));
	close(fd);
	fd = reopen(client, O_RDWR | O_TRUNC);
	need(fd >= 0);
	close(fd);
	return PASSED;
}

/* Nobody writes to what is read only, though the owner's own user, or root, may open it anew. */
static enum outcome read_only_write(struct client *client)
{
	void *mem = (void *)client->mem;
	int fd;

	need(refused(write(client->fd, "x", 1), EBADF));
	need(refused(ftruncate(client->fd, 0), EINVAL));
	need(refused(fallocate(client->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096),
		     EBADF));
	need(refused(mprotect(mem, client->size, PROT_READ | PROT_WRITE), EACCES));
	fchmod(client->fd, 0600);
	fd = reopen(client, O_RDWR);
	need(fd >= 0);
	need(refused(write(fd, "x", 1), EPERM));
	mem = mmap(NULL, client->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(mem == MAP_FAILED);
	need(errno == EPERM);
	need(refused(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), EPERM));
	close(fd);
	return PASSED;
}

/* As a user who is not the owner's: it stays read only. */
static enum outcome read_only_reopen(struct client *client)
{
	skip_if(geteuid(), "another user's client: it takes root");
	skip_if(setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY), "another user's client");
	need(refused(fchmod(client->fd, 0600), EPERM));
	need(refused(reopen(client, O_RDWR), EACCES));
	need(refused(reopen(client, O_RDONLY), EACCES));
	return PASSED;
}

static enum outcome huge_write(struct client *client)
{
	char buf[64] = "huge";

	/* Without write(2) there is nothing to hold the inode's lock by. */
	need(refused(pwrite(client->fd, buf, sizeof(buf), 0), EINVAL));
	return PASSED;
}

const struct act acts_file[] = {
	{ .name = "reseal", .before = reseal, .after = reseal },
	{ .name = "regrow", .before = regrow, .after = regrow },
	{ .name = "fallocate-revoked", .after = do_fallocate },
	{ .name = "refill-revoked", .after = refill },
	/* Promises: U3, a limit */
	{ .name = "truncate", .before = truncate_own, .revoke = truncate_revoke,
	  .owner = owner_survives },
	/* Promises: U3, a limit */
	{ .name = "punch-hole", .before = punch, .revoke = punch_revoke, .owner = owner_survives },
	{ .name = "reopen-revoked", .after = reopen_write },
	{ .name = "write-read-only", .flags = UNPLUG_SHMEM_READ_ONLY, .before = read_only_write },
	{ .name = "reopen-read-only", .flags = UNPLUG_SHMEM_READ_ONLY, .before = read_only_reopen },
	{ .name = "write-huge", .flags = UNPLUG_SHMEM_HUGE, .before = huge_write },
};
const size_t n_acts_file = ARRAY_SIZE(acts_file);
