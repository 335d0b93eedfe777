// SPDX-License-Identifier: GPL-2.0-or-later
/* How a case ends, and what it expects; see case.h */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "test/vm/host.h"

const char *const outcome_names[] = {
	[OUTCOME_PASS] = "passes",
	[OUTCOME_FAIL] = "fail",
	[OUTCOME_WRONG_ERRNO] = "wrong-errno",
	[OUTCOME_STALE_MAP] = "stale-map",
	[OUTCOME_HANG] = "hang",
	[OUTCOME_DEADLOCK] = "deadlock",
	[OUTCOME_OOPS] = "oops",
	[OUTCOME_SKIP] = "skip",
};

struct case_result *case_result;
bool case_hangs;

void case_end(enum outcome outcome, const char *fmt, ...)
{
	va_list args;

	/* Who comes second is killed by the first, which must get its word out. */
	if (__atomic_exchange_n(&case_result->claimed, 1, __ATOMIC_ACQ_REL))
		for (;;)
			pause();
	va_start(args, fmt);
	vsnprintf(case_result->text, sizeof(case_result->text), fmt, args);
	va_end(args);
	__atomic_store_n(&case_result->outcome, outcome, __ATOMIC_RELEASE);
	/* All of the case, this process included: it has a group of its own. */
	kill(0, SIGKILL);
	_exit(1);
}

int case_timeout(void)
{
	int seconds = host_timeout();

	/* Where the control is known to hang, nothing is worth waiting long for. */
	if (case_hangs)
		seconds = seconds > 30 ? seconds / 6 : 5;
	return seconds * 1000;
}

static const char *errno_name(int err)
{
	return err ? strerrorname_np(err) : "success";
}

long expect_works(const char *what, long result)
{
	if (result == -1)
		case_end(OUTCOME_WRONG_ERRNO, "%s: %s, expected it to work", what,
			 errno_name(errno));
	return result;
}

void expect_errno(const char *what, long result, int err)
{
	if (result != -1)
		case_end(OUTCOME_WRONG_ERRNO, "%s: returned %ld, expected %s", what,
			 result, errno_name(err));
	if (errno != err)
		case_end(OUTCOME_WRONG_ERRNO, "%s: %s, expected %s", what,
			 errno_name(errno), errno_name(err));
}

void expect_equal(const char *what, long got, long want)
{
	if (got != want)
		case_end(OUTCOME_WRONG_ERRNO, "%s: %ld, expected %ld", what, got, want);
}

/*
 * SIGBUS, caught where it was raised: one landing place per thread, armed only
 * around the access itself, so that any other fault still kills the case.
 */
static __thread sigjmp_buf touch_back;
static __thread volatile sig_atomic_t touch_armed;

static void touch_handler(int sig, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	if (!touch_armed) {
		signal(sig, SIG_DFL);
		return;
	}
	siglongjmp(touch_back, sig);
}

static void touch_arm(void)
{
	struct sigaction action = { .sa_sigaction = touch_handler, .sa_flags = SA_SIGINFO };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	touch_armed = 1;
}

int touch_read(volatile void *at, uint8_t *value)
{
	int sig = sigsetjmp(touch_back, 1);

	if (!sig) {
		touch_arm();
		*value = *(volatile uint8_t *)at;
	}
	touch_armed = 0;
	return sig;
}

int touch_write(volatile void *at, uint8_t value)
{
	int sig = sigsetjmp(touch_back, 1);

	if (!sig) {
		touch_arm();
		*(volatile uint8_t *)at = value;
	}
	touch_armed = 0;
	return sig;
}

void expect_byte(const char *what, volatile void *at, uint8_t want)
{
	uint8_t value;

	expect_equal(what, touch_read(at, &value), 0);
	expect_equal(what, value, want);
}

void expect_signal_bus(const char *what, volatile void *at)
{
	uint8_t value;
	int sig;

	sig = touch_read(at, &value);
	if (!sig)
		case_end(OUTCOME_STALE_MAP, "%s: read 0x%02x, expected SIGBUS", what, value);
	if (sig != SIGBUS)
		case_fail("%s: reading raised signal %d, expected SIGBUS", what, sig);
	sig = touch_write(at, 0xee);
	if (!sig)
		case_end(OUTCOME_STALE_MAP, "%s: written, expected SIGBUS", what);
	if (sig != SIGBUS)
		case_fail("%s: writing raised signal %d, expected SIGBUS", what, sig);
}

/* The host's view: all bytes of a card's memory are as they were. */
void expect_untouched(int card, const char *generation, int byte)
{
	long n = host_number("count %d %s %d", card, generation, byte);

	if (n < 0)
		case_fail("host cannot count bytes of card %d generation %s", card, generation);
	if (n > 0)
		case_end(OUTCOME_STALE_MAP, "%ld bytes of card %d (generation %s) were changed",
			 n, card, generation);
}

long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int poll_in(int fd, int milliseconds)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do {
		n = poll(&p, 1, milliseconds);
	} while (n < 0 && errno == EINTR);
	return n;
}
