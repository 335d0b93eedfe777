// SPDX-License-Identifier: GPL-2.0-or-later
/* See hand.h */

#define _GNU_SOURCE
#include "hand.h"
#include "ioctl.h"
#include "memory.h"
#include "seat.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

/* An operation that has begun; dead: on a device that had been taken away, and to be judged */
struct begun {
	struct board_seat *seat;
	const char *op;
	bool dead;
};

static struct begun begin(struct actor *actor, const struct hand *hand, const char *op)
{
	struct begun begun = { &actor->board->seat[hand->seat], op, false };

	begun.dead = hand->life <= atomic_load(&begun.seat->dead);
	atomic_store(&actor->me->op, op);
	atomic_store(&actor->me->seat, hand->seat);
	board_step(actor->board, hand->seat);
	return begun;
}

/* Something worked that must not, or failed as it must not. A few of them suffice. */
static void wrong(struct actor *actor, const struct hand *hand, const char *op, const char *what)
{
	if (atomic_fetch_add(&actor->board->wrong, 1) >= 10)
		return;
	printf("wrong: %s of a file of %s %s, of device %u, or %u; %u was taken away before\n",
	       op, seats[hand->seat].name, what, hand->life - 1, hand->life,
	       atomic_load(&actor->board->seat[hand->seat].dead));
	fflush(stdout);
}

static void wrong_answer(struct actor *actor, const struct hand *hand, const char *op, int error)
{
	char what[64];

	snprintf(what, sizeof(what), "is answered %s", strerrorname_np(error));
	wrong(actor, hand, op, what);
}

/* May a device that is away answer that? What is not ENODEV, the kernel answers before it asks. */
static bool may_refuse(int error)
{
	static const int errors[] = { ENODEV, EFAULT, EINVAL, EBADF, EACCES, ENOMEM, ESPIPE };
	unsigned int i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (error == errors[i])
			return true;
	return false;
}

/* With errno, if @ret is negative; 0 is no error, but something that has no answer. */
static void end(struct actor *actor, struct hand *hand, const struct begun *begun, long ret)
{
	int e = ret < 0 ? errno : 0;

	if (ret >= 0)
		atomic_fetch_add(&begun->seat->worked, 1);
	else if (e == ENODEV)
		atomic_fetch_add(&begun->seat->refused, 1);
	hand->refused |= e == ENODEV;
	if (begun->dead && (ret >= 0 || e)) {
		atomic_fetch_add(&begun->seat->judged, 1);
		if (ret >= 0)
			wrong(actor, hand, begun->op, "works");
		else if (!may_refuse(e))
			wrong_answer(actor, hand, begun->op, e);
	}
	atomic_store(&actor->me->op, NULL);
}

/* Its device goes just now: a file is kept until it is away, as its calls are judged then. */
static bool hand_waits(struct actor *actor, const struct hand *hand)
{
	struct board_seat *seat = &actor->board->seat[hand->seat];

	return hand->fd >= 0 && hand->refused && hand->life < atomic_load(&seat->life) &&
	       hand->life > atomic_load(&seat->dead);
}

static void hand_drop(struct hand *hand)
{
	if (hand->map)
		munmap(hand->map, hand->length);
	close(hand->fd);
	*hand = (struct hand){ .fd = -1 };
}

/* Who opens between two looks at the same number opens that device, or the one before. */
static void hand_open(struct actor *actor, struct hand *hand)
{
	struct dice *dice = &actor->dice;
	char path[SEAT_PATH];
	struct board_seat *seat;
	int flags = O_CLOEXEC | (dice_one_in(dice, 2) ? O_NONBLOCK : 0);

	hand->seat = dice_below(dice, BOARD_SEATS);
	seat = &actor->board->seat[hand->seat];
	seat_node(hand->seat, dice_below(dice, SEAT_NAMES), path);
	hand->life = atomic_load(&seat->life);
	hand->fd = open(path, flags | O_RDWR);
	if (hand->fd < 0 && errno == EACCES)
		hand->fd = open(path, flags | O_RDONLY);
	if (hand->fd < 0) {
		if (errno == ENXIO || errno == ENODEV)
			atomic_fetch_add(&seat->refused, 1);
		return;
	}
	if (hand->life != atomic_load(&seat->life))
		hand_drop(hand);
}

