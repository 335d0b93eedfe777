/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LIB_TEST_SIGBUS_H
#define _LIB_TEST_SIGBUS_H

/* Memory that can be lost, and processes that may die of it: for the tests of sigbus. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <libunplug/sigbus.h>

#define PAGE ((size_t)sysconf(_SC_PAGESIZE))

struct lossy {
	int fd;
	size_t len;
	volatile unsigned char *mem;
};

/* @pages of memory, each byte 0xa5 */
static inline void lossy_init(struct lossy *lossy, size_t pages)
{
	lossy->len = pages * PAGE;
	lossy->fd = memfd_create("lossy", MFD_CLOEXEC);
	assert_true(lossy->fd >= 0);
	assert_return_code(ftruncate(lossy->fd, (off_t)lossy->len), errno);
	lossy->mem = mmap(NULL, lossy->len, PROT_READ | PROT_WRITE, MAP_SHARED, lossy->fd, 0);
	assert_ptr_not_equal(lossy->mem, MAP_FAILED);
	memset((void *)lossy->mem, 0xa5, lossy->len);
}

/* Only the first @pages are left. */
static inline void lossy_cut(struct lossy *lossy, size_t pages)
{
	assert_return_code(ftruncate(lossy->fd, (off_t)(pages * PAGE)), errno);
}

static inline void lossy_deinit(struct lossy *lossy)
{
	munmap((void *)lossy->mem, lossy->len);
	close(lossy->fd);
}

static inline struct unplug_sigbus *guard_new(struct lossy *lossy, enum unplug_sigbus_policy policy)
{
	struct unplug_sigbus_attr attr = { .policy = policy };
	struct unplug_sigbus *guard;

	/* Above 0 if a handler of the test's was installed since */
	assert_true(unplug_sigbus_register(&guard, (void *)lossy->mem, lossy->len, &attr) >= 0);
	return guard;
}

static struct sigaction signal_ours;

/* To be called by main(), before cmocka has the signal */
static inline void signal_install(void)
{
	/* Sanitizers have it, too. */
	signal(SIGBUS, SIG_DFL);
	if (unplug_sigbus_install() < 0 || sigaction(SIGBUS, NULL, &signal_ours) < 0)
		abort();
}

/* cmocka takes the signal for each test, and has a test begin with giving it back. */
static inline void signal_begin(void **state)
{
	(void)state;
	assert_return_code(sigaction(SIGBUS, &signal_ours, NULL), errno);
}

/* Runs @body in a child, and returns how that ended, as wait(2) says. */
static inline int in_child(void (*body)(void *data), void *data)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		/* An assertion must not go on with the parent's tests. */
		setenv("CMOCKA_TEST_ABORT", "1", 1);
		body(data);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

#define assert_exit(status, code) \
	do { \
		assert_true(WIFEXITED(status)); \
		assert_int_equal(WEXITSTATUS(status), code); \
	} while (0)

#define assert_killed(status, sig) \
	do { \
		assert_true(WIFSIGNALED(status)); \
		assert_int_equal(WTERMSIG(status), sig); \
	} while (0)

#endif /* _LIB_TEST_SIGBUS_H */
