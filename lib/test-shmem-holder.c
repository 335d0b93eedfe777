// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A revoke that is held up, and who does that. Emptying the file waits here for as long as the
 * test likes, without a client that could do so (userfaultfd takes rights: test/lib/hostile-stall.c);
 * and a client that splices from an empty pipe into the file is seen as one that writes to it.
 * Promises: U3, a limit
 */

#include <fcntl.h>
#include <libunplug/shmem.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "shmem.h"
#include "test-sigbus.h"

static _Atomic bool held;
static _Atomic int held_error;

/* The library's call, too: this program is linked with the static one. */
int ftruncate(int fd, off_t len)
{
	while (held)
		sched_yield();
	if (held_error) {
		errno = held_error;
		return -1;
	}
	return (int)syscall(SYS_ftruncate, fd, len);
}

/**
 * struct client - a process that has a file
 * @fd: the file
 * @not_fd: one that it has to close, or 0
 * @dups: how many descriptors more
 * @threads: how many threads more, which sleep
 * @splices: whether a thread is in a system call that writes to it
 * @fuse: whether it has a name in a file system whose server never answers, before the file
 */
struct client {
	int fd;
	int not_fd;
	int dups;
	int threads;
	bool splices;
	bool fuse;
};

/* Takes the place of @fd, which comes after it. */
static bool fuse_dead(int *fd)
{
	int server = open("/dev/fuse", O_RDWR), file = dup(*fd);
	char options[64];

	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", server);
	if (server < 0 || file < 0 || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("dead", "/mnt", "fuse", 0, options))
		return false;
	close(*fd);
	*fd = file;
	return open("/mnt", O_PATH) >= 0;
}

static void *client_sleep(void *data)
{
	for (;;)
		pause();
	return data;
}

static void *client_splice(void *data)
{
	struct client *client = data;
	int fds[2];

	if (!pipe(fds))
		(void)!syscall(SYS_splice, fds[0], NULL, client->fd, NULL, 4096UL, 0);
	_exit(1);
}

static void client_main(struct client *client, int ready)
{
	pthread_t thread;
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "client");
	if (client->not_fd)
		close(client->not_fd);
	for (i = 0; i < client->dups; i++)
		(void)!dup(client->fd);
	for (i = 0; i < client->threads; i++)
		pthread_create(&thread, NULL, client_sleep, NULL);
	if (client->splices)
		pthread_create(&thread, NULL, client_splice, client);
	(void)!write(ready, client->fuse && !fuse_dead(&client->fd) ? "n" : "y", 1);
	client_sleep(NULL);
}

