// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The oracle's own test: a table of acts, and what is to be said of each. "": legal. Prints
 * TAP.
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include "oracle.h"

#define CARD 7

#define LOOK(s, t) { TORTURE_##s, t, 0, 0 }
#define ENDED(s, t, ending, ended) { TORTURE_##s, t, ending, ended }

static const struct {
	const char *name, *promise;
	struct oracle_act act;
} rows[] = {
#define ROW(name, promise, op_, from, to, answer_, value_, ...)		\
	{ name, promise, { .op = ORACLE_##op_, .generation = CARD, .before = from, \
			   .after = to, .answer = answer_, .value = value_, __VA_ARGS__ } },
	ROW("read-live", "", READ, LOOK(LIVE, 0), LOOK(LIVE, 0), 0, CARD)
	ROW("read-live-refused", "K5", READ, LOOK(LIVE, 0), LOOK(LIVE, 0), ENODEV, 0)
	ROW("read-live-signal", "", READ, LOOK(LIVE, 0), LOOK(LIVE, 0), EINTR, 0, .signals = true)
	ROW("read-live-no-signal", "K5", READ, LOOK(LIVE, 0), LOOK(LIVE, 0), EINTR, 0)
	ROW("read-pulling", "", READ, LOOK(LIVE, 0), LOOK(PULLING, 0), ENODEV, 0)
	ROW("read-pulling-works", "", READ, LOOK(LIVE, 0), LOOK(GONE, 0), 0, CARD)
	ROW("read-pulling-wrong", "K1", READ, LOOK(LIVE, 0), LOOK(SHUT, 0), EIO, 0)
	ROW("read-shut", "", READ, LOOK(SHUT, 0), LOOK(SHUT, 0), ENODEV, 0)
	ROW("read-shut-works", "K1", READ, LOOK(SHUT, 0), LOOK(GONE, 0), 0, CARD)
	ROW("read-shut-again", "K1", READ, LOOK(SHUT, 0), LOOK(SHUT, 0), EAGAIN, 0)
	ROW("read-shut-again-nonblock", "K1", READ, LOOK(SHUT, 0), LOOK(SHUT, 0), EAGAIN, 0,
	    .nonblock = true)
	ROW("read-shut-signal", "K1", READ, LOOK(SHUT, 0), LOOK(SHUT, 0), EINTR, 0, .signals = true)
	ROW("read-shut-cancelled", "K1", READ, LOOK(SHUT, 0), LOOK(SHUT, 0), ECANCELED, 0,
	    .signals = true)
	ROW("read-live-cancelled", "K5", READ, LOOK(LIVE, 0), LOOK(LIVE, 0), ECANCELED, 0,
	    .signals = true)
	ROW("read-shut-memory", "K1", READ, LOOK(SHUT, 0), LOOK(SHUT, 0), ENOMEM, 0)
	ROW("read-ended-again", "K1", READ, ENDED(LIVE, 2, 2, 2), ENDED(LIVE, 2, 2, 2), EAGAIN, 0,
	    .nonblock = true)
	ROW("info-own", "", INFO, LOOK(LIVE, 0), LOOK(SHUT, 0), EFAULT, 0, .own = true)
	ROW("info-own-shut", "K1", INFO, LOOK(SHUT, 0), LOOK(SHUT, 0), EFAULT, 0, .own = true)
	ROW("info-own-frozen", "K12", INFO, LOOK(FROZEN, 1), LOOK(FROZEN, 1), EFAULT, 0, .own = true)
	ROW("read-another", "K9", READ, LOOK(LIVE, 0), LOOK(SHUT, 0), 0, CARD + 1)
	ROW("read-away", "K2", READ, LOOK(LIVE, 0), LOOK(SHUT, 0), 0, TORTURE_AWAY)
	ROW("read-ice", "K12", READ, LOOK(LIVE, 0), LOOK(FROZEN, 1), 0, TORTURE_ICE)
	ROW("read-frozen", "", READ, LOOK(FROZEN, 1), LOOK(FROZEN, 1), EAGAIN, 0)
	ROW("read-frozen-works", "K12", READ, LOOK(FROZEN, 1), LOOK(FROZEN, 1), 0, CARD)
	ROW("read-frozen-waits", "K12", READ, LOOK(FROZEN, 1), LOOK(FROZEN, 1), EAGAIN, 0,
	    .waits = true)
	ROW("read-frozen-nonblock", "", READ, LOOK(FROZEN, 1), LOOK(FROZEN, 1), EAGAIN, 0,
	    .waits = true, .nonblock = true)
	ROW("read-frozen-pulled", "", READ, LOOK(FROZEN, 1), LOOK(PULLING, 1), ENODEV, 0)
	ROW("read-thawing-works", "", READ, LOOK(THAWING, 1), LOOK(LIVE, 2), 0, CARD)
	ROW("read-over-freeze", "", READ, LOOK(LIVE, 0), LOOK(LIVE, 2), EAGAIN, 0)
	ROW("read-over-freeze-works", "", READ, LOOK(LIVE, 0), LOOK(LIVE, 2), 0, CARD)
	ROW("read-over-freeze-gone", "K12", READ, LOOK(LIVE, 0), LOOK(LIVE, 2), ENODEV, 0,
	    .opened_to = 2, .opened_from = 2)
	ROW("read-thawed-refused", "K12", READ, LOOK(LIVE, 2), LOOK(LIVE, 2), EAGAIN, 0)
	ROW("read-ended", "", READ, ENDED(LIVE, 2, 2, 2), ENDED(LIVE, 2, 2, 2), ENODEV, 0)
	ROW("read-ended-works", "K1", READ, ENDED(LIVE, 2, 2, 2), ENDED(LIVE, 2, 2, 2), 0, CARD)
	ROW("read-ending", "", READ, LOOK(FROZEN, 1), ENDED(LIVE, 2, 2, 2), ENODEV, 0)
	ROW("read-opened-anew", "", READ, ENDED(LIVE, 2, 2, 2), ENDED(LIVE, 2, 2, 2), 0, CARD,
	    .opened_from = 2, .opened_to = 2)
	ROW("read-nonblock", "", READ, LOOK(LIVE, 0), LOOK(LIVE, 0), EAGAIN, 0, .nonblock = true)
	ROW("own-live", "K5", INFO, LOOK(LIVE, 0), LOOK(LIVE, 0), EFAULT, 0, .own = true)
	ROW("own-pulled", "", INFO, LOOK(LIVE, 0), LOOK(PULLING, 0), EFAULT, 0, .own = true)
	ROW("info-pulled-fault", "K1", INFO, LOOK(LIVE, 0), LOOK(PULLING, 0), EFAULT, 0)
	ROW("load-live", "", LOAD, LOOK(LIVE, 0), LOOK(LIVE, 0), 0, CARD)
	ROW("load-live-signal", "K5", LOAD, LOOK(LIVE, 0), LOOK(LIVE, 0), ORACLE_SIGBUS, 0)
	ROW("load-shut", "", LOAD, LOOK(SHUT, 0), LOOK(SHUT, 0), ORACLE_SIGBUS, 0)
	ROW("load-shut-works", "K3", LOAD, LOOK(SHUT, 0), LOOK(SHUT, 0), 0, CARD)
	ROW("load-away", "K3", LOAD, LOOK(PULLING, 0), LOOK(SHUT, 0), 0, TORTURE_AWAY)
	ROW("load-another", "K9", LOAD, LOOK(PULLING, 0), LOOK(SHUT, 0), 0, CARD + 1)
	ROW("load-segv", "K4", LOAD, LOOK(SHUT, 0), LOOK(SHUT, 0), ORACLE_SIGSEGV, 0)
	ROW("load-frozen", "", LOAD, LOOK(FROZEN, 1), LOOK(FROZEN, 1), ORACLE_SIGBUS, 0)
	ROW("load-frozen-works", "K12", LOAD, LOOK(FROZEN, 1), LOOK(FROZEN, 1), 0, CARD)
	ROW("load-thawing-ice", "K12", LOAD, LOOK(THAWING, 1), LOOK(LIVE, 2), 0, TORTURE_ICE)
	ROW("load-dummy", "", LOAD, LOOK(SHUT, 0), LOOK(SHUT, 0), 0, 0, .dummy = true)
	ROW("load-dummy-frozen", "", LOAD, LOOK(FROZEN, 1), LOOK(FROZEN, 1), 0, 0, .dummy = true)
	ROW("load-dummy-live", "K9", LOAD, LOOK(LIVE, 2), LOOK(LIVE, 2), 0, 0, .dummy = true)
	ROW("load-dummy-card", "K3", LOAD, LOOK(SHUT, 0), LOOK(SHUT, 0), 0, CARD, .dummy = true)
	ROW("load-dummy-signal", "K4", LOAD, LOOK(SHUT, 0), LOOK(SHUT, 0), ORACLE_SIGBUS, 0,
	    .dummy = true)
	ROW("load-no-dummy", "K3", LOAD, LOOK(SHUT, 0), LOOK(SHUT, 0), 0, 0)
	ROW("store-shut-works", "K3", STORE, LOOK(SHUT, 0), LOOK(SHUT, 0), 0, CARD)
	ROW("peek-shut", "", PEEK, LOOK(SHUT, 0), LOOK(SHUT, 0), EIO, 0)
	ROW("peek-shut-works", "K3", PEEK, LOOK(SHUT, 0), LOOK(SHUT, 0), 0, CARD)
	ROW("poll-live", "", POLL, LOOK(LIVE, 0), LOOK(LIVE, 0), 0, POLLIN)
	ROW("poll-live-hup", "K5", POLL, LOOK(LIVE, 0), LOOK(LIVE, 0), 0, POLLHUP | POLLERR)
	ROW("poll-shut", "", POLL, LOOK(SHUT, 0), LOOK(SHUT, 0), 0, POLLHUP | POLLERR)
	ROW("poll-shut-nothing", "K1", POLL, LOOK(SHUT, 0), LOOK(SHUT, 0), 0, 0)
	ROW("poll-shut-half", "K1", POLL, LOOK(SHUT, 0), LOOK(SHUT, 0), 0, POLLHUP)
	ROW("poll-frozen", "", POLL, LOOK(FROZEN, 1), LOOK(FROZEN, 1), 0, 0)
	ROW("poll-frozen-event", "K12", POLL, LOOK(FROZEN, 1), LOOK(FROZEN, 1), 0, POLLIN)
	ROW("open-live", "", OPEN, LOOK(LIVE, 0), LOOK(LIVE, 0), 0, CARD, .last = CARD)
	ROW("open-live-refused", "K5", OPEN, LOOK(LIVE, 0), LOOK(LIVE, 0), ENOENT, 0, .last = CARD)
	ROW("open-plugging", "", OPEN, LOOK(PLUGGING, 0), LOOK(LIVE, 0), ENOENT, 0, .last = CARD)
	ROW("open-shut", "", OPEN, LOOK(SHUT, 0), LOOK(GONE, 0), ENOENT, 0, .last = CARD)
	ROW("open-shut-wrong", "K1", OPEN, LOOK(SHUT, 0), LOOK(GONE, 0), ENODEV, 0, .last = CARD)
	ROW("open-shut-works", "K1", OPEN, LOOK(SHUT, 0), LOOK(GONE, 0), 0, CARD, .last = CARD)
	ROW("open-replugged", "", OPEN, LOOK(SHUT, 0), LOOK(LIVE, 0), 0, CARD + 2, .last = CARD + 2)
	ROW("open-replugged-shut", "K1", OPEN, LOOK(SHUT, 0), LOOK(LIVE, 0), 0, CARD, .last = CARD + 2)
	ROW("open-replugged-signal", "", OPEN, LOOK(SHUT, 0), LOOK(FROZEN, 1), EINTR, 0,
	    .last = CARD + 1, .signals = true, .waits = true)
	ROW("open-replugged-live", "K1", OPEN, LOOK(SHUT, 0), LOOK(LIVE, 0), EINTR, 0,
	    .last = CARD + 1, .signals = true, .waits = true)
	ROW("open-replugged-no-wait", "K1", OPEN, LOOK(SHUT, 0), LOOK(FROZEN, 1), EINTR, 0,
	    .last = CARD + 1, .signals = true)
	ROW("open-plugging-again", "K1", OPEN, LOOK(PLUGGING, 0), LOOK(LIVE, 0), EAGAIN, 0, .last = CARD)
	ROW("open-past", "K9", OPEN, LOOK(SHUT, 0), LOOK(LIVE, 0), 0, CARD - 1, .last = CARD + 2)
	ROW("alias-shut", "", ALIAS, LOOK(SHUT, 0), LOOK(SHUT, 0), ENXIO, 0)
	ROW("alias-shut-node", "K1", ALIAS, LOOK(SHUT, 0), LOOK(SHUT, 0), ENOENT, 0)
	ROW("alias-another", "K9", ALIAS, LOOK(LIVE, 0), LOOK(PULLING, 0), 0, CARD + 1)
	ROW("close-signal", "K5", CLOSE, LOOK(LIVE, 0), LOOK(LIVE, 0), EINTR, 0, .signals = true)
	ROW("close-shut", "", CLOSE, LOOK(SHUT, 0), LOOK(SHUT, 0), 0, 0)
	ROW("mmap-frozen", "", MMAP, LOOK(FROZEN, 1), LOOK(FROZEN, 1), EAGAIN, 0, .waits = true)
	ROW("mmap-shut-dummy", "K1", MMAP, LOOK(SHUT, 0), LOOK(SHUT, 0), 0, CARD, .dummy = true)
	ROW("mmap-shut-works", "K1", MMAP, LOOK(SHUT, 0), LOOK(SHUT, 0), 0, CARD)
#undef ROW
};

