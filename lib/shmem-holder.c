// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who holds up a revoke: the process that has the file open, and is in a system call
 * that writes to it. All there is to see is in /proc, as far as rights go; what
 * is seen may be over already.
 */

#include "shmem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* Is it in a system call that writes to its descriptor @fd? */
static bool thread_writes(pid_t pid, long tid, long fd)
{
	char path[80], buf[256];
	unsigned long arg[3];
	size_t i;
	long nr;

	snprintf(path, sizeof(path), "/proc/%d/task/%ld/syscall", (int)pid, tid);
	if (proc_read(path, buf, sizeof(buf)) <= 0 ||
	    sscanf(buf, "%ld %lx %lx %lx", &nr, &arg[0], &arg[1], &arg[2]) != 4)
		return false;
	for (i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		if (nr == writers[i].nr && (int)arg[writers[i].arg] == (int)fd)
			return true;
	}
	return false;
}

/* The thread of @pid that writes to its descriptor @fd, or 0 */
static pid_t writer_find(pid_t pid, long fd)
{
	char path[64];
	long tid;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	do {
		tid = next_number(dir);
	} while (tid >= 0 && !thread_writes(pid, tid, fd));
	closedir(dir);
	return tid > 0 ? (pid_t)tid : 0;
}

/* Is the descriptor one for writing to the file that @st is of? */
static bool fd_writable(pid_t pid, long fd, const struct stat *st)
{
	char path[64], buf[256];
	unsigned int flags;
	struct stat other;

	snprintf(path, sizeof(path), "/proc/%d/fd/%ld", (int)pid, fd);
	if (stat(path, &other) < 0 || other.st_dev != st->st_dev || other.st_ino != st->st_ino)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%ld", (int)pid, fd);
	return proc_read(path, buf, sizeof(buf)) > 0 &&
	       sscanf(buf, "pos: %*s flags: %o", &flags) == 1 &&
	       (flags & O_ACCMODE) != O_RDONLY;
}

/* Looks whether @pid tells more of @holder than is known. */
static void process_look(struct unplug_shmem_holder *holder, pid_t pid, const struct stat *st)
{
	char path[64];
	pid_t tid;
	DIR *dir;
	long fd;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return;
	while (holder->how != UNPLUG_SHMEM_INSIDE && (fd = next_number(dir)) >= 0) {
		if (!fd_writable(pid, fd, st))
			continue;
		tid = writer_find(pid, fd);
		if (tid || holder->how != UNPLUG_SHMEM_OPEN) {
			holder->pid = pid;
			holder->tid = tid;
			holder->how = tid ? UNPLUG_SHMEM_INSIDE : UNPLUG_SHMEM_OPEN;
		}
	}
	closedir(dir);
}

/*
 * Who has the file of @fd, other than this process. If nobody is seen, it is @lent: who it was
 * lent to, or 0.
 */
void shmem_holder_find(struct unplug_shmem_holder *holder, int fd, pid_t lent)
{
	pid_t self = getpid();
	char path[64];
	struct stat st;
	ssize_t n;
	DIR *dir;
	long pid;

	memset(holder, 0, sizeof(*holder));
	if (lent && lent != self) {
		holder->pid = lent;
		holder->how = UNPLUG_SHMEM_LENT;
	}
	dir = fstat(fd, &st) < 0 ? NULL : opendir("/proc");
	while (dir && holder->how != UNPLUG_SHMEM_INSIDE && (pid = next_number(dir)) >= 0) {
		if (pid && pid != self)
			process_look(holder, (pid_t)pid, &st);
	}
	if (dir)
		closedir(dir);
	if (!holder->pid)
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)holder->pid);
	n = proc_read(path, holder->name, sizeof(holder->name));
	holder->name[n < 0 ? 0 : strcspn(holder->name, "\n")] = '\0';
}
