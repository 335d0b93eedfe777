// SPDX-License-Identifier: GPL-2.0-or-later
/* What an actor does to cards, and to modules */

#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "scenario.h"

#define HOOKS "/sys/kernel/debug/unplug-hooks/"

static const char *const hooks[] = {
	"node", "open", "open-refused", "open-active", "operation", "release", "release-claimed", "mmap", "populated",
	"fault", "closed", "thawed", "shut", "drained",
};

#define HOOKS_N (sizeof(hooks) / sizeof(hooks[0]))

static void count(struct actor *actor, enum oracle_op op, long result)
{
	actor->count[op]++;
	actor->refused[op] += result < 0;
}

/* Until a card is gone. Who is stuck here says so as @op. */
static void wait_gone(struct actor *actor, enum oracle_op op, uint64_t generation)
{
	actor_enter(actor, op, generation);
	while (board_look(generation).state != TORTURE_GONE)
		dawdle(2000, 2);
	actor_leave(actor);
	count(actor, op, 0);
}

/* Who is stuck here says so as @op. */
static int pull(struct actor *actor, enum oracle_op op, uint32_t slots, enum torture_how how)
{
	struct torture_pull pull = { .slots = slots, .how = how };
	int n;

	actor_enter(actor, op, 0);
	n = ioctl(world->control, TORTURE_CTL_PULL, &pull);
	actor_leave(actor);
	count(actor, ORACLE_PULL, n);
	if (n > 0)
		__atomic_fetch_add(&world->pulls, n, __ATOMIC_RELAXED);
	return n;
}

static void plug(struct actor *actor, unsigned int slot)
{
	static const struct oracle_verdict failed = { "none", "a card cannot be plugged in" };
	long result;

	actor_enter(actor, ORACLE_PLUG, 0);
	result = ioctl(world->control, TORTURE_CTL_PLUG, slot);
	actor_leave(actor);
	if (result < 0 && errno != EEXIST)
		accuse(&failed, "slot %u: error %d", slot, errno);
	count(actor, ORACLE_PLUG, result);
}

/*
 * Mostly one; now and then several, in one of three ways. Some wait until they are gone. The
 * slot stays empty for a while, at times for longer.
 */
void op_pull(struct actor *actor, const struct step *step)
{
	uint32_t slots = 1u << step->slot;
	uint64_t generation;

	dawdle(step->a, world->scenario->pause_ms);
	if (step->b % 8 == 0)
		slots |= step->b >> 16;
	generation = board_slot(step->slot);
	pull(actor, ORACLE_PULL, slots, step->b % 16 < 8 ? TORTURE_PULL_EACH :
			   step->b % 16 < 12 ? TORTURE_PULL_MANY : TORTURE_PULL_ASYNC);
	/* A holder may be in it, who does not wait for this one. */
	if (generation && step->a % 4 == 0 && !scenario_has(world->scenario, "holder"))
		wait_gone(actor, ORACLE_WAIT_GONE, generation);
	dawdle(step->b >> 8, world->scenario->pause_ms / 4);
	if (step->a % 8)
		plug(actor, step->slot);
}

void op_plug(struct actor *actor, const struct step *step)
{
	plug(actor, step->slot);
	dawdle(step->a, world->scenario->pause_ms);
}

/* Somebody else may have pulled it, or thawed it, meanwhile. */
void op_freeze(struct actor *actor, const struct step *step)
{
	unsigned long thaw = step->a & 1 ? TORTURE_CTL_THAW_KEEP : TORTURE_CTL_THAW_END;
	long result;

	dawdle(step->b, world->scenario->pause_ms);
	actor_enter(actor, ORACLE_FREEZE, 0);
	result = ioctl(world->control, TORTURE_CTL_FREEZE, step->slot);
	actor_leave(actor);
	count(actor, ORACLE_FREEZE, result);
	dawdle(step->b >> 16, world->scenario->pause_ms);
	actor_enter(actor, ORACLE_THAW, 0);
	do {
		result = ioctl(world->control, thaw, step->slot);
	} while (result < 0 && errno == EBUSY);
	actor_leave(actor);
	count(actor, ORACLE_THAW, result);
	if (!result)
		__atomic_fetch_add(&world->freezes, 1, __ATOMIC_RELAXED);
}

struct hold {
	struct actor self;
	struct handle handle;
};

