// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A card that computes and interrupts is pulled: under load, while somebody waits for a
 * result, while work and watchdog are pending, while it shares its interrupt line.
 */

#define _GNU_SOURCE
#include "edu.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORKERS 4
#define QUEUED 6

static void expect_answer(int fd, uint32_t number)
{
	uint32_t answer;

	expect_works("write of a number", edu_ask(fd, number));
	expect_works("read of its factorial", edu_answer(fd, &answer));
	expect_equal("factorial", answer, edu_factorial(number));
}

static void expect_dead(int fd)
{
	uint32_t answer;
	uint8_t byte = 0;

	expect_errno("write, old descriptor", edu_ask(fd, 3), ENODEV);
	expect_errno("read, old descriptor", edu_answer(fd, &answer), ENODEV);
	expect_errno("put, old descriptor", edu_put(fd, 0, &byte, 1), ENODEV);
	expect_errno("get, old descriptor", edu_get(fd, 0, &byte, 1), ENODEV);
}

static int events_of(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLOUT };

	expect_works("poll", poll(&poll_fd, 1, 0));
	return poll_fd.revents;
}

static void expect_events(const char *what, int fd, int events)
{
	expect_equal(what, events_of(fd), events);
}

/*
 * Of a file that does not wait. The card computes on while this process, or this machine, is
 * held up: what is said counts if it computes even when all has been asked.
 */
static void expect_busy(int fd)
{
	int read_err, write_err, events;
	uint32_t n;

	for (;;) {
		expect_works("write of a large number", edu_ask(fd, EDU_SLOWEST));
		if (edu_answer(fd, &n) >= 0)
			continue;
		read_err = errno;
		write_err = edu_ask(fd, 1) < 0 ? errno : 0;
		events = events_of(fd);
		if (edu_answer(fd, &n) < 0)
			break;
	}
	expect_equal("errno of a read of what is not done", read_err, EAGAIN);
	expect_equal("errno of a write of a second one", write_err, EBUSY);
	expect_equal("computing", events, 0);
}

static void expect_attribute(const struct card *card, const char *name, const char *want)
{
	char path[CARD_PATH], text[64];

	snprintf(path, sizeof(path), "/sys/class/%s/%s/%s", driver->class, card->name, name);
	expect_equal(path, file_read(path, text, sizeof(text)), 0);
	if (strcmp(text, want))
		case_end(OUTCOME_WRONG_ERRNO, "%s: %s, expected %s", path, text, want);
}

CASE(edu_before, .name = "edu-before",
     .promise = "K1: a live card computes, moves bytes, and says what it is ready for",
     .naive = "passes: nothing is pulled", .poison = true)
{
	uint8_t there[EDU_BYTES], back[EDU_BYTES];
	struct card card;
	uint32_t n;
	int fd;

	edu_start("");
	card_init(&card, EDU_FIRST);
	fd = card_open(&card);
	expect_events("idle", fd, POLLOUT);
	expect_errno("read of nothing", edu_answer(fd, &n), ENODATA);
	for (n = 0; n < 40; n++)
		expect_answer(fd, n);
	expect_attribute(&card, "computed", "40");
	for (n = 0; n < sizeof(there); n++)
		there[n] = rand();
	expect_works("put", edu_put(fd, 0, there, sizeof(there)));
	expect_works("get", edu_get(fd, 0, back, sizeof(back)));
	expect_equal("bytes that came back", memcmp(there, back, sizeof(back)), 0);
	expect_errno("get past the end", edu_get(fd, 1, back, sizeof(back)), EINVAL);
	expect_errno("write of a byte", write(fd, there, 1), EINVAL);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	expect_busy(fd);
	close(fd);
}

/* Pulled in one of several ways, while all are at work */
static void pull_working(void (*out)(const struct card *card), void (*in)(struct card *card))
{
	struct edu_worker worker[WORKERS + 1];
	struct card card, now;
	int i, fd;

	edu_start("");
	card_init(&card, EDU_FIRST);
	for (i = 0; i < WORKERS; i++)
		edu_work(&worker[i], &card, edu_compute);
	worker[i].offset = 100;
	edu_work(&worker[i], &card, edu_transfer);
	for (i = 0; i <= WORKERS; i++)
		edu_wait_warm(&worker[i]);

	out(&card);
	for (i = 0; i <= WORKERS; i++)
		expect_errno("work, pulled", task_wait(&worker[i].task), ENODEV);
	card_wait_gone(&card);
	if (in) {
		now = card;
		in(&now);
		fd = card_open(&now);
		expect_answer(fd, 7);
		close(fd);
	}
	for (i = 0; i <= WORKERS; i++) {
		expect_dead(worker[i].fd);
		expect_events("old descriptor", worker[i].fd, POLLHUP | POLLERR);
		close(worker[i].fd);
	}
}

