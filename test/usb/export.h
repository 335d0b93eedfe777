/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * export: served adapters, to be found and imported by the kernel's usbip tools over TCP
 *
 *	usbip list -r HOST			which are offered
 *	usbip attach -r HOST -b 1-N		import adapter N
 *
 * A peer says one thing, and gets one answer. The list ends its connection. An import that
 * is granted makes the connection the adapter's, which speaks the packets of usbip.h from then
 * on. What is imported, or unplugged, is not listed, and refused.
 *
 * The protocol's numbers are big-endian: version, code, status, then what belongs to the code.
 */
#ifndef UNPLUG_TEST_USB_EXPORT_H
#define UNPLUG_TEST_USB_EXPORT_H

#include "adapter.h"

#include <poll.h>

#define EXPORT_PEERS 8

/**
 * struct export_peer - who asks
 * @fd:		the connection, or -1
 * @in:		what was not understood yet
 * @out:	what was not sent yet; the connection ends when it is
 */
struct export_peer {
	int fd;
	struct buffer in;
	struct buffer out;
};

/**
 * struct export - the server
 * @adapter:	served adapters
 * @count:	how many
 * @listener:	a socket, or -1: nothing is served
 * @peer:	who asks
 */
struct export {
	struct adapter *adapter;
	int count;
	int listener;
	struct export_peer peer[EXPORT_PEERS];
};

/**
 * export_open() - begin to listen
 * @ex:		the server
 * @port:	TCP port, of all addresses; 0: serve nothing
 * @adapter:	what to serve
 * @count:	how many
 *
 * Return: 0 or a negative errno.
 */
int export_open(struct export *ex, unsigned int port, struct adapter *adapter, int count);

/**
 * export_poll() - what to wait for
 * @ex:		the server
 * @fds:	gets 1 + EXPORT_PEERS entries
 *
 * Return: behind the last entry.
 */
struct pollfd *export_poll(const struct export *ex, struct pollfd *fds);

/**
 * export_io() - do what connections are ready for
 * @ex:		the server
 * @fds:	as filled by export_poll(), and poll()
 */
void export_io(struct export *ex, const struct pollfd *fds);

/**
 * export_answer() - answer a peer
 * @ex:		the server
 * @in:		what it said
 * @out:	gets the answer
 * @import:	gets the adapter that is imported, or NULL
 *
 * Return: 1 if it is answered, 0 if there is more to come, -1 if this is no request.
 */
int export_answer(const struct export *ex, const struct buffer *in, struct buffer *out,
		  struct adapter **import);

/**
 * export_close() - end all connections that are not an adapter's
 * @ex:		the server
 */
void export_close(struct export *ex);

#endif
