// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest's root: a tmpfs into which the parts of the host's root that programs
 * need are bound, read-only. The host's /dev, /run, /tmp and homes stay out of it.
 */

#include "init.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST "/host"
#define ROOT "/root"
#define SHARE "trans=virtio,version=9p2000.L,msize=512000"

/* Bounded by the host, which writes it for one command line */
#define JOB_MAX (1 << 17)

static int make_folders(const char *path)
{
	char *copy = strdup(path), *p;

	if (!copy)
		return -1;
	for (p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(copy, 0755);
		*p = '/';
	}
	mkdir(copy, 0755);
	free(copy);
	return 0;
}

static int mount_at(const char *what, const char *where, const char *type,
		    unsigned long flags, const char *data)
{
	make_folders(where);
	if (mount(what, where, type, flags, data) == 0)
		return 0;
	init_say("cannot mount %s (%s) at %s: %s", what, type, where, strerror(errno));
	return -1;
}

/* Bind @from, a path of the host, to @to in the guest. */
static int bind_host(const char *from, const char *to)
{
	char source[4096], target[4096];

	snprintf(source, sizeof(source), HOST "%s", from);
	snprintf(target, sizeof(target), ROOT "%s", to);
	return mount_at(source, target, "bind", MS_BIND | MS_REC, NULL);
}

/* /bin and its like: links into /usr on most systems, folders of their own on others */
static int bind_or_link(const char *path)
{
	char source[64], target[64], link[64];
	struct stat st;
	ssize_t n;

	snprintf(source, sizeof(source), HOST "%s", path);
	snprintf(target, sizeof(target), ROOT "%s", path);
	if (lstat(source, &st) < 0)
		return 0;
	if (!S_ISLNK(st.st_mode))
		return bind_host(path, path);
	n = readlink(source, link, sizeof(link) - 1);
	if (n < 0)
		return -1;
	link[n] = '\0';
	return symlink(link, target);
}

static int list_add(char *list[INIT_ARGS], char *item)
{
	int n;

	for (n = 0; list[n]; n++)
		;
	if (n == INIT_ARGS - 1) {
		init_say("more than %d of a kind in the job, at '%s'", INIT_ARGS - 1, item);
		return -1;
	}
	list[n] = item;
	return 0;
}

static int job_parse(struct init_job *job, size_t size)
{
	char *p;
	int r = 0;

	for (p = job->text; p < job->text + size && r == 0; p += strlen(p) + 1) {
		switch (*p) {
		case 'd': job->folder = p + 1; break;
		case 'i': job->interactive = true; break;
		case 'm': job->modules = p + 1; break;
		case 't': job->tools = p + 1; break;
		case 'k': job->kernel = p + 1; break;
		case 'e': r = putenv(p + 1); break;
		case 'b': r = list_add(job->bind, p + 1); break;
		case 'l': r = list_add(job->insmod, p + 1); break;
		case 'a': r = list_add(job->arg, p + 1); break;
		}
	}
	return r == 0 && job->arg[0] ? 0 : -1;
}

static int job_read(struct init_job *job)
{
	size_t size;
	FILE *f;

	f = fopen(ROOT "/out/job", "re");
	if (!f) {
		init_say("cannot open the job: %s", strerror(errno));
		return -1;
	}
	job->text = calloc(1, JOB_MAX + 1);
	if (!job->text) {
		fclose(f);
		return -1;
	}
	size = fread(job->text, 1, JOB_MAX, f);
	fclose(f);
	return job_parse(job, size);
}

static int mount_kernel_files(void)
{
	if (mount_at("proc", ROOT "/proc", "proc", 0, NULL) < 0 ||
	    mount_at("sys", ROOT "/sys", "sysfs", 0, NULL) < 0 ||
	    mount_at("dev", ROOT "/dev", "devtmpfs", 0, NULL) < 0 ||
	    mount_at("tmp", ROOT "/tmp", "tmpfs", 0, "mode=1777") < 0 ||
	    mount_at("run", ROOT "/run", "tmpfs", 0, NULL) < 0 ||
	    mount_at("shm", ROOT "/dev/shm", "tmpfs", 0, "mode=1777") < 0 ||
	    mount_at("pts", ROOT "/dev/pts", "devpts", 0, "mode=620,ptmxmode=666") < 0)
		return -1;
	mkdir(ROOT "/var", 0755);
	/* Conveniences: what needs one of these will say so. */
	if (symlink("/tmp", ROOT "/var/tmp") < 0 || symlink("/run", ROOT "/var/run") < 0 ||
	    symlink("/proc/self/fd", ROOT "/dev/fd") < 0 ||
	    mount("debug", ROOT "/sys/kernel/debug", "debugfs", 0, NULL) < 0 ||
	    mount("trace", ROOT "/sys/kernel/tracing", "tracefs", 0, NULL) < 0)
		init_say("some part of /dev, /sys or /var is missing: %s", strerror(errno));
	return 0;
}

static int bind_all(const struct init_job *job)
{
	static const char *const folders[] = {
		"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
	};
	unsigned int i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		bind_or_link(folders[i]);
	if (bind_host("/usr", "/usr") < 0 || bind_host("/etc", "/etc") < 0)
		return -1;
	for (i = 0; job->bind[i]; i++)
		if (bind_host(job->bind[i], job->bind[i]) < 0)
			return -1;
	if (job->modules && bind_host(job->modules, "/modules") < 0)
		return -1;
	if (job->kernel && bind_host(job->kernel, "/kernel") < 0)
		return -1;
	return job->tools ? bind_host(job->tools, "/vm") : 0;
}

/**
 * init_root() - build the guest's root, read the job, and move there
 * @job:	filled in
 *
 * Return: 0, or -1 with the reason on the console.
 */
int init_root(struct init_job *job)
{
	if (mount_at("host", HOST, "9p", MS_RDONLY, SHARE ",cache=loose") < 0 ||
	    mount_at("root", ROOT, "tmpfs", 0, "mode=755") < 0 ||
	    mount_at("out", ROOT "/out", "9p", 0, SHARE) < 0)
		return -1;
	/* The clone may lie below /tmp: what is bound comes on top of the kernel's. */
	if (job_read(job) < 0 || mount_kernel_files() < 0 || bind_all(job) < 0)
		return -1;
	/* rootfs cannot be unmounted or pivoted away: the new root goes on top of it. */
	if (chdir(ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 ||
	    chroot(".") < 0 || chdir("/") < 0) {
		init_say("cannot move to the new root: %s", strerror(errno));
		return -1;
	}
	return 0;
}