#define ONCE "absent: its readers are not woken, see edu-read-asleep"

CASE(edu_working_unbind, .name = "edu-working-unbind",
     .promise = "K2, K6: a card is unbound while it interrupts and does DMA for several users",
     .naive = ONCE)
{
	pull_working(card_unbind, card_bind);
}

static void rescan(struct card *card)
{
	expect_equal("errno of a rescan", file_write("/sys/bus/pci/rescan", "1"), 0);
	card_wait(card);
}

CASE(edu_working_remove, .name = "edu-working-remove",
     .promise = "K2, K6: it is removed from its bus meanwhile", .naive = ONCE)
{
	pull_working(card_remove, rescan);
}

/* The slot gets another card; old descriptors do not reach it. */
CASE(edu_working_pull, .name = "edu-working-pull",
     .promise = "K2, K6, K9: it is taken out of the machine meanwhile, and another comes",
     .naive = ONCE)
{
	pull_working(card_pull, card_plug);
}

/* The driver goes right after, with descriptors open, before the card is silent for long. */
static void unbind_unload(const struct card *card)
{
	card_unplug(card);
	expect_equal("errno of unloading the driver", module_unload_soon(driver->module), 0);
}

CASE(edu_working_unload, .name = "edu-working-unload",
     .promise = "K2: the driver is unloaded right after gone, descriptors open, the card busy",
     .naive = ONCE)
{
	struct card card;
	int fd;

	pull_working(unbind_unload, NULL);
	edu_load("");
	card_init(&card, EDU_FIRST);
	fd = card_open(&card);
	expect_answer(fd, 9);
	close(fd);
}

/*
 * So many requests that the last one's result is far off: no time decides whether its reader
 * still waits when the card goes. The control takes one at a time.
 */
static void ask_much(const struct card *card, int fds[QUEUED])
{
	int i, n = driver->naive ? 1 : QUEUED;

	for (i = 0; i < n; i++) {
		fds[i] = card_open(card);
		expect_works("write of a large number", edu_ask(fds[i], EDU_SLOWEST));
	}
	for (; i < QUEUED; i++)
		fds[i] = fds[0];
}

static bool is_computing(const struct card *card)
{
	return edu_registers(card)[EDU_STATUS] & EDU_STATUS_COMPUTING;
}

static long read_answer(void *arg)
{
	uint32_t answer;

	return edu_answer(*(int *)arg, &answer);
}

struct sleepers {
	struct task first, last;
	int fds[QUEUED];
	int err;		/* of the first; 0 if he was answered */
};

static struct sleepers *sleepers_begin(const struct card *card)
{
	struct sleepers *s = calloc(1, sizeof(*s));

	if (!s)
		case_fail("calloc: %m");
	ask_much(card, s->fds);
	task_start(&s->first, read_answer, &s->fds[QUEUED - 2]);
	task_start(&s->last, read_answer, &s->fds[QUEUED - 1]);
	return s;
}

/* Those of the control may never come back: they are left. */
static void sleepers_end(struct sleepers *s)
{
	int i;

	if (driver->naive)
		return;
	task_wait(&s->last);
	for (i = 0; i < QUEUED; i++)
		close(s->fds[i]);
	free(s);
}

/* Was the first still waiting? The control does not tell him; its card computes what he is for. */
static bool sleepers_met(struct sleepers *s, const struct card *card)
{
	if (driver->naive)
		return is_computing(card);
	s->err = task_wait(&s->first) < 0 ? errno : 0;
	return s->err;
}

/* Pulled while both wait; if the first was answered before, however that was, once more. */
static struct sleepers *pull_asleep(struct card *card)
{
	struct sleepers *s;

