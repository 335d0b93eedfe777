// SPDX-License-Identifier: GPL-2.0-or-later
/* The guest's side of the request port; see host.h */

#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#define HOST_PORT "/dev/ttyS1"

/* flock() belongs to the open file, which threads share: they need this as well */
static pthread_mutex_t port_lock = PTHREAD_MUTEX_INITIALIZER;

static int port_open(void)
{
	struct termios raw;
	int fd;

	fd = open(HOST_PORT, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (tcgetattr(fd, &raw) == 0) {
		cfmakeraw(&raw);
		tcsetattr(fd, TCSANOW, &raw);
	}
	return fd;
}

static int port_write(int fd, const char *line, size_t n)
{
	ssize_t done;

	/* In one piece if possible: a tty writes one piece without mixing others in. */
	while (n > 0) {
		done = write(fd, line, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		line += done;
		n -= done;
	}
	return 0;
}

static int port_read(int fd, char line[HOST_LINE])
{
	size_t n = 0;
	ssize_t got;
	char c;

	for (;;) {
		got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		if (c == '\n')
			break;
		if (n < HOST_LINE - 1)
			line[n++] = c;
	}
	line[n] = '\0';
	return 0;
}

/* Read until the answer to @id, dropping answers nobody waits for any more. */
static int port_answer(int fd, const char *id, char answer[HOST_LINE])
{
	char line[HOST_LINE], *word, *text;

	for (;;) {
		if (port_read(fd, line) < 0)
			return -1;
		word = strchr(line, ' ');
		if (!word)
			continue;
		*word++ = '\0';
		if (strcmp(line, id) == 0)
			break;
	}
	text = strchr(word, ' ');
	if (text)
		*text++ = '\0';
	snprintf(answer, HOST_LINE, "%s", text ?: "");
	return strcmp(word, "ok") == 0 ? 0 : -1;
}

static int port_request(const char *request, char answer[HOST_LINE])
{
	static unsigned int count;
	char id[32], line[HOST_LINE];
	int fd, n, r = -1;

	snprintf(answer, HOST_LINE, "no answer from the host at " HOST_PORT);
	fd = port_open();
	if (fd < 0)
		return -1;
	while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
		;
	snprintf(id, sizeof(id), "%d.%u", (int)getpid(), ++count);
	n = snprintf(line, sizeof(line), "%s %s\n", id, request);
	if (n >= (int)sizeof(line))
		snprintf(answer, HOST_LINE, "request too long (at most %d bytes)", HOST_LINE);
	else if (port_write(fd, line, n) == 0)
		r = port_answer(fd, id, answer);
	close(fd);
	return r;
}

static int host_vrequest(char answer[HOST_LINE], const char *fmt, va_list args)
{
	char request[HOST_LINE], text[HOST_LINE];
	int r;

	vsnprintf(request, sizeof(request), fmt, args);
	pthread_mutex_lock(&port_lock);
	r = port_request(request, text);
	pthread_mutex_unlock(&port_lock);
	if (answer)
		memcpy(answer, text, sizeof(text));
	return r;
}

int host_request(char answer[HOST_LINE], const char *fmt, ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = host_vrequest(answer, fmt, args);
	va_end(args);
	return r;
}

long host_number(const char *fmt, ...)
{
	char answer[HOST_LINE];
	va_list args;
	int r;

	va_start(args, fmt);
	r = host_vrequest(answer, fmt, args);
	va_end(args);
	if (r < 0) {
		fprintf(stderr, "host: %s: %s\n", fmt, answer);
		return -1;
	}
	return strtol(answer, NULL, 10);
}

int host_pull(int card)
{
	return host_number("pull %d", card) < 0 ? -1 : 0;
}

int host_plug(int card)
{
	return host_number("plug %d", card);
}

int host_timeout(void)
{
	const char *s = getenv("UNPLUG_TIMEOUT");
	int seconds = s ? atoi(s) : 0;

	return seconds > 0 ? seconds : 60;
}
