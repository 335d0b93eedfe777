// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operations that are inside when the card is pulled.
 *
 * Two ways to be inside: held by a hook before the driver's function is called, in
 * the hook build, which works for every operation; and held by a buffer that the
 * test serves itself, in the shipped build, in the middle of the driver's copy.
 * Either way unplug must not wait, and the late operation must not reach the card.
 */

#define _GNU_SOURCE
#include "case.h"
#include "op.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "include/uapi/unplug/ivshmem.h"

/* What an insider may answer when it is let go after shut */
static void late_check(const struct op *op, struct op_file *f, long result, bool copied)
{
	struct ivshmem_info *info = f->buffer;

	if (result == -1) {
		expect_errno(op->name, result, ENODEV);
		return;
	}
	switch (op->kind) {
	case OP_SEEKS:
		expect_equal(op->name, result, OP_BYTES);
		break;
	case OP_ASKS:
		expect_equal("size", info->size, CARD_SIZE);
		break;
	case OP_MAPS:
		expect_signal_bus("a mapping that was made late", (void *)result);
		break;
	case OP_READS:
		/* Copied out of the card before it was pulled: held in user memory. */
		if (copied && result == OP_BYTES)
			break;
		/* fallthrough */
	default:
		expect_errno(op->name, result, ENODEV);
	}
}

struct late {
	const struct op *op;
	struct op_file f;
	int start[2];
};

static int late_main(void *arg)
{
	struct late *late = arg;
	char byte;

	close(late->start[1]);
	if (read(late->start[0], &byte, 1) != 1)
		return 1;
	late_check(late->op, &late->f, late->op->run(&late->f), false);
	op_close(&late->f);
	return 0;
}

/*
 * The operation is done by a process that alone has the file open: closing a
 * copy, when some other program is started, would be held by the hook as well.
 */
static void held_by_hook(const struct op *op)
{
	struct late late = { .op = op };
	struct card card;
	struct job job;

	card_init(&card, 1);
	card_fill(1, 0);
	op_open(&late.f, &card);
	if (pipe(late.start))
		case_fail("pipe: %m");
	job_start(&job, late_main, &late);
	close(late.f.fd);

	hook_stop("operation");
	if (write(late.start[1], "", 1) != 1)
		case_fail("pipe: %m");
	hook_wait("operation");
	card_unbind(&card);
	if (!driver->naive && log_has(card.id, "gone after"))
		case_fail("gone was declared with an operation inside");
	hook_go("operation");
	job_wait(&job);
	card_wait_gone(&card);
	expect_untouched(1, "current", 0);
}

#define DURING(id, text, control)						\
	CASE_OF(id##_during, held_by_hook, &op_##id,				\
		.name = text "-during",						\
		.promise = "K2: a late " text " does not reach the card",	\
		.naive = (control), .hooks = true)

DURING(read, "read", "wrong-errno");
DURING(pread, "pread", "wrong-errno");
DURING(readv, "readv", "wrong-errno");
DURING(write, "write", "wrong-errno");
DURING(pwrite, "pwrite", "wrong-errno");
DURING(writev, "writev", "wrong-errno");
DURING(llseek, "llseek", "wrong-errno");
DURING(ioctl, "ioctl", "wrong-errno");
DURING(compat_ioctl, "compat-ioctl", "wrong-errno");
DURING(mmap, "mmap", "wrong-errno");

struct held {
	const struct op *op;
	struct op_file f;
};

static long held_main(void *arg)
{
	struct held *held = arg;

	return held->op->run(&held->f);
}

static void held_by_buffer(const struct op *op)
{
	struct held held = { .op = op };
	struct card card;
	int fill = op->kind == OP_READS ? OP_CARD_BYTE : 0;
	struct hold hold;
	struct task task;
	long result;

	card_init(&card, 1);
	card_fill(1, fill);
	op_open(&held.f, &card);
	hold_init(&hold, OP_BYTES);
	held.f.buffer = hold.page;
	task_start(&task, held_main, &held);
	hold_wait(&hold);

	card_unbind(&card);
	if (!task_running(&task))
		case_fail("the operation was not held");
	if (!driver->naive) {
		log_wait(card.id, "still inside");
		if (log_has(card.id, "gone after"))
			case_fail("gone was declared with an operation inside");
	}
	hold_go(&hold, OP_BYTE);
	result = task_wait(&task);
	late_check(op, &held.f, result, true);
	if (op->kind == OP_READS && result > 0)
		op_check_bytes(op->name, hold.page, OP_CARD_BYTE);
	card_wait_gone(&card);
	expect_untouched(1, "current", fill);
	op_close(&held.f);
}

#define HELD(id, text, control)							\
	CASE_OF(id##_held, held_by_buffer, &op_##id,				\
		.name = text "-held",						\
		.promise = "K6: unplug does not wait for a " text		\
			   " whose buffer its user serves",			\
		.naive = (control))

HELD(read, "read", "hang");
HELD(write, "write", "hang");
HELD(ioctl, "ioctl", "passes: what it answers is on its stack by then");
HELD(compat_ioctl, "compat-ioctl", "passes: what it answers is on its stack by then");

static long list_dev(void *arg)
{
	int fd = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return syscall(SYS_getdents64, fd, arg, OP_BYTES);
}

/*
 * Whoever lists /dev locks it while his buffer is filled, and the node cannot be
 * removed meanwhile: unplug of the bus waits for that, but the card does not.
 */
CASE(dev_held, .name = "dev-held",
     .promise = "K6: a card is drained and gone although its node cannot be removed yet",
     .naive = "absent: it does not say when a card is gone")
{
	struct card card;
	struct hold hold;
	struct task task;
	struct job unbind;
	char byte;
	int fd;

	card_init(&card, 1);
	fd = card_open(&card);
	hold_init(&hold, OP_BYTES);
	task_start(&task, list_dev, hold.page);
	hold_wait(&hold);

	card_unbind_start(&card, &unbind);
	log_wait(card.id, "drained after");
	log_wait(card.id, "gone after");
	expect_errno("read", read(fd, &byte, 1), ENODEV);
	expect_works("close", close(fd));
	if (!task_running(&task))
		case_fail("the listing was not held");
	hold_go(&hold, 0);
	expect_works("listing /dev", task_wait(&task));
	expect_equal("errno of unbind", job_wait(&unbind), 0);
	node_wait(card.node, false);
}

/* K8: an administrator ends any hold by killing the holder. */
struct holder {
	struct card card;
	int inside[2];
};

static int holder_main(void *arg)
{
	struct held held = { .op = &op_write };
	struct holder *holder = arg;
	struct hold hold;
	struct task task;

	op_open(&held.f, &holder->card);
	hold_init(&hold, OP_BYTES);
	held.f.buffer = hold.page;
	task_start(&task, held_main, &held);
	hold_wait(&hold);
	word_tell(holder->inside[1]);
	return pause();		/* until he is killed */
}

CASE(holder_killed, .name = "holder-killed",
     .promise = "K8: unplug is bounded, and killing the holder ends the rest",
     .naive = "hang")
{
	struct holder holder;
	struct job job;

	card_init(&holder.card, 1);
	if (pipe(holder.inside))
		case_fail("pipe: %m");
	job_start(&job, holder_main, &holder);
	word_hear(holder.inside[0], "the holder");

	card_unbind(&holder.card);
	if (!driver->naive)
		log_wait(holder.card.id, "still inside");
	job_kill(&job);
	card_wait_gone(&holder.card);
}
