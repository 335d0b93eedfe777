// SPDX-License-Identifier: GPL-2.0-or-later
/* Process 1 of the guest; see init.h */

#include "host.h"
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KLOG_READ_ALL 3
#define KLOG_CONSOLE_LEVEL 8

int init_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

/* Into the kernel log: the only place that the host reads from the start */
void init_say(const char *fmt, ...)
{
	char line[512] = "<3>init: ";
	size_t n = strlen(line);
	va_list args;

	va_start(args, fmt);
	vsnprintf(line + n, sizeof(line) - n, fmt, args);
	va_end(args);
	/* One write is one record. */
	init_write("/dev/kmsg", line);
}

int init_insmod(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = -1;

	if (fd >= 0) {
		r = syscall(SYS_finit_module, fd, "", 0);
		close(fd);
	}
	if (r == 0 || errno == EEXIST)
		return 0;
	r = errno;
	init_say("cannot load %s: %s", path, strerror(r));
	errno = r;
	return -1;
}

/* The modules on the way to the host's files, listed by script/initrd in order */
static int load_transport(void)
{
	char line[128], path[160];
	FILE *f = fopen("/modules.list", "re");
	int err = 0;

	if (!f)
		return -1;
	while (!err && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(path, sizeof(path), "/modules/%s", line);
		err = init_insmod(path);
	}
	fclose(f);
	return err;
}

static int load_job_modules(const struct init_job *job)
{
	char path[256];
	int i;

	for (i = 0; job->insmod[i]; i++) {
		snprintf(path, sizeof(path), "/modules/%s.ko", job->insmod[i]);
		if (init_insmod(path) < 0) {
			host_request(NULL, "log init: cannot load %.64s: %s",
				     job->insmod[i], strerror(errno));
			return -1;
		}
	}
	return 0;
}

/* Until here the console was quiet, for speed: what it missed goes to a file. */
static void save_boot_log(void)
{
	static char text[1 << 20];
	int n = klogctl(KLOG_READ_ALL, text, sizeof(text));
	FILE *f = n > 0 ? fopen("/out/boot.log", "we") : NULL;

	if (f) {
		fwrite(text, 1, n, f);
		fclose(f);
	}
	klogctl(KLOG_CONSOLE_LEVEL, NULL, 8);
}

/*
 * The kernel's own watchdogs shall speak before a program gives up after @seconds,
 * but not because a loaded host held the guest back for a while.
 */
static void set_watchdogs(int seconds)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", seconds / 2);
	init_write("/proc/sys/kernel/hung_task_timeout_secs", text);
	init_write("/proc/sys/kernel/hung_task_warnings", "-1");
	snprintf(text, sizeof(text), "%d", seconds > 21 ? seconds : 21);
	init_write("/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout", text);
	/* A processor that does nothing else: after twice this time. The kernel takes up to 60. */
	snprintf(text, sizeof(text), "%d", seconds < 20 ? 10 : seconds < 120 ? seconds / 2 : 60);
	init_write("/proc/sys/kernel/watchdog_thresh", text);
	snprintf(text, sizeof(text), "%d", seconds > 30 ? seconds : 30);
	init_write("/sys/module/workqueue/parameters/watchdog_thresh", text);
	init_write("/proc/sys/kernel/sysrq", "1");
}

static int run_job(void)
{
	static struct init_job job;
	char answer[HOST_LINE];

	if (load_transport() < 0 || init_root(&job) < 0)
		return -1;
	save_boot_log();
	if (host_request(answer, "started") < 0) {
		init_say("no answer from the host: %s", answer);
		return -1;
	}
	setenv("UNPLUG_TIMEOUT", answer, 1);
	set_watchdogs(atoi(answer));
	if (load_job_modules(&job) < 0)
		return 125;
	return init_run(&job);
}

static void set_environment(void)
{
	setenv("PATH", "/vm:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/tmp", 1);
	setenv("TERM", "linux", 1);
	setenv("LANG", "C.UTF-8", 1);
	setenv("UNPLUG_OUT", "/out", 1);
	/* modprobe looks for the guest's kernel where the host unpacked it. */
	setenv("MODPROBE_OPTIONS", "-d /kernel", 1);
}

int main(void)
{
	sigset_t chld;
	int status;

	mkdir("/dev", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	/* SIGCHLD is waited for by sigtimedwait(), see init-job.c. */
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	set_environment();
	(void)!sethostname("guest", 5);
	status = run_job();
	if (status >= 0) {
		init_end();
		init_save_counts();
		sync();
		host_request(NULL, "exit %d", status);
	}
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