/* A thread that stays inside a card until it is let go */
static void *hold_main(void *data)
{
	struct hold *hold = data;
	struct oracle_act act;
	int err;

	act_begin(&hold->self, &act, ORACLE_HOLD, &hold->handle);
	err = ioctl(hold->handle.fd, TORTURE_IOC_HOLD, 0) < 0 ? errno : 0;
	act_end(&hold->self, &act, err, hold->handle.generation);
	return NULL;
}

/* While somebody is inside one card, and that is pulled, another one comes to its end. */
static void pull_neighbour(struct actor *actor, const struct step *step)
{
	unsigned int other = (step->slot + 1 + step->a % (world->scenario->cards - 1)) %
			     world->scenario->cards;
	uint64_t generation;

	if (step->b & 1)
		pull(actor, ORACLE_PULL, 1u << step->slot, TORTURE_PULL_EACH);
	generation = board_slot(other);
	pull(actor, ORACLE_WAIT_NEIGHBOUR, 1u << other, TORTURE_PULL_EACH);
	if (generation)
		wait_gone(actor, ORACLE_WAIT_NEIGHBOUR, generation);
	plug(actor, other);
}

/* One actor of a scenario: all who are held in a slot are let go together. */
void op_hold(struct actor *actor, const struct step *step)
{
	struct hold hold;
	pthread_t thread;

	op_open(actor, step);
	if (step->handle->fd < 0) {
		op_plug(actor, step);
		return;
	}
	hold.self = *actor;
	hold.handle = *step->handle;
	if (pthread_create(&thread, NULL, hold_main, &hold))
		return;
	dawdle(step->b, world->scenario->pause_ms);
	pull_neighbour(actor, step);
	while (pthread_tryjoin_np(thread, NULL) == EBUSY) {
		ioctl(world->control, TORTURE_CTL_LET_GO, step->slot);
		sched_yield();
	}
	plug(actor, step->slot);
}

/*
 * Is anybody waiting for a card? Who is held in another one does not hold that up, so it is not
 * for us to let him go: if he does, watch says so.
 */
static bool somebody_waits(void)
{
	const struct actor *other;
	unsigned int i;

	for (i = 0; i < world->actors && !world->verdicts; i++) {
		other = &world->actor[i];
		if (__atomic_load_n(&other->since, __ATOMIC_ACQUIRE) &&
		    (other->op == ORACLE_WAIT_NEIGHBOUR || other->op == ORACLE_PULL))
			return true;
	}
	return false;
}

/* The last of all: until nobody is left, who may sleep in a card, or plug one in */
void op_clear(struct actor *actor, const struct step *step)
{
	unsigned int i;

	(void)step;
	if (world->scenario->hooks)
		hooks_go();
	for (i = 0; i < world->actors; i++)
		if (world->actor[i].pid > 0)
			kill(world->actor[i].pid, SIGCONT);
	for (i = 0; i < world->scenario->cards && !somebody_waits(); i++)
		ioctl(world->control, TORTURE_CTL_LET_GO, i);
	pull(actor, ORACLE_PULL, UINT32_MAX, TORTURE_PULL_EACH);
	dawdle(5000, 5);
}

static void hook_tell(unsigned int hook, const char *what)
{
	static const struct oracle_verdict failed = { "none", "there is no such hook" };
	char path[64];
	int fd;

	snprintf(path, sizeof(path), HOOKS "%s", hooks[hook]);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, what, strlen(what)) < 0)
		accuse(&failed, "%s: error %d", path, errno);
	if (fd >= 0)
		close(fd);
}

/* Who comes to one of the points while it is stopped stays there for a while. */
void op_hook(struct actor *actor, const struct step *step)
{
	unsigned int hook = step->a % HOOKS_N;

	hook_tell(hook, "stop");
	dawdle(step->b, 20);
	hook_tell(hook, "go");
	actor->count[ORACLE_OTHER]++;
	dawdle(step->b >> 16, 20);
}

void hooks_go(void)
{
	unsigned int i;

	for (i = 0; i < HOOKS_N; i++)
		hook_tell(i, "go");
}

/* The control node is open: it cannot be unloaded. */
void op_rmmod(struct actor *actor, const struct step *step)
{
	static const struct oracle_verdict unloaded = { "K2", "the driver's module was unloaded in use" };
	long result;

	result = syscall(SYS_delete_module, "unplug_torture", O_NONBLOCK);
	count(actor, ORACLE_OTHER, result);
	if (!result)
		accuse(&unloaded, "rmmod %u", actor->number);
	dawdle(step->a, 50);
}
