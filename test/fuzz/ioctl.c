// SPDX-License-Identifier: GPL-2.0-or-later
/* See ioctl.h */

#include "ioctl.h"
#include "memory.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include "examples/mydriver/mydriver.h"
#include "include/uapi/unplug/edu.h"
#include "include/uapi/unplug/ivshmem.h"
#include "test/case/module/freeze-uapi.h"

static const unsigned long numbers[] = {
	EDU_IOC_PUT, EDU_IOC_GET, IVSHMEM_IOC_INFO, IVSHMEM_IOC_GONE, MYDRIVER_IOC_ECHO,
	FREEZE_IOC_GENERATION, FREEZE_IOC_DUMMY, FREEZE_IOC_FREEZE,
};

/* Bytes around the sizes the card knows, and around the ends of the type */
static uint32_t draw_bytes(struct dice *dice)
{
	static const uint32_t bytes[] = { 0, 1, 4, EDU_BYTES - 1, EDU_BYTES, EDU_BYTES + 1,
					  0x7fffffff, 0x80000000, 0xfffff800, 0xffffffff };

	if (dice_one_in(dice, 2))
		return dice_below(dice, EDU_BYTES);
	return bytes[dice_below(dice, sizeof(bytes) / sizeof(bytes[0]))];
}

/* Whatever the driver reads there makes some sense to it. */
static void fill(struct dice *dice, unsigned long number, void *mapping)
{
	struct edu_transfer *transfer = memory_good();
	uint32_t *word = memory_good();

	if (number != EDU_IOC_PUT && number != EDU_IOC_GET) {
		*word = dice_one_in(dice, 8) ? dice_next(dice) : dice_below(dice, 3);
		return;
	}
	transfer->offset = draw_bytes(dice);
	transfer->count = draw_bytes(dice);
	transfer->buffer = (uintptr_t)memory_draw(dice, mapping);
}

/* A number that is wrong in its direction, its size, or by one */
static unsigned long spoil(struct dice *dice, unsigned long number)
{
	switch (dice_below(dice, 4)) {
	case 0:
		return number ^ 1UL << (30 + dice_below(dice, 2));
	case 1:
		return number ^ 1UL << (16 + dice_below(dice, 14));
	case 2:
		return number + 1 - 2 * dice_below(dice, 2);
	default:
		return (uint32_t)dice_next(dice);
	}
}

/* What a call says of mappings, if it works: each driver has its own. */
static enum ioctl_policy policy_of(unsigned long number, const void *arg)
{
	switch (number) {
	case FREEZE_IOC_DUMMY:
		return arg ? IOCTL_DUMMY : IOCTL_SIGBUS;
	case IVSHMEM_IOC_GONE:		/* elsewhere there may be anything */
		return arg && arg == memory_good() && *(uint32_t *)arg == IVSHMEM_GONE_SIGBUS ?
			       IOCTL_SIGBUS : IOCTL_DUMMY;
	default:
		return IOCTL_NO_POLICY;
	}
}

/* Who asks for zeroes cannot be judged any more: most ask for SIGBUS. */
static void be_strict(struct ioctl_call *call)
{
	if (call->number == FREEZE_IOC_DUMMY)
		call->arg = NULL;
	if (call->number == IVSHMEM_IOC_GONE) {
		call->arg = memory_good();
		*(uint32_t *)call->arg = IVSHMEM_GONE_SIGBUS;
	}
}

struct ioctl_call ioctl_draw(struct dice *dice, void *mapping)
{
	struct ioctl_call call = { .exact = !dice_one_in(dice, 5) };
	unsigned int n = sizeof(numbers) / sizeof(numbers[0]);

	/* The last one stops the device for all others: seldom. */
	call.number = numbers[dice_below(dice, dice_one_in(dice, 50) ? n : n - 1)];
	fill(dice, call.number, mapping);
	call.arg = memory_draw(dice, mapping);
	if (!dice_one_in(dice, 5))
		be_strict(&call);
	if (!call.exact)
		call.number = spoil(dice, call.number);
	call.policy = policy_of(call.number, call.arg);
	return call;
}

static sigjmp_buf no_compat;

static void on_segv(int signal)
{
	(void)signal;
	siglongjmp(no_compat, 1);
}

static long int80(long number, unsigned long a, unsigned long b, unsigned long c)
{
	long ret;

	asm volatile("int $0x80" : "=a"(ret) : "a"(number), "b"(a), "c"(b), "d"(c)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

#define COMPAT_GETPID	20
#define COMPAT_IOCTL	54

/* A kernel without it answers with a signal, which an argument never does. */
static bool compat_works(void)
{
	struct sigaction segv = { .sa_handler = on_segv }, before;
	volatile bool works = false;

	sigaction(SIGSEGV, &segv, &before);
	if (!sigsetjmp(no_compat, 1))
		works = int80(COMPAT_GETPID, 0, 0, 0) > 0;
	sigaction(SIGSEGV, &before, NULL);
	return works;
}

int ioctl_compat(int fd, unsigned long number, void *arg)
{
	static int works = -1;
	long ret;

	if (works < 0)
		works = compat_works();
	if (!works) {
		errno = ENOSYS;
		return -1;
	}
	ret = (int)int80(COMPAT_IOCTL, fd, number, (uintptr_t)arg);
	if (ret < 0 && ret > -4096) {
		errno = -ret;
		return -1;
	}
	return ret;
}
