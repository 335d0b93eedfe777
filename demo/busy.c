// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * busy - the second act of the demonstration, in the virtual machine:
 *
 *	busy LABEL DRIVER
 *
 * DRIVER is the module, which is loaded here, and unloaded in the end.
 * Four edu cards compute, interrupt and do DMA for two users each; two more wait for the
 * second card, which is unbound. Who of them is told? Does the card go on, which nobody serves
 * any more? Do the others? Results go to busy.json in $UNPLUG_OUT. The exit status is 0 if
 * it was played to its end, whatever was found; judging is for others.
 *
 * What never comes is not waited for by time where there is something better: cards that
 * share no line with the victim go on all the while, and that is the yardstick.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo/card.h"
#include "demo/clock.h"
#include "demo/event.h"
#include "demo/op.h"
#include "demo/user.h"
#include "test/vm/host.h"
#include "test/vm/memory.h"

#define BUSY_CARDS 4
#define BUSY_VICTIM 2
#define BUSY_USERS (2 * BUSY_CARDS + 3)
#define BUSY_WARM 3		/* turns until a user is at work */
#define BUSY_ON 20		/* turns until one has gone on */

/* Registers of a card nobody drives */
#define BUSY_STATUS (0x20 / 4)
#define BUSY_DMA_TO (0x88 / 4)
#define BUSY_DMA_COMMAND (0x98 / 4)
#define BUSY_AT_WORK 0x1	/* of the status, and of the command */

/**
 * struct busy - all of it
 * @label: of the driver
 * @timeout: seconds to wait for anything
 * @tick: eventfd
 * @log: the kernel's, open
 * @lost: interrupt lines it switched off
 * @card: by number
 * @user: the first ones by card, then the two who wait, then one of the card that came back
 * @mark: turns at a moment from which on they are counted
 * @went_on: worked after the victim had come to its end
 * @users: how many
 * @called: clock_now() before the pull
 * @returned: and after
 * @gone: what the core says, if it does
 * @registers: of the victim
 * @freed: bytes it wrote to the memory it had; -1: not known
 * @fresh: the new user was served
 * @module: the driver's
 * @unload: errno of unloading it, old descriptors open
 * @problem: empty, or what went wrong
 */
static struct busy {
	const char *label;
	int timeout;
	int tick;
	int log;
	int lost;
	struct card card[BUSY_CARDS + 1];
	struct user user[BUSY_USERS];
	unsigned int mark[BUSY_USERS];
	bool went_on[BUSY_USERS];
	int users;
	uint64_t called;
	uint64_t returned;
	struct event gone;
	volatile uint32_t *registers;
	int freed;
	bool fresh;
	const char *module;
	int unload;
	char problem[160];
} busy = { .freed = -1, .unload = -1 };

static bool busy_fail(const char *what, int err)
{
	snprintf(busy.problem, sizeof(busy.problem), "%s: %s", what, strerror(err));
	return false;
}

