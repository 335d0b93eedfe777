// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The message that lends: a fixed structure and one descriptor, in one piece. Who receives it
 * trusts nothing in it.
 */

#include "shmem.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than anybody sends; what comes is closed. */
#define MAX_FDS 16

/* Since Linux 6.5: the sender's pidfd, for who asked by SO_PASSPIDFD */
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(MAX_FDS * sizeof(int)) + CMSG_SPACE(sizeof(int))];
};

/* Returns 0, or -EBADMSG: nothing of @offer is to be used then. */
int shmem_offer_parse(struct shmem_offer *offer, const void *buf, size_t len)
{
	if (len != sizeof(*offer))
		return -EBADMSG;
	memcpy(offer, buf, sizeof(*offer));
	if (offer->magic != SHMEM_MAGIC || offer->reserved || (offer->flags & ~SHMEM_FLAGS) ||
	    !offer->size || offer->size > SIZE_MAX / 2)
		return -EBADMSG;
	return 0;
}

int shmem_offer_send(int sock, const struct shmem_offer *offer, int fd)
{
	union control control = { .buf = { 0 } };
	struct iovec iov = { .iov_base = (void *)offer, .iov_len = sizeof(*offer) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = CMSG_SPACE(sizeof(fd)),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == sizeof(*offer) ? 0 : -EIO;
}

/*
 * Keeps the first descriptor that was sent, and closes all others, and that of the sender itself,
 * which the kernel adds if the socket's owner asked for it. Returns how many were sent.
 */
static unsigned int take_fds(struct msghdr *msg, int *fdp)
{
	struct cmsghdr *cmsg;
	unsigned int n = 0;
	bool sent;
	size_t at;
	int fd;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		sent = cmsg->cmsg_type == SCM_RIGHTS;
		if (cmsg->cmsg_level != SOL_SOCKET || (!sent && cmsg->cmsg_type != SCM_PIDFD))
			continue;
		for (at = CMSG_LEN(0); at + sizeof(fd) <= cmsg->cmsg_len; at += sizeof(fd)) {
			memcpy(&fd, (char *)cmsg + at, sizeof(fd));
			if (sent && !n++)
				*fdp = fd;
			else if (fd >= 0)
				close(fd);
		}
	}
	return n;
}

/*
 * Returns 0 and in @fdp a descriptor, of whatever it may be; -EBADMSG for anything else than
 * one whole message; -ECONNRESET at the end of the stream; or what recvmsg(2) says.
 */
int shmem_offer_receive(int sock, struct shmem_offer *offer, int *fdp)
{
	char buf[sizeof(*offer)];
	union control control;
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof(control.buf),
	};
	unsigned int n_fds;
	int fd = -1;
	ssize_t n;

	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	n_fds = take_fds(&msg, &fd);
	if (n && n_fds == 1 && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
	    !shmem_offer_parse(offer, buf, (size_t)n)) {
		*fdp = fd;
		return 0;
	}
	if (n_fds)
		close(fd);
	return n || n_fds ? -EBADMSG : -ECONNRESET;
}
