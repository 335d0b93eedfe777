/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LIB_TEST_FATAL_H
#define _LIB_TEST_FATAL_H

/* What the library says on stderr before it aborts, in a process of its own. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* Forks; returns 0 in the child, whose stderr @fdp reads. */
static inline pid_t fatal_begin(int *fdp)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		/* An assertion must not go on with the parent's tests. */
		setenv("CMOCKA_TEST_ABORT", "1", 1);
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		signal(SIGABRT, SIG_DFL);
		dup2(fds[1], STDERR_FILENO);
	}
	close(fds[1]);
	*fdp = fds[0];
	return pid;
}

/* It was aborted, and has said one line of ours, which has this in it. */
static inline void fatal_end(const char *call, pid_t pid, int fd, const char *what)
{
	char words[1024];
	size_t len = 0;
	const char *line;
	int status;
	ssize_t n;

	while ((n = read(fd, words + len, sizeof(words) - 1 - len)) > 0)
		len += (size_t)n;
	words[len] = '\0';
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	line = strstr(words, "libunplug: ");
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || !line ||
	    !strstr(line, what) || strchr(line, '\n') != line + strlen(line) - 1)
		fail_msg("%s: not '%s'; status %x, it said: %s", call, what,
			 (unsigned int)status, words);
}

#define assert_fatal(call, what) \
	do { \
		int fatal_fd; \
		pid_t fatal_pid = fatal_begin(&fatal_fd); \
		\
		if (!fatal_pid) { \
			(void)(call); \
			_exit(0); \
		} \
		fatal_end(#call, fatal_pid, fatal_fd, what); \
	} while (0)

#endif /* _LIB_TEST_FATAL_H */
