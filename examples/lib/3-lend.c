// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Example 3: a server lends memory to three clients, and takes it back.
 *
 * Each has its own, so that none can take another's away. They differ in what they do about a
 * loss:
 *
 *	client 1	goes on with zeroes, and looks whether it was lost
 *	client 2	has a recovery point
 *	client 3	does nothing about it; besides, it is stopped and answers nobody
 *
 * The exit status is 0 if all ended as this says.
 */

#include <libunplug/shmem.h>
#include <libunplug/sigbus.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS	3
#define SIZE	(1 << 20)
#define FRAME	0x42

/* What a client answers when it is asked what it sees */
#define SEES_FRAME	'f'
#define SEES_ZEROES	'z'
#define SEES_LOSS	'l'
#define SEES_ELSE	'?'

struct client {
	pid_t pid;
	int sock;
	struct unplug_shmem *shmem;
	long revoke_us;
	char said[3];
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/*
 * The client
 */

static char look_zeroes(struct unplug_loan *loan)
{
	const volatile unsigned char *mem = unplug_loan_addr(loan);
	unsigned char byte = mem[SIZE / 2];

	/* First read, then ask: what was read before the loss was the server's. */
	if (unplug_loan_lost(loan))
		return byte ? SEES_ELSE : SEES_ZEROES;
	return byte == FRAME ? SEES_FRAME : SEES_ELSE;
}

static char look_point(struct unplug_loan *loan, struct unplug_sigbus *guard)
{
	const volatile unsigned char *mem = unplug_loan_addr(loan);
	struct unplug_sigbus_point point;
	char seen;

	if (unplug_sigbus_try(&point, guard)) {
		seen = mem[SIZE / 2] == FRAME ? SEES_FRAME : SEES_ELSE;
		unplug_sigbus_end(&point);
		return seen;
	}
	return SEES_LOSS;
}

static char look_plain(struct unplug_loan *loan)
{
	const volatile unsigned char *mem = unplug_loan_addr(loan);

	return mem[SIZE / 2] == FRAME ? SEES_FRAME : SEES_ELSE;
}

/* Borrows, then says what it sees whenever it is asked, until nobody asks any more */
static int client_main(int number, int sock)
{
	struct unplug_sigbus_attr attr = { .policy = UNPLUG_SIGBUS_JUMP };
	struct unplug_sigbus *guard = NULL;
	struct unplug_loan *loan;
	char asked, seen;

	if (unplug_loan_borrow(&loan, sock, number == 1 ? UNPLUG_LOAN_ZEROES : 0))
		return 1;
	if (number == 2 &&
	    unplug_sigbus_register(&guard, unplug_loan_addr(loan), unplug_loan_size(loan), &attr) < 0)
		return 1;
	while (read(sock, &asked, 1) == 1) {
		if (number == 1)
			seen = look_zeroes(loan);
		else if (number == 2)
			seen = look_point(loan, guard);
		else
			seen = look_plain(loan);
		if (write(sock, &seen, 1) != 1)
			return 1;
	}
	unplug_sigbus_unregister(guard);
	unplug_loan_free(loan);
	return 0;
}

/*
 * The server
 */

static void client_start(struct client *clients, int number)
{
	struct client *client = &clients[number - 1];
	int socks[2], i;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, socks) < 0)
		die("socketpair");
	client->pid = fork();
	if (client->pid < 0)
		die("fork");
	if (!client->pid) {
		close(socks[0]);
		for (i = 0; i < number - 1; i++)
			close(clients[i].sock);
		_exit(client_main(number, socks[1]));
	}
	close(socks[1]);
	client->sock = socks[0];

	if (unplug_shmem_create(&client->shmem, "frames", SIZE, 0)) {
		fprintf(stderr, "no memory to lend\n");
		exit(2);
	}
	memset(unplug_shmem_addr(client->shmem), FRAME, SIZE);
	if (unplug_shmem_lend(client->shmem, client->sock)) {
		fprintf(stderr, "cannot lend to client %d\n", number);
		exit(2);
	}
}

