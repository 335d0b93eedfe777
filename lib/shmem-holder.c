// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who holds up a revoke: the process that has the file open, and is in a system call
 * that writes to it. All there is to see is in /proc, as far as rights go; what
 * is seen may be over already.
 *
 * Who holds it up has an interest in a search that takes long. So it looks at each thread once, for
 * the one descriptor that its system call names; at descriptors only if none was found; and at
 * no more than LOOKS of either, of which no process has more than PROCESS_LOOKS. Who it
 * was lent to is looked at first.
 */

#include "shmem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A look opens a file of /proc or two: tens of microseconds. */
#define LOOKS		16384
#define PROCESS_LOOKS	2048

/**
 * struct search - what is looked for, and how long yet
 * @holder: whom it found
 * @st: the file
 * @left: how many looks are left
 */
struct search {
	struct unplug_shmem_holder *holder;
	struct stat st;
	unsigned int left;
};

/* System calls that write to a file, and which argument it is */
static const struct {
	long nr;
	int arg;
} writers[] = {
	{ SYS_write, 0 },
	{ SYS_pwrite64, 0 },
	{ SYS_writev, 0 },
	{ SYS_pwritev, 0 },
	{ SYS_pwritev2, 0 },
	{ SYS_fallocate, 0 },
	{ SYS_ftruncate, 0 },
	{ SYS_sendfile, 0 },
	{ SYS_splice, 2 },
	{ SYS_copy_file_range, 2 },
};

/* Returns how many bytes of the file were read, as a string; -1 if none could be. */
static ssize_t proc_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n >= 0)
		buf[n] = '\0';
	return n;
}

/* The next entry that is a number, or -1 */
static long next_number(DIR *dir)
{
	struct dirent *entry;
	char *end;
	long n;

	while ((entry = readdir(dir))) {
		n = strtol(entry->d_name, &end, 10);
		if (end != entry->d_name && !*end)
			return n;
	}
	return -1;
}

/* The descriptor that the thread is writing to, whatever it may be, or -1 */
static int thread_writes(pid_t pid, long tid)
{
	char path[80], buf[256];
	unsigned long arg[3];
	size_t i;
	long nr;

	snprintf(path, sizeof(path), "/proc/%d/task/%ld/syscall", (int)pid, tid);
	if (proc_read(path, buf, sizeof(buf)) <= 0 ||
	    sscanf(buf, "%ld %lx %lx %lx", &nr, &arg[0], &arg[1], &arg[2]) != 4)
		return -1;
	for (i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		if (nr == writers[i].nr)
			return (int)arg[writers[i].arg];
	}
	return -1;
}

/*
 * Is it a name of the file? What the kernel knows is enough: to ask the server of whatever else
 * it may be a name of (FUSE, NFS) could take for ever.
 */
static bool path_is(const char *path, const struct stat *st)
{
	struct statx other;

	return !statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO, &other) &&
	       makedev(other.stx_dev_major, other.stx_dev_minor) == st->st_dev &&
	       other.stx_ino == st->st_ino;
}

/* Is the descriptor one for writing to the file? Threads may have different ones. */
static bool fd_writable(pid_t pid, long tid, long fd, const struct stat *st)
{
	char path[80], buf[256];
	unsigned int flags;

	snprintf(path, sizeof(path), "/proc/%d/task/%ld/fd/%ld", (int)pid, tid, fd);
	if (!path_is(path, st))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/task/%ld/fdinfo/%ld", (int)pid, tid, fd);
	return proc_read(path, buf, sizeof(buf)) > 0 &&
	       sscanf(buf, "pos: %*s flags: %o", &flags) == 1 &&
	       (flags & O_ACCMODE) != O_RDONLY;
}

static bool thread_is_inside(struct search *search, pid_t pid, long tid)
{
	int fd = thread_writes(pid, tid);

	if (fd < 0 || !fd_writable(pid, tid, fd, &search->st))
		return false;
	search->holder->tid = (pid_t)tid;
	return true;
}

static bool process_has(struct search *search, pid_t pid, long fd)
{
	return fd_writable(pid, pid, fd, &search->st);
}

/* The two things to look for, in this order: entries of a folder of each process's */
static const struct {
	const char *folder;
	enum unplug_shmem_how how;
	bool (*look)(struct search *search, pid_t pid, long entry);
} passes[] = {
	{ "task", UNPLUG_SHMEM_INSIDE, thread_is_inside },
	{ "fd", UNPLUG_SHMEM_OPEN, process_has },
};

/* Returns whether it is @pid. */
static bool process_look(struct search *search, pid_t pid, unsigned int pass)
{
	unsigned int left = PROCESS_LOOKS;
	bool found = false;
	char path[64];
	long entry;
	DIR *dir;

	search->left--;		/* for the folder */
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, passes[pass].folder);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && left && search->left && (entry = next_number(dir)) >= 0) {
		left--;
		search->left--;
		found = passes[pass].look(search, pid, entry);
	}
	closedir(dir);
	if (found) {
		search->holder->pid = pid;
		search->holder->how = passes[pass].how;
	}
	return found;
}

/* Returns whether somebody was found; @lent, if it is not 0, is asked first. */
static bool processes_look(struct search *search, pid_t lent, unsigned int pass)
{
	pid_t self = getpid();
	bool found;
	DIR *dir;
	long pid;

	search->left = LOOKS;
	found = lent && process_look(search, lent, pass);
	dir = found ? NULL : opendir("/proc");
	while (dir && !found && search->left && (pid = next_number(dir)) >= 0)
		found = pid && pid != self && pid != lent && process_look(search, (pid_t)pid, pass);
	if (dir)
		closedir(dir);
	return found;
}

/*
 * Who has the file of @fd, other than this process. If nobody is seen, it is @lent: who it was
 * lent to, or 0.
 */
void shmem_holder_find(struct unplug_shmem_holder *holder, int fd, pid_t lent)
{
	struct search search = { .holder = holder };
	unsigned int pass;
	char path[64];
	ssize_t n;

	memset(holder, 0, sizeof(*holder));
	if (lent == getpid())
		lent = 0;
	if (lent) {
		holder->pid = lent;
		holder->how = UNPLUG_SHMEM_LENT;
	}
	for (pass = 0; pass < 2 && !fstat(fd, &search.st); pass++) {
		if (processes_look(&search, lent, pass))
			break;
	}
	if (!holder->pid)
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)holder->pid);
	n = proc_read(path, holder->name, sizeof(holder->name));
	holder->name[n < 0 ? 0 : strcspn(holder->name, "\n")] = '\0';
}
