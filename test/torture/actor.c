// SPDX-License-Identifier: GPL-2.0-or-later
/* An actor: what he does next, and what came of it. See world.h */

#include "world.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include "scenario.h"

#define CHOICES_MAX 20

/**
 * struct kind - a kind of actors
 * @name: as scenarios have it
 * @choice: what he can do, and how often in comparison with the rest
 */
struct kind {
	const char *name;
	struct {
		step_run run;
		unsigned int weight;
	} choice[CHOICES_MAX];
};

static const struct kind kinds[] = {
	{ "user", {
		{ op_open, 4 }, { op_close, 2 }, { op_alias, 1 }, { op_read, 4 }, { op_write, 4 },
		{ op_info, 4 }, { op_long, 2 }, { op_poll, 3 }, { op_own, 1 }, { op_map, 2 },
		{ op_unmap, 1 }, { op_load, 6 }, { op_store, 4 }, { op_move, 1 }, { op_split, 1 },
		{ op_fork, 1 }, { op_send, 1 }, { op_receive, 2 }, { op_uring_read, 1 },
		{ op_uring_poll, 1 } } },
	{ "opener", { { op_open, 4 }, { op_info, 1 }, { op_close, 4 } } },
	{ "reopener", { { op_open, 2 }, { op_alias, 4 }, { op_close, 1 } } },
	{ "reader", { { op_read, 4 }, { op_write, 1 }, { op_open, 1 }, { op_close, 1 } } },
	{ "ioctler", { { op_info, 4 }, { op_long, 2 }, { op_open, 1 }, { op_close, 1 } } },
	{ "poller", { { op_poll_long, 4 }, { op_poll, 2 }, { op_open, 1 }, { op_close, 1 } } },
	{ "mapper", {
		{ op_open, 1 }, { op_map, 2 }, { op_load, 8 }, { op_store, 8 }, { op_move, 1 },
		{ op_split, 1 }, { op_unmap, 1 } } },
	{ "selfer", { { op_own, 4 }, { op_map, 2 }, { op_unmap, 1 }, { op_open, 1 }, { op_close, 1 } } },
	{ "uring", { { op_uring_read, 3 }, { op_uring_poll, 2 }, { op_open, 1 }, { op_close, 1 } } },
	{ "forker", { { op_fork, 4 }, { op_map, 2 }, { op_open, 1 }, { op_close, 1 } } },
	{ "passer", {
		{ op_send, 3 }, { op_receive, 3 }, { op_info, 2 }, { op_open, 1 }, { op_close, 1 } } },
	{ "tracer", { { op_trace, 1 }, { op_map, 1 }, { op_open, 1 }, { op_close, 1 } } },
	{ "signaller", { { op_signal, 1 } } },
	{ "stopper", { { op_stop, 1 } } },
	{ "freezer", { { op_freeze, 1 } } },
	{ "puller", { { op_pull, 3 }, { op_plug, 1 } } },
	{ "holder", { { op_hold, 1 } } },
	{ "hook", { { op_hook, 1 } } },
	{ "rmmod", { { op_rmmod, 1 } } },
	{ KIND_LAST, { { op_clear, 1 } } },
};

const struct kind *kind_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

/* Who ends when all others have */
static bool is_last(const struct actor *actor)
{
	return !strcmp(actor->kind->name, KIND_LAST);
}

const char *kind_name(const struct kind *kind)
{
	return kind->name;
}

/* Nobody waits for this: it varies what meets what. */
void dawdle(uint32_t random, unsigned int max_ms)
{
	struct timespec time = { .tv_nsec = random % (max_ms * 1000 + 1) * 1000L };

	time.tv_sec = time.tv_nsec / 1000000000;
	time.tv_nsec %= 1000000000;
	nanosleep(&time, NULL);
}

/**
 * accuse() - somebody has broken a promise
 * @verdict: which
 * @fmt: more about it
 */
void accuse(const struct oracle_verdict *verdict, const char *fmt, ...)
{
	struct verdict *entry;
	unsigned int n;
	va_list args;

	if (__atomic_load_n(&world->found, __ATOMIC_ACQUIRE))
		return;
	n = __atomic_fetch_add(&world->verdicts, 1, __ATOMIC_RELAXED);
	if (n >= VERDICTS_MAX)
		return;
	entry = &world->verdict[n];
	entry->verdict = *verdict;
	entry->after_ms = now_ms() - world->begin_ms;
	entry->pulls = world->pulls;
	va_start(args, fmt);
	vsnprintf(entry->text, sizeof(entry->text), fmt, args);
	va_end(args);
	__atomic_store_n(&entry->ready, true, __ATOMIC_RELEASE);
}