static void client_end(pid_t pid)
{
	assert_return_code(kill(pid, SIGKILL), errno);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Returns its PID, when it is ready; 0 if it cannot do as told. */
static pid_t client_start(struct client *client)
{
	int ready[2];
	pid_t pid;
	char byte;

	assert_return_code(pipe2(ready, O_CLOEXEC), errno);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		client_main(client, ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	if (byte == 'y')
		return pid;
	client_end(pid);
	return 0;
}

static int file_new(void)
{
	int fd = memfd_create("held", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void holder_inside(void **state)
{
	struct client client = { .fd = file_new(), .dups = 3, .threads = 3, .splices = true };
	struct unplug_shmem_holder holder;
	pid_t pid;

	(void)state;
	pid = client_start(&client);
	/* Until its thread is there */
	do {
		shmem_holder_find(&holder, client.fd, 0);
		assert_int_equal(holder.pid, pid);
	} while (holder.how == UNPLUG_SHMEM_OPEN);
	assert_int_equal(holder.how, UNPLUG_SHMEM_INSIDE);
	assert_true(holder.tid && holder.tid != pid);
	assert_string_equal(holder.name, "client");
	client_end(pid);
	close(client.fd);
}

/* Open for writing; for reading, which is not enough: it is who it was lent to; nobody */
static void holder_open(void **state)
{
	struct client client = { .fd = file_new() };
	struct unplug_shmem_holder holder;
	char path[64];
	pid_t pid;

	(void)state;
	pid = client_start(&client);
	shmem_holder_find(&holder, client.fd, 0);
	assert_int_equal(holder.how, UNPLUG_SHMEM_OPEN);
	assert_int_equal(holder.pid, pid);
	assert_int_equal(holder.tid, 0);
	client_end(pid);
	shmem_holder_find(&holder, client.fd, 0);
	assert_int_equal(holder.how, UNPLUG_SHMEM_NOBODY);
	assert_int_equal(holder.pid, 0);
	assert_string_equal(holder.name, "");

	snprintf(path, sizeof(path), "/proc/self/fd/%d", client.fd);
	client.not_fd = client.fd;
	client.fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(client.fd >= 0);
	pid = client_start(&client);
	shmem_holder_find(&holder, client.fd, 0);
	assert_int_equal(holder.how, UNPLUG_SHMEM_NOBODY);
	shmem_holder_find(&holder, client.fd, pid);
	assert_int_equal(holder.how, UNPLUG_SHMEM_LENT);
	assert_int_equal(holder.pid, pid);
	assert_string_equal(holder.name, "client");
	client_end(pid);
	close(client.fd);
	close(client.not_fd);
}

/* A client's other files may be names of what does not answer: nobody is asked. */
static void holder_dead(void **state)
{
	struct client client = { .fd = file_new(), .fuse = true };
	struct unplug_shmem_holder holder;
	pid_t pid;

	(void)state;
	pid = client_start(&client);
	if (!pid) {
		print_message("# skipped holder_dead: no right to mount here\n");
	} else {
		shmem_holder_find(&holder, client.fd, pid);
		assert_int_equal(holder.how, UNPLUG_SHMEM_OPEN);
		assert_int_equal(holder.pid, pid);
		client_end(pid);
	}
	close(client.fd);
}

/* How often this process has called read(2); -1 if the kernel does not count */
static long reads_count(void)
{
	FILE *file = fopen("/proc/self/io", "re");
	char line[64];
	long n = -1;

	while (file && n < 0 && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "syscr: %ld", &n) != 1)
			n = -1;
	}
	if (file)
		fclose(file);
	return n;
}

/*
 * Descriptors and threads are looked at one after the other, not each with each: a client could
 * make the owner look for minutes.
 */
static void holder_of_many(void **state)
{
	struct client client = { .fd = file_new(), .dups = 800, .threads = 200 };
	struct unplug_shmem_holder holder;
	long before, after;
	pid_t pid;

	(void)state;
	pid = client_start(&client);
	before = reads_count();
	if (before < 0) {
		print_message("# skipped holder_of_many: no count of calls here\n");
		client_end(pid);
		return;
	}
	shmem_holder_find(&holder, client.fd, pid);
	after = reads_count();
	assert_int_equal(holder.how, UNPLUG_SHMEM_OPEN);
	assert_int_equal(holder.pid, pid);
	/* No more than there may be, whoever else is on the machine; it was 160000. */
	assert_true(after - before < 60000);
	client_end(pid);
	close(client.fd);
}

/* Who holds it up is named, and when it is over it ends. */
static void revoke_timeout(void **state)
{
	struct client client = { 0 };
	struct unplug_shmem_holder holder;
	struct unplug_shmem *shmem;
	struct unplug_loan *loan;
	int sock[2];
	pid_t pid;

	signal_begin(state);
	assert_int_equal(unplug_shmem_create(&shmem, "held", PAGE, 0), 0);
	assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock), errno);
	assert_int_equal(unplug_shmem_lend(shmem, sock[0]), 0);
	assert_int_equal(unplug_loan_borrow(&loan, sock[1], UNPLUG_LOAN_ZEROES), 0);
	pid = client_start(&client);

	held = true;
	assert_int_equal(unplug_shmem_revoke(shmem, 0, NULL), -ETIMEDOUT);
	assert_int_equal(unplug_shmem_state(shmem), UNPLUG_SHMEM_SHUT);
	assert_int_equal(unplug_shmem_lend(shmem, sock[0]), -ENODEV);
	assert_int_equal(unplug_shmem_revoke(shmem, 1, &holder), -ETIMEDOUT);
	/* It has the descriptor by its birth. */
	assert_int_equal(holder.how, UNPLUG_SHMEM_OPEN);
	assert_int_equal(holder.pid, pid);
	assert_false(unplug_loan_lost(loan));
	held = false;
	assert_int_equal(unplug_shmem_revoke(shmem, -1, &holder), 0);
	assert_int_equal(unplug_shmem_state(shmem), UNPLUG_SHMEM_REVOKED);
	assert_true(unplug_loan_lost(loan));

	client_end(pid);
	unplug_loan_free(loan);
	unplug_shmem_free(shmem);
	close(sock[0]);
	close(sock[1]);
}

