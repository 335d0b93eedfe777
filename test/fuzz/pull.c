// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pull [SEED]: takes devices away from under the fuzzers, and has them come back, until
 * SIGTERM. Two processes do that, one the cards, one the rest: so two devices go at a time.
 * Which one goes when, and in which way, is drawn; each in turn is given time until actors
 * have begun as many operations on it as was drawn.
 *
 * Without SEED it prepares the board, and the nodes of the devices there are.
 *
 * Prints "pulls SEAT WAY N" and "pulls SEAT idle N", of these those that nobody was there to
 * notice. Whatever does not come to its end in time ends it with status 1.
 */

#include "board.h"
#include "dice.h"
#include "seat.h"
#include "way.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>
#include "test/vm/host.h"

/* How many operations a device may live for */
#define CALLS_MAX	300

#define FIRST_OTHER	4	/* seats below are cards */

static struct board *board;
static volatile sig_atomic_t ended;

/* What came of a seat */
static struct {
	unsigned int pulls[WAYS];
	unsigned int idle;
	bool used;
} log_of[BOARD_SEATS];

static pid_t child[2];

static void end(int signal)
{
	int i;

	ended = 1;
	for (i = 0; i < 2; i++)
		if (child[i] > 0)
			kill(child[i], signal);
}

/* A card that was plugged in is found by a worker of the kernel's: wait for its node. */
static void wait_taken(int seat)
{
	char buffer[4096] __attribute__((aligned(8)));
	struct pollfd p = { .events = POLLIN };

	p.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (p.fd < 0 || inotify_add_watch(p.fd, "/dev", IN_CREATE) < 0)
		err(2, "inotify");
	while (!seat_is_taken(seat)) {
		if (!poll(&p, 1, host_timeout() * 1000))
			errx(1, "%s: no device %d s after it was given back", seats[seat].name,
			     host_timeout());
		while (read(p.fd, buffer, sizeof(buffer)) > 0)
			;
	}
	close(p.fd);
}

static void pull_once(int seat, struct dice *dice)
{
	struct board_seat *at = &board->seat[seat];
	enum way way = way_draw(seat, dice);
	uint64_t calls = atomic_load(&at->calls) + 1 + dice_below(dice, CALLS_MAX);
	uint32_t life;

	/* If they do not come: a tenth of what any one event may take */
	log_of[seat].idle += !board_wait(board, seat, calls, host_timeout() * 100);
	if (ended)
		return;
	/* A device that is reset keeps its files, and is no other one. */
	if (!way_takes_away(way)) {
		log_of[seat].pulls[way] += way_go(seat, way);
		return;
	}
	life = atomic_fetch_add(&at->life, 1);
	if (way_go(seat, way)) {
		log_of[seat].pulls[way]++;
		atomic_store(&at->dead, life);
	}
	way_back(seat, way, dice);
	wait_taken(seat);
	way_settle(seat, way, dice);
	seat_make_nodes(seat);
}

static void report(int first, int last)
{
	int seat, way;

	for (seat = first; seat < last; seat++) {
		if (!log_of[seat].used)
			continue;
		for (way = 0; way < WAYS; way++)
			if (log_of[seat].pulls[way])
				printf("pulls %s %s %u\n", seats[seat].name, way_name(way),
				       log_of[seat].pulls[way]);
		printf("pulls %s idle %u\n", seats[seat].name, log_of[seat].idle);
	}
}

/* Seats @first to @last - 1; those that are empty from the start stay so. */
static int pull_all(int first, int last, struct dice dice)
{
	int taken[BOARD_SEATS], n = 0, seat;

	for (seat = first; seat < last; seat++) {
		if (!seat_is_taken(seat))
			continue;
		log_of[seat].used = true;
		taken[n++] = seat;
	}
	while (n && !ended)
		pull_once(taken[dice_below(&dice, n)], &dice);
	report(first, last);
	return 0;
}

static void prepare(void)
{
	int i;

	for (i = 0; i < BOARD_SEATS; i++) {
		atomic_store(&board->seat[i].life, 1);
		if (seat_is_taken(i))
			seat_make_nodes(i);
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = end, .sa_flags = SA_RESTART };
	int status, failed = 0, i;

	if (argc > 2)
		errx(2, "usage: pull [SEED]");
	board = board_open();
	if (argc == 1) {
		prepare();
		return 0;
	}
	sigaction(SIGTERM, &action, NULL);
	for (i = 0; i < 2; i++) {
		child[i] = fork();
		if (child[i] < 0)
			err(2, "fork");
		if (child[i] > 0)
			continue;
		child[0] = 0;
		exit(pull_all(i ? FIRST_OTHER : 0, i ? BOARD_SEATS : FIRST_OTHER,
			      dice_of(strtoull(argv[1], NULL, 0), 100 + i)));
	}
	/* One that failed ends the other one, too. */
	for (i = 0; i < 2; i++) {
		wait(&status);
		failed |= status;
		if (failed)
			end(SIGTERM);
	}
	return failed ? 1 : 0;
}
