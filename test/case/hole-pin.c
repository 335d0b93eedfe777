// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages of a mapping that users make the kernel hold, and which it goes on using after they
 * were unmapped: row f of doc/mmap-races.md.
 */

#define _GNU_SOURCE
#include "hole.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/nbd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define DISK "/dev/nbd0"

/* Mappings of frames for ours, which refuses those of pages; see hole-pin-refused. */
static int open_and_map(uint8_t **map)
{
	int fd;

	hole_load(driver->textbook ? "way=mixed" : "way=pfn");
	fd = hole_open();
	*map = hole_map(fd, HOLE_PAGES, 0);
	hole_expect_live("a mapping", *map);
	return fd;
}

static void end(int fd, uint8_t *map)
{
	munmap(map, HOLE_PAGES * HOLE_PAGE);
	close(fd);
	hole_unload();
}

CASE_HOLE(hole_splice_after, "f", .name = "hole-splice-after",
	  .promise = "K3: a pipe does not get pages of a mapping, which it would keep",
	  .textbook = "stale-map")
{
	struct iovec iov = { .iov_len = HOLE_PAGE };
	uint8_t *map, byte = 0;
	int fd = open_and_map(&map), ends[2];

	iov.iov_base = map;
	if (pipe2(ends, O_CLOEXEC))
		case_fail("pipe: %m");
	if (!driver->textbook)
		expect_errno("vmsplice", vmsplice(ends[1], &iov, 1, 0), EFAULT);
	else
		expect_equal("vmsplice", vmsplice(ends[1], &iov, 1, 0), HOLE_PAGE);
	hole_pull();
	hole_fill();
	if (driver->textbook && read(ends[0], &byte, 1) == 1 && byte == HOLE_LATER)
		case_end(OUTCOME_STALE_MAP, "the pipe has 0x%02x, which came later", byte);
	expect_errno("vmsplice after", vmsplice(ends[1], &iov, 1, 0), EFAULT);
	end(fd, map);
}

/*
 * A disk that this process serves: whoever reads waits until it answers. Its kernel side runs
 * in a thread.
 */
struct disk {
	struct task task;
	int fd;
	int sock[2];
};

static long disk_main(void *arg)
{
	struct disk *disk = arg;

	return ioctl(disk->fd, NBD_DO_IT);
}

/* Nothing tells but its size that the disk has begun. */
static void disk_wait(const struct disk *disk)
{
	char size[16] = "0";

	while (!strcmp(size, "0") && task_running(&disk->task)) {
		sched_yield();
		file_read("/sys/block/nbd0/size", size, sizeof(size));
	}
}

static void disk_start(struct disk *disk)
{
	if (system("/sbin/modprobe nbd nbds_max=1 max_part=0"))
		case_end(OUTCOME_SKIP, "this kernel has no nbd");
	node_wait(DISK, true);
	disk->fd = open(DISK, O_RDWR | O_CLOEXEC);
	if (disk->fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, disk->sock))
		case_fail(DISK ": %m");
	if (ioctl(disk->fd, NBD_SET_BLKSIZE, HOLE_PAGE) ||
	    ioctl(disk->fd, NBD_SET_SIZE_BLOCKS, 1) ||
	    ioctl(disk->fd, NBD_SET_SOCK, disk->sock[0]))
		case_fail("setting up " DISK ": %m");
	task_start(&disk->task, disk_main, disk);
	disk_wait(disk);
}

/* Somebody reads: his request, which is to be answered. */
static void disk_await(struct disk *disk, struct nbd_request *request)
{
	if (poll_in(disk->sock[1], case_timeout()) != 1)
		case_end(OUTCOME_HANG, "nobody has read the disk");
	if (recv(disk->sock[1], request, sizeof(*request), MSG_WAITALL) != sizeof(*request) ||
	    ntohl(request->type) != NBD_CMD_READ || ntohl(request->len) != HOLE_PAGE)
		case_fail("the disk was asked for something else");
}

static void disk_answer(struct disk *disk, const struct nbd_request *request, uint8_t byte)
{
	struct nbd_reply reply = { .magic = htonl(NBD_REPLY_MAGIC) };
	uint8_t data[HOLE_PAGE];

	memcpy(&reply.handle, &request->handle, sizeof(reply.handle));
	memset(data, byte, sizeof(data));
	if (send(disk->sock[1], &reply, sizeof(reply), 0) != sizeof(reply) ||
	    send(disk->sock[1], data, sizeof(data), 0) != sizeof(data))
		case_fail("the disk's answer: %m");
}

static void disk_end(struct disk *disk)
{
	ioctl(disk->fd, NBD_DISCONNECT);
	close(disk->sock[1]);
	task_wait(&disk->task);
	ioctl(disk->fd, NBD_CLEAR_SOCK);
	close(disk->fd);
	close(disk->sock[0]);
}