	for (;;) {
		s = sleepers_begin(card);
		while (!task_try_asleep(&s->first) || !task_try_asleep(&s->last)) {
			sleepers_met(s, card);
			sleepers_end(s);
			s = sleepers_begin(card);
		}
		card_unbind(card);
		if (sleepers_met(s, card))
			return s;
		sleepers_end(s);
		card_bind(card);
	}
}

CASE(edu_read_asleep, .name = "edu-read-asleep",
     .promise = "K6: who waits for a slow computation, or for his turn, is told ENODEV",
     .naive = "oops")
{
	struct sleepers *s;
	struct card card;

	edu_start("");
	card_init(&card, EDU_FIRST);
	s = pull_asleep(&card);
	/* Its card is gone, and what would wake him given back. */
	if (driver->naive && task_try_asleep(&s->first))
		case_end(OUTCOME_HANG, "a read sleeps on in a driver that has left its card");
	expect_equal("errno of the read, second to last", s->err, ENODEV);
	expect_errno("read, last", task_wait(&s->last), ENODEV);
	card_wait_gone(&card);
}

static long poll_answer(void *arg)
{
	struct pollfd poll_fd = { .fd = *(int *)arg, .events = POLLIN };

	return poll(&poll_fd, 1, -1) == 1 ? poll_fd.revents : -1;
}

/* Pollers of a driver that is not there any more */
CASE(edu_poll_asleep, .name = "edu-poll-asleep",
     .promise = "K1, K6: who polls for a slow computation is told HUP and ERR",
     .naive = ONCE)
{
	struct task task;
	struct card card;
	int fds[QUEUED];

	edu_start("");
	card_init(&card, EDU_FIRST);
	ask_much(&card, fds);
	task_start(&task, poll_answer, &fds[QUEUED - 1]);
	task_wait_asleep(&task);
	card_unbind(&card);
	expect_equal("poll", task_wait(&task), POLLHUP | POLLERR);
	card_wait_gone(&card);
	expect_equal("errno of unloading the driver", module_unload_soon(driver->module), 0);
	expect_events("the driver is not there", fds[0], POLLHUP | POLLERR);
}

static void set_timeout(const struct card *card, long ms)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", ms);
	edu_set_timeout(card, text);
}

/*
 * Pulled while its watchdog is pending, however slowly this machine pulls: then with a time that
 * is long enough for it, twice over, as the kernel's tick may be behind. When it would have run,
 * at the latest, is returned.
 */
static long pull_watched(struct card *card, int fds[QUEUED])
{
	long ms, begin, took;

	for (ms = 500;; ms = 4 * took) {
		set_timeout(card, ms);
		begin = now_ms();
		ask_much(card, fds);
		card_unplug(card);
		took = now_ms() - begin;
		if (took < ms / 2)
			return begin + took + 2 * ms;
		card_bind(card);
	}
}

/*
 * Its watchdog has run, however late; a card that was faster than a late one is asked again. Its
 * time has to be far shorter than what the card takes.
 */
static void wait_watchdog(int fd)
{
	uint32_t answer;
	long n;

	do {
		expect_works("write of a large number", edu_ask(fd, EDU_SLOWEST));
		n = edu_answer(fd, &answer);
	} while (n >= 0);
	expect_errno("read of what takes too long", n, ETIMEDOUT);
}

/*
 * The watchdog of a second card runs until the time of the first one's, which has gone, is over.
 * It is a short one: a card that is given as long as a slow machine takes to pull the other
 * answers in time, and no watchdog ever runs.
 */
CASE(edu_watchdog_pending, .name = "edu-watchdog-pending",
     .promise = "K2: a watchdog and work that are pending when the card goes never run",
     .naive = "oops", .poison = true)
{
	struct card card, other;
	uint32_t answer = 0;
	int fds[QUEUED], fd;
	long over;

	edu_start("");
	card_init(&card, EDU_FIRST);
	card_init(&other, EDU_FIRST + 1);
	over = pull_watched(&card, fds);
	set_timeout(&other, 50);
	fd = card_open(&other);
	do
		wait_watchdog(fd);
	while (now_ms() < over);
	/* On another processor it may be later. */
	if (driver->naive)
		log_wait_complaint();
	/* Now it has run, if it ever does; and so may what comes after it. */
	while (edu_ask(fd, 5) == sizeof(answer) && edu_answer(fd, &answer) < 0)
		expect_equal("errno of a read meanwhile", errno, ETIMEDOUT);
	expect_equal("factorial", answer, edu_factorial(5));
}