/* If emptying fails nothing was done, and it may be tried again. */
static void revoke_fails(void **state)
{
	struct unplug_shmem *shmem;

	signal_begin(state);
	assert_int_equal(unplug_shmem_create(&shmem, "held", PAGE, 0), 0);
	held_error = EINTR;
	assert_int_equal(unplug_shmem_revoke(shmem, 30000, NULL), -EINTR);
	assert_int_equal(unplug_shmem_state(shmem), UNPLUG_SHMEM_LIVE);
	assert_int_equal(unplug_shmem_revoke(shmem, -1, NULL), -EINTR);
	held_error = 0;
	assert_int_equal(unplug_shmem_revoke(shmem, -1, NULL), 0);
	unplug_shmem_free(shmem);
}

/* Huge pages take long to give back: what is not begun in the caller's own time has its timeout. */
static void revoke_timeout_huge(void **state)
{
	struct unplug_shmem *shmem;
	int r;

	signal_begin(state);
	r = unplug_shmem_create(&shmem, "held", PAGE, UNPLUG_SHMEM_HUGE);
	if (r) {
		print_message("# skipped revoke_timeout_huge: no huge pages here\n");
		assert_int_equal(r, -ENOMEM);
		return;
	}
	held = true;
	assert_int_equal(unplug_shmem_revoke(shmem, 0, NULL), -ETIMEDOUT);
	held = false;
	assert_int_equal(unplug_shmem_revoke(shmem, -1, NULL), 0);
	unplug_shmem_free(shmem);
}

/* What is under way goes on without the owner. */
static void free_while_held(void **state)
{
	struct unplug_shmem *shmem;
	struct unplug_loan *loan;
	int sock[2];

	signal_begin(state);
	assert_int_equal(unplug_shmem_create(&shmem, "held", PAGE, 0), 0);
	assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock), errno);
	assert_int_equal(unplug_shmem_lend(shmem, sock[0]), 0);
	assert_int_equal(unplug_loan_borrow(&loan, sock[1], 0), 0);
	held = true;
	assert_int_equal(unplug_shmem_revoke(shmem, 0, NULL), -ETIMEDOUT);
	unplug_shmem_free(shmem);
	assert_false(unplug_loan_lost(loan));
	held = false;
	while (!unplug_loan_lost(loan))
		sched_yield();
	unplug_loan_free(loan);
	close(sock[0]);
	close(sock[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holder_inside),
		cmocka_unit_test(holder_open),
		cmocka_unit_test(holder_dead),
		cmocka_unit_test(holder_of_many),
		cmocka_unit_test(revoke_timeout),
		cmocka_unit_test(revoke_fails),
		cmocka_unit_test(revoke_timeout_huge),
		cmocka_unit_test(free_while_held),
	};

	signal_install();
	return cmocka_run_group_tests_name("shmem-holder", tests, NULL, NULL);
}
