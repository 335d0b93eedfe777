/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world: what all processes of a scenario share
 *
 *	main.c		the scenarios that are to be run, one after the other
 *	scenario.c	reads them
 *	stage.c		a scenario: modules, actors, the end
 *	keep.c		what is left when all is over
 *	watch.c		while they run: facts, and who does not come back
 *	board.c		looks at the cards
 *	actor.c		an actor: what he does next, and telling what came of it
 *	op-*.c		what he can do
 *	oracle.c	what he may be answered
 *
 * An actor is a process, which has files and mappings of several cards, old ones, too. He
 * writes to his own entry only; verdicts are appended without a lock, as he may be stopped
 * anywhere.
 */
#ifndef UNPLUG_TORTURE_WORLD_H
#define UNPLUG_TORTURE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "oracle.h"
#include "random.h"

#define ACTORS_MAX	64
#define HANDLES		4
#define VERDICTS_MAX	32
#define KIND_LAST	"closer"

/**
 * struct handle - a card as an actor knows it
 * @fd: an open file, or -1
 * @slot: where it was
 * @generation: of it
 * @opened_from: not before this turn
 * @opened_to: not after this one
 * @nonblock: the file is
 * @map: a mapping of all of its registers, or NULL; has the file's turns
 */
struct handle {
	int fd;
	unsigned int slot;
	uint64_t generation;
	uint32_t opened_from, opened_to;
	bool nonblock;
	volatile uint64_t *map;
};

/**
 * struct actor - an entry; the process writes, all read
 * @kind: what it mostly does
 * @number: of the actor
 * @pid: process; 0 when it has ended
 * @op: what it is in, if @since is not 0
 * @since: milliseconds
 * @generation: of the card it is about
 * @opened_to: its file was opened not after this turn
 * @count: what it has done
 * @refused: of these, that failed
 */
struct actor {
	const struct kind *kind;
	unsigned int number;
	pid_t pid;
	enum oracle_op op;
	long since;
	uint64_t generation;
	uint32_t opened_to;
	uint64_t count[ORACLE_OP_MAX];
	uint64_t refused[ORACLE_OP_MAX];

	/* his own */
	struct random random;
	struct handle handle[HANDLES];
	struct ring *ring;
};

/**
 * struct verdict - something that was wrong
 * @ready: it is written
 * @verdict: what
 * @after_ms: since the beginning
 * @pulls: until then
 * @text: more about it
 */
struct verdict {
	bool ready;
	struct oracle_verdict verdict;
	long after_ms;
	uint64_t pulls;
	char text[200];
};

struct world {
	const struct scenario *scenario;
	uint64_t seed;
	long patience_ms;
	long begin_ms;
	bool stop;			/* no new steps */
	bool killing;			/* who has not come to his end */
	bool clear;			/* all have ended but who clears up */
	bool found;			/* a broken guard was; what it does now says nothing */
	uint64_t pulls, freezes;
	int control;
	const struct torture_board *board;
	int post[2];			/* files in flight, between actors */
	unsigned int actors;
	struct actor actor[ACTORS_MAX];
	unsigned int verdicts;
	struct verdict verdict[VERDICTS_MAX];
};

extern struct world *world;

/**
 * struct step - what an actor does next; all drawn before he begins
 * @handle: with which of his cards
 * @slot: with which slot
 * @a: as the operation likes
 * @b: likewise
 */
struct step {
	struct handle *handle;
	unsigned int slot;
	uint32_t a, b;
};

typedef void (*step_run)(struct actor *actor, const struct step *step);

/* stage.c */
long now_ms(void);
void stage_choices(const struct scenario *scenario, uint64_t seed);
bool stage_play(const struct scenario *scenario, uint64_t seed, double seconds);

/* keep.c */
void keep_begin(void);
bool keep_end(bool clean);

/* module.c */
int module_load(const char *name, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int module_unload(const char *name);

/* watch.c */
void watch_begin(void);
void watch_all(void);
void watch_facts(void);
void watch_tell(bool last);
unsigned int watch_children(void);

/* board.c */
int board_open(void);
void board_close(void);
uint64_t board_slot(unsigned int slot);
struct oracle_look board_look(uint64_t generation);

/* actor.c */
const struct kind *kind_find(const char *name);
const char *kind_name(const struct kind *kind);
void actor_signals(void);
void actor_choices(struct actor *actor, unsigned int steps);
void actor_main(struct actor *actor) __attribute__((noreturn));
void actor_enter(struct actor *actor, enum oracle_op op, uint64_t generation);
void actor_leave(struct actor *actor);
void act_begin(struct actor *actor, struct oracle_act *act, enum oracle_op op,
	       const struct handle *handle);
void act_end(struct actor *actor, struct oracle_act *act, int answer, uint64_t value);
void accuse(const struct oracle_verdict *verdict, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void dawdle(uint32_t random, unsigned int max_ms);

/* op-file.c */
void op_open(struct actor *actor, const struct step *step);
void op_alias(struct actor *actor, const struct step *step);
void op_close(struct actor *actor, const struct step *step);
void op_read(struct actor *actor, const struct step *step);
void op_write(struct actor *actor, const struct step *step);
void op_info(struct actor *actor, const struct step *step);
void op_long(struct actor *actor, const struct step *step);
void op_poll(struct actor *actor, const struct step *step);
void op_poll_long(struct actor *actor, const struct step *step);
void op_own(struct actor *actor, const struct step *step);
int do_info(struct actor *actor, const struct handle *handle, void *to);

/* op-map.c */
void op_map_init(void);
int map_touch(volatile uint64_t *at, uint64_t *value);
void op_map(struct actor *actor, const struct step *step);
void op_unmap(struct actor *actor, const struct step *step);
void op_load(struct actor *actor, const struct step *step);
void op_store(struct actor *actor, const struct step *step);
void op_move(struct actor *actor, const struct step *step);
void op_split(struct actor *actor, const struct step *step);
void do_load(struct actor *actor, const struct handle *handle, unsigned int page);

/* op-process.c */
void op_fork(struct actor *actor, const struct step *step);
void op_send(struct actor *actor, const struct step *step);
void op_receive(struct actor *actor, const struct step *step);
void op_trace(struct actor *actor, const struct step *step);
void op_signal(struct actor *actor, const struct step *step);
void op_stop(struct actor *actor, const struct step *step);

/* op-uring.c */
void op_uring_read(struct actor *actor, const struct step *step);
void op_uring_poll(struct actor *actor, const struct step *step);

/* op-control.c */
void op_pull(struct actor *actor, const struct step *step);
void op_plug(struct actor *actor, const struct step *step);
void op_freeze(struct actor *actor, const struct step *step);
void op_hold(struct actor *actor, const struct step *step);
void op_hook(struct actor *actor, const struct step *step);
void op_rmmod(struct actor *actor, const struct step *step);
void op_clear(struct actor *actor, const struct step *step);
void hooks_go(void);

#endif
