// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the library wants of the system fails, one thing after the other: each time the caller is told
 * what it was, nothing is left behind, and it works when it is tried again. Each time in a process of
 * its own, as much is done once in a process.
 * Promises: U1, U2, U3, U4
 */

#include <dirent.h>
#include <fcntl.h>
#include <libunplug/device.h>
#include <libunplug/registry.h>
#include <libunplug/shmem.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "internal.h"
#include "test-sigbus.h"

#define MEMBARRIER_RSEQ (1 << 7)
#define PLACES 64		/* for guards, in the first chunk */

/* The call, counted from now, that fails, if it is not below 1; and what that said */
static _Atomic int until;
static int injected;

static bool fails(int error)
{
	if (atomic_fetch_sub(&until, 1) != 1)
		return false;
	errno = error;
	injected = error;
	return true;
}

/*
 * What the library calls (by the linker's --wrap)
 */

#define WRAP(type, name, args, pass, error, failed) \
	type __real_##name args; \
	type __wrap_##name args; \
	type __wrap_##name args \
	{ \
		return fails(error) ? (failed) : __real_##name pass; \
	}

WRAP(void *, calloc, (size_t n, size_t size), (n, size), ENOMEM, NULL)
WRAP(void *, mmap64, (void *addr, size_t len, int prot, int flags, int fd, off_t at),
     (addr, len, prot, flags, fd, at), ENOMEM, MAP_FAILED)
WRAP(int, fstat64, (int fd, struct stat *st), (fd, st), EOVERFLOW, -1)
WRAP(int, open64, (const char *path, int flags, unsigned int mode), (path, flags, mode), EMFILE, -1)
WRAP(int, fchmod, (int fd, unsigned int mode), (fd, mode), EROFS, -1)
WRAP(int, ftruncate64, (int fd, off_t len), (fd, len), EINTR, -1)
WRAP(ssize_t, sendmsg, (int sock, const struct msghdr *msg, int flags), (sock, msg, flags), EPIPE, -1)
WRAP(int, sigaction, (int sig, const struct sigaction *action, struct sigaction *before),
     (sig, action, before), EPERM, -1)
WRAP(int, pthread_attr_init, (pthread_attr_t *attr), (attr), ENOMEM, ENOMEM)
WRAP(int, pthread_create, (pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			   void *data), (thread, attr, run, data), EAGAIN, EAGAIN)

/* Kernels before 6.3 do not know the flag */
static bool old_kernel;

int __real_memfd_create(const char *name, unsigned int flags);
int __wrap_memfd_create(const char *name, unsigned int flags);

int __wrap_memfd_create(const char *name, unsigned int flags)
{
	if (old_kernel && flags & ~(unsigned int)(MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
		errno = EINVAL;
		return -1;
	}
	return fails(ENFILE) ? -1 : __real_memfd_create(name, flags);
}

/* Seals are put on; who asks for them is answered. */
int __real_fcntl64(int fd, int command, long arg);
int __wrap_fcntl64(int fd, int command, long arg);

int __wrap_fcntl64(int fd, int command, long arg)
{
	return command == F_ADD_SEALS && fails(EBUSY) ? -1 : __real_fcntl64(fd, command, arg);
}

/* A filter of system calls that came later forbids the barrier. */
long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);

long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	if (nr == SYS_membarrier && a == MEMBARRIER_RSEQ && fails(EACCES))
		return -1;
	return __real_syscall(nr, a, b, c, d, e, f);
}

static bool no_fork_handlers;

int __real_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));
int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	return no_fork_handlers ? ENOMEM : __real_pthread_atfork(prepare, parent, child);
}

/* The last moment of a second */
static bool late;

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	int r = __real_clock_gettime(clock, t);

	if (late)
		t->tv_nsec = 999999999L;
	return r;
}

/*
 * Attempts
 */

enum { DONE, HIT, WRONG };

