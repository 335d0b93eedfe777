// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "demo/op.h"
#include "include/uapi/unplug/ivshmem.h"

#define OP_SLOTS (OP_PAGE / OP_PATTERN)

static sigjmp_buf op_escape;
static volatile sig_atomic_t op_armed;

static void op_signal(int sig)
{
	if (!op_armed) {
		signal(sig, SIG_DFL);
		raise(sig);
		return;
	}
	op_armed = 0;
	siglongjmp(op_escape, sig);
}

/**
 * op_pattern() - the eight bytes a client stores
 * @id: the client
 * @mapped: through its mapping, else through its descriptor
 *
 * Return: the bytes, as they lie in memory.
 */
uint64_t op_pattern(int id, bool mapped)
{
	const unsigned char bytes[OP_PATTERN] = {
		'O', 'L', 'D', mapped ? 'm' : 'w', 0x7e, id, (unsigned char)~id, 0x81,
	};
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

void op_pattern_hex(int id, bool mapped, char hex[2 * OP_PATTERN + 1])
{
	uint64_t value = op_pattern(id, mapped);
	unsigned char bytes[OP_PATTERN];
	int i;

	memcpy(bytes, &value, sizeof(bytes));
	for (i = 0; i < OP_PATTERN; i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
}

/**
 * op_client_init() - open and map a card
 * @client: to be filled
 * @id: its number
 * @node: path of the device node
 *
 * Return: 0, or a negative errno; the process is expected to exit then.
 */
int op_client_init(struct op_client *client, int id, const char *node)
{
	struct sigaction action = { .sa_handler = op_signal, .sa_flags = SA_NODEFER };
	void *map;

	memset(client, 0, sizeof(*client));
	client->id = id;
	client->fd = open(node, O_RDWR | O_CLOEXEC);
	if (client->fd < 0)
		return -errno;
	client->path = open(node, O_PATH | O_CLOEXEC);
	if (client->path < 0)
		return -errno;
	map = mmap(NULL, 2 * OP_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   client->fd, (off_t)id * 2 * OP_PAGE);
	if (map == MAP_FAILED)
		return -errno;
	client->map = map;
	if (pipe2(client->pipe, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	if (sigaction(SIGBUS, &action, NULL) || sigaction(SIGSEGV, &action, NULL))
		return -errno;
	return 0;
}

/* Where in the card the client's descriptor writes next. */
static off_t op_offset(const struct op_client *client)
{
	return (off_t)client->id * 2 * OP_PAGE + OP_PAGE +
	       client->slot * OP_PATTERN;
}

static int op_length(ssize_t length)
{
	if (length < 0)
		return errno;
	return length == OP_PATTERN ? 0 : EIO;
}

static int op_read(struct op_client *client)
{
	uint64_t value = 0;
	int result;

	result = op_length(pread(client->fd, &value, sizeof(value), op_offset(client)));
	if (!result && client->written && value != op_pattern(client->id, false))
		return EILSEQ;
	return result;
}

/* A turn begins with read: it looks at the slot the turn before wrote. */
static int op_write(struct op_client *client)
{
	uint64_t value = op_pattern(client->id, false);
	int result;

	client->slot = (client->slot + 1) % OP_SLOTS;
	result = op_length(pwrite(client->fd, &value, sizeof(value), op_offset(client)));
	client->written = !result;
	return result;
}

static int op_lseek(struct op_client *client)
{
	return lseek(client->fd, 0, SEEK_SET) < 0 ? errno : 0;
}

static int op_ioctl(struct op_client *client)
{
	struct ivshmem_info info;

	return ioctl(client->fd, IVSHMEM_IOC_INFO, &info) ? errno : 0;
}

static int op_mmap(struct op_client *client)
{
	void *map = mmap(NULL, OP_PAGE, PROT_READ, MAP_SHARED, client->fd, 0);

	if (map == MAP_FAILED)
		return errno;
	munmap(map, OP_PAGE);
	return 0;
}

static int op_poll(struct op_client *client)
{
	struct pollfd poll_fd = { .fd = client->fd, .events = POLLIN | POLLOUT };

	if (poll(&poll_fd, 1, 0) < 0)
		return errno;
	return poll_fd.revents == (POLLHUP | POLLERR) ? OP_HANGUP : 0;
}

static int op_open(struct op_client *client)
{
	char link[32];
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", client->path);
	fd = open(link, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int op_touch(struct op_client *client, bool store)
{
	volatile uint64_t *word = client->map + client->slot;

	switch (sigsetjmp(op_escape, 1)) {
	case 0:
		break;
	case SIGBUS:
		return OP_SIGBUS;
	default:
		return OP_SIGSEGV;
	}

	op_armed = 1;
	if (store)
		*word = op_pattern(client->id, true);
	else
		(void)*word;
	op_armed = 0;
	return 0;
}

static int op_load(struct op_client *client)
{
	return op_touch(client, false);
}

static int op_store(struct op_client *client)
{
	return op_touch(client, true);
}

/* The kernel reads the mapping on the client's behalf. */
static int op_copy(struct op_client *client)
{
	char drain[OP_PATTERN];
	int result;

	result = op_length(write(client->pipe[1], (void *)client->map, OP_PATTERN));
	if (!result && read(client->pipe[0], drain, sizeof(drain)) < 0)
		return errno;
	return result;
}

static int op_munmap(struct op_client *client)
{
	return munmap((void *)client->map, 2 * OP_PAGE) ? errno : 0;
}

static int op_close(struct op_client *client)
{
	return close(client->fd) ? errno : 0;
}

static const struct {
	const char *name;
	int (*run)(struct op_client *client);
} op_table[OP_KINDS] = {
	[OP_READ] = { "read", op_read },
	[OP_WRITE] = { "write", op_write },
	[OP_LSEEK] = { "lseek", op_lseek },
	[OP_IOCTL] = { "ioctl", op_ioctl },
	[OP_MMAP] = { "mmap", op_mmap },
	[OP_POLL] = { "poll", op_poll },
	[OP_OPEN] = { "open", op_open },
	[OP_LOAD] = { "load", op_load },
	[OP_STORE] = { "store", op_store },
	[OP_COPY] = { "copy", op_copy },
	[OP_MUNMAP] = { "munmap", op_munmap },
	[OP_CLOSE] = { "close", op_close },
};

/**
 * op_run() - try one operation
 * @client: the client; only its own process may do this
 * @kind: which
 *
 * Return: 0, an errno or an enum op_result.
 */
int op_run(struct op_client *client, enum op_kind kind)
{
	return op_table[kind].run(client);
}

const char *op_name(enum op_kind kind)
{
	return op_table[kind].name;
}

const char *op_result_name(int result)
{
	const char *name;

	switch (result) {
	case 0:
		return "ok";
	case OP_SIGBUS:
		return "SIGBUS";
	case OP_SIGSEGV:
		return "SIGSEGV";
	case OP_HANGUP:
		return "HUP|ERR";
	case EILSEQ:
		return "wrong data";
	default:
		name = strerrorname_np(result);
		return name ? name : "?";
	}
}
