// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "demo/clock.h"
#include "demo/op.h"
#include "demo/user.h"
#include "include/uapi/unplug/edu.h"

#define USER_SLOW 1000000000u	/* its factorial takes seconds */
#define USER_PACE (5 * CLOCK_MS)

static int user_error(ssize_t got)
{
	return got == sizeof(uint32_t) ? 0 : got < 0 ? errno : EIO;
}

static int user_ask(int fd, uint32_t number)
{
	return user_error(write(fd, &number, sizeof(number)));
}

static int user_compute(int fd, uint32_t number)
{
	uint32_t answer, product = 1;
	int err;

	err = user_ask(fd, number) ?: user_error(read(fd, &answer, sizeof(answer)));
	if (err)
		return err;
	for (; number; number--)
		product *= number;
	return answer == product ? 0 : EILSEQ;
}

static int user_move(int fd, unsigned long cmd, uint8_t *bytes)
{
	struct edu_transfer transfer = { .count = USER_BYTES, .buffer = (uintptr_t)bytes };

	return ioctl(fd, cmd, &transfer) ? errno : 0;
}

static int user_wait(int fd, struct user_share *share)
{
	uint32_t answer;
	int err = user_ask(fd, USER_SLOW);

	share->asked = true;
	return err ?: user_error(read(fd, &answer, sizeof(answer)));
}

static int user_poll(int fd, struct user_share *share)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	share->asked = true;
	if (poll(&poll_fd, 1, -1) < 0)
		return errno;
	return poll_fd.revents == (POLLHUP | POLLERR) ? OP_HANGUP : 0;
}

static int user_turn(enum user_kind kind, int fd, struct user_share *share)
{
	static uint8_t bytes[USER_BYTES];

	switch (kind) {
	case USER_COMPUTE:
		return user_compute(fd, share->turns % 30);
	case USER_MOVE:
		if (share->turns)
			return user_move(fd, EDU_IOC_GET, bytes);
		memset(bytes, USER_BYTE, sizeof(bytes));
		return user_move(fd, EDU_IOC_PUT, bytes);
	case USER_WAIT:
		return user_wait(fd, share);
	default:
		return user_poll(fd, share);
	}
}

static _Noreturn void user_main(struct user *user, const char *node, int tick)
{
	struct user_share *share = user->share;
	int fd = open(node, O_RDWR | O_CLOEXEC), result = fd < 0 ? errno : 0;
	uint64_t next = clock_now();

	while (!result) {
		result = user_turn(user->kind, fd, share);
		if (!result)
			share->turns++;
		eventfd_write(tick, 1);
		if (user->kind == USER_COMPUTE)
			next = clock_pace(next, USER_PACE);
	}
	share->when = clock_now();
	share->result = result;
	share->ended = true;
	eventfd_write(tick, 1);
	for (;;)
		pause();
}

/**
 * user_start() - start a user
 * @user: to be filled
 * @card: number of the card
 * @node: its node
 * @kind: what to do with it
 * @tick: eventfd the user adds to after each turn
 *
 * Return: 0 or a negative errno.
 */
int user_start(struct user *user, int card, const char *node, enum user_kind kind, int tick)
{
	user->card = card;
	user->kind = kind;
	user->share = mmap(NULL, sizeof(*user->share), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (user->share == MAP_FAILED)
		return -errno;
	user->pid = fork();
	if (user->pid < 0)
		return -errno;
	if (!user->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		user_main(user, node, tick);
	}
	return 0;
}

const char *user_kind_name(enum user_kind kind)
{
	static const char *const names[USER_KINDS] = {
		[USER_COMPUTE] = "compute",
		[USER_MOVE] = "move",
		[USER_WAIT] = "wait",
		[USER_POLL] = "poll",
	};

	return names[kind];
}