static const struct {
	const char *name, *promise;
	enum oracle_op op;
	struct oracle_look look;
	bool waits;
} stuck[] = {
	{ "stuck-read-live", "", ORACLE_READ, LOOK(LIVE, 0), false },
	{ "stuck-read-shut", "K6", ORACLE_READ, LOOK(SHUT, 0), false },
	{ "stuck-poll-ended", "K6", ORACLE_POLL, ENDED(LIVE, 2, 2, 2), false },
	{ "stuck-poll-gone", "K6", ORACLE_POLL, LOOK(GONE, 0), false },
	{ "stuck-ioctl-live", "K6", ORACLE_INFO, LOOK(LIVE, 0), false },
	{ "stuck-ioctl-frozen", "K6", ORACLE_INFO, LOOK(FROZEN, 0), false },
	{ "stuck-ioctl-waits", "", ORACLE_INFO, LOOK(FROZEN, 0), true },
	{ "stuck-pull", "K6", ORACLE_PULL, LOOK(NONE, 0), false },
	{ "stuck-neighbour", "K5", ORACLE_WAIT_NEIGHBOUR, LOOK(SHUT, 0), false },
};

static unsigned int number, failed;

static void report(const char *name, const char *want, const char *got)
{
	bool good = !strcmp(want, got);

	printf("%s %u - oracle %s\n", good ? "ok" : "not ok", ++number, name);
	if (!good)
		printf("# expected '%s', got '%s'\n", want, got);
	failed += !good;
}

int main(void)
{
	struct oracle_verdict verdict;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		report(rows[i].name, rows[i].promise,
		       oracle_is_legal(&rows[i].act, &verdict) ? "" : verdict.promise);
	for (i = 0; i < sizeof(stuck) / sizeof(stuck[0]); i++)
		report(stuck[i].name, stuck[i].promise,
		       oracle_is_stuck(stuck[i].op, &stuck[i].look, 0, stuck[i].waits,
				       &verdict) ?
		       verdict.promise : "");
	for (i = 0; i < TORTURE_FACT_MAX; i++) {
		oracle_fact(i, &verdict);
		report("fact", "K", verdict.promise ? "K" : "");
	}
	return failed > 0;
}
