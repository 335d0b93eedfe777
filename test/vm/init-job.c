// SPDX-License-Identifier: GPL-2.0-or-later
/* Running the program, and telling the host what became of it and its children */

#include "host.h"
#include "init.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT "/dev/ttyS2"

/* include/linux/sched.h, shown in /proc/PID/stat */
#define PF_KTHREAD 0x00200000

static void output_mode(int fd, bool interactive)
{
	struct termios mode;

	/* A new serial port is cooked; only a human at the other end wants that. */
	if (interactive || tcgetattr(fd, &mode) < 0)
		return;
	cfmakeraw(&mode);
	tcsetattr(fd, TCSANOW, &mode);
}

static void child_exec(struct init_job *job, int out)
{
	int in = job->interactive ? out : open("/dev/null", O_RDONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (job->interactive)
		ioctl(out, TIOCSCTTY, 1);
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	if (!job->folder || chdir(job->folder) < 0)
		(void)!chdir("/");
	execvp(job->arg[0], job->arg);
	dprintf(2, "init: cannot run %s: %s\n", job->arg[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/**
 * init_run() - run the program of a job and reap everybody until it ended
 *
 * Return: its exit status, or 128 + the signal that killed it.
 */
int init_run(struct init_job *job)
{
	int out, status;
	pid_t child, pid;

	out = open(OUTPUT, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (out < 0) {
		init_say("cannot open " OUTPUT ": %s", strerror(errno));
		return 126;
	}
	output_mode(out, job->interactive);
	child = fork();
	if (child == 0)
		child_exec(job, out);
	do {
		pid = waitpid(-1, &status, 0);
	} while (pid != child && !(pid < 0 && errno == ECHILD));
	close(out);
	if (pid < 0)
		return 126;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/*
 * From /proc/PID/stat, which takes no lock that a hanging process may hold (cmdline
 * needs its mmap_lock). Zombies and kernel threads do not count.
 */
static bool is_user_process(const char *pid, char name[64])
{
	char path[64], line[512], *begin, *end, state;
	unsigned int flags;
	size_t n;
	FILE *f;

	if (!isdigit(*pid) || strcmp(pid, "1") == 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = '\0';
	/* PID (NAME) STATE PPID PGRP SESSION TTY TPGID FLAGS … */
	begin = strchr(line, '(');
	end = strrchr(line, ')');
	if (!begin || !end ||
	    sscanf(end, ") %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2)
		return false;
	*end = '\0';
	snprintf(name, 64, "%.63s", begin + 1);
	return !(flags & PF_KTHREAD) && state != 'Z' && state != 'X';
}

/* List the processes there are besides init: "name name", as far as they fit. */
static void list_processes(char list[128])
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char name[64] = "?";

	list[0] = '\0';
	while (proc && (entry = readdir(proc))) {
		if (!is_user_process(entry->d_name, name))
			continue;
		if (strlen(list) + strlen(name) + 2 > 128)
			continue;
		strcat(list, list[0] ? " " : "");
		strcat(list, name);
	}
	if (proc)
		closedir(proc);
}

/* Reap until nobody is left or @seconds passed. */
static void reap(int seconds)
{
	struct timespec now, end, step = { .tv_sec = seconds };
	sigset_t chld;
	pid_t pid;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	for (;;) {
		do {
			pid = waitpid(-1, NULL, WNOHANG);
		} while (pid > 0);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (pid < 0 || now.tv_sec >= end.tv_sec)
			return;
		step.tv_sec = end.tv_sec - now.tv_sec;
		sigtimedwait(&chld, NULL, &step);
	}
}

/**
 * init_end() - end what the program left behind, and name it to the host
 */
void init_end(void)
{
	/* For what dies anyway, and for what was killed: seconds, 5 at least */
	int grace = host_timeout() / 6;
	char list[128];

	reap(grace);
	list_processes(list);
	if (!list[0])
		return;
	host_request(NULL, "left %s", list);
	kill(-1, SIGKILL);
	reap(grace);
	list_processes(list);
	if (list[0])
		host_request(NULL, "stuck %s", list);
}
