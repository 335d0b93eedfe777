// SPDX-License-Identifier: GPL-2.0-or-later
/* A scenario, from loading the modules to unloading them */

#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "scenario.h"

struct world *world;

long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* By a mistake of its guard, on purpose */
static bool hangs(const struct scenario *scenario)
{
	return scenario->busted && (scenario_names(scenario, "K5") || scenario_names(scenario, "K6"));
}

/* How long anything may take. What will not end, on purpose, is not waited for that long. */
static long patience(const struct scenario *scenario)
{
	const char *text = getenv("UNPLUG_TIMEOUT");
	long ms = (text ? atol(text) : 30) * 1000;

	return hangs(scenario) || (scenario->busted && scenario_names(scenario, "K10")) ?
		ms / 6 : ms;
}

static void world_make(const struct scenario *scenario, uint64_t seed)
{
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (world == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, world->post) < 0) {
		perror("torture");
		exit(3);
	}
	world->scenario = scenario;
	world->seed = seed;
	world->patience_ms = patience(scenario);
}

/* What begins with modules and the cards in them */
static int begin(const struct scenario *scenario)
{
	unsigned int i;

	if (module_load("unplug", "%s", "") ||
	    module_load("unplug-torture", "guard=%s cards=%u seed=%u waits=%d dummy=%d %s",
			scenario->guard, scenario->cards, (unsigned int)world->seed,
			scenario->waits, scenario->dummy, scenario->module))
		return -1;
	if (board_open() < 0) {
		perror("torture: the control node");
		return -1;
	}
	for (i = 0; i < scenario->cards; i++)
		if (ioctl(world->control, TORTURE_CTL_PLUG, i) < 0) {
			perror("torture: plug");
			return -1;
		}
	return 0;
}

static void start_actor(const struct kind *kind, unsigned int number)
{
	struct actor *actor = &world->actor[world->actors];
	pid_t pid;

	if (world->actors == ACTORS_MAX)
		return;
	actor->kind = kind;
	actor->number = number;
	pid = fork();
	if (!pid)
		actor_main(actor);
	if (pid < 0) {
		perror("torture: fork");
		exit(3);
	}
	actor->pid = pid;
	world->actors++;
}

static void start_actors(const struct scenario *scenario)
{
	unsigned int i, n;

	for (i = 0; i < scenario->kinds; i++)
		for (n = 0; n < scenario->actor[i].number; n++)
			start_actor(scenario->actor[i].kind, n);
}

static void nap(void)
{
	dawdle(10000, 10);
}

/*
 * Until time is over, or somebody was caught. Who hangs is, after so much patience: on a slow
 * machine that may be more than the time a scenario has.
 */
static void play(double seconds)
{
	long length = seconds * 1000, end;

	if (hangs(world->scenario) && length < 3 * world->patience_ms)
		length = 3 * world->patience_ms;
	end = world->begin_ms + length;
	do {
		nap();
		watch_children();
		watch_all();
	} while (now_ms() < end && !world->verdicts);
}

/* A broken guard was found: what hangs on purpose is let go. */
static void give_up(void)
{
	watch_all();
	__atomic_store_n(&world->found, true, __ATOMIC_RELEASE);
	ioctl(world->control, TORTURE_CTL_GIVE_UP);
}

/* All come to their ends when no card is left to sleep in. */
static bool end_actors(void)
{
	long end = now_ms() + world->patience_ms * 3 / 2;
	unsigned int left = 1;

	__atomic_store_n(&world->stop, true, __ATOMIC_RELEASE);
	start_actor(kind_find(KIND_LAST), 0);
	while (left && now_ms() < end) {
		nap();
		left = watch_children();
		watch_all();
		if (left == 1)
			__atomic_store_n(&world->clear, true, __ATOMIC_RELEASE);
	}
	return !left;
}

/* They were told to, and did not. What hangs on purpose is let go; the rest stays. */
static bool kill_actors(void)
{
	static const struct oracle_verdict stays = { "K6", "an actor does not come to its end" };
	long end = now_ms() + world->patience_ms;
	unsigned int i;

	world->killing = true;
	for (i = 0; i < world->actors; i++)
		if (world->actor[i].pid > 0) {
			accuse(&stays, "%s %u", kind_name(world->actor[i].kind),
			       world->actor[i].number);
			kill(world->actor[i].pid, SIGKILL);
		}
	ioctl(world->control, TORTURE_CTL_GIVE_UP);
	while (watch_children() && now_ms() < end) {
		nap();
		watch_all();
	}
	return !watch_children();
}

static void print_actors(void)
{
	const struct actor *actor;
	unsigned int i, op;

	for (i = 0; i < world->actors; i++) {
		actor = &world->actor[i];
		printf("actor %s %s %u:", world->scenario->name, kind_name(actor->kind),
		       actor->number);
		for (op = 0; op < ORACLE_OP_MAX; op++)
			if (actor->count[op])
				printf(" %s %llu/%llu", oracle_op_name(op),
				       (unsigned long long)actor->count[op],
				       (unsigned long long)actor->refused[op]);
		putchar('\n');
	}
}

/**
 * stage_choices() - print the first choices of each actor
 * @scenario: of which
 * @seed: of all choices
 */
void stage_choices(const struct scenario *scenario, uint64_t seed)
{
	struct actor *actor;
	unsigned int i, n;

	world_make(scenario, seed);
	for (i = 0; i < scenario->kinds; i++)
		for (n = 0; n < scenario->actor[i].number; n++) {
			actor = &world->actor[0];
			actor->kind = scenario->actor[i].kind;
			actor->number = n;
			actor_choices(actor, 20);
		}
	munmap(world, sizeof(*world));
}

/**
 * stage_play() - play a scenario, and say what came of it
 * @scenario: which
 * @seed: of all choices
 * @seconds: how long
 *
 * Return: true if another one can be played: nothing of it is left.
 */
bool stage_play(const struct scenario *scenario, uint64_t seed, double seconds)
{
	bool clean;

	world_make(scenario, seed);
	watch_begin();
	printf("begin %s\n", scenario->name);
	fflush(stdout);
	if (begin(scenario) < 0)
		exit(3);
	actor_signals();
	keep_begin();
	start_actors(scenario);
	world->begin_ms = now_ms();
	play(seconds);
	seconds = (now_ms() - world->begin_ms) / 1000.0;
	if (scenario->busted && world->verdicts)
		give_up();
	clean = end_actors() || kill_actors();
	clean = keep_end(clean) && clean;
	print_actors();
	printf("ran %s %llu %llu %.1f %s\n", scenario->name, (unsigned long long)world->pulls,
	       (unsigned long long)world->freezes, seconds, clean ? "clean" : "dirty");
	fflush(stdout);
	munmap(world, sizeof(*world));
	return clean;
}
