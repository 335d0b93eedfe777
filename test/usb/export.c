// SPDX-License-Identifier: GPL-2.0-or-later
/* Served adapters; see export.h */

#include "export.h"

#include <endian.h>
#include <errno.h>
#include <linux/usb/ch9.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define VERSION 0x0111
#define HEADER 8
#define PATH_SIZE 256
#define BUSID_SIZE 32
#define BUS 1

enum {
	REQUEST_LIST = 0x8005,
	REPLY_LIST = 0x0005,
	REQUEST_IMPORT = 0x8003,
	REPLY_IMPORT = 0x0003,
};

enum {
	STATUS_OK = 0,
	STATUS_NOT_AVAILABLE = 1,
	STATUS_BUSY = 2,
	STATUS_NO_DEVICE = 4,
};

static void put16(struct buffer *out, uint16_t value)
{
	uint16_t v = htobe16(value);

	buffer_append(out, &v, sizeof(v));
}

static void put32(struct buffer *out, uint32_t value)
{
	uint32_t v = htobe32(value);

	buffer_append(out, &v, sizeof(v));
}

static void put_text(struct buffer *out, const char *text, size_t size)
{
	buffer_append(out, NULL, size);
	memcpy(out->data + out->len - size, text, strlen(text));
}

static void put_header(struct buffer *out, uint16_t code, uint32_t status)
{
	put16(out, VERSION);
	put16(out, code);
	put32(out, status);
}

static void busid(const struct adapter *a, char text[BUSID_SIZE])
{
	snprintf(text, BUSID_SIZE, "%d-%d", BUS, a->number);
}

/* What usbip knows of a device before it has it */
static void put_device(struct buffer *out, const struct adapter *a)
{
	const struct kind *kind = a->display.kind;
	char id[BUSID_SIZE], path[PATH_SIZE];

	busid(a, id);
	snprintf(path, sizeof(path), "/emulated/%s/%s", kind->name, id);
	put_text(out, path, PATH_SIZE);
	put_text(out, id, BUSID_SIZE);
	put32(out, BUS);
	put32(out, a->number);
	put32(out, USB_SPEED_HIGH);
	put16(out, kind->vendor);
	put16(out, kind->product);
	put16(out, CONTROL_REVISION | a->number);
	/* class of the device: that of its interface; configuration 1 of 1, one interface */
	buffer_append(out, (uint8_t[]) { 0, 0, 0, 1, 1, 1 }, 6);
}

static void answer_list(const struct export *ex, struct buffer *out)
{
	int i, n = 0;

	for (i = 0; i < ex->count; i++)
		n += ex->adapter[i].state == ADAPTER_OFFERED;
	put_header(out, REPLY_LIST, STATUS_OK);
	put32(out, n);
	for (i = 0; i < ex->count; i++) {
		if (ex->adapter[i].state != ADAPTER_OFFERED)
			continue;
		put_device(out, &ex->adapter[i]);
		/* the interface, and a byte of padding */
		buffer_append(out, (uint8_t[]) { USB_CLASS_VENDOR_SPEC, 0, 0, 0 }, 4);
	}
}

static struct adapter *export_find(const struct export *ex, const uint8_t *name)
{
	char id[BUSID_SIZE];
	int i;

	for (i = 0; i < ex->count; i++) {
		busid(&ex->adapter[i], id);
		if (!strncmp(id, (const char *)name, BUSID_SIZE))
			return &ex->adapter[i];
	}
	return NULL;
}

static struct adapter *answer_import(const struct export *ex, const uint8_t *name,
				     struct buffer *out)
{
	struct adapter *a = export_find(ex, name);

	if (!a || a->state != ADAPTER_OFFERED) {
		put_header(out, REPLY_IMPORT, !a ? STATUS_NO_DEVICE :
			   a->fd >= 0 ? STATUS_BUSY : STATUS_NOT_AVAILABLE);
		return NULL;
	}
	put_header(out, REPLY_IMPORT, STATUS_OK);
	put_device(out, a);
	return a;
}

