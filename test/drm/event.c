// SPDX-License-Identifier: GPL-2.0-or-later
/* What a hand can do: read an event in ways that do not get it. After "flip" */

#define _GNU_SOURCE
#include "hand.h"

#include <errno.h>
#include <libdrm/drm.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void answer_number(struct call *call, ssize_t n)
{
	if (n < 0)
		answer_result(call, n);
	else
		snprintf(call->answer, sizeof(call->answer), "%zd", n);
}

/* Into a byte */
static void op_event_byte(struct call *call)
{
	char byte;

	answer_number(call, read(card.fd, &byte, sizeof(byte)));
}

/* To where nothing is mapped */
static void op_event_nowhere(struct call *call)
{
	answer_number(call, syscall(SYS_read, card.fd, 8, sizeof(struct drm_event_vblank)));
}

/* Into @buffer: who is held there keeps other readers of this file out. */
static void op_event_into(struct call *call)
{
	answer_number(call, read(card.fd, call->buffer, sizeof(struct drm_event_vblank)));
}

static void ignore(int signal)
{
	(void)signal;
}

/*
 * By a reader who gets a signal now and then: as often as it takes, as nothing tells that he is
 * asleep already
 */
static void op_event_interrupted(struct call *call)
{
	struct sigaction action = { .sa_handler = ignore }, before;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM };
	const struct itimerspec often = {
		.it_value.tv_nsec = 20000000, .it_interval.tv_nsec = 20000000,
	};
	struct drm_event_vblank vblank;
	timer_t timer;
	ssize_t n;
	int err;

	event._sigev_un._tid = gettid();
	if (sigaction(SIGALRM, &action, &before) ||
	    timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &often, NULL)) {
		answer_result(call, -1);
		return;
	}
	n = read(card.fd, &vblank, sizeof(vblank));
	err = errno;
	timer_delete(timer);
	sigaction(SIGALRM, &before, NULL);
	errno = err;
	answer_number(call, n);
}

const struct op event_ops[] = {
	{ "event-byte", op_event_byte },
	{ "event-nowhere", op_event_nowhere },
	{ "event-into", op_event_into },
	{ "event-interrupted", op_event_interrupted },
	{ }
};