/* The kernel gives up on a line that keeps asserting and that nobody serves. */
static void busy_read_log(void)
{
	char line[8192];
	ssize_t n;

	while ((n = read(busy.log, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		line[n > 0 ? n : 0] = '\0';
		busy.lost += strstr(line, "Disabling IRQ #") != NULL;
	}
}

/* Looked at after each turn of any user; and now and then, as registers do not tick. */
static bool busy_wait(bool (*done)(void))
{
	uint64_t until = clock_now() + busy.timeout * CLOCK_S, ticks;
	struct pollfd poll_fd = { .fd = busy.tick, .events = POLLIN };

	while (busy_read_log(), !done()) {
		if (clock_now() >= until)
			return false;
		if (poll(&poll_fd, 1, 100) > 0 && read(busy.tick, &ticks, sizeof(ticks)) < 0)
			return false;
	}
	return true;
}

static bool busy_start(int card, enum user_kind kind)
{
	int err = user_start(&busy.user[busy.users], card, busy.card[card].node, kind, busy.tick);

	busy.users++;
	return err ? busy_fail("starting a user", -err) : true;
}

static bool busy_warm(void)
{
	struct user_share *share;
	int i;

	for (i = 0; i < busy.users; i++) {
		share = busy.user[i].share;
		if (!share->ended && !share->asked && share->turns < BUSY_WARM)
			return false;
	}
	return true;
}

/* Cards share lines here: a card that nobody serves should disturb nobody. */
static bool busy_load(void)
{
	char path[128];
	int fd, err;

	snprintf(path, sizeof(path), "/modules/%s.ko", busy.module);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	err = syscall(SYS_finit_module, fd, "intx=1", 0) ? errno : 0;
	close(fd);
	return err ? busy_fail(path, err) : true;
}

static bool busy_prepare(void)
{
	int card, err;

	busy.timeout = host_timeout();
	busy.tick = eventfd(0, EFD_CLOEXEC);
	busy.log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (busy.tick < 0 || busy.log < 0 || lseek(busy.log, 0, SEEK_END) < 0)
		return busy_fail("preparing", errno);
	err = event_start() ?: card_watch();
	if (!busy_load())
		return false;
	for (card = 1; !err && card <= BUSY_CARDS; card++)
		err = card_wait(&busy.card[card], card, clock_now() + busy.timeout * CLOCK_S);
	if (err)
		return busy_fail("no node of a card", -err);
	for (card = 1; card <= BUSY_CARDS; card++)
		if (!busy_start(card, USER_COMPUTE) || !busy_start(card, USER_MOVE))
			return false;
	if (!busy_wait(busy_warm))
		return busy_fail("the users do not get to work", ETIMEDOUT);
	return true;
}

/* Did user @i do so many turns more since the mark? */
static bool busy_goes_on(int i)
{
	return busy.user[i].share->turns >= busy.mark[i] + BUSY_ON;
}

static void busy_mark(void)
{
	int i;

	for (i = 0; i < busy.users; i++)
		busy.mark[i] = busy.user[i].share->turns;
}

/* The others, but not for ever if their line has been switched off */
static bool busy_others_went_on(void)
{
	int i, waiting = 0;

	for (i = 0; i < busy.users; i++)
		waiting += busy.user[i].card != BUSY_VICTIM && !busy.user[i].share->ended &&
			   !busy_goes_on(i);
	return busy.lost ? waiting <= 2 * busy.lost : !waiting;
}

/* The card has come to the end of all it was doing. */
static bool busy_card_idle(void)
{
	return busy.registers && !(busy.registers[BUSY_STATUS] & BUSY_AT_WORK) &&
	       !(busy.registers[BUSY_DMA_COMMAND] & BUSY_AT_WORK);
}

static bool busy_look(void)
{
	char path[128];
	void *map;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0",
		 busy.card[BUSY_VICTIM].slot);
	fd = open(path, O_RDWR | O_CLOEXEC);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || !map || map == MAP_FAILED)
		return busy_fail("the registers of the unbound card", errno);
	close(fd);
	busy.registers = map;
	return true;
}

/* All are at work, two wait; now the card goes. */
static bool busy_pull(void)
{
	struct card *card = &busy.card[BUSY_VICTIM];
	volatile uint32_t *registers;
	int err, i;

	if (!busy_start(BUSY_VICTIM, USER_WAIT) || !busy_start(BUSY_VICTIM, USER_POLL))
		return false;
	if (!busy_wait(busy_warm))
		return busy_fail("the users do not get to wait", ETIMEDOUT);
	busy.called = clock_now();
	err = card_out(card, CARD_UNBIND, busy.timeout);
	busy.returned = clock_now();
	if (err)
		return busy_fail("unbinding the card", -err);
	if (card->device[0])
		event_wait(card->device, "gone", clock_now() + busy.timeout * CLOCK_S, &busy.gone);
	if (!busy_look())
		return false;
	registers = busy.registers;
	if (!registers)
		return false;
	if (!busy_wait(busy_card_idle))
		return busy_fail("the card does not come to its end", ETIMEDOUT);
	busy_mark();
	busy_wait(busy_others_went_on);
	for (i = 0; i < busy.users; i++)
		busy.went_on[i] = busy_goes_on(i);
	/* Where the last transfer went to. Cards are filled with a byte nobody else uses. */
	busy.freed = memory_count(registers[BUSY_DMA_TO], USER_BYTES, USER_BYTE);
	return true;
}

