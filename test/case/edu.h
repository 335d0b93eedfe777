/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edu: cases with QEMU's educational card, which computes, interrupts and does DMA
 *
 * Their guest has such cards beside the usual ones: numbers 5 to 7. Each case loads the
 * driver, drivers/edu or drivers/naive/edu.c, by edu_start(). From then on what case.h has of
 * cards is about these.
 */
#ifndef UNPLUG_TEST_EDU_H
#define UNPLUG_TEST_EDU_H

#include "case.h"

#include "include/uapi/unplug/edu.h"

#define EDU_FIRST 5
#define EDU_CARDS 3

/* Numbers whose factorial takes half a second or so, and seconds */
#define EDU_SLOW 400000000u
#define EDU_SLOWEST 2000000000u

void edu_start(const char *arguments);	/* of the module */
void edu_load(const char *arguments);	/* once more, and wait for the nodes */
void edu_set_timeout(const struct card *card, const char *milliseconds);
uint32_t edu_factorial(uint32_t n);

/*
 * Registers of a card that has no driver, as anybody may read them: what it goes on with.
 */
volatile uint32_t *edu_registers(const struct card *card);
#define EDU_STATUS (0x20 / 4)
#define EDU_STATUS_COMPUTING 0x1
#define EDU_DMA_TO (0x88 / 4)
#define EDU_DMA_COMMAND (0x98 / 4)
#define EDU_DMA_RUN 0x1
void edu_wait_clear(volatile uint32_t *at, uint32_t bit);

/* As the system calls: -1 and errno */
long edu_ask(int fd, uint32_t number);
long edu_answer(int fd, uint32_t *number);
long edu_put(int fd, uint32_t offset, const void *from, uint32_t count);
long edu_get(int fd, uint32_t offset, void *to, uint32_t count);

/* Until it says ENODEV, which is what it returns then. @arg: struct edu_worker */
struct edu_worker {
	struct task task;
	int fd;
	int warm;		/* eventfd: it has done some */
	uint32_t offset;	/* its bytes in the card */
};

void edu_work(struct edu_worker *worker, const struct card *card, long (*work)(void *worker));
void edu_wait_warm(struct edu_worker *worker);
long edu_compute(void *worker);
long edu_transfer(void *worker);

#endif
