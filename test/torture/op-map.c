// SPDX-License-Identifier: GPL-2.0-or-later
/* What an actor does with a mapping. Each has one of all registers, where he likes. */

#include "world.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#define MAP_BYTES (TORTURE_PAGES * TORTURE_PAGE)

static sigjmp_buf back;
static volatile sig_atomic_t touching;

/* Anywhere else it is what it usually is. */
static void on_fault(int signo)
{
	if (touching)
		siglongjmp(back, signo);
	signal(signo, SIG_DFL);
}

void op_map_init(void)
{
	struct sigaction action = { .sa_handler = on_fault };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

/* One access; 0, or the signal it raised */
static int touch(volatile uint64_t *at, bool store, uint64_t *value)
{
	int signo = sigsetjmp(back, 1);

	if (!signo) {
		touching = 1;
		if (store)
			*at = *value;
		else
			*value = *at;
	}
	touching = 0;
	return signo == SIGBUS ? ORACLE_SIGBUS : signo ? ORACLE_SIGSEGV : 0;
}

/* A load of nobody's: for when there is no board any more */
int map_touch(volatile uint64_t *at, uint64_t *value)
{
	return touch(at, false, value);
}

static bool need_map(struct actor *actor, const struct step *step)
{
	if (!step->handle->map)
		op_map(actor, step);
	return step->handle->map;
}

void op_map(struct actor *actor, const struct step *step)
{
	struct handle *handle = step->handle;
	struct oracle_act act;
	void *map;

	op_unmap(actor, step);
	if (handle->fd < 0)
		op_open(actor, step);
	if (handle->fd < 0)
		return;
	act_begin(actor, &act, ORACLE_MMAP, handle);
	map = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, handle->fd, 0);
	act_end(actor, &act, map == MAP_FAILED ? errno : 0, handle->generation);
	if (map != MAP_FAILED)
		handle->map = map;
}

void op_unmap(struct actor *actor, const struct step *step)
{
	struct handle *handle = step->handle;

	if (!handle->map)
		return;
	actor_enter(actor, ORACLE_OTHER, handle->generation);
	munmap((void *)handle->map, MAP_BYTES);
	actor_leave(actor);
	handle->map = NULL;
}

void do_load(struct actor *actor, const struct handle *handle, unsigned int page)
{
	struct oracle_act act;
	uint64_t whose = 0;
	int signo;

	act_begin(actor, &act, ORACLE_LOAD, handle);
	signo = touch(&handle->map[page * TORTURE_WORDS], false, &whose);
	act_end(actor, &act, signo, whose);
}

void op_load(struct actor *actor, const struct step *step)
{
	if (need_map(actor, step))
		do_load(actor, step->handle, step->a % TORTURE_PAGES);
}

void op_store(struct actor *actor, const struct step *step)
{
	unsigned int word = TORTURE_WORD_USER + step->b % (TORTURE_WORD_OP - TORTURE_WORD_USER);
	struct oracle_act act;
	uint64_t generation;
	int signo;

	if (!need_map(actor, step))
		return;
	act_begin(actor, &act, ORACLE_STORE, step->handle);
	generation = step->handle->generation;
	signo = touch(&step->handle->map[step->a % TORTURE_PAGES * TORTURE_WORDS + word], true,
		      &generation);
	act_end(actor, &act, signo, step->handle->generation);
}

/* To another address, and a look at what is there */
void op_move(struct actor *actor, const struct step *step)
{
	struct handle *handle = step->handle;
	void *to, *moved;

	if (!need_map(actor, step))
		return;
	to = mmap(NULL, MAP_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (to == MAP_FAILED)
		return;
	actor_enter(actor, ORACLE_OTHER, handle->generation);
	moved = mremap((void *)handle->map, MAP_BYTES, MAP_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	actor_leave(actor);
	if (moved == MAP_FAILED) {
		munmap(to, MAP_BYTES);
		return;
	}
	handle->map = moved;
	do_load(actor, handle, step->a % TORTURE_PAGES);
}

/* In two, and together again */
void op_split(struct actor *actor, const struct step *step)
{
	struct handle *handle = step->handle;
	void *middle;

	if (!need_map(actor, step))
		return;
	middle = (void *)&handle->map[TORTURE_WORDS];
	actor_enter(actor, ORACLE_OTHER, handle->generation);
	mprotect(middle, TORTURE_PAGE, PROT_READ);
	actor_leave(actor);
	do_load(actor, handle, step->a % TORTURE_PAGES);
	actor_enter(actor, ORACLE_OTHER, handle->generation);
	mprotect(middle, TORTURE_PAGE, PROT_READ | PROT_WRITE);
	actor_leave(actor);
}
