// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a client does to delay a revoke, or to get something done in time: it stops, it hammers,
 * and it holds the inode's lock by a write(2) that it never ends.
 * Promises: U3
 */

#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "hostile.h"

static enum outcome stop_revoke(struct owner *owner)
{
	int status;

	need(!kill(owner->pid, SIGSTOP));
	need(waitpid(owner->pid, &status, WUNTRACED) == owner->pid && WIFSTOPPED(status));
	need(!unplug_shmem_revoke(owner->shmem, REVOKE_MS, NULL));
	need(!kill(owner->pid, SIGCONT));
	return PASSED;
}

/* Passed on to a process that the owner does not know */
static enum outcome pass_on_before(struct client *client)
{
	int *pipes = calloc(2, sizeof(*pipes));
	char byte;
	pid_t pid;

	client->data[1] = pipes;
	need(pipes && !pipe(pipes));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		close(pipes[1]);
		if (read(pipes[0], &byte, 1) < 0)
			_exit(2);
		_exit(all_gone(client) != PASSED);
	}
	close(pipes[0]);
	client->data[0] = (void *)(intptr_t)pid;
	return PASSED;
}

static enum outcome pass_on_after(struct client *client)
{
	int status, *pipes = client->data[1];
	pid_t pid = (pid_t)(intptr_t)client->data[0];

	close(pipes[1]);
	need(waitpid(pid, &status, 0) == pid);
	need(WIFEXITED(status) && !WEXITSTATUS(status));
	return PASSED;
}

/*
 * Threads that store as fast as they can, before, while and after it is revoked. Who sees
 * that it was, and stores nevertheless, was not stopped.
 */
#define HAMMERS 3


static enum outcome hammer_until_gone(struct client *client, _Atomic int *told)
{
	bool was_told, was_gone;

	do {
		was_told = atomic_load(told);
		was_gone = gone_store(client->mem);
		if (was_told)
			need(was_gone);
	} while (!was_told);
	return PASSED;
}

/* In processes, as signal handlers are a process's: told by memory that is another matter */
static enum outcome hammer_before(struct client *client)
{
	_Atomic int *told = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				 -1, 0);
	pid_t *pids = calloc(HAMMERS, sizeof(*pids));
	int i;

	client->data[0] = (void *)told;
	client->data[1] = pids;
	need(told != MAP_FAILED && pids);
	for (i = 0; i < HAMMERS; i++) {
		pids[i] = fork();
		need(pids[i] >= 0);
		if (!pids[i]) {
			atomic_fetch_add(&told[1], 1);
			_exit(hammer_until_gone(client, told) != PASSED);
		}
	}
	while (atomic_load(&told[1]) < HAMMERS)
		sched_yield();
	return PASSED;
}

static enum outcome hammer_after(struct client *client)
{
	_Atomic int *told = client->data[0];
	pid_t *pids = client->data[1];
	int i, status;

	atomic_store(told, 1);
	for (i = 0; i < HAMMERS; i++) {
		need(waitpid(pids[i], &status, 0) == pids[i]);
		need(WIFEXITED(status) && !WEXITSTATUS(status));
	}
	return PASSED;
}

struct writer {
	int fd;
	void *source;
};

static void *write_for_ever(void *data)
{
	struct writer *writer = data;

	if (pwrite(writer->fd, writer->source, 4096, 0) < 0)
		perror("# pwrite");
	return NULL;
}

/* Memory whose first access waits for us, and we do not answer. */
static enum outcome faulting_page(int *uffdp, void **pagep)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Not to be polled without O_NONBLOCK */
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	need(page != MAP_FAILED);
	skip_if(uffd < 0, "userfaultfd for faults of the kernel: it takes root, or the sysctl "
		"vm.unprivileged_userfaultfd");
	need(!ioctl(uffd, UFFDIO_API, &api));
	area.range.start = (unsigned long)page;
	area.range.len = 4096;
	need(!ioctl(uffd, UFFDIO_REGISTER, &area));
	*uffdp = uffd;
	*pagep = page;
	return PASSED;
}

/* Ready when its write is known to wait: userfaultfd has something to read. */
static enum outcome stall_before(struct client *client)
{
	static struct writer writer;
	enum outcome outcome;
	struct pollfd poll_fd = { .events = POLLIN };
	pthread_t thread;

	outcome = faulting_page(&poll_fd.fd, &writer.source);
	if (outcome != PASSED)
		return outcome;
	writer.fd = client->fd;
	need(!pthread_create(&thread, NULL, write_for_ever, &writer));
	need(poll(&poll_fd, 1, -1) == 1 && poll_fd.revents == POLLIN);
	return PASSED;
}

/* The owner is told who it is, and when that one is killed it is over. */
static enum outcome stall_revoke(struct owner *owner)
{
	struct unplug_shmem_holder holder;

	need(unplug_shmem_revoke(owner->shmem, 100, &holder) == -ETIMEDOUT);
	need(unplug_shmem_state(owner->shmem) == UNPLUG_SHMEM_SHUT);
	need(unplug_shmem_lend(owner->shmem, owner->sock[0]) == -ENODEV);
	need(holder.pid == owner->pid);
	need(holder.how == UNPLUG_SHMEM_INSIDE);
	need(holder.tid && holder.tid != owner->pid);
	need(!strncmp(holder.name, "hostile", 7));
	need(!kill(holder.pid, SIGKILL));
	need(!unplug_shmem_revoke(owner->shmem, REVOKE_MS, &holder));
	need(unplug_shmem_state(owner->shmem) == UNPLUG_SHMEM_REVOKED);
	return PASSED;
}

/* The same on what it can only read: its write is refused at once, and nothing is delayed. */
static enum outcome stall_read_only(struct client *client)
{
	int fd = -1;
	void *page = NULL;
	enum outcome outcome = faulting_page(&fd, &page);

	if (outcome != PASSED)
		return outcome;
	need(refused(pwrite(client->fd, page, 4096, 0), EBADF));
	return PASSED;
}

/* On huge pages there is no write(2). */
static enum outcome stall_huge(struct client *client)
{
	int fd = -1;
	void *page = NULL;
	enum outcome outcome = faulting_page(&fd, &page);

	if (outcome != PASSED)
		return outcome;
	need(refused(pwrite(client->fd, page, 4096, 0), EINVAL));
	return PASSED;
}

const struct act acts_stall[] = {
	{ .name = "stopped", .revoke = stop_revoke },
	{ .name = "passed-on", .before = pass_on_before, .after = pass_on_after },
	{ .name = "hammer", .before = hammer_before, .after = hammer_after },
	/* Promises: U3, a limit */
	{ .name = "stall", .before = stall_before, .revoke = stall_revoke },
	{ .name = "stall-read-only", .flags = UNPLUG_SHMEM_READ_ONLY,
	  .before = stall_read_only },
	{ .name = "stall-huge", .flags = UNPLUG_SHMEM_HUGE, .before = stall_huge },
};
const size_t n_acts_stall = ARRAY_SIZE(acts_stall);
