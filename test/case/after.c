// SPDX-License-Identifier: GPL-2.0-or-later
/* The operations on an open file: before unplug, and after it */

#define _GNU_SOURCE
#include "case.h"
#include "op.h"

#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Each operation works, and reaches the card, as long as nobody pulls it. */
static void works_before(const struct op *op)
{
	struct card card;
	struct op_file f;

	card_init(&card, 1);
	card_fill(1, op->kind == OP_WRITES ? 0 : OP_CARD_BYTE);
	op_open(&f, &card);
	op_check(op, &f, op->run(&f));
	op_close(&f);
}

/* Between 6.1 and 6.12 leases became the business of regular files alone. */
static bool op_asks_driver(const struct op *op)
{
	struct utsname kernel;
	int major, minor;

	return op != &op_lease || uname(&kernel) < 0 ||
	       sscanf(kernel.release, "%d.%d", &major, &minor) != 2 ||
	       major < 6 || (major == 6 && minor < 12);
}

/* K1: each operation on an old file fails with ENODEV, at once. */
static void fails_after(const struct op *op)
{
	struct card card;
	struct op_file f;

	if (!op_asks_driver(op))
		case_end(OUTCOME_SKIP, "this kernel asks no driver for it");
	card_init(&card, 1);
	op_open(&f, &card);
	card_unplug(&card);
	expect_errno(op->name, op->run(&f), ENODEV);
	op_close(&f);
}

#define BEFORE_AND_AFTER(id, text)						\
	CASE_OF(id##_before, works_before, &op_##id,				\
		.name = text "-before",						\
		.promise = "K1: " text " is as ever on a live card",			\
		.naive = "passes: nothing was pulled");				\
	CASE_OF(id##_after, fails_after, &op_##id,				\
		.name = text "-after",						\
		.promise = "K1: " text " on an old file fails with ENODEV",	\
		.naive = "wrong-errno")

BEFORE_AND_AFTER(read, "read");
BEFORE_AND_AFTER(pread, "pread");
BEFORE_AND_AFTER(readv, "readv");
BEFORE_AND_AFTER(write, "write");
BEFORE_AND_AFTER(pwrite, "pwrite");
BEFORE_AND_AFTER(writev, "writev");
BEFORE_AND_AFTER(llseek, "llseek");
BEFORE_AND_AFTER(ioctl, "ioctl");
BEFORE_AND_AFTER(compat_ioctl, "compat-ioctl");
BEFORE_AND_AFTER(mmap, "mmap");
BEFORE_AND_AFTER(fsync, "fsync");
BEFORE_AND_AFTER(splice, "splice");
BEFORE_AND_AFTER(lease, "lease");