#define CHILD_ASSERT(what) \
	do { \
		if (!(what)) { \
			print_error("%s:%d: %s\n", __FILE__, __LINE__, #what); \
			_exit(WRONG); \
		} \
	} while (0)

/*
 * struct attempt - what is tried
 * @before: what it takes; here nothing fails
 * @run: 0, or a negative error
 * @after: it has worked
 */
struct attempt {
	void (*before)(void);
	int (*run)(void);
	void (*after)(void);
};

static unsigned int files_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	CHILD_ASSERT(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Mappings of files in memory */
static unsigned int files_mapped(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned int n = 0;
	char line[512];

	CHILD_ASSERT(maps);
	while (fgets(line, sizeof(line), maps))
		n += !!strstr(line, "/memfd:");
	fclose(maps);
	return n;
}

static void attempt_nth(const struct attempt *a, int n)
{
	unsigned int open, mapped;
	int r;

	if (a->before)
		a->before();
	open = files_open();
	mapped = files_mapped();
	atomic_store(&until, n);
	r = a->run();
	atomic_store(&until, 0);
	/* What failed was said. */
	CHILD_ASSERT(r == -injected);
	if (r) {
		CHILD_ASSERT(files_open() == open);
		CHILD_ASSERT(files_mapped() == mapped);
		CHILD_ASSERT(!a->run());
	}
	a->after();
	_exit(injected ? HIT : DONE);
}

/* Returns how much of it can fail. */
static int attempt_each(const struct attempt *a)
{
	int n, status;
	pid_t pid;

	for (n = 1;; n++) {
		fflush(NULL);
		pid = fork();
		assert_true(pid >= 0);
		if (!pid)
			attempt_nth(a, n);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_in_range(WEXITSTATUS(status), DONE, HIT);
		if (WEXITSTATUS(status) == DONE)
			return n - 1;
	}
}

/*
 * Devices
 */

static struct unplug_registry *registry;
static struct unplug_dev dev;

static int dev_run(void)
{
	static const struct unplug_driver drv = { 0 };

	if (!registry)
		registry = unplug_registry_new(0);
	return registry ? unplug_dev_init(&dev, &drv, registry) : -errno;
}

static void dev_begin(void)
{
	CHILD_ASSERT(!dev_run());
	CHILD_ASSERT(!unplug_dev_register(&dev));
}

static void dev_end(void)
{
	CHILD_ASSERT(!unplug_dev_wait_drained(&dev, 0));
	unplug_dev_put(&dev);
	CHILD_ASSERT(!unplug_registry_destroy(registry));
}

static int dev_unplug(void)
{
	return unplug_dev_unplug(&dev);
}

static void dev_check(void)
{
	CHILD_ASSERT(!unplug_dev_register(&dev));
	CHILD_ASSERT(!unplug_dev_unplug(&dev));
	dev_end();
}

static void device_new(void **state)
{
	static const struct attempt attempt = { .run = dev_run, .after = dev_check };

	(void)state;
	assert_true(attempt_each(&attempt) >= 2);
}

/* In a process whose gates do not count in sequences there is no barrier to fail. */
static void device_unplug(void **state)
{
	static const struct attempt attempt = {
		.before = dev_begin, .run = dev_unplug, .after = dev_end,
	};

	(void)state;
	attempt_each(&attempt);
}

/*
 * Guards
 */

static char *range;
static char buffer[64];

static void range_map(void)
{
	range = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHILD_ASSERT(range != MAP_FAILED);
	range[0] = 7;
}

/* Where they only jump, they may have the same range. */
static int range_guard(void)
{
	struct unplug_sigbus_attr attr = { .policy = UNPLUG_SIGBUS_JUMP };
	struct unplug_sigbus *guard;

	return unplug_sigbus_register(&guard, range, PAGE, &attr);
}

/* All of them but @taken have a guard now. */
static void places_fill(int taken)
{
	range_map();
	for (; taken < PLACES; taken++)
		CHILD_ASSERT(!range_guard());
}

static void range_map_crowded(void)
{
	places_fill(0);
}

static void guard_check(void)
{
	CHILD_ASSERT(!(unplug_sigbus_check() & UNPLUG_SIGBUS_ABSENT));
}

static void guard_first(void **state)
{
	static const struct attempt attempt = {
		.before = range_map, .run = range_guard, .after = guard_check,
	};

	(void)state;
	assert_true(attempt_each(&attempt) >= 2);
}

static void guard_next(void **state)
{
	static const struct attempt attempt = {
		.before = range_map_crowded, .run = range_guard, .after = guard_check,
	};

	(void)state;
	assert_int_equal(attempt_each(&attempt), 1);
}

/* Nobody says why; but nothing was copied, and nothing is to be believed. */
static int copy_in(void)
{
	return unplug_sigbus_copy_in(buffer, range, sizeof(buffer)) ? 0 : -injected;
}

static int copy_out(void)
{
	return unplug_sigbus_copy_out(range, buffer, sizeof(buffer)) ? 0 : -injected;
}

static void copy_check(void)
{
	CHILD_ASSERT(buffer[0] == range[0]);
}

static void copy_first(void **state)
{
	static const struct attempt in = { .before = range_map, .run = copy_in, .after = copy_check };
	static const struct attempt out = { .before = range_map, .run = copy_out, .after = copy_check };

	(void)state;
	assert_true(attempt_each(&in) >= 2);
	assert_true(attempt_each(&out) >= 2);
}

static void child_no_fork_handlers(void *data)
{
	(void)data;
	no_fork_handlers = true;
	range_map();
	CHILD_ASSERT(range_guard() == -ENOMEM);
	CHILD_ASSERT(range_guard() == -ENOMEM);
	CHILD_ASSERT(unplug_sigbus_check() & UNPLUG_SIGBUS_ABSENT);
}

/* Nothing is guarded if a child of this process could wait for ever. */
static void guard_no_fork_handlers(void **state)
{
	(void)state;
	assert_exit(in_child(child_no_fork_handlers, NULL), DONE);
}

/*
 * Memory that is lent
 */

static struct unplug_shmem *shmem;
static struct unplug_loan *loan;
static unsigned int shmem_flags, loan_flags;
static int timeout, pair[2];

static int shmem_create(void)
{
	return unplug_shmem_create(&shmem, "failing", 1, shmem_flags);
}

static void shmem_begin(void)
{
	CHILD_ASSERT(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
	CHILD_ASSERT(!shmem_create());
	((char *)unplug_shmem_addr(shmem))[0] = 7;
}

static void shmem_begin_crowded(void)
{
	shmem_begin();
	places_fill(1);	/* the owner's */
}

static void shmem_check(void)
{
	((char *)unplug_shmem_addr(shmem))[unplug_shmem_size(shmem) - 1] = 7;
	unplug_shmem_free(shmem);
	CHILD_ASSERT(!files_mapped());
}

static int shmem_borrow(void)
{
	int r = unplug_shmem_lend(shmem, pair[0]);

	return r ? r : unplug_loan_borrow(&loan, pair[1], loan_flags);
}

static void loan_check(void)
{
	CHILD_ASSERT(((char *)unplug_loan_addr(loan))[0] == 7);
	unplug_loan_free(loan);
	shmem_check();
}

static int shmem_revoke(void)
{
	return unplug_shmem_revoke(shmem, timeout, NULL);
}

static void revoke_check(void)
{
	CHILD_ASSERT(unplug_shmem_state(shmem) == UNPLUG_SHMEM_REVOKED);
	CHILD_ASSERT(unplug_shmem_lost(shmem));
	unplug_shmem_free(shmem);
}

static void lend_new(void **state)
{
	static const struct attempt attempt = { .run = shmem_create, .after = shmem_check };

	(void)state;
	shmem_flags = 0;
	assert_true(attempt_each(&attempt) >= 6);
	shmem_flags = UNPLUG_SHMEM_READ_ONLY;
	assert_true(attempt_each(&attempt) >= 8);
	shmem_flags = 0;
}

static void lend_old_kernel(void **state)
{
	static const struct attempt attempt = { .run = shmem_create, .after = shmem_check };

	(void)state;
	old_kernel = true;
	assert_true(attempt_each(&attempt) >= 6);
	old_kernel = false;
}

static void lend_borrow(void **state)
{
	static const struct attempt attempt = {
		.before = shmem_begin_crowded, .run = shmem_borrow, .after = loan_check,
	};

	(void)state;
	loan_flags = 0;
	assert_true(attempt_each(&attempt) >= 4);
	loan_flags = UNPLUG_LOAN_ZEROES;
	assert_true(attempt_each(&attempt) >= 5);
}

static void lend_revoke(void **state)
{
	static const struct attempt attempt = {
		.before = shmem_begin, .run = shmem_revoke, .after = revoke_check,
	};

	(void)state;
	timeout = 60000;
	assert_true(attempt_each(&attempt) >= 3);
	timeout = -1;
	assert_true(attempt_each(&attempt) >= 1);
}

/*
 * Times that end in the next second
 */

static void child_late(void *data)
{
	struct timespec now, end;

	(void)data;
	late = true;
	clock_gettime(CLOCK_MONOTONIC, &now);
	end = unplug_deadline(60002);
	CHILD_ASSERT(end.tv_sec >= now.tv_sec + 61 && end.tv_nsec == 1999999);
	shmem_begin();
	CHILD_ASSERT(!unplug_shmem_revoke(shmem, 60002, NULL));
	revoke_check();
}

static void deadline(void **state)
{
	(void)state;
	assert_exit(in_child(child_late, NULL), DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_new),
		cmocka_unit_test(device_unplug),
		cmocka_unit_test(guard_first),
		cmocka_unit_test(guard_next),
		cmocka_unit_test(guard_no_fork_handlers),
		cmocka_unit_test(copy_first),
		cmocka_unit_test(lend_new),
		cmocka_unit_test(lend_old_kernel),
		cmocka_unit_test(lend_borrow),
		cmocka_unit_test(lend_revoke),
		cmocka_unit_test(deadline),
	};

	return cmocka_run_group_tests_name("failing", tests, NULL, NULL);
}
