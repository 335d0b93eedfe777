// SPDX-License-Identifier: GPL-2.0-or-later
/* What an actor does with children, and to others */

#include "world.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACE_ROUNDS 4

/* A child that is not an actor: it looks at what it has of the card's, and goes. */
static void child_look(struct actor *actor, const struct step *step)
{
	struct actor self = *actor;	/* not in the shared world */

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (step->handle->map)
		do_load(&self, step->handle, step->a % TORTURE_PAGES);
	if (step->handle->fd >= 0)
		do_info(&self, step->handle, NULL);
	_exit(0);
}

static void wait_child(pid_t pid)
{
	static const struct oracle_verdict killed = { "none", "a child was killed" };
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		accuse(&killed, "by signal %d", WTERMSIG(status));
}

/* Until somebody has pulled something. Who has stopped another one stays for that long. */
static void wait_pull(uint32_t random)
{
	uint64_t pulls = __atomic_load_n(&world->pulls, __ATOMIC_RELAXED);
	long end = now_ms() + 1000;

	while (!__atomic_load_n(&world->stop, __ATOMIC_ACQUIRE) && now_ms() < end &&
	       pulls == __atomic_load_n(&world->pulls, __ATOMIC_RELAXED))
		dawdle(random, 5);
}

void op_fork(struct actor *actor, const struct step *step)
{
	pid_t pid;

	if (step->handle->fd < 0 && !step->handle->map)
		op_map(actor, step);
	actor_enter(actor, ORACLE_OTHER, step->handle->generation);
	pid = fork();
	if (!pid)
		child_look(actor, step);
	if (pid > 0)
		wait_child(pid);
	actor_leave(actor);
}

/* A file in flight, and what its card is */
void op_send(struct actor *actor, const struct step *step)
{
	struct handle *handle = step->handle;
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec data = { handle, sizeof(*handle) };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	if (handle->fd < 0)
		op_open(actor, step);
	if (handle->fd < 0)
		return;
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &handle->fd, sizeof(int));
	sendmsg(world->post[0], &message, MSG_DONTWAIT);
	actor->count[ORACLE_OTHER]++;
}

void op_receive(struct actor *actor, const struct step *step)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct handle handle;
	struct iovec data = { &handle, sizeof(handle) };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head;

	if (recvmsg(world->post[1], &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof(handle))
		return;
	head = CMSG_FIRSTHDR(&message);
	if (!head || head->cmsg_type != SCM_RIGHTS)
		return;
	op_close(actor, step);
	op_unmap(actor, step);
	memcpy(&handle.fd, CMSG_DATA(head), sizeof(int));
	handle.map = NULL;	/* the sender's */
	*step->handle = handle;
	do_info(actor, step->handle, NULL);
}

/* Reads until it is killed */
static void child_read(struct actor *actor, const struct step *step)
{
	struct actor self = *actor;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		op_read(&self, step);
		if (step->handle->map)
			do_load(&self, step->handle, step->a % TORTURE_PAGES);
	}
}

static void peek(struct actor *actor, const struct handle *handle, pid_t pid)
{
	struct oracle_act act;
	long word;

	act_begin(actor, &act, ORACLE_PEEK, handle);
	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, pid, handle->map, NULL);
	act_end(actor, &act, errno, word);
}

/* A child that is stopped in the middle of a read, looked into, and let go on */
static void trace(struct actor *actor, const struct step *step, pid_t pid)
{
	unsigned int i;
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return;
	for (i = 0; i < TRACE_ROUNDS; i++) {
		dawdle(step->b >> i, 5);
		if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 ||
		    waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
			return;
		if (i == 0 && step->a % 2)
			wait_pull(step->b);
		peek(actor, step->handle, pid);
		/* A signal of its own, a SIGBUS maybe, is delivered. */
		ptrace(PTRACE_CONT, pid, NULL, status >> 16 ? 0L : (long)WSTOPSIG(status));
	}
}

void op_trace(struct actor *actor, const struct step *step)
{
	pid_t pid;

	if (!step->handle->map || step->handle->fd < 0)
		op_map(actor, step);
	if (!step->handle->map || step->handle->fd < 0)
		return;
	pid = fork();
	if (!pid)
		child_read(actor, step);
	if (pid < 0)
		return;
	trace(actor, step, pid);
	kill(pid, SIGKILL);
	actor_enter(actor, ORACLE_OTHER, step->handle->generation);
	wait_child(pid);
	actor_leave(actor);
}

static pid_t somebody(const struct actor *actor, const struct step *step)
{
	const struct actor *other = &world->actor[step->a % world->actors];

	return other == actor ? 0 : other->pid;
}

/* One that is handled */
void op_signal(struct actor *actor, const struct step *step)
{
	pid_t pid = somebody(actor, step);

	if (pid && !kill(pid, SIGUSR1))
		actor->count[ORACLE_OTHER]++;
	dawdle(step->b, 5);
}

void op_stop(struct actor *actor, const struct step *step)
{
	pid_t pid = somebody(actor, step);

	if (!pid || kill(pid, SIGSTOP) < 0)
		return;
	/* Not whoever pulls: nobody else may. */
	if (step->b % 4 == 0 && !world->actor[step->a % world->actors].count[ORACLE_PULL])
		wait_pull(step->b);
	dawdle(step->b, 30);
	kill(pid, SIGCONT);
	actor->count[ORACLE_OTHER]++;
}
