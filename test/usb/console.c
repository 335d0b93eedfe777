// SPDX-License-Identifier: GPL-2.0-or-later
/* The loop of the emulator; see console.h */

#include "console.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_CLIENTS 32
/* The virtual controller does not tell when a port is free again. */
#define RETRY_MS 20

/**
 * struct client - who gives commands
 * @fd:		the connection, or -1
 * @in:		lines not done yet
 * @out:	answers not sent yet
 * @wait:	what its command waits for
 * @deadline:	until when, in ms
 */
struct client {
	int fd;
	struct buffer in;
	struct buffer out;
	struct command_wait wait;
	int64_t deadline;
};

struct console {
	struct emulator *e;
	struct export *export;
	int listener;
	int uevents;
	struct client client[MAX_CLIENTS];
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int socket_address(struct sockaddr_un *address, const char *path)
{
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	strcpy(address->sun_path, path);
	return 0;
}

int console_open(const char *path)
{
	struct sockaddr_un address = { 0 };
	struct sockaddr *sa = (struct sockaddr *)&address;
	int fd, error = socket_address(&address, path);

	if (error < 0)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, sa, sizeof(address)) == 0) {
		close(fd);
		return -EADDRINUSE;
	}
	if (errno == ECONNREFUSED)
		unlink(path);
	if (bind(fd, sa, sizeof(address)) == 0 && listen(fd, MAX_CLIENTS) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

/* ------------------------------------------------------------------- clients */

static void client_close(struct client *cl)
{
	close(cl->fd);
	cl->fd = -1;
	cl->wait.a = NULL;
	buffer_free(&cl->in);
	buffer_free(&cl->out);
}

static void client_accept(struct console *co)
{
	int fd = accept4(co->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int i;

	for (i = 0; fd >= 0 && i < MAX_CLIENTS; i++) {
		if (co->client[i].fd < 0) {
			co->client[i].fd = fd;
			return;
		}
	}
	if (fd >= 0)
		close(fd);
}

static void client_answer(struct client *cl, const char *answer)
{
	buffer_append(&cl->out, answer, strlen(answer));
	buffer_append(&cl->out, "\n", 1);
}

/* Take the next line, unless the last one is not answered yet. */
static bool client_line(struct client *cl, char line[COMMAND_LINE])
{
	uint8_t *end = cl->in.len ? memchr(cl->in.data, '\n', cl->in.len) : NULL;
	size_t len = end ? (size_t)(end - cl->in.data) : 0;

	if (cl->fd < 0 || cl->wait.a || !end || len >= COMMAND_LINE)
		return false;
	memcpy(line, cl->in.data, len);
	line[len] = '\0';
	buffer_drop(&cl->in, len + 1);
	return true;
}

static void client_waits(struct client *cl)
{
	char answer[COMMAND_LINE];

	if (cl->wait.a && command_waited(&cl->wait, now_ms() >= cl->deadline, answer)) {
		cl->wait.a = NULL;
		client_answer(cl, answer);
	}
}

static void client_work(struct console *co, struct client *cl)
{
	char line[COMMAND_LINE], answer[COMMAND_LINE];

	client_waits(cl);
	while (client_line(cl, line)) {
		command_run(co->e, line, &cl->wait, answer);
		if (cl->wait.a) {
			cl->deadline = now_ms() + co->e->timeout * 1000LL;
			client_waits(cl);
		} else {
			client_answer(cl, answer);
		}
	}
	if (cl->fd >= 0 && !buffer_flush(&cl->out, cl->fd))
		client_close(cl);
}

static void client_read(struct client *cl)
{
	/* A longer line is no command. */
	if (!buffer_read(&cl->in, cl->fd) ||
	    (cl->in.len >= COMMAND_LINE && !memchr(cl->in.data, '\n', COMMAND_LINE)))
		client_close(cl);
}

/* ---------------------------------------------------------------------- loop */

static int poll_timeout(const struct console *co)
{
	int64_t now = now_ms(), left = -1, l;
	int i;

	for (i = 0; i < co->e->count; i++) {
		if (co->e->adapter[i].state == ADAPTER_PLUGGING)
			return RETRY_MS;
	}
	for (i = 0; i < MAX_CLIENTS; i++) {
		if (!co->client[i].wait.a)
			continue;
		l = co->client[i].deadline > now ? co->client[i].deadline - now : 0;
		if (left < 0 || l < left)
			left = l;
	}
	return left;
}

static struct pollfd poll_entry(int fd, const struct buffer *out)
{
	/* poll() ignores negative descriptors. */
	return (struct pollfd) { fd, POLLIN | (out && out->len ? POLLOUT : 0), 0 };
}

/* One poll(): two fixed descriptors, who wants to import, the adapters, the clients */
static void console_turn(struct console *co)
{
	struct emulator *e = co->e;
	struct pollfd fds[3 + EXPORT_PEERS + e->count + MAX_CLIENTS], *p = fds, *exports;
	struct uevent ev;
	int i;

	*p++ = poll_entry(co->listener, NULL);
	*p++ = poll_entry(co->uevents, NULL);
	exports = p;
	p = export_poll(co->export, p);
	for (i = 0; i < e->count; i++)
		*p++ = poll_entry(e->adapter[i].fd, &e->adapter[i].out);
	for (i = 0; i < MAX_CLIENTS; i++)
		*p++ = poll_entry(co->client[i].fd, &co->client[i].out);
	if (poll(fds, p - fds, poll_timeout(co)) <= 0)
		return;
	p = fds;
	if (p++->revents)
		client_accept(co);
	while (p->revents && uevent_next(co->uevents, &ev)) {
		for (i = 0; i < e->count; i++)
			adapter_uevent(&e->adapter[i], &ev);
	}
	p += 2 + EXPORT_PEERS;
	for (i = 0; i < e->count; i++, p++) {
		if (p->revents)
			adapter_io(&e->adapter[i], p->revents);
	}
	for (i = 0; i < MAX_CLIENTS; i++, p++) {
		if (p->revents & (POLLIN | POLLHUP | POLLERR))
			client_read(&co->client[i]);
	}
	/* Last: an import gives an adapter a connection that was not polled as its. */
	export_io(co->export, exports);
}

void console_run(struct emulator *e, struct export *export, int listener, int uevents)
{
	struct console co = {
		.e = e, .export = export, .listener = listener, .uevents = uevents,
	};
	int i;

	for (i = 0; i < MAX_CLIENTS; i++)
		co.client[i].fd = -1;
	while (!e->quit) {
		console_turn(&co);
		for (i = 0; i < e->count; i++)
			adapter_retry(&e->adapter[i]);
		for (i = 0; i < MAX_CLIENTS; i++)
			client_work(&co, &co.client[i]);
		/* What a command let an adapter answer need not wait for the next turn. */
		for (i = 0; i < e->count; i++) {
			if (e->adapter[i].fd >= 0)
				adapter_io(&e->adapter[i], 0);
		}
	}
	for (i = 0; i < MAX_CLIENTS; i++) {
		if (co.client[i].fd >= 0)
			client_close(&co.client[i]);
	}
}