void actor_enter(struct actor *actor, enum oracle_op op, uint64_t generation)
{
	actor->op = op;
	actor->generation = generation;
	actor->opened_to = UINT32_MAX;
	__atomic_store_n(&actor->since, now_ms(), __ATOMIC_RELEASE);
}

void actor_leave(struct actor *actor)
{
	__atomic_store_n(&actor->since, 0, __ATOMIC_RELEASE);
}

/**
 * act_begin() - before an operation
 * @actor: who
 * @act: filled
 * @op: what
 * @handle: on which card
 */
void act_begin(struct actor *actor, struct oracle_act *act, enum oracle_op op,
	       const struct handle *handle)
{
	*act = (struct oracle_act) {
		.op = op,
		.generation = handle->generation,
		.last = handle->generation,
		.opened_from = handle->opened_from,
		.opened_to = handle->opened_to,
		.nonblock = handle->nonblock,
		.waits = world->scenario->waits,
		.dummy = world->scenario->dummy,
		.signals = scenario_has(world->scenario, "signaller"),
	};
	actor_enter(actor, op, handle->generation);
	actor->opened_to = handle->opened_to;
	act->before = board_look(handle->generation);
}

static void tell(const struct actor *actor, const struct oracle_act *act)
{
	struct oracle_verdict verdict;

	if (oracle_is_legal(act, &verdict))
		return;
	accuse(&verdict, "%s %u: %s answered %d (%llx), card %llu, from state %d turn %u to state %d turn %u",
	       kind_name(actor->kind), actor->number, oracle_op_name(act->op), act->answer,
	       (unsigned long long)act->value, (unsigned long long)act->generation,
	       act->before.state, act->before.turn, act->after.state, act->after.turn);
}

/**
 * act_end() - after an operation
 * @actor: who
 * @act: since act_begin()
 * @answer: 0, or an error
 * @value: if it worked, see struct oracle_act
 */
void act_end(struct actor *actor, struct oracle_act *act, int answer, uint64_t value)
{
	/* Of OPEN it is another one, maybe. */
	if (act->op == ORACLE_OPEN && act->last != act->generation)
		act->after = board_look(act->last);
	else
		act->after = board_look(act->generation);
	act->answer = answer;
	act->value = value;
	actor_leave(actor);
	actor->count[act->op]++;
	actor->refused[act->op] += !!answer;
	tell(actor, act);
}

/* As many draws for each step, whatever it is */
static step_run draw(struct actor *actor, struct step *step)
{
	const struct kind *kind = actor->kind;
	uint64_t lot = random_next(&actor->random), more = random_next(&actor->random);
	unsigned int sum = 0, i;

	step->handle = &actor->handle[(lot >> 32) % HANDLES];
	step->slot = (lot >> 48) % world->scenario->cards;
	step->a = more;
	step->b = more >> 32;
	for (i = 0; i < CHOICES_MAX; i++)
		sum += kind->choice[i].weight;
	lot = (uint32_t)lot % sum;
	for (i = 0; lot >= kind->choice[i].weight; i++)
		lot -= kind->choice[i].weight;
	return kind->choice[i].run;
}

static void on_signal(int signal)
{
	(void)signal;
}

/* Before they are born, so that no signal finds them without */
void actor_signals(void)
{
	/* No SA_RESTART: who is interrupted is told so. */
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
	op_map_init();
}

static void actor_init(struct actor *actor)
{
	unsigned int i;

	actor->random = random_from(world->seed, kind_name(actor->kind), actor->number);
	for (i = 0; i < HANDLES; i++)
		actor->handle[i] = (struct handle) { .fd = -1 };
}

/**
 * actor_choices() - print what an actor would choose first, without doing it
 * @actor: of some kind and number
 * @steps: how many
 */
void actor_choices(struct actor *actor, unsigned int steps)
{
	struct step step;
	step_run run;
	unsigned int i;

	actor_init(actor);
	printf("%s %u:", kind_name(actor->kind), actor->number);
	while (steps--) {
		run = draw(actor, &step);
		for (i = 0; actor->kind->choice[i].run != run; i++)
			;
		printf(" %u.%zd.%u.%x.%x", i, step.handle - actor->handle, step.slot, step.a, step.b);
	}
	putchar('\n');
}

/* One step after the other, until it is enough; files are closed by exit. */
void actor_main(struct actor *actor)
{
	struct step step;
	step_run run = op_clear;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, kind_name(actor->kind));
	actor_init(actor);
	while (!__atomic_load_n(is_last(actor) ? &world->clear : &world->stop,
				__ATOMIC_ACQUIRE)) {
		run = draw(actor, &step);
		run(actor, &step);
	}
	/* Once more, as now nobody plugs in anything. */
	if (is_last(actor))
		run(actor, &step);
	_exit(0);
}
