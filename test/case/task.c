// SPDX-License-Identifier: GPL-2.0-or-later
/* Threads and processes of a case, waited for with a limit; see case.h */

#define _GNU_SOURCE
#include "case.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "test/vm/host.h"

extern char **environ;

static void *task_main(void *data)
{
	struct task *task = data;
	uint64_t one = 1;

	__atomic_store_n(&task->tid, gettid(), __ATOMIC_RELEASE);
	errno = 0;
	task->result = task->run(task->arg);
	task->err = errno;
	if (write(task->done, &one, sizeof(one)) != sizeof(one))
		abort();
	return NULL;
}

void task_start(struct task *task, long (*run)(void *arg), void *arg)
{
	pthread_t thread;
	int err;

	task->run = run;
	task->tid = 0;
	task->arg = arg;
	task->done = eventfd(0, EFD_CLOEXEC);
	if (task->done < 0)
		case_fail("eventfd: %m");
	err = pthread_create(&thread, NULL, task_main, task);
	if (err)
		case_fail("pthread_create: %s", strerror(err));
	task->thread = thread;
}

long task_wait(struct task *task)
{
	if (poll_in(task->done, case_timeout()) != 1)
		case_end(OUTCOME_HANG, "a thread did not come back from its operation");
	pthread_join(task->thread, NULL);
	close(task->done);
	errno = task->err;
	return task->result;
}

bool task_running(const struct task *task)
{
	return poll_in(task->done, 0) == 0;
}

/*
 * Off its processor, in a system call: the kernel waits for the one before it says the other.
 * Else it may be about to sleep, or to read a page of the program.
 */
static bool task_is_blocked(pid_t tid)
{
	char path[64], call[128];

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	return !file_read(path, call, sizeof(call)) && isdigit(call[0]);
}

static bool task_is_in_state(pid_t tid, const char *want)
{
	char path[64], stat[512] = "", *state;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	if (file_read(path, stat, sizeof(stat)))
		return false;
	state = strrchr(stat, ')') ?: stat;
	return !strncmp(state, want, strlen(want));
}

/*
 * Nothing tells that a thread went to sleep: look until it did. Whoever wakes it
 * later is then known to have done so.
 */
static bool task_try_state(struct task *task, const char *want)
{
	pid_t tid;

	do {
		if (!task_running(task))
			return false;
		sched_yield();
		tid = __atomic_load_n(&task->tid, __ATOMIC_ACQUIRE);
	} while (!tid || !task_is_blocked(tid) || !task_is_in_state(tid, want));
	return true;
}

static void task_expect_state(struct task *task, const char *want)
{
	if (!task_try_state(task, want))
		case_fail("a thread that was to sleep came back");
}

void task_wait_asleep(struct task *task)
{
	task_expect_state(task, ") S");
}

void task_wait_asleep_deaf(struct task *task)
{
	task_expect_state(task, ") D");
}

void task_wait_blocked(struct task *task)
{
	task_expect_state(task, "");
}

bool task_try_asleep(struct task *task)
{
	return task_try_state(task, ") S");
}

bool task_try_asleep_deaf(struct task *task)
{
	return task_try_state(task, ") D");
}

static void job_watch(struct job *job)
{
	job->fd = pidfd_open(job->pid, 0);
	if (job->fd < 0)
		case_fail("pidfd_open: %m");
}

void job_start(struct job *job, int (*run)(void *arg), void *arg)
{
	job->pid = fork();
	if (job->pid < 0)
		case_fail("fork: %m");
	if (!job->pid)
		_exit(run(arg));
	job_watch(job);
}

void job_do(struct job *job, const char *verb, const char *a, const char *b)
{
	char *argv[] = { "case", "--do", (char *)verb, (char *)a, (char *)b, NULL };
	int err;

	err = posix_spawn(&job->pid, "/proc/self/exe", NULL, NULL, argv, environ);
	if (err)
		case_fail("spawning '%s %s': %s", verb, a, strerror(err));
	job_watch(job);
}

int job_wait(struct job *job)
{
	int status;

	if (poll_in(job->fd, case_timeout()) != 1)
		case_end(OUTCOME_HANG, "process %d did not come to its end", job->pid);
	close(job->fd);
	if (waitpid(job->pid, &status, 0) != job->pid)
		case_fail("waitpid: %m");
	if (WIFSIGNALED(status))
		case_fail("a process was killed by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

bool job_running(const struct job *job)
{
	return poll_in(job->fd, 0) == 0;
}

/*
 * Until the process sleeps in a function of the kernel whose name has @function in
 * it. There is no event for that either; the kernel says it nowhere else.
 */
void job_wait_in(const struct job *job, const char *function)
{
	char path[64], where[128];

	snprintf(path, sizeof(path), "/proc/%d/wchan", job->pid);
	do {
		if (!job_running(job))
			case_fail("process %d ended, it was to wait in %s", job->pid, function);
		sched_yield();
	} while (file_read(path, where, sizeof(where)) || !strstr(where, function));
}

void job_wait_file(const struct job *job, const char *path, const char *text)
{
	char said[64];

	do {
		if (!job_running(job))
			case_fail("process %d ended, %s was to say '%s'", job->pid, path, text);
		sched_yield();
	} while (file_read(path, said, sizeof(said)) || strcmp(said, text));
}

void job_kill(struct job *job)
{
	kill(job->pid, SIGKILL);
	if (poll_in(job->fd, case_timeout()) != 1)
		case_end(OUTCOME_HANG, "process %d did not die when killed", job->pid);
	close(job->fd);
	waitpid(job->pid, NULL, 0);
}

void word_tell(int fd)
{
	if (write(fd, "", 1) != 1)
		case_fail("pipe: %m");
}

void word_hear(int fd, const char *whom)
{
	char byte;

	if (poll_in(fd, case_timeout()) != 1)
		case_end(OUTCOME_HANG, "no word from %s", whom);
	if (read(fd, &byte, 1) != 1)
		case_fail("%s ended before its time", whom);
}

/* What job_do() runs: verbs with up to two arguments, the result being an errno. */
int do_main(const char *verb, const char *a, const char *b)
{
	char answer[HOST_LINE];

	if (!strcmp(verb, "write"))
		return file_write(a, b);
	if (!strcmp(verb, "unload"))
		return module_unload(a);
	if (!strcmp(verb, "host")) {
		if (!host_request(answer, "%s %s", a, b))
			return 0;
		fprintf(stderr, "host: %s %s: %s\n", a, b, answer);
		return EIO;
	}
	fprintf(stderr, "case: no such verb '%s'\n", verb);
	return EINVAL;
}
