// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * act SEED WORKERS: the companion of a fuzzer that knows nothing of our drivers. Workers open
 * the devices, and do with them what SEED has them draw, until SIGTERM; hand.h says what.
 *
 * Prints "wrong: …" when something works that must not, or fails in another way than promised;
 * at the end "acts SEAT CALLS WORKED REFUSED SIGBUS JUDGED TOUCHES". Ends with 1, at once, if
 * there was something wrong, or no worker gets on.
 */

#include "board.h"
#include "hand.h"
#include "seat.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "test/vm/host.h"

/* A worker is replaced after that many draws: files and mappings go all at once. */
#define DRAWS 4000

#define NOTICE_MS 50	/* a sleeper is interrupted */

static struct board *board;
static uint64_t seed;
static pid_t worker[BOARD_WORKERS];
static int workers;
static unsigned int forked;

static void work(int i)
{
	struct itimerval notice = { { 0, NOTICE_MS * 1000 }, { 0, NOTICE_MS * 1000 } };
	struct actor actor = { .board = board, .me = &board->worker[i] };
	sigset_t none;
	int n;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	actor.dice = dice_of(seed, 1000 + forked);
	hand_init(&actor);
	setitimer(ITIMER_REAL, &notice, NULL);
	for (n = 0; n < DRAWS; n++)
		hand_play(&actor);
	_exit(0);
}

static void worker_start(int i)
{
	forked++;
	worker[i] = fork();
	if (worker[i] < 0)
		err(2, "fork");
	if (worker[i] == 0)
		work(i);
}

static void reap(bool replace)
{
	pid_t pid;
	int i;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		for (i = 0; i < workers; i++) {
			if (worker[i] != pid)
				continue;
			worker[i] = 0;
			if (replace)
				worker_start(i);
		}
	}
}

static void say_stuck(int i)
{
	const char *op = atomic_load(&board->worker[i].op);

	printf("stuck: process %d, in %s of %s\n", worker[i], op ? op : "nothing",
	       seats[atomic_load(&board->worker[i].seat)].name);
}

/* Until SIGTERM; false: something was wrong, or nobody got on for so long */
static bool watch(const sigset_t *set)
{
	const struct timespec second = { .tv_sec = 1 };
	time_t changed = time(NULL);
	uint64_t steps, last = 0;
	int i;

	while (sigtimedwait(set, NULL, &second) != SIGTERM) {
		if (atomic_load(&board->wrong))
			return false;
		reap(true);
		steps = atomic_load(&board->steps);
		if (steps != last)
			changed = time(NULL);
		last = steps;
		if (time(NULL) - changed <= host_timeout())
			continue;
		for (i = 0; i < workers; i++)
			say_stuck(i);
		return false;
	}
	return true;
}

/* All end when they are killed, or are named. */
static bool stop(const sigset_t *set)
{
	const struct timespec second = { .tv_sec = 1 };
	int i, left = 1, n;

	for (i = 0; i < workers; i++)
		if (worker[i])
			kill(worker[i], SIGKILL);
	for (n = 0; n < host_timeout() && left; n++) {
		reap(false);
		for (i = left = 0; i < workers; i++)
			left += worker[i] != 0;
		if (left)
			sigtimedwait(set, NULL, &second);
	}
	for (i = 0; i < workers; i++)
		if (worker[i])
			say_stuck(i);
	return !left;
}

static void report(void)
{
	struct board_seat *seat;
	int i;

	for (i = 0; i < BOARD_SEATS; i++) {
		seat = &board->seat[i];
		if (atomic_load(&seat->calls))
			printf("acts %s %lu %lu %lu %lu %lu %lu\n", seats[i].name,
			       atomic_load(&seat->calls), atomic_load(&seat->worked),
			       atomic_load(&seat->refused), atomic_load(&seat->signals),
			       atomic_load(&seat->judged), atomic_load(&seat->touches));
	}
}

int main(int argc, char **argv)
{
	sigset_t set;
	bool fine;
	int i;

	if (argc != 3 || (workers = atoi(argv[2])) < 1 || workers > BOARD_WORKERS)
		errx(2, "usage: act SEED WORKERS (1 to %d)", BOARD_WORKERS);
	seed = strtoull(argv[1], NULL, 0);
	board = board_open();
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < workers; i++)
		worker_start(i);
	fine = watch(&set);
	/* The fuzzer is the same user: there is no more to be found. */
	if (!fine)
		kill(-1, SIGINT);
	fine &= stop(&set);
	report();
	return fine && !atomic_load(&board->wrong) ? 0 : 1;
}