/* Served; or all others went on twice as much as that takes, but for a dead line's. */
static bool busy_fresh(void)
{
	const struct user_share *share = busy.user[busy.users - 1].share;

	busy.fresh = share->turns >= BUSY_WARM;
	return busy.fresh || share->ended || (busy.lost && busy_others_went_on());
}

static bool busy_bring_back(void)
{
	struct card *card = &busy.card[BUSY_VICTIM];
	int err;

	munmap((void *)busy.registers, 4096);
	err = card_in(card, CARD_UNBIND, busy.timeout) ?:
	      card_wait(card, BUSY_VICTIM, clock_now() + busy.timeout * CLOCK_S);
	if (err)
		return busy_fail("the card does not come back", -err);
	if (!busy_start(BUSY_VICTIM, USER_COMPUTE))
		return false;
	busy_mark();
	busy_wait(busy_fresh);
	return true;
}

/* Only users of the card that went keep what they had open; and the driver goes. */
static void busy_unload(void)
{
	char name[64];
	int i;

	for (i = 0; i < busy.users; i++) {
		if (busy.user[i].card == BUSY_VICTIM && i < busy.users - 1)
			continue;
		kill(busy.user[i].pid, SIGKILL);
		waitpid(busy.user[i].pid, NULL, 0);
	}
	snprintf(name, sizeof(name), "%s", busy.module);
	for (i = 0; name[i]; i++)
		if (name[i] == '-')
			name[i] = '_';
	busy.unload = syscall(SYS_delete_module, name, O_NONBLOCK) ? errno : 0;
}

static json_t *busy_user_json(int i)
{
	const struct user *user = &busy.user[i];
	const struct user_share *share = user->share;
	bool after = share->ended && share->when > busy.called;

	return json_pack("{s:i, s:s, s:i, s:o, s:o, s:b}", "card", user->card,
			 "kind", user_kind_name(user->kind), "turns", (int)share->turns,
			 "ended", share->ended ? json_string(op_result_name(share->result)) :
						 json_null(),
			 "after_ms", after ? json_real((double)(share->when - busy.called) /
						       CLOCK_MS) : json_null(),
			 "went_on", busy.went_on[i]);
}

static int busy_write(void)
{
	char path[256];
	json_t *users = json_array(), *record;
	struct utsname name;
	int i, err;

	uname(&name);
	for (i = 0; i < busy.users; i++)
		json_array_append_new(users, busy_user_json(i));
	record = json_pack("{s:s, s:s, s:i, s:i, s:o, s:f, s:o, s:i, s:o, s:b, s:o, s:s}",
			   "label", busy.label, "kernel", name.release, "cards", BUSY_CARDS,
			   "victim", BUSY_VICTIM, "users", users,
			   "call_ms", (double)(busy.returned - busy.called) / CLOCK_MS,
			   "gone_us", busy.gone.what[0] ? json_integer(busy.gone.us) : json_null(),
			   "lines_lost", busy.lost,
			   "freed_bytes", busy.freed < 0 ? json_null() : json_integer(busy.freed),
			   "fresh", busy.fresh,
			   "unload", busy.unload < 0 ? json_null() :
				     json_string(op_result_name(busy.unload)),
			   "problem", busy.problem);
	snprintf(path, sizeof(path), "%s/busy.json", getenv("UNPLUG_OUT") ?: "/out");
	err = record ? json_dump_file(record, path, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : -1;
	sync();
	return err;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: busy LABEL DRIVER\n");
		return 2;
	}
	busy.label = argv[1];
	busy.module = argv[2];
	if (busy_prepare()) {
		printf("%-6s two users at work on each of %d cards\n", busy.label, BUSY_CARDS);
		/* Before what a driver need not survive: a new card, and that somebody leaves */
		if (busy_pull() && !busy_write())
			busy_bring_back();
		busy_write();
		if (!busy.problem[0])
			busy_unload();
	}
	printf("%-6s %s\n", busy.label,
	       busy.problem[0] ? busy.problem : "card 2 was unbound, and is back");
	if (busy_write()) {
		fprintf(stderr, "busy: cannot write busy.json\n");
		return EXIT_FAILURE;
	}
	return busy.problem[0] ? EXIT_FAILURE : EXIT_SUCCESS;
}