static void do_ioctl(struct actor *actor, struct hand *hand)
{
	struct ioctl_call call = ioctl_draw(&actor->dice, hand->map);
	bool compat = dice_one_in(&actor->dice, 4);
	struct begun begun;
	int ret, i;

	begun = begin(actor, hand, compat ? "compat ioctl" : "ioctl");
	/* Some numbers the kernel answers itself, for every file. */
	begun.dead &= call.exact;
	ret = compat ? ioctl_compat(hand->fd, call.number, call.arg) :
		       ioctl(hand->fd, call.number, call.arg);
	end(actor, hand, &begun, ret);
	if (ret < 0 || call.policy == IOCTL_NO_POLICY)
		return;
	/* Of this file; others of the seat may be the same one. */
	for (i = 0; i < HANDS && call.policy == IOCTL_DUMMY; i++)
		actor->hand[i].dummy |= actor->hand[i].seat == hand->seat;
	hand->dummy = call.policy == IOCTL_DUMMY;
}

static void do_read(struct actor *actor, struct hand *hand)
{
	void *to = memory_draw(&actor->dice, hand->map);
	size_t n = memory_size(&actor->dice);
	struct begun begun = begin(actor, hand, "read");

	if (dice_one_in(&actor->dice, 2))
		end(actor, hand, &begun, read(hand->fd, to, n));
	else
		end(actor, hand, &begun, pread(hand->fd, to, n, dice_below(&actor->dice, 8192)));
}

static void do_write(struct actor *actor, struct hand *hand)
{
	void *from = memory_draw(&actor->dice, hand->map);
	size_t n = memory_size(&actor->dice);
	struct begun begun = begin(actor, hand, "write");

	if (dice_one_in(&actor->dice, 2))
		end(actor, hand, &begun, write(hand->fd, from, n));
	else
		end(actor, hand, &begun, pwrite(hand->fd, from, n, dice_below(&actor->dice, 8192)));
}

static void do_seek(struct actor *actor, struct hand *hand)
{
	struct begun begun = begin(actor, hand, "lseek");
	off_t offset = (off_t)memory_size(&actor->dice) - 4096;

	end(actor, hand, &begun, lseek(hand->fd, offset, dice_below(&actor->dice, 5)));
}

/* Every driver here can be polled: a hang-up is a refusal. */
static void do_poll(struct actor *actor, struct hand *hand)
{
	struct pollfd p = { .fd = hand->fd, .events = dice_next(&actor->dice) };
	struct begun begun = begin(actor, hand, "poll");
	int ret = poll(&p, 1, dice_below(&actor->dice, 2) * 20);

	/* EINTR is no answer of one that is away: it is ready, so nobody waits. */
	if (ret >= 0 && p.revents & POLLHUP) {
		errno = ENODEV;
		ret = -1;
	}
	end(actor, hand, &begun, ret);
}

static void do_map(struct actor *actor, struct hand *hand)
{
	struct dice *dice = &actor->dice;
	int prot = dice_below(dice, 4), flags = dice_one_in(dice, 4) ? MAP_PRIVATE : MAP_SHARED;
	size_t length = PAGE * (1 + dice_below(dice, dice_one_in(dice, 4) ? 64 : 4));
	off_t offset = dice_one_in(dice, 2) ? 0 : PAGE * (off_t)dice_below(dice, 20);
	struct begun begun;
	char *map;

	if (dice_one_in(dice, 4))
		flags |= MAP_POPULATE;
	begun = begin(actor, hand, "mmap");
	map = mmap(NULL, length, prot, flags | MAP_32BIT, hand->fd, offset);
	end(actor, hand, &begun, map == MAP_FAILED ? -1 : 0);
	/* That of a device that is away stays, and is touched. */
	if (map == MAP_FAILED)
		return;
	if (hand->map)
		munmap(hand->map, hand->length);
	hand->map = map;
	hand->length = length;
	hand->shared = !(flags & MAP_PRIVATE);
	hand->prot = prot;
}

static sigjmp_buf fault;
static volatile sig_atomic_t faulted;

