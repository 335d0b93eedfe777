// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A card that does DMA is pulled. A transfer takes it a tenth of a second, and goes on
 * without a driver; it must not reach memory that has been given back.
 */

#define _GNU_SOURCE
#include "edu.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "test/vm/memory.h"

#define BYTES 1024
#define OLD_BYTE 0xa7		/* what the old transfer writes */
#define TRIES 30
#define ENOUGH 4

struct move {
	int fd;
	bool put;
	uint8_t bytes[BYTES];
};

static long move_run(void *arg)
{
	struct move *move = arg;

	return move->put ? edu_put(move->fd, 0, move->bytes, BYTES) :
			   edu_get(move->fd, 0, move->bytes, BYTES);
}

static void on_signal(int signal)
{
	(void)signal;
}

/* From here, as the transfer is soon over */
static void unbind_now(const struct card *card)
{
	char path[CARD_PATH];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/unbind", driver->pci);
	expect_equal("errno of unbinding", file_write(path, card->address), 0);
}

/* Pulled again and again until a transfer, which is soon over, was met. */
static void move_asleep(bool put)
{
	struct move move = { .put = put };
	struct card card;
	struct task task;
	int i, met = 0;

	edu_start("");
	card_init(&card, EDU_FIRST);
	for (i = 0; i < TRIES && !met; i++) {
		move.fd = card_open(&card);
		task_start(&task, move_run, &move);
		task_try_asleep_deaf(&task);
		unbind_now(&card);
		if (task_wait(&task)) {
			expect_errno("transfer", -1, ENODEV);
			met++;
		}
		card_wait_gone(&card);
		close(move.fd);
		card_bind(&card);
	}
	if (!met)
		case_end(OUTCOME_SKIP, "all transfers were over before the card was unbound");
}

CASE(edu_put_asleep, .name = "edu-put-asleep",
     .promise = "K6: who waits for DMA from his memory is told ENODEV",
     .naive = "absent: as edu-read-asleep")
{
	move_asleep(true);
}

CASE(edu_get_asleep, .name = "edu-get-asleep",
     .promise = "K6: who waits for DMA to his memory is told ENODEV",
     .naive = "absent: as edu-read-asleep")
{
	move_asleep(false);
}

/* How many bytes at a physical address are what the old transfer writes. */
static int count_old(uint64_t address)
{
	int n = memory_count(address, BYTES, OLD_BYTE);

	if (n < 0 && errno == ENOENT)
		case_end(OUTCOME_SKIP, "this kernel has no /proc/kcore");
	if (n < 0)
		case_fail("physical memory at %#lx cannot be read", (unsigned long)address);
	return n;
}

/* The card is to write OLD_BYTE to its buffer, where something else is. */
static void transfer_begin(struct move *move, const struct card *card, struct task *task)
{
	uint8_t bytes[BYTES];

	move->fd = card_open(card);
	memset(bytes, OLD_BYTE, BYTES);
	expect_works("put", edu_put(move->fd, 0, bytes, BYTES));
	memset(bytes, 0x11, BYTES);
	expect_works("put", edu_put(move->fd, BYTES, bytes, BYTES));
	task_start(task, move_run, move);
	if (!driver->naive) {
		task_try_asleep_deaf(task);
		return;
	}
	/* The control does not wake him. It lets him go when he is interrupted. */
	if (task_try_asleep(task))
		pthread_kill(task->thread, SIGUSR1);
	task_wait(task);
}

/*
 * Has the transfer written to the buffer, after its driver went? To memory that is free, or,
 * if the driver comes back at once, to what may be that of the new card. Return: was it to be
 * seen? What is there when the driver has left may have been written before; not with the control,
 * whose memory is overwritten when it is given back.
 */
static bool transfer_look(struct card *card, bool back)
{
	volatile uint32_t *registers = edu_registers(card);
	uint64_t address = registers[EDU_DMA_TO];
	bool before = !driver->naive && count_old(address);
	uint8_t byte = 0;
	int fd, n;

	if (back) {
		card_bind(card);
		/* The card does one after the other. */
		fd = card_open(card);
		expect_works("put", edu_put(fd, 0, &byte, sizeof(byte)));
		close(fd);
	} else {
		edu_wait_clear(registers + EDU_DMA_COMMAND, EDU_DMA_RUN);
	}
	n = before ? 0 : count_old(address);
	if (n)
		case_end(OUTCOME_STALE_MAP, "%d bytes were written to %s", n,
			 back ? "memory of the new card" : "memory that was given back");
	if (!back)
		card_bind(card);
	munmap((void *)registers, 4096);
	return !before;
}

CASE(edu_get_freed, .name = "edu-get-freed",
     .promise = "K2, K9: DMA that is under way reaches neither freed memory nor the next buffer",
     .naive = "stale-map", .poison = true)
{
	struct move move = { };
	struct card card;
	struct task task;
	int i, met = 0;
	bool home;

	signal(SIGUSR1, on_signal);
	edu_start("");
	card_init(&card, EDU_FIRST);
	for (i = 0; i < TRIES && (driver->naive || met < ENOUGH); i++) {
		transfer_begin(&move, &card, &task);
		unbind_now(&card);
		/* He is sent home because the transfer is not over. */
		home = driver->naive || task_wait(&task);
		if (transfer_look(&card, i % 2) && home)
			met++;
		if (!driver->naive)
			close(move.fd);
	}
	if (!met)
		case_end(OUTCOME_SKIP, "all transfers were over before the card was unbound");
}
