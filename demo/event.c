// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "demo/clock.h"
#include "demo/event.h"

#define EVENTS 1024
#define EVENT_LINE 8192		/* the kernel refuses to be read with less */

/* Protects the list, which only grows. */
static pthread_mutex_t event_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t event_more;
static struct event event_list[EVENTS];
static unsigned int event_count;

static void event_parse(const char *line)
{
	struct event event = { .seen = clock_now() };
	const char *text = strchr(line, ';');

	if (!text || sscanf(text, ";unplug: %63[^:]: %15s after %" SCNu64 " us",
			    event.device, event.what, &event.us) != 3)
		return;

	pthread_mutex_lock(&event_lock);
	if (event_count < EVENTS)
		event_list[event_count++] = event;
	pthread_cond_broadcast(&event_more);
	pthread_mutex_unlock(&event_lock);
}

static void *event_main(void *arg)
{
	static char line[EVENT_LINE];
	int fd = (int)(intptr_t)arg;
	ssize_t length;

	for (;;) {
		length = read(fd, line, sizeof(line) - 1);
		if (length < 0 && (errno == EPIPE || errno == EINTR))
			continue;	/* EPIPE: overwritten before we came; go on */
		if (length <= 0)
			return NULL;
		line[length] = '\0';
		event_parse(line);
	}
}

/**
 * event_start() - begin to collect
 *
 * Return: 0 or a negative errno.
 */
int event_start(void)
{
	pthread_condattr_t attr;
	pthread_t thread;
	int fd, err;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&event_more, &attr);

	fd = open("/dev/kmsg", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		return -errno;
	err = pthread_create(&thread, NULL, event_main, (void *)(intptr_t)fd);
	if (err)
		return -err;
	pthread_detach(thread);
	return 0;
}

static const struct event *event_find(const char *device, const char *what)
{
	unsigned int i;

	for (i = 0; i < event_count; i++)
		if (!strcmp(event_list[i].device, device) &&
		    !strcmp(event_list[i].what, what))
			return &event_list[i];
	return NULL;
}

/**
 * event_wait() - wait until the kernel said something of a device
 * @device: NAME#GENERATION
 * @what: the event
 * @until: give up then, by clock_now()
 * @event: filled
 *
 * Return: 0, or -ETIMEDOUT.
 */
int event_wait(const char *device, const char *what, uint64_t until,
	       struct event *event)
{
	const struct timespec limit = {
		.tv_sec = until / CLOCK_S,
		.tv_nsec = until % CLOCK_S,
	};
	const struct event *found;
	int err = 0;

	pthread_mutex_lock(&event_lock);
	while (!(found = event_find(device, what)) && !err)
		err = pthread_cond_timedwait(&event_more, &event_lock, &limit);
	if (found)
		*event = *found;
	pthread_mutex_unlock(&event_lock);

	return found ? 0 : -ETIMEDOUT;
}