static long read_disk(void *map)
{
	int fd = open(DISK, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		case_fail(DISK ": %m");
	return read(fd, map, HOLE_PAGE);
}

/* The answer comes after unplug, and is written to where the mapping was. */
CASE_HOLE(hole_direct_during, "f", .name = "hole-direct-during",
	  .promise = "K3: direct I/O into a mapping does not begin, and so does not outlive it",
	  .textbook = "stale-map")
{
	struct nbd_request request;
	struct disk disk = { };
	struct task reader;
	uint8_t *map;
	int fd = open_and_map(&map);

	disk_start(&disk);
	task_start(&reader, read_disk, map);
	if (driver->textbook) {
		disk_await(&disk, &request);
		hole_pull();
		hole_fill();
		disk_answer(&disk, &request, 0x99);
		expect_equal("what was read", task_wait(&reader), HOLE_PAGE);
		if (hole_byte() == 0x99)
			case_end(OUTCOME_STALE_MAP, "the disk's answer is in the device");
	} else {
		expect_errno("a direct read", task_wait(&reader), EFAULT);
		hole_pull();
		expect_errno("one after it", read_disk(map), EFAULT);
	}
	disk_end(&disk);
	end(fd, map);
}

/* A ring for one request at a time, with one buffer */
struct ring {
	int fd;
	struct io_uring_params params;
	uint8_t *queue;
	struct io_uring_sqe *request;
};

static void ring_init(struct ring *ring)
{
	ring->fd = syscall(SYS_io_uring_setup, 1, &ring->params);
	if (ring->fd < 0)
		case_end(OUTCOME_SKIP, "io_uring: %m");
	ring->queue = mmap(NULL, HOLE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			   IORING_OFF_SQ_RING);
	ring->request = mmap(NULL, sizeof(*ring->request), PROT_READ | PROT_WRITE, MAP_SHARED,
			     ring->fd, IORING_OFF_SQES);
	if ((void *)ring->queue == MAP_FAILED || (void *)ring->request == MAP_FAILED)
		case_fail("mmap of a ring: %m");
}

static int ring_register(struct ring *ring, void *map)
{
	struct iovec iov = { .iov_base = map, .iov_len = HOLE_PAGE };

	return syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS, &iov, 1);
}

/* Writes the buffer to a file, and comes back when that is done. */
static void ring_write(struct ring *ring, int fd, void *map)
{
	uint32_t *tail = (uint32_t *)(ring->queue + ring->params.sq_off.tail);

	*ring->request = (struct io_uring_sqe){
		.opcode = IORING_OP_WRITE_FIXED, .fd = fd, .addr = (uintptr_t)map, .len = 8,
	};
	*(uint32_t *)(ring->queue + ring->params.sq_off.array) = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	expect_equal("io_uring_enter",
		     syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0),
		     1);
}

CASE_HOLE(hole_uring_after, "f", .name = "hole-uring-after",
	  .promise = "K3: no mapping becomes a buffer of io_uring, which would outlive it",
	  .textbook = "stale-map")
{
	struct ring ring = { };
	uint8_t *map, byte = 0;
	int fd = open_and_map(&map), ends[2];

	ring_init(&ring);
	if (pipe2(ends, O_CLOEXEC))
		case_fail("pipe: %m");
	if (driver->textbook) {
		if (ring_register(&ring, map))
			case_end(OUTCOME_SKIP, "this kernel takes no buffers in a file's mapping");
		hole_pull();
		hole_fill();
		ring_write(&ring, ends[1], map);
		if (read(ends[0], &byte, 1) == 1 && byte == HOLE_LATER)
			case_end(OUTCOME_STALE_MAP, "io_uring has read 0x%02x, which came later",
				 byte);
	} else {
		expect_errno("registering a buffer", ring_register(&ring, map), EFAULT);
		hole_pull();
		expect_errno("registering one after", ring_register(&ring, map), EFAULT);
	}
	close(ring.fd);
	end(fd, map);
}

/* Ours, live and dead: whoever pins pages, and copies from another process, is refused. */
static void expect_no_pins(uint8_t *map)
{
	uint8_t bytes[8];
	struct iovec from = { .iov_base = map, .iov_len = sizeof(bytes) };
	struct iovec to = { .iov_base = bytes, .iov_len = sizeof(bytes) };

	expect_errno("process_vm_readv", process_vm_readv(getpid(), &to, 1, &from, 1, 0), EFAULT);
	expect_errno("process_vm_writev", process_vm_writev(getpid(), &to, 1, &from, 1, 0), EFAULT);
}

CASE_HOLE(hole_pin_refused, "f", .name = "hole-pin-refused",
	  .promise = "K3: mappings of pages, which can be pinned, are refused; frames cannot be")
{
	uint8_t *map;
	int fd = open_and_map(&map);

	expect_no_pins(map);
	hole_pull();
	expect_no_pins(map);
	end(fd, map);
	hole_load("way=mixed");
	fd = hole_open();
	hole_expect_refused(fd, "it is not VM_PFNMAP");
	close(fd);
	hole_unload();
}

/* The limit of doc/mmap-races.md, which VFIO is an example of: should it end, say so there. */
CASE_HOLE(hole_frame_after, "f", .name = "hole-frame-after",
	  .promise = "a limit: a driver that looked up frames of another's mapping keeps them",
	  .textbook = "passes: nobody closes this one")
{
	uint8_t *map;
	int fd;

	hole_load("way=pfn");
	fd = hole_open();
	map = hole_map(fd, HOLE_PAGES, 0);
	hole_expect_live("a mapping", map);
	hole_follow(map);
	expect_equal("what it sees, live", hole_followed(), HOLE_BYTE);
	hole_pull();
	hole_fill();
	hole_expect_revoked("a mapping", map, true);
	expect_equal("what it sees after", hole_followed(), HOLE_LATER);
	end(fd, map);
}
