// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How an act is played: an owner, a client in a process of its own, and a revoke between
 * its halves. The client does not use the library, but for what has the descriptor out of
 * the message.
 */

#include <setjmp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "hostile.h"
#include "lib/shmem.h"

static sigjmp_buf touch_env;

static void touch_failed(int sig)
{
	(void)sig;
	siglongjmp(touch_env, 1);
}

static bool gone(volatile unsigned char *at, bool store)
{
	struct sigaction action = { .sa_handler = touch_failed }, before;
	volatile bool killed = false;

	sigaction(SIGBUS, &action, &before);
	if (sigsetjmp(touch_env, 1))
		killed = true;
	else if (store)
		*at = 1;
	else
		(void)*at;
	sigaction(SIGBUS, &before, NULL);
	return killed;
}

/* Does a load, or a store, raise SIGBUS? */
bool gone_load(volatile unsigned char *at)
{
	return gone(at, false);
}

bool gone_store(volatile unsigned char *at)
{
	return gone(at, true);
}

/* What holds for all clients in the end, whatever they did */
enum outcome all_gone(struct client *client)
{
	volatile unsigned char *again;
	size_t at;

	for (at = 0; at < client->size; at += client->size / PAGES) {
		need(gone_load(client->mem + at));
		need(!client->writable || gone_store(client->mem + at));
	}
	need(lseek(client->fd, 0, SEEK_END) == 0);
	again = mmap(NULL, client->size, PROT_READ, MAP_SHARED, client->fd, 0);
	need(again != MAP_FAILED);
	need(gone_load(again));
	need(!munmap((void *)again, client->size));
	return PASSED;
}

static enum outcome client_halves(const struct act *act, struct client *client, int ready, int go)
{
	enum outcome outcome = PASSED;
	char byte = 0;

	if (act->before)
		outcome = act->before(client);
	if (outcome != PASSED)
		return outcome;
	need(write(ready, &byte, 1) == 1);
	need(read(go, &byte, 1) == 1);
	if (act->after)
		outcome = act->after(client);
	return outcome == PASSED ? all_gone(client) : outcome;
}

/* What the owner has is not the client's. */
static void forget_owner(struct owner *owner)
{
	int fd;

	munmap(unplug_shmem_addr(owner->shmem), unplug_shmem_size(owner->shmem));
	for (fd = STDERR_FILENO + 1; fd < 256; fd++) {
		if (fd != owner->sock[1] && fd != owner->ready[1] && fd != owner->go[0])
			close(fd);
	}
}

static enum outcome client_run(const struct act *act, struct owner *owner)
{
	int prot = PROT_READ | (act->flags & UNPLUG_SHMEM_READ_ONLY ? 0 : PROT_WRITE);
	struct client client = { 0 };
	struct shmem_offer offer;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	forget_owner(owner);
	client.writable = prot & PROT_WRITE;
	need(!shmem_offer_receive(owner->sock[1], &offer, &client.fd));
	client.size = offer.size;
	client.mem = mmap(NULL, client.size, prot, MAP_SHARED, client.fd, 0);
	need(client.mem != MAP_FAILED);
	need(client.mem[0] == PATTERN);
	return client_halves(act, &client, owner->ready[1], owner->go[0]);
}

static enum outcome owner_create(struct owner *owner, const struct act *act)
{
	int r = unplug_shmem_create(&owner->shmem, "hostile", PAGES * (size_t)sysconf(_SC_PAGESIZE),
				    act->flags);

	errno = -r;
	skip_if(r == -ENOMEM && (act->flags & UNPLUG_SHMEM_HUGE), "huge pages");
	need(!r);
	memset(unplug_shmem_addr(owner->shmem), PATTERN, unplug_shmem_size(owner->shmem));
	need(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, owner->sock));
	need(!pipe2(owner->ready, O_CLOEXEC));
	need(!pipe2(owner->go, O_CLOEXEC));
	return PASSED;
}

/* The first half, the owner's side, the second half. The client's status is its outcome. */
static enum outcome owner_play(struct owner *owner, const struct act *act)
{
	enum outcome outcome = PASSED;
	char byte = 0;

	need(!unplug_shmem_lend(owner->shmem, owner->sock[0]));
	if (read(owner->ready[0], &byte, 1) != 1)
		return PASSED;	/* it ended, and says why */
	if (act->revoke)
		outcome = act->revoke(owner);
	else
		need(!unplug_shmem_revoke(owner->shmem, REVOKE_MS, NULL));
	need(write(owner->go[1], &byte, 1) == 1);
	return outcome;
}

static enum outcome client_end(struct owner *owner)
{
	int status;

	need(waitpid(owner->pid, &status, 0) == owner->pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return PASSED;	/* by the act */
	need(WIFEXITED(status));
	return (enum outcome)WEXITSTATUS(status);
}

/* Nothing of an act is left for the next one, but what must not be freed under it. */
static void owner_end(struct owner *owner)
{
	int *fds[] = { owner->sock, owner->ready, owner->go };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
	unplug_shmem_free(owner->shmem);
}

enum outcome act_play(const struct act *act)
{
	enum outcome outcome, client;
	struct owner owner = { 0 };

	outcome = owner_create(&owner, act);
	if (outcome != PASSED)
		return outcome;
	fflush(stdout);
	owner.pid = fork();
	need(owner.pid >= 0);
	if (!owner.pid) {
		outcome = client_run(act, &owner);
		fflush(stdout);
		_exit(outcome);
	}
	close(owner.ready[1]);
	owner.ready[1] = -1;
	outcome = owner_play(&owner, act);
	if (outcome == FAILED)
		kill(owner.pid, SIGKILL);
	client = client_end(&owner);
	if (outcome == PASSED)
		outcome = client;
	if (outcome == PASSED && act->owner)
		outcome = act->owner(&owner);
	owner_end(&owner);
	return outcome;
}
