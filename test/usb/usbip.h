/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbip: the packets between the kernel's virtual host controller and a device
 *
 * The kernel sends SUBMIT (one URB; data of OUT transfers follows) and UNLINK (give
 * that URB up). Each is answered once, in any order, named by its sequence number:
 *
 *	SUBMIT   ->  done, with the status, the length and the data of IN transfers
 *	UNLINK   ->  -ECONNRESET if the URB was still here; its SUBMIT then
 *		     gets no answer of its own
 *		     0 if it had been answered before
 *
 * A header is 48 bytes, all numbers big-endian, the setup packet as on the wire.
 */
#ifndef UNPLUG_TEST_USB_USBIP_H
#define UNPLUG_TEST_USB_USBIP_H

#include "buffer.h"

#include <stdbool.h>

#define USBIP_HEADER 48
/* No URB of a display is larger; what is, is a lost byte in the stream */
#define USBIP_MAX_DATA (4 * 1024 * 1024)

/**
 * struct usbip_request - a packet of the kernel, taken apart
 * @unlink:	UNLINK, else SUBMIT
 * @seqnum:	names the request
 * @victim:	UNLINK: the seqnum to give up
 * @in:		SUBMIT: data goes to the kernel
 * @endpoint:	SUBMIT: number without direction
 * @length:	SUBMIT: size of the data, or of the kernel's space for it
 * @setup:	SUBMIT to endpoint 0: the setup packet
 * @data:	SUBMIT, OUT: the data, inside the bytes that were parsed
 */
struct usbip_request {
	bool unlink;
	uint32_t seqnum;
	uint32_t victim;
	bool in;
	unsigned int endpoint;
	uint32_t length;
	uint8_t setup[8];
	const uint8_t *data;
};

/**
 * usbip_parse() - take the first packet apart
 * @r:		result
 * @data:	bytes from the kernel
 * @len:	how many
 *
 * Return: the size of the packet, 0 if it is not all there yet, -1 if this is no
 * packet (the connection is then of no use any more).
 */
ssize_t usbip_parse(struct usbip_request *r, const uint8_t *data, size_t len);

/**
 * usbip_done() - answer a SUBMIT
 * @out:	gets the packet
 * @seqnum:	of the request
 * @status:	0 or a negative errno
 * @length:	bytes transferred
 * @data:	them if they go to the kernel, else NULL
 */
void usbip_done(struct buffer *out, uint32_t seqnum, int status, uint32_t length,
		const void *data);

/**
 * usbip_unlinked() - answer an UNLINK
 * @out:	gets the packet
 * @seqnum:	of the UNLINK, not of its victim
 * @status:	see above
 */
void usbip_unlinked(struct buffer *out, uint32_t seqnum, int status);

#endif
