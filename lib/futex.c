// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sleep until a word changes. */

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "internal.h"

/*
 * unplug_futex_wake() - wake who sleeps
 * @futex: the word, whose memory may be gone: nobody is woken then, or somebody who looks
 *	   again and goes on sleeping
 *
 * Context: Any, signal handlers too. Leaves errno alone.
 */
void unplug_futex_wake(uint32_t *futex)
{
	int err = errno;

	syscall(SYS_futex, futex, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	errno = err;
}

/*
 * unplug_futex_wait() - sleep until woken, if the word is as it was seen
 * @futex: the word
 * @value: what was seen
 * @deadline: of CLOCK_MONOTONIC, or NULL
 *
 * Return: 0: look again; -ETIMEDOUT.
 */
int unplug_futex_wait(uint32_t *futex, uint32_t value,
		      const struct timespec *deadline)
{
	if (!syscall(SYS_futex, futex, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG,
		     value, deadline, NULL, FUTEX_BITSET_MATCH_ANY))
		return 0;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

/* unplug_deadline() - when a timeout in milliseconds is over; any value if it is not above 0 */
struct timespec unplug_deadline(int timeout)
{
	struct timespec t = { 0, 0 };

	if (timeout <= 0)
		return t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += timeout / 1000;
	t.tv_nsec += timeout % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}
