// SPDX-License-Identifier: GPL-2.0-or-later
/* A file system of one file, spoken to the kernel directly; see hostile.h */

#define _GNU_SOURCE
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#define FOLDER "/tmp/served"
#define NAME "page"
#define NODE 2
#define FOR_EVER 1000000

static void reply(int fuse, uint64_t unique, int err, const void *data, size_t size)
{
	struct fuse_out_header header = {
		.len = sizeof(header) + size, .error = -err, .unique = unique,
	};
	struct iovec part[2] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)data, .iov_len = size },
	};

	/* Who asked may have gone. */
	if (writev(fuse, part, 2) < 0 && errno != ENOENT)
		_exit(1);
}

static struct fuse_attr attr_of(uint64_t node)
{
	struct fuse_attr attr = {
		.ino = node,
		.mode = node == NODE ? S_IFREG | 0600 : S_IFDIR | 0700,
		.size = node == NODE ? SERVED_SIZE : 0,
		.nlink = 1,
		.blksize = SERVED_SIZE,
	};

	return attr;
}

static void serve_init(int fuse, uint64_t unique)
{
	/* Of what else there is, nothing: reads are waited for by who reads. */
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = SERVED_SIZE,
	};

	reply(fuse, unique, 0, &out, sizeof(out));
}

static void serve_lookup(int fuse, uint64_t unique, const char *name)
{
	struct fuse_entry_out out = {
		.nodeid = NODE, .entry_valid = FOR_EVER, .attr_valid = FOR_EVER,
		.attr = attr_of(NODE),
	};

	if (strcmp(name, NAME))
		reply(fuse, unique, ENOENT, NULL, 0);
	else
		reply(fuse, unique, 0, &out, sizeof(out));
}

static void serve_attr(int fuse, uint64_t unique, uint64_t node)
{
	struct fuse_attr_out out = { .attr_valid = FOR_EVER, .attr = attr_of(node) };

	reply(fuse, unique, 0, &out, sizeof(out));
}

/* Who asks waits for the word. */
static void keep_waiting(struct served *served)
{
	char byte;

	word_tell(served->held[1]);
	if (read(served->go[0], &byte, 1) != 1)
		_exit(1);
}

static void serve_one(struct served *served, int fuse, const struct fuse_in_header *in)
{
	static const char page[SERVED_SIZE];
	struct fuse_open_out opened = { };
	struct fuse_poll_out polled = { };
	static bool polled_once;

	switch (in->opcode) {
	case FUSE_INIT:
		serve_init(fuse, in->unique);
		break;
	case FUSE_LOOKUP:
		serve_lookup(fuse, in->unique, (const char *)(in + 1));
		break;
	case FUSE_GETATTR:
		serve_attr(fuse, in->unique, in->nodeid);
		break;
	case FUSE_OPEN:
		reply(fuse, in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		keep_waiting(served);
		reply(fuse, in->unique, 0, page, sizeof(page));
		break;
	case FUSE_POLL:
		if (!polled_once)
			keep_waiting(served);
		polled_once = true;
		reply(fuse, in->unique, 0, &polled, sizeof(polled));
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		reply(fuse, in->unique, 0, NULL, 0);
		break;
	default:
		reply(fuse, in->unique, ENOSYS, NULL, 0);
	}
}

struct server {
	struct served *served;
	int fuse;
};

static int serve(void *arg)
{
	static char request[FUSE_MIN_READ_BUFFER] __attribute__((aligned(8)));
	struct server *server = arg;
	ssize_t n;

	for (;;) {
		n = read(server->fuse, request, sizeof(request));
		if (n < 0 && (errno == EINTR || errno == ENOENT))
			continue;
		if (n < (ssize_t)sizeof(struct fuse_in_header))
			return 0;	/* aborted, or unmounted */
		serve_one(server->served, server->fuse, (void *)request);
	}
}

static int fuse_open(void)
{
	int fuse;

	/* A module, or built in, or not there */
	if (system("modprobe -q fuse"))
		errno = 0;
	fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse < 0)
		case_end(OUTCOME_SKIP, "/dev/fuse: %m");
	return fuse;
}

void served_init(struct served *served)
{
	struct server server = { .served = served, .fuse = fuse_open() };
	char options[80];
	struct stat st;

	if (pipe2(served->held, O_CLOEXEC) || pipe2(served->go, O_CLOEXEC))
		case_fail("pipe: %m");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0",
		 server.fuse);
	if ((mkdir(FOLDER, 0700) && errno != EEXIST) ||
	    mount("served", FOLDER, "fuse", MS_NOSUID | MS_NODEV, options))
		case_fail("mounting " FOLDER ": %m");
	job_start(&served->server, serve, &server);
	/* The connection ends with the last of these. */
	close(server.fuse);
	snprintf(served->path, sizeof(served->path), FOLDER "/" NAME);
	if (stat(FOLDER, &st))
		case_fail("stat " FOLDER ": %m");
	if (mount("fusectl", "/sys/fs/fuse/connections", "fusectl", 0, NULL) && errno != EBUSY)
		case_fail("mounting fusectl: %m");
	snprintf(served->connection, sizeof(served->connection), "/sys/fs/fuse/connections/%u",
		 minor(st.st_dev));
}

void served_wait(struct served *served)
{
	word_hear(served->held[0], "the file system");
}

void served_go(struct served *served)
{
	word_tell(served->go[1]);
}

void served_end(struct served *served)
{
	if (served->server.pid)
		job_kill(&served->server);
	umount2(FOLDER, MNT_DETACH);
}
