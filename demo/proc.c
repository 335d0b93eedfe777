// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo/clock.h"
#include "demo/proc.h"

/**
 * proc_read() - the beginning of a file as a string
 * @path: the file
 * @text: for its content
 * @size: bytes in @text
 *
 * Return: length, or a negative errno.
 */
int proc_read(const char *path, char *text, size_t size)
{
	ssize_t length;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	length = read(fd, text, size - 1);
	err = errno;
	close(fd);
	if (length < 0)
		return -err;
	text[length] = '\0';
	return length;
}

/**
 * proc_wait() - wait for the end of a child
 * @pid: the child
 * @until: give up then, by clock_now()
 * @status: as of waitpid()
 *
 * Return: 0, -ETIMEDOUT, or another negative errno.
 */
int proc_wait(pid_t pid, uint64_t until, int *status)
{
	struct pollfd poll_fd = { .events = POLLIN };
	uint64_t now = clock_now();
	int left, ready;

	poll_fd.fd = syscall(SYS_pidfd_open, pid, 0);
	if (poll_fd.fd < 0)
		return -errno;
	do {
		left = until > now ? (until - now) / CLOCK_MS + 1 : 0;
		ready = poll(&poll_fd, 1, left);
		now = clock_now();
	} while (ready < 0 && errno == EINTR);
	close(poll_fd.fd);

	if (ready <= 0)
		return -ETIMEDOUT;
	return waitpid(pid, status, 0) == pid ? 0 : -errno;
}
