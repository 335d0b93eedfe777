/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_EVENT_H
#define _DEMO_EVENT_H

/**
 * DOC: event
 *
 * What the core says about a device in the kernel log, collected by a thread
 * from event_start() on:
 *
 *	unplug: NAME#GENERATION: EVENT after MICROSECONDS us
 */

#include <stdint.h>

/**
 * struct event - one line
 * @device: NAME#GENERATION
 * @what: "shut", "drained", "gone"
 * @us: microseconds since unplug was called
 * @seen: when the line was read, by clock_now()
 */
struct event {
	char device[64];
	char what[16];
	uint64_t us;
	uint64_t seen;
};

int event_start(void);
int event_wait(const char *device, const char *what, uint64_t until,
	       struct event *event);

#endif /* _DEMO_EVENT_H */
