// SPDX-License-Identifier: GPL-2.0-or-later
/* While actors act: the kernel half's facts, who does not come back, and who has died */

#include "world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "scenario.h"

static const char *const fact_names[] = {
#define FACT_NAME(id, name) [TORTURE_FACT_##id] = (name),
	TORTURE_FACTS(FACT_NAME)
#undef FACT_NAME
};

/* Of this scenario: facts that were read, verdicts that were printed */
static uint64_t facts_seen;
static unsigned int told;
static bool accused[ACTORS_MAX];
static struct {
	long since;	/* the operation's beginning */
	long stuck;	/* when it was first seen that it may not last */
} stuck[ACTORS_MAX];

void watch_begin(void)
{
	facts_seen = 0;
	told = 0;
	memset(accused, 0, sizeof(accused));
	memset(stuck, 0, sizeof(stuck));
}

static void judge_fact(const char *line)
{
	struct oracle_verdict verdict;
	size_t n = strcspn(line, " ");
	unsigned int i;

	for (i = 0; i < TORTURE_FACT_MAX; i++) {
		if (strncmp(line, fact_names[i], n) || fact_names[i][n])
			continue;
		oracle_fact(i, &verdict);
		accuse(&verdict, "fact: %s", line);
	}
}

/* The kernel half keeps the first ones only: it suffices to read them when there are new ones. */
void watch_facts(void)
{
	uint64_t facts = __atomic_load_n(&world->board->facts, __ATOMIC_ACQUIRE);
	static char text[16384];
	char *line, *state;
	uint64_t number = 0;
	ssize_t n;

	if (facts == facts_seen)
		return;
	n = pread(world->control, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	for (line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		if (number++ >= facts_seen)
			judge_fact(line);
	facts_seen = facts;
}

static void print_file(const char *path)
{
	char text[2048], *line, *state;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		printf("note %s\n", line);
}

/* Where in the kernel are they? */
static void print_stacks(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	print_file(path);
}

static void watch_actor(unsigned int i)
{
	struct actor *actor = &world->actor[i];
	long since = __atomic_load_n(&actor->since, __ATOMIC_ACQUIRE);
	struct oracle_verdict verdict;
	struct oracle_look look;

	if (stuck[i].since != since)
		stuck[i].stuck = 0;
	stuck[i].since = since;
	if (!since || accused[i])
		return;
	look = board_look(actor->generation);
	if (!oracle_is_stuck(actor->op, &look, actor->opened_to, world->scenario->waits, &verdict)) {
		stuck[i].stuck = 0;
		return;
	}
	/* Who has slept in a live card for long has as much time as others when it is pulled. */
	if (!stuck[i].stuck)
		stuck[i].stuck = now_ms();
	if (now_ms() - stuck[i].stuck < world->patience_ms)
		return;
	/* It may have gone on just now. */
	if (__atomic_load_n(&actor->since, __ATOMIC_ACQUIRE) != since)
		return;
	accused[i] = true;
	accuse(&verdict, "%s %u is in %s, card %llu in state %d", kind_name(actor->kind),
	       actor->number, oracle_op_name(actor->op), (unsigned long long)actor->generation,
	       look.state);
	print_stacks(actor->pid);
}

/* The same complaint again says nothing new. */
static bool is_told(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!strcmp(world->verdict[i].verdict.why, world->verdict[n].verdict.why) &&
		    !strcmp(world->verdict[i].verdict.promise, world->verdict[n].verdict.promise))
			return true;
	return false;
}

/* At once: nobody knows how long the kernel lives on. @last: nobody writes any more */
void watch_tell(bool last)
{
	const struct verdict *verdict;

	for (; told < VERDICTS_MAX && told < world->verdicts; told++) {
		verdict = &world->verdict[told];
		if (!__atomic_load_n(&verdict->ready, __ATOMIC_ACQUIRE)) {
			if (!last)
				break;
			printf("broken %s none 0 0 a verdict was not written: its writer was killed\n",
			       world->scenario->name);
			continue;
		}
		if (!is_told(told))
			printf("broken %s %s %ld %llu %s: %s\n", world->scenario->name,
			       verdict->verdict.promise, verdict->after_ms,
			       (unsigned long long)verdict->pulls, verdict->verdict.why,
			       verdict->text);
	}
	fflush(stdout);
}

/**
 * watch_all() - one look at everything
 */
void watch_all(void)
{
	unsigned int i;

	watch_facts();
	for (i = 0; i < world->actors; i++)
		watch_actor(i);
	watch_tell(false);
}

/**
 * watch_children() - actors that have ended
 *
 * Return: how many have not.
 */
unsigned int watch_children(void)
{
	static const struct oracle_verdict killed = { "none", "an actor was killed" };
	static const struct oracle_verdict ended = { "none", "an actor has given up" };
	unsigned int i, left = 0;
	struct actor *actor;
	int status;

	for (i = 0; i < world->actors; i++) {
		actor = &world->actor[i];
		if (actor->pid > 0 && waitpid(actor->pid, &status, WNOHANG) == actor->pid) {
			actor->pid = 0;
			actor->since = 0;
			if (WIFEXITED(status) && (WEXITSTATUS(status) || !world->stop))
				accuse(&ended, "%s %u: %d", kind_name(actor->kind), actor->number,
				       WEXITSTATUS(status));
			if (WIFSIGNALED(status) && (WTERMSIG(status) != SIGKILL || !world->killing))
				accuse(&killed, "%s %u by signal %d", kind_name(actor->kind),
				       actor->number, WTERMSIG(status));
		}
		left += actor->pid > 0;
	}
	return left;
}
