// SPDX-License-Identifier: GPL-2.0-or-later
/* The operations on an open file; see op.h */

#define _GNU_SOURCE
#include "op.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include "include/uapi/unplug/ivshmem.h"
#include "test/vm/host.h"

#define NR_ioctl_32 54

void op_open(struct op_file *f, const struct card *card)
{
	f->card = card->number;
	f->fd = card_open(card);
	f->buffer = mmap(NULL, OP_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (f->buffer == MAP_FAILED)
		case_fail("mmap: %m");
	memset(f->buffer, OP_BYTE, OP_BYTES);
}

/* K1: close of an old file works. */
void op_close(struct op_file *f)
{
	expect_works("close", close(f->fd));
}

static long run_read(struct op_file *f)
{
	return read(f->fd, f->buffer, OP_BYTES);
}

static long run_pread(struct op_file *f)
{
	return pread(f->fd, f->buffer, OP_BYTES, 0);
}

static long run_readv(struct op_file *f)
{
	struct iovec part[2] = {
		{ .iov_base = f->buffer, .iov_len = OP_BYTES / 2 },
		{ .iov_base = (char *)f->buffer + OP_BYTES / 2, .iov_len = OP_BYTES / 2 },
	};

	return readv(f->fd, part, 2);
}

static long run_write(struct op_file *f)
{
	return write(f->fd, f->buffer, OP_BYTES);
}

static long run_pwrite(struct op_file *f)
{
	return pwrite(f->fd, f->buffer, OP_BYTES, 0);
}

static long run_writev(struct op_file *f)
{
	struct iovec part[2] = {
		{ .iov_base = f->buffer, .iov_len = OP_BYTES / 2 },
		{ .iov_base = (char *)f->buffer + OP_BYTES / 2, .iov_len = OP_BYTES / 2 },
	};

	return writev(f->fd, part, 2);
}

static long run_llseek(struct op_file *f)
{
	return lseek(f->fd, OP_BYTES, SEEK_SET);
}

static long run_ioctl(struct op_file *f)
{
	return ioctl(f->fd, IVSHMEM_IOC_INFO, f->buffer);
}

/* The 32-bit entry of the kernel, from a 64-bit program */
static long run_compat_ioctl(struct op_file *f)
{
	long result = NR_ioctl_32;

	__asm__ volatile("int $0x80"
			 : "+a" (result)
			 : "b" (f->fd), "c" (IVSHMEM_IOC_INFO), "d" (f->buffer)
			 : "memory", "r8", "r9", "r10", "r11");
	if ((int)result < 0) {
		errno = -(int)result;
		return -1;
	}
	return result;
}

static long run_mmap(struct op_file *f)
{
	void *map = mmap(NULL, OP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);

	return map == MAP_FAILED ? -1 : (long)map;
}

static long run_fsync(struct op_file *f)
{
	return fsync(f->fd);
}

static long run_splice(struct op_file *f)
{
	int ends[2], err;
	long n;

	if (pipe2(ends, O_CLOEXEC))
		case_fail("pipe: %m");
	n = splice(f->fd, NULL, ends[1], NULL, OP_BYTES, 0);
	err = errno;
	close(ends[0]);
	close(ends[1]);
	errno = err;
	return n;
}

static long run_lease(struct op_file *f)
{
	return fcntl(f->fd, F_SETLEASE, F_WRLCK);
}

const struct op op_read = { "read", OP_READS, run_read };
const struct op op_pread = { "pread", OP_READS, run_pread };
const struct op op_readv = { "readv", OP_READS, run_readv };
const struct op op_write = { "write", OP_WRITES, run_write };
const struct op op_pwrite = { "pwrite", OP_WRITES, run_pwrite };
const struct op op_writev = { "writev", OP_WRITES, run_writev };
const struct op op_llseek = { "llseek", OP_SEEKS, run_llseek };
const struct op op_ioctl = { "ioctl", OP_ASKS, run_ioctl };
const struct op op_compat_ioctl = { "compat-ioctl", OP_ASKS, run_compat_ioctl };
const struct op op_mmap = { "mmap", OP_MAPS, run_mmap };

const struct op op_fsync = { "fsync", OP_REFUSED, run_fsync };
const struct op op_splice = { "splice", OP_REFUSED, run_splice };
const struct op op_lease = { "lease", OP_REFUSED, run_lease };

static void check_bytes(const char *what, const void *at, int byte, size_t n)
{
	const unsigned char *bytes = at;
	size_t i;

	for (i = 0; i < n; i++)
		if (bytes[i] != byte)
			case_end(OUTCOME_WRONG_ERRNO, "%s: byte %zu is 0x%02x, expected 0x%02x",
				 what, i, bytes[i], byte);
}

void op_check_bytes(const char *what, const void *at, int byte)
{
	check_bytes(what, at, byte, OP_BYTES);
}

static void check_written(const struct op *op, struct op_file *f)
{
	long differ = host_number("count %d current 0", f->card);

	/* At least these: earlier cases may have written elsewhere. */
	if (differ < OP_BYTES)
		case_end(OUTCOME_WRONG_ERRNO, "%s: the host sees %ld bytes written, expected %d",
			 op->name, differ, OP_BYTES);
}

void op_check(const struct op *op, struct op_file *f, long result)
{
	struct ivshmem_info *info = f->buffer;

	if (op->kind == OP_REFUSED)
		expect_errno(op->name, result, EINVAL);
	else
		expect_works(op->name, result);
	switch (op->kind) {
	case OP_READS:
		expect_equal(op->name, result, OP_BYTES);
		check_bytes(op->name, f->buffer, OP_CARD_BYTE, OP_BYTES);
		break;
	case OP_WRITES:
		expect_equal(op->name, result, OP_BYTES);
		check_written(op, f);
		break;
	case OP_ASKS:
		expect_equal("size", info->size, CARD_SIZE);
		if (!info->generation)
			case_end(OUTCOME_WRONG_ERRNO, "%s: generation 0", op->name);
		break;
	case OP_SEEKS:
		expect_equal(op->name, result, OP_BYTES);
		break;
	case OP_MAPS:
		check_bytes(op->name, (void *)result, OP_CARD_BYTE, OP_BYTES);
		munmap((void *)result, OP_BYTES);
		break;
	case OP_REFUSED:
		break;
	}
}
