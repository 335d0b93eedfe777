// SPDX-License-Identifier: GPL-2.0-or-later
/* What the cases with edu cards are written with; see edu.h */

#define _GNU_SOURCE
#include "edu.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "test/vm/host.h"

#define PCI "/sys/bus/pci"
#define WARM_TURNS 20

static const struct driver edu_drivers[] = {
	{
		.name = "unplug",
		.module = "unplug-edu",
		.pci = "unplug-edu",
		.class = "unplug",
	}, {
		.name = "naive",
		.module = "naive-edu",
		.pci = "naive-edu",
		.class = "misc",
		.naive = true,
	},
};

/* A case before may have left the slot empty. */
static void edu_plug(int number)
{
	char path[CARD_PATH];

	snprintf(path, sizeof(path), PCI "/devices/0000:00:%02x.0", number + 3);
	if (access(path, F_OK))
		file_write(PCI "/rescan", "1");
	if (access(path, F_OK) && host_plug(number) < 0)
		case_fail("cannot plug in card %d", number);
}

void edu_load(const char *arguments)
{
	struct card card;
	int i;

	expect_equal("errno of loading the driver", module_load(driver->module, arguments), 0);
	for (i = 0; i < EDU_CARDS; i++) {
		memset(&card, 0, sizeof(card));
		snprintf(card.address, sizeof(card.address), "0000:00:%02x.0", EDU_FIRST + i + 3);
		card.number = EDU_FIRST + i;
		card_wait(&card);
	}
}

void edu_start(const char *arguments)
{
	int i;

	driver = &edu_drivers[driver->naive];
	for (i = 0; i < EDU_CARDS; i++)
		edu_plug(EDU_FIRST + i);
	edu_load(arguments);
}

void edu_set_timeout(const struct card *card, const char *milliseconds)
{
	char path[CARD_PATH];

	snprintf(path, sizeof(path), "/sys/class/%s/%s/timeout_ms", driver->class, card->name);
	expect_equal("errno of setting timeout_ms", file_write(path, milliseconds), 0);
}

volatile uint32_t *edu_registers(const struct card *card)
{
	char path[CARD_PATH];
	void *map;
	int fd;

	snprintf(path, sizeof(path), PCI "/devices/%s/resource0", card->address);
	fd = open(path, O_RDWR | O_CLOEXEC);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || map == MAP_FAILED)
		case_fail("%s: %m", path);
	close(fd);
	return map;
}

/* No event tells of it, as nobody drives the card. */
void edu_wait_clear(volatile uint32_t *at, uint32_t bit)
{
	time_t end = time(NULL) + case_timeout() / 1000 + 1;

	while (*at & bit) {
		if (time(NULL) > end)
			case_end(OUTCOME_HANG, "the card does not come to its end");
		sched_yield();
	}
}

uint32_t edu_factorial(uint32_t n)
{
	uint32_t product = 1;

	for (; n > 0; n--)
		product *= n;
	return product;
}

long edu_ask(int fd, uint32_t number)
{
	return write(fd, &number, sizeof(number));
}

long edu_answer(int fd, uint32_t *number)
{
	return read(fd, number, sizeof(*number));
}

static long move(int fd, unsigned long cmd, uint32_t offset, const void *at, uint32_t count)
{
	struct edu_transfer transfer = {
		.offset = offset, .count = count, .buffer = (uintptr_t)at,
	};

	return ioctl(fd, cmd, &transfer);
}

long edu_put(int fd, uint32_t offset, const void *from, uint32_t count)
{
	return move(fd, EDU_IOC_PUT, offset, from, count);
}

long edu_get(int fd, uint32_t offset, void *to, uint32_t count)
{
	return move(fd, EDU_IOC_GET, offset, to, count);
}

/* One more turn is done. */
static void count_turn(struct edu_worker *worker, int *turns)
{
	if (++*turns == WARM_TURNS)
		eventfd_write(worker->warm, 1);
}

long edu_compute(void *arg)
{
	struct edu_worker *worker = arg;
	uint32_t n, answer;
	int turns = 0;

	for (n = 1;; n = n % 30 + 1) {
		if (edu_ask(worker->fd, n) < 0)
			return -1;
		if (edu_answer(worker->fd, &answer) < 0)
			return -1;
		if (answer != edu_factorial(n))
			case_fail("factorial of %u: %u, expected %u", n, answer, edu_factorial(n));
		count_turn(worker, &turns);
	}
}

/* There and back: a tenth of a second each. */
long edu_transfer(void *arg)
{
	struct edu_worker *worker = arg;
	uint8_t there[64], back[64];
	int turns = WARM_TURNS - 2;
	uint8_t fill;

	for (fill = 1;; fill++) {
		memset(there, fill, sizeof(there));
		memset(back, 0, sizeof(back));
		if (edu_put(worker->fd, worker->offset, there, sizeof(there)))
			return -1;
		if (edu_get(worker->fd, worker->offset, back, sizeof(back)))
			return -1;
		if (memcmp(there, back, sizeof(back)))
			case_fail("bytes that came back: %02x, expected %02x", back[0], fill);
		count_turn(worker, &turns);
	}
}

void edu_work(struct edu_worker *worker, const struct card *card, long (*work)(void *worker))
{
	worker->fd = card_open(card);
	worker->warm = eventfd(0, EFD_CLOEXEC);
	if (worker->warm < 0)
		case_fail("eventfd: %m");
	task_start(&worker->task, work, worker);
}

void edu_wait_warm(struct edu_worker *worker)
{
	if (poll_in(worker->warm, case_timeout()) != 1)
		case_end(OUTCOME_HANG, "a worker does not get on");
	close(worker->warm);
}