/* Not a file is open: nothing but the watchdog and the card itself is under way. */
CASE(edu_watchdog_unload, .name = "edu-watchdog-unload",
     .promise = "K2: the driver is unloaded while its card computes, its watchdog set",
     .naive = "absent: its watchdog is caught by edu-watchdog-pending")
{
	struct card card;
	uint32_t answer;
	int fd, i;

	edu_start("");
	for (i = 0; i < 3; i++) {
		card_init(&card, EDU_FIRST);
		edu_set_timeout(&card, "200");
		fd = card_open(&card);
		expect_works("write of a large number", edu_ask(fd, EDU_SLOW));
		close(fd);
		expect_equal("errno of unloading", module_unload_soon(driver->module), 0);
		edu_load("");
	}
	/* The card is still busy for those who went. */
	card_init(&card, EDU_FIRST);
	fd = card_open(&card);
	expect_works("write", edu_ask(fd, 6));
	expect_works("read, when the card is free", edu_answer(fd, &answer));
	expect_equal("factorial", answer, edu_factorial(6));
	close(fd);
}

static bool same_line(const struct card *a, const struct card *b)
{
	char path[CARD_PATH], of_a[16], of_b[16];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/irq", a->address);
	file_read(path, of_a, sizeof(of_a));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/irq", b->address);
	file_read(path, of_b, sizeof(of_b));
	return !strcmp(of_a, of_b);
}

/* However fast this machine computes, and however slowly it pulls: its file, still open */
static int pull_computing(struct card *card)
{
	int fd = card_open(card);

	for (;;) {
		expect_answer(fd, 5);
		expect_works("write of a large number", edu_ask(fd, EDU_SLOWEST));
		card_unplug(card);
		if (is_computing(card))
			return fd;
		card_bind(card);
		close(fd);
		fd = card_open(card);
	}
}

/* How many interrupts in a row were nobody's */
static long unanswered(const struct card *card)
{
	char path[CARD_PATH], line[64];
	long n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/irq", card->address);
	expect_equal(path, file_read(path, line, sizeof(line)), 0);
	snprintf(path, sizeof(path), "/proc/irq/%d/spurious", atoi(line));
	file = fopen(path, "re");
	if (!file)
		case_fail("%s: %m", path);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "unhandled %ld", &n);
	fclose(file);
	return n;
}

#define UNANSWERED 1000

/*
 * The control leaves the line asserted: there is one interrupt after the other. The kernel gives
 * the line up after 100000, if they come without a pause, which a busy host makes.
 */
static void expect_unanswered(const struct card *other)
{
	long end = now_ms() + case_timeout();

	while (!log_complaint()) {
		if (unanswered(other) > UNANSWERED)
			case_end(OUTCOME_OOPS, "nobody answers the interrupts of %s's line",
				 other->name);
		if (now_ms() > end)
			case_end(OUTCOME_HANG, "the line is quiet");
		sched_yield();
	}
}

/* The computation ends when nobody serves its card any more: it must not interrupt. */
CASE(edu_line_shared, .name = "edu-line-shared",
     .promise = "K5: who shares an interrupt line with a card that goes is not disturbed",
     .naive = "oops")
{
	struct card card, other;
	struct edu_worker worker;
	int fd;

	edu_start("intx=1");
	card_init(&card, EDU_FIRST + 1);
	card_init(&other, EDU_FIRST + 2);
	if (!same_line(&card, &other))
		case_end(OUTCOME_SKIP, "the cards have interrupt lines of their own");
	fd = pull_computing(&card);
	edu_wait_clear(edu_registers(&card) + EDU_STATUS, EDU_STATUS_COMPUTING);
	if (driver->naive)
		expect_unanswered(&other);
	edu_work(&worker, &other, edu_compute);
	edu_wait_warm(&worker);
	card_bind(&card);
	close(fd);
	fd = card_open(&card);
	expect_answer(fd, 6);
	close(fd);
	card_unplug(&other);
	expect_errno("the neighbour, pulled", task_wait(&worker.task), ENODEV);
	close(worker.fd);
}
