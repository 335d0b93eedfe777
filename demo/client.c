// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo/client.h"
#include "demo/clock.h"

#define CLIENT_PACE (20 * CLOCK_MS)

static void client_count(struct client_share *share, enum op_kind kind,
			 enum client_phase phase, int result)
{
	struct client_tally *tally = share->tally[kind][phase];
	int i;

	for (i = 0; i < CLIENT_TALLIES; i++, tally++) {
		if (!tally->count)
			tally->result = result;
		if (tally->result == result) {
			tally->count++;
			return;
		}
	}
}

static void client_try(struct client_share *share, struct op_client *op,
		       enum op_kind kind)
{
	enum client_phase phase = share->phase;
	uint64_t begin = clock_now(), length;
	int result;

	share->busy = kind;
	result = op_run(op, kind);
	share->busy = -1;

	length = clock_now() - begin;
	if (length > share->longest)
		share->longest = length;
	if (phase == CLIENT_PULLED || phase == CLIENT_BACK)
		(*(result ? &share->old_failed : &share->old_ok))++;
	(*(result ? &share->failed : &share->ok))++;
	if (!result && share->failed && kind < OP_TURN)
		share->revived++;
	client_count(share, kind, phase, result);
}

static void client_tick(int tick)
{
	uint64_t one = 1;

	if (write(tick, &one, sizeof(one)) < 0)
		_exit(EXIT_FAILURE);
}

static _Noreturn void client_main(struct client_share *share, int id,
				  const char *node, int tick)
{
	uint64_t next = clock_now();
	enum client_phase phase;
	struct op_client op;
	int kind;

	share->ready = op_client_init(&op, id, node) ?: 1;
	client_tick(tick);
	if (share->ready < 0)
		_exit(EXIT_FAILURE);

	while ((phase = share->phase) != CLIENT_LEAVE) {
		for (kind = 0; kind < OP_TURN; kind++) {
			client_try(share, &op, kind);
			next = clock_pace(next, CLIENT_PACE);
		}
		if ((int)phase == share->phase)
			share->turns[phase]++;
		client_tick(tick);
	}
	for (kind = OP_TURN; kind < OP_KINDS; kind++)
		client_try(share, &op, kind);
	client_tick(tick);
	_exit(EXIT_SUCCESS);
}

/**
 * client_start() - start a client
 * @client: to be filled
 * @id: its number
 * @card: the card
 * @node: path of the card's node
 * @tick: eventfd the client adds to after each turn
 *
 * Return: 0 or a negative errno. Whether it could open the card is told in
 *	   @ready, later.
 */
int client_start(struct client *client, int id, int card, const char *node,
		 int tick)
{
	memset(client, 0, sizeof(*client));
	client->id = id;
	client->card = card;
	snprintf(client->node, sizeof(client->node), "%s", node);
	client->share = mmap(NULL, sizeof(*client->share), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (client->share == MAP_FAILED)
		return -errno;
	client->share->busy = -1;

	client->pid = fork();
	if (client->pid < 0)
		return -errno;
	if (!client->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		client_main(client->share, id, client->node, tick);
	}
	return 0;
}

void client_phase_set(struct client *client, enum client_phase phase)
{
	client->share->phase = phase;
}

/**
 * client_reap() - has it ended?
 * @client: a started client
 *
 * Return: true if the process is no more; @status is valid then.
 */
bool client_reap(struct client *client)
{
	if (!client->dead && waitpid(client->pid, &client->status, WNOHANG) == client->pid)
		client->dead = true;
	return client->dead;
}

/**
 * client_end_name() - how a client ended, in words
 * @client: a client
 * @text: for the answer
 * @size: bytes in @text
 */
void client_end_name(const struct client *client, char *text, size_t size)
{
	int busy = client->share->busy;
	const char *in = busy < 0 ? "between two operations" : op_name(busy);

	if (!client->dead)
		snprintf(text, size, busy < 0 ? "alive" : "alive, in %s", in);
	else if (WIFSIGNALED(client->status))
		snprintf(text, size, "killed by signal %d (%s) in %s",
			 WTERMSIG(client->status),
			 sigabbrev_np(WTERMSIG(client->status)) ?: "?", in);
	else
		snprintf(text, size, WEXITSTATUS(client->status) ? "failed" : "left");
}

const char *client_phase_name(enum client_phase phase)
{
	static const char *const names[CLIENT_PHASES] = {
		[CLIENT_WORK] = "work",
		[CLIENT_PULLED] = "pulled",
		[CLIENT_BACK] = "back",
		[CLIENT_LEAVE] = "leave",
	};

	return names[phase];
}