static void client_ask(struct client *client)
{
	if (send(client->sock, "?", 1, MSG_NOSIGNAL) != 1)
		client->said[0] = SEES_ELSE;
}

/* Its answer, or 'k' if it is no more */
static char client_answer(struct client *client)
{
	char seen;

	return read(client->sock, &seen, 1) == 1 ? seen : 'k';
}

/* A process's name is what it likes: nothing of it is to reach a terminal but what can be seen. */
static void name_clean(char *name)
{
	for (; *name; name++) {
		if (*name < ' ' || *name > '~')
			*name = '?';
	}
}

/* Takes its memory back, whether it wants or not. */
static void client_revoke(struct client *client)
{
	struct unplug_shmem_holder holder = { 0 };
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	if (unplug_shmem_revoke(client->shmem, 30000, &holder)) {
		name_clean(holder.name);
		fprintf(stderr, "held up by %s (%d)\n", holder.name, (int)holder.pid);
		exit(1);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	client->revoke_us = (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
}

static const char *in_words(char seen)
{
	switch (seen) {
	case SEES_FRAME:
		return "the frame";
	case SEES_ZEROES:
		return "zeroes, and knows why";
	case SEES_LOSS:
		return "the loss, and goes on";
	case 'k':
		return "killed by SIGBUS";
	case '-':
		return "(stopped)";
	}
	return "something else";
}

static void row(const char *title, const struct client *clients, int when)
{
	printf("  %-24s%-24s%-24s%s\n", title, in_words(clients[0].said[when]),
	       in_words(clients[1].said[when]), in_words(clients[2].said[when]));
}

/* How client 3 ended has to be what its answer suggests. */
static int clients_end(struct client *clients)
{
	static const char expected[] = "ff" "z" "ff" "l" "f-" "k";
	int i, status, bad = 0;

	for (i = 0; i < CLIENTS; i++) {
		close(clients[i].sock);
		if (waitpid(clients[i].pid, &status, 0) != clients[i].pid)
			die("waitpid");
		if (i == 2)
			bad |= !WIFSIGNALED(status) || WTERMSIG(status) != SIGBUS;
		else
			bad |= !WIFEXITED(status) || WEXITSTATUS(status);
		bad |= memcmp(clients[i].said, expected + i * 3, 3) != 0;
		unplug_shmem_free(clients[i].shmem);
	}
	return bad;
}

static void stop(pid_t pid)
{
	int status;

	if (kill(pid, SIGSTOP) || waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		die("SIGSTOP");
}

static void ask_all(struct client *clients, int n, int when)
{
	int i;

	for (i = 0; i < n; i++) {
		client_ask(&clients[i]);
		clients[i].said[when] = client_answer(&clients[i]);
	}
}

int main(void)
{
	struct client clients[CLIENTS] = { 0 };
	int i, bad;

	for (i = 1; i <= CLIENTS; i++)
		client_start(clients, i);
	ask_all(clients, 3, 0);

	stop(clients[2].pid);
	clients[2].said[1] = '-';
	client_revoke(&clients[2]);
	ask_all(clients, 2, 1);

	client_revoke(&clients[0]);
	client_revoke(&clients[1]);
	if (kill(clients[2].pid, SIGCONT))
		die("SIGCONT");
	ask_all(clients, 3, 2);

	printf("A server lends 1 MiB to each of three clients, and takes it back\n\n");
	printf("  %-24s%-24s%-24s%s\n", "", "client 1", "client 2", "client 3");
	printf("  %-24s%-24s%-24s%s\n", "its way with a loss", "zeroes", "recovery point", "none");
	row("lent: sees", clients, 0);
	row("client 3's taken back", clients, 1);
	row("all taken back", clients, 2);
	printf("  %-24s%-24ld%-24ld%ld\n\n", "taken back in (us)", clients[0].revoke_us,
	       clients[1].revoke_us, clients[2].revoke_us);
	bad = clients_end(clients);
	printf("%s\n", bad ? "FAIL: somebody saw what he should not" :
	       "ok: what was taken back is gone for everybody, and nothing to the others");
	return bad;
}
