// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors that reached other processes, and many of them */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void fd_send(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { };
	struct iovec part = { .iov_base = "", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (sendmsg(socket, &msg, 0) != 1)
		case_fail("sendmsg: %m");
}

static int fd_receive(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&msg))
		case_fail("recvmsg: %m");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

struct reader {
	int fd;
	int ends[2];
};

/* Waits for unplug to be over, then reads. */
static int reader_main(void *arg)
{
	struct reader *r = arg;
	char byte;

	close(r->ends[1]);
	if (read(r->ends[0], &byte, 1) < 0)
		return 1;
	expect_errno("read of an inherited file", read(r->fd, &byte, 1), ENODEV);
	expect_works("close", close(r->fd));
	return 0;
}

CASE(fork_after, .name = "fork-after",
     .promise = "K1: a descriptor inherited by fork, before and after, is dead",
     .naive = "wrong-errno")
{
	struct job before, after;
	struct reader r;
	struct card card;

	card_init(&card, 1);
	r.fd = card_open(&card);
	if (pipe(r.ends))
		case_fail("pipe: %m");
	job_start(&before, reader_main, &r);
	card_unplug(&card);
	job_start(&after, reader_main, &r);
	close(r.fd);
	close(r.ends[1]);
	job_wait(&before);
	job_wait(&after);
}

CASE(dup_after, .name = "dup-after",
     .promise = "K1: copies of a descriptor, made before and after, are dead",
     .naive = "wrong-errno")
{
	struct card card;
	int fd[3], i;
	char byte;

	card_init(&card, 1);
	fd[0] = card_open(&card);
	fd[1] = expect_works("dup", dup(fd[0]));
	card_unplug(&card);
	fd[2] = expect_works("dup after", fcntl(fd[1], F_DUPFD_CLOEXEC, 100));
	for (i = 0; i < 3; i++)
		expect_errno("read", read(fd[i], &byte, 1), ENODEV);
	for (i = 0; i < 3; i++)
		expect_works("close", close(fd[i]));
}

/* In flight: in no process's table while the card is pulled */
CASE(passed_after, .name = "passed-after",
     .promise = "K1: a descriptor in flight over a socket is dead when it arrives",
     .naive = "wrong-errno")
{
	struct card card;
	int pair[2], fd;
	char byte;

	card_init(&card, 1);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		case_fail("socketpair: %m");
	fd = card_open(&card);
	fd_send(pair[0], fd);
	close(fd);
	card_unplug(&card);
	fd = fd_receive(pair[1]);
	expect_errno("read of a file passed on", read(fd, &byte, 1), ENODEV);
	fd_send(pair[0], fd);
	close(fd);
	fd = fd_receive(pair[1]);
	expect_errno("read of a file passed on after", read(fd, &byte, 1), ENODEV);
	expect_works("close", close(fd));
}

CASE(reopen_after, .name = "reopen-after",
     .promise = "K1: an old file cannot be opened anew by /proc/self/fd",
     .naive = "wrong-errno")
{
	struct card card;
	char path[64];
	int fd;

	card_init(&card, 1);
	fd = card_open(&card);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	close(expect_works("opening anew, live", open(path, O_RDWR | O_CLOEXEC)));
	card_unplug(&card);
	expect_errno("opening anew", open(path, O_RDWR | O_CLOEXEC), ENXIO);
	expect_works("close", close(fd));
}