int export_answer(const struct export *ex, const struct buffer *in, struct buffer *out,
		  struct adapter **import)
{
	uint16_t number[2];

	*import = NULL;
	if (in->len < HEADER)
		return 0;
	memcpy(number, in->data, sizeof(number));
	if (be16toh(number[0]) != VERSION)
		return -1;
	switch (be16toh(number[1])) {
	case REQUEST_LIST:
		answer_list(ex, out);
		return 1;
	case REQUEST_IMPORT:
		if (in->len < HEADER + BUSID_SIZE)
			return 0;
		*import = answer_import(ex, in->data + HEADER, out);
		return 1;
	default:
		return -1;
	}
}

/* -------------------------------------------------------------- connections */

static void peer_forget(struct export_peer *p)
{
	p->fd = -1;
	buffer_free(&p->in);
	buffer_free(&p->out);
}

static void peer_close(struct export_peer *p)
{
	close(p->fd);
	peer_forget(p);
}

static void peer_read(struct export *ex, struct export_peer *p)
{
	struct adapter *import;
	int r;

	if (!buffer_read(&p->in, p->fd)) {
		peer_close(p);
		return;
	}
	if (p->out.len)
		return;
	r = export_answer(ex, &p->in, &p->out, &import);
	if (r < 0) {
		peer_close(p);
	} else if (import) {
		adapter_import(import, p->fd, p->out.data, p->out.len);
		peer_forget(p);
	}
}

static void peer_write(struct export_peer *p)
{
	if (!buffer_flush(&p->out, p->fd) || !p->out.len)
		peer_close(p);
}

/* As usbip's own server has it: small packets at once, dead peers found, if late */
static void peer_options(int fd)
{
	const int on = 1;

	(void)!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)!setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static void peer_accept(struct export *ex)
{
	int fd = accept4(ex->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int i;

	for (i = 0; fd >= 0 && i < EXPORT_PEERS; i++) {
		if (ex->peer[i].fd < 0) {
			ex->peer[i].fd = fd;
			peer_options(fd);
			return;
		}
	}
	if (fd >= 0)
		close(fd);
}

struct pollfd *export_poll(const struct export *ex, struct pollfd *fds)
{
	const struct export_peer *p;

	/* poll() ignores negative descriptors. */
	*fds++ = (struct pollfd) { ex->listener, POLLIN, 0 };
	for (p = ex->peer; p < ex->peer + EXPORT_PEERS; p++)
		*fds++ = (struct pollfd) { p->fd, POLLIN | (p->out.len ? POLLOUT : 0), 0 };
	return fds;
}

void export_io(struct export *ex, const struct pollfd *fds)
{
	struct export_peer *p;

	if (fds++->revents)
		peer_accept(ex);
	for (p = ex->peer; p < ex->peer + EXPORT_PEERS; p++, fds++) {
		if (p->fd >= 0 && fds->revents & (POLLIN | POLLHUP | POLLERR))
			peer_read(ex, p);
		if (p->fd >= 0 && p->out.len)
			peer_write(p);
	}
}

int export_open(struct export *ex, unsigned int port, struct adapter *adapter, int count)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htobe16(port),
	};
	const int on = 1;
	int i, error;

	*ex = (struct export) { .adapter = adapter, .count = count, .listener = -1 };
	for (i = 0; i < EXPORT_PEERS; i++)
		ex->peer[i].fd = -1;
	if (!port)
		return 0;
	ex->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ex->listener < 0)
		return -errno;
	/* Connections of one that was here before may be dying. */
	(void)!setsockopt(ex->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(ex->listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    listen(ex->listener, EXPORT_PEERS) == 0)
		return 0;
	error = errno;
	close(ex->listener);
	ex->listener = -1;
	return -error;
}

void export_close(struct export *ex)
{
	struct export_peer *p;

	for (p = ex->peer; p < ex->peer + EXPORT_PEERS; p++) {
		if (p->fd >= 0)
			peer_close(p);
	}
	if (ex->listener >= 0)
		close(ex->listener);
}
