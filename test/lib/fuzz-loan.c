// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A fuzzer of all that a client reads from its server: bytes, descriptors, and what these are.
 * For libFuzzer; see fuzz. The first two bytes of an input say what comes with the message, the
 * rest is the message.
 * Promises: U3, bad input
 */

#include <fcntl.h>
#include <libunplug/shmem.h>
#include <libunplug/sigbus.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/shmem.h"

#define MAX_FDS 20		/* more than are taken */
#define MAX_SIZE (1ULL << 36)	/* of a sparse file */

/* Of the first byte */
#define KIND(byte)	((byte) & 7)
#define STREAM		0x08
#define ZEROES		0x10
#define HONEST		0x20	/* the message's magic, size and flags are made right */
#define EMPTIED		0x40	/* the file is emptied after it was borrowed */
#define WHOLE		0x80	/* the length of the message is made right */

/* What the descriptor is of */
static int fd_make(unsigned int kind, uint64_t size)
{
	int seals = F_SEAL_GROW | F_SEAL_SEAL, fd, pipes[2];

	switch (kind) {
	case 0:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case 1:
		return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	case 2:
		if (pipe2(pipes, O_CLOEXEC) < 0)
			return -1;
		close(pipes[1]);
		return pipes[0];
	case 3:
		seals = F_SEAL_GROW;
		break;
	case 4:
		seals |= F_SEAL_FUTURE_WRITE;
		break;
	case 5:
		size /= 2;
		break;
	}
	fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0 && (ftruncate(fd, (off_t)(size % MAX_SIZE)) < 0 ||
			fcntl(fd, F_ADD_SEALS, seals) < 0))
		abort();
	return fd;
}

static void message_send(int sock, void *buf, size_t len, int fd, unsigned int n_fds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control = { .buf = { 0 } };
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	unsigned int i;

	if (n_fds) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		for (i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &fd, sizeof(int));
	}
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
		return;		/* nothing to send: the end of the stream is what is read */
}

/* What was accepted can be used, whatever becomes of it. */
static void loan_use(struct unplug_loan *loan, int fd, bool emptied)
{
	char *mem = unplug_loan_addr(loan), byte;
	size_t last = unplug_loan_size(loan) - 1;

	if (unplug_sigbus_copy_in(&byte, mem, 1) != 1 ||
	    unplug_sigbus_copy_in(&byte, mem + last, 1) != 1)
		abort();
	if (!emptied)
		return;
	if (ftruncate(fd, 0) < 0)
		abort();
	if (unplug_sigbus_copy_in(&byte, mem, 1) || !unplug_loan_lost(loan))
		abort();
}

static int count_fds(void)
{
	int n = 0, fd;

	for (fd = 0; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void play(uint8_t how, unsigned int n_fds, char *buf, size_t len)
{
	struct shmem_offer offer;
	struct unplug_loan *loan;
	int socks[2], fd;

	memcpy(&offer, buf, sizeof(offer));
	if (how & HONEST) {
		offer.magic = SHMEM_MAGIC;
		offer.size = offer.size % MAX_SIZE;
		offer.flags &= SHMEM_FLAGS;
		offer.reserved = 0;
		memcpy(buf, &offer, sizeof(offer));
	}
	if (how & WHOLE)
		len = sizeof(offer);
	fd = fd_make(KIND(how), offer.size);
	if (fd < 0 || socketpair(AF_UNIX, how & STREAM ? SOCK_STREAM : SOCK_SEQPACKET, 0, socks))
		abort();
	message_send(socks[0], buf, len, fd, n_fds);
	close(socks[0]);
	if (!unplug_loan_borrow(&loan, socks[1], how & ZEROES ? UNPLUG_LOAN_ZEROES : 0)) {
		if (n_fds != 1)
			abort();
		loan_use(loan, fd, how & EMPTIED);
		unplug_loan_free(loan);
	}
	close(socks[1]);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char buf[4 * sizeof(struct shmem_offer)] = { 0 };
	int before = count_fds();
	size_t len;

	if (size < 2)
		return 0;
	len = size - 2 < sizeof(buf) ? size - 2 : sizeof(buf);
	memcpy(buf, data + 2, len);
	/* One more often than not */
	play(data[0], data[1] & 0x80 ? 1 : data[1] % MAX_FDS, buf, len);
	if (count_fds() != before)
		abort();	/* a descriptor that came is left */
	return 0;
}