static void on_fault(int signal)
{
	faulted = signal;
	siglongjmp(fault, 1);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* A private mapping may have been copied from before the pull, and a copy is its user's. */
static void do_touch(struct actor *actor, struct hand *hand)
{
	char *at = hand->map + dice_below(&actor->dice, hand->length) / 4 * 4;
	bool writes = dice_one_in(&actor->dice, 2);
	struct begun begun;

	begun = begin(actor, hand, writes ? "store to a mapping" : "load from a mapping");
	begun.dead &= hand->shared && !hand->dummy;
	faulted = 0;
	if (!sigsetjmp(fault, 1)) {
		if (writes)
			*(volatile uint32_t *)at = 0;
		else
			(void)*(volatile uint32_t *)at;
	}
	if (faulted == SIGBUS)
		atomic_fetch_add(&begun.seat->signals, 1);
	if (begun.dead && hand->prot & (writes ? PROT_WRITE : PROT_READ | PROT_WRITE)) {
		atomic_fetch_add(&begun.seat->touches, 1);
		if (faulted == SIGSEGV)
			wrong(actor, hand, begun.op, "ends in SIGSEGV");
	}
	errno = 0;
	end(actor, hand, &begun, faulted ? -1 : 0);
}

/* The mapping changes its place or its rights; or the kernel is told about it. */
static void do_remap(struct actor *actor, struct hand *hand)
{
	static const int advice[] = { MADV_DONTNEED, MADV_WILLNEED, MADV_DONTFORK, MADV_DOFORK,
				      MADV_COLD, MADV_PAGEOUT };
	struct dice *dice = &actor->dice;
	struct begun begun = begin(actor, hand, "mremap");
	size_t length = PAGE * (1 + dice_below(dice, 8));
	char *map;

	begun.dead = false;
	switch (dice_below(dice, 4)) {
	case 0:
		map = mremap(hand->map, hand->length, length, MREMAP_MAYMOVE);
		if (map != MAP_FAILED) {
			hand->map = map;
			hand->length = length;
		}
		break;
	case 1:
		mprotect(hand->map, PAGE, dice_below(dice, 4));
		hand->prot = PROT_NONE;
		break;
	case 2:
		madvise(hand->map, hand->length, advice[dice_below(dice, 6)]);
		break;
	default:
		msync(hand->map, hand->length, MS_SYNC);
	}
	errno = 0;
	end(actor, hand, &begun, -1);
}

/* A child has the files and mappings, too, and goes without a word. */
static void do_fork(struct actor *actor, struct hand *hand)
{
	struct begun begun = begin(actor, hand, "fork");
	pid_t child = fork();

	if (child == 0) {
		if (hand->map && !sigsetjmp(fault, 1))
			(void)*(volatile uint32_t *)hand->map;
		_exit(0);
	}
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	errno = 0;
	end(actor, hand, &begun, -1);
}

static void do_flags(struct actor *actor, struct hand *hand)
{
	struct begun begun = begin(actor, hand, "fcntl");

	fcntl(hand->fd, F_SETOWN, getpid());
	fcntl(hand->fd, F_SETFL, dice_one_in(&actor->dice, 2) ? O_NONBLOCK | O_ASYNC : 0);
	fsync(hand->fd);
	errno = 0;
	end(actor, hand, &begun, -1);
}

/* Another descriptor of the same file, in place of one of another */
static void do_dup(struct actor *actor, struct hand *hand)
{
	struct hand *other = &actor->hand[dice_below(&actor->dice, HANDS)];

	if (other == hand || hand_waits(actor, other))
		return;
	if (other->fd >= 0)
		hand_drop(other);
	*other = *hand;
	other->map = NULL;
	other->fd = fcntl(hand->fd, F_DUPFD_CLOEXEC, 0);
}

static void do_drop(struct actor *actor, struct hand *hand)
{
	(void)actor;
	hand_drop(hand);
}

/* Of so many, how many are of each kind */
static const struct {
	void (*play)(struct actor *actor, struct hand *hand);
	unsigned int weight;
	bool map;
} plays[] = {
	{ do_ioctl, 40, false },
	{ do_read, 10, false },
	{ do_write, 10, false },
	{ do_seek, 4, false },
	{ do_poll, 8, false },
	{ do_map, 12, false },
	{ do_touch, 24, true },
	{ do_remap, 4, true },
	{ do_fork, 1, false },
	{ do_flags, 3, false },
	{ do_dup, 3, false },
	{ do_drop, 3, false },
};

#define WEIGHTS 122

void hand_init(struct actor *actor)
{
	struct sigaction fault_action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	struct sigaction alarm_action = { .sa_handler = on_alarm };
	int i;

	sigaction(SIGBUS, &fault_action, NULL);
	sigaction(SIGSEGV, &fault_action, NULL);
	/* No SA_RESTART: who sleeps in an operation finds out of it. */
	sigaction(SIGALRM, &alarm_action, NULL);
	signal(SIGIO, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	memory_init();
	for (i = 0; i < HANDS; i++)
		actor->hand[i] = (struct hand){ .fd = -1 };
}

void hand_play(struct actor *actor)
{
	struct hand *hand = &actor->hand[dice_below(&actor->dice, HANDS)];
	unsigned int drawn = dice_below(&actor->dice, WEIGHTS), i = 0;
	int n;

	/* Others, as a rule, if there are any */
	for (n = 0; n < HANDS && hand_waits(actor, hand); n++)
		hand = &actor->hand[dice_below(&actor->dice, HANDS)];
	if (hand->fd < 0) {
		hand_open(actor, hand);
		return;
	}
	while (drawn >= plays[i].weight)
		drawn -= plays[i++].weight;
	if (!plays[i].map || hand->map)
		plays[i].play(actor, hand);
}
