/* SPDX-License-Identifier: GPL-2.0-or-later */
/* op: the operations on an open file as a table, for cases that try each of them */
#ifndef UNPLUG_TEST_OP_H
#define UNPLUG_TEST_OP_H

#include "case.h"

/**
 * struct op_file - an open file, and the memory operations on it use
 * @card: number of the card
 * @fd: open for reading and writing
 * @buffer: OP_BYTES bytes below 4 GiB; writes take their bytes from it
 */
struct op_file {
	int card;
	int fd;
	void *buffer;
};

#define OP_BYTES 4096
#define OP_BYTE 0x5a		/* what writes write */
#define OP_CARD_BYTE 0xc3	/* what the host has put there for reads */

/* REFUSED: those neither driver has; the kernel says EINVAL for them */
enum op_kind { OP_READS, OP_WRITES, OP_ASKS, OP_SEEKS, OP_MAPS, OP_REFUSED };

struct op {
	const char *name;
	/* REFUSED: those neither driver has; the kernel says EINVAL for them */
enum op_kind kind;
	long (*run)(struct op_file *f);	/* as the system call: -1 and errno */
};

extern const struct op op_read, op_pread, op_readv, op_write, op_pwrite, op_writev, op_llseek,
	op_ioctl, op_compat_ioctl, op_mmap, op_fsync, op_splice, op_lease;

void op_open(struct op_file *f, const struct card *card);
void op_close(struct op_file *f);

/* The operation worked, and did what it is for. */
void op_check(const struct op *op, struct op_file *f, long result);
void op_check_bytes(const char *what, const void *at, int byte);	/* OP_BYTES of them */

#endif
