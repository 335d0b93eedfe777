/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_SCENE_H
#define _DEMO_SCENE_H

/**
 * DOC: scene
 *
 * All that works in one virtual machine, with one driver: clients and fio on
 * every card, and one card that is taken out and brought back again and again.
 * A client of that card stays when its card goes, and goes on trying; the next
 * card gets a new client and a new fio.
 *
 * Nobody here waits for a length of time. Waiting means: until clients and fio
 * have got so far, looked at whenever a client ends a turn or a child ends (the
 * tick); what does not come within scene.timeout seconds never comes, and is a problem to tell.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "demo/card.h"
#include "demo/client.h"
#include "demo/event.h"
#include "demo/load.h"

#define SCENE_CARDS 8
#define SCENE_ROUNDS 32
#define SCENE_CLIENTS (SCENE_CARDS + SCENE_ROUNDS)
#define SCENE_LOADS (SCENE_CARDS + SCENE_ROUNDS)
#define SCENE_TEXT 160

_Static_assert(SCENE_CLIENTS <= OP_CLIENTS, "a card has pages for every client");

/**
 * struct scene_mark - how far a card's worker got, at one moment or between two
 * @client: operations of the client that worked
 * @failed: that did not
 * @fio: operations of fio
 * @longest: slowest operation of the client, ns
 */
struct scene_mark {
	uint64_t client;
	uint64_t failed;
	uint64_t fio;
	uint64_t longest;
};

/**
 * struct scene_round - what one round found
 * @way: how the card was taken out
 * @before: the card that was taken out
 * @called: clock_now() before it was
 * @returned: and after, whatever took it out said so
 * @back: when a card was there again
 * @events: shut, drained, gone
 * @told: the driver told of all three
 * @by_name: result of opening the node's name while the card was out; -1: not
 *	     reached
 * @changed: bytes the host found changed after it had filled the card; -1: not
 *	     measured (the card was not there to be filled)
 * @mapped: old patterns the host found on the card that came back, stored
 *	    through mappings; -1: not measured
 * @written: written through descriptors
 * @others: per card (index = number): progress while card was out
 * @load_error: what fio on the card ended with; -1: no report
 * @load_ios: operations it had done
 * @fresh: operations of the new client that worked, when the round ended
 * @fresh_failed: that did not
 * @problem: empty, or why the scene ends here
 */
struct scene_round {
	enum card_way way;
	struct card before;
	uint64_t called;
	uint64_t returned;
	uint64_t back;
	struct event events[3];
	bool told;
	int by_name;
	long changed;
	long mapped;
	long written;
	struct scene_mark others[SCENE_CARDS + 1];
	int load_error;
	uint64_t load_ios;
	uint64_t fresh;
	uint64_t fresh_failed;
	char problem[SCENE_TEXT];
};

/**
 * struct scene - all of it
 * @label: of the driver, for messages
 * @out: folder for what is found
 * @cards: number of cards
 * @victim: the one that is taken out
 * @planned: rounds
 * @done: rounds begun
 * @timeout: seconds to wait for anything
 * @begin: clock_now() at the beginning
 * @tick: eventfd the clients add to after each turn, and the end of a child
 * @card: what is in the slots now (index = number)
 * @client: all clients ever started; those of the victim stay
 * @clients: how many
 * @load: all fio ever started
 * @loads: how many
 * @worker: client at work on a card, index into @client (index = number)
 * @runner: fio at work on a card, index into @load
 * @round: see there
 * @problem: empty, or what went wrong outside of a round
 * @unload: what became of the modules: module and errno
 * @unloads: how many
 * @finished: the end was reached
 */
struct scene {
	const char *label;
	const char *out;
	int cards;
	int victim;
	int planned;
	int done;
	int timeout;
	uint64_t begin;
	int tick;
	struct card card[SCENE_CARDS + 1];
	struct client client[SCENE_CLIENTS];
	atomic_int clients;
	struct load load[SCENE_LOADS];
	atomic_int loads;
	int worker[SCENE_CARDS + 1];
	int runner[SCENE_CARDS + 1];
	struct scene_round round[SCENE_ROUNDS];
	char problem[SCENE_TEXT];
	struct {
		const char *module;
		int error;
	} unload[4];
	int unloads;
	bool finished;
};

typedef bool scene_condition(struct scene *scene, void *data);

int scene_init(struct scene *scene);
int scene_wait(struct scene *scene, scene_condition *condition, void *data);
uint64_t scene_until(const struct scene *scene);

int scene_staff(struct scene *scene, int card);
void scene_mark(struct scene *scene, int card, struct scene_mark *mark);
void scene_leave(struct scene *scene);

struct client *scene_worker(struct scene *scene, int card);
struct load *scene_runner(struct scene *scene, int card);

#endif /* _DEMO_SCENE_H */
