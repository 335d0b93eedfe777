// SPDX-License-Identifier: GPL-2.0-or-later
/* See board.h */

#include "board.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The bell is rung each time that many steps were made: a system call is dear. */
#define STEPS_A_RING 8

struct board *board_open(void)
{
	struct board *board;
	int fd = open(BOARD_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(2, "%s", BOARD_PATH);
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (board == MAP_FAILED)
		err(2, "mmap of %s", BOARD_PATH);
	close(fd);
	return board;
}

/* An actor begins an operation. */
void board_step(struct board *board, int seat)
{
	atomic_fetch_add(&board->seat[seat].calls, 1);
	if (atomic_fetch_add(&board->steps, 1) % STEPS_A_RING)
		return;
	atomic_fetch_add(&board->bell, 1);
	syscall(SYS_futex, &board->bell, FUTEX_WAKE, 64, NULL, NULL, 0);
}

/* Until that many operations were begun on @seat, or @ms have passed, or a signal came */
bool board_wait(struct board *board, int seat, uint64_t calls, int ms)
{
	struct timespec now, left;
	int64_t end, ns;
	uint32_t bell;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec * 1000000000LL + now.tv_nsec + ms * 1000000LL;
	for (;;) {
		bell = atomic_load(&board->bell);
		if (atomic_load(&board->seat[seat].calls) >= calls)
			return true;
		clock_gettime(CLOCK_MONOTONIC, &now);
		ns = end - now.tv_sec * 1000000000LL - now.tv_nsec;
		if (ns <= 0)
			return false;
		left.tv_sec = ns / 1000000000;
		left.tv_nsec = ns % 1000000000;
		if (syscall(SYS_futex, &board->bell, FUTEX_WAIT, bell, &left, NULL, 0) < 0 &&
		    errno == EINTR)
			return false;
	}
}
