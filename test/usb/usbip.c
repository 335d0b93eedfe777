// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets of the virtual host controller; see usbip.h */

#include "usbip.h"

#include <endian.h>
#include <string.h>

enum {
	CMD_SUBMIT = 1,
	CMD_UNLINK = 2,
	RET_SUBMIT = 3,
	RET_UNLINK = 4,
};

/* Where the numbers are, in bytes from the start of a header */
enum {
	AT_COMMAND = 0,
	AT_SEQNUM = 4,
	AT_DIRECTION = 12,
	AT_ENDPOINT = 16,
	/* the same place in other commands */
	AT_STATUS = 20,
	AT_VICTIM = 20,
	AT_SUBMIT_LENGTH = 24,
	AT_DONE_LENGTH = 24,
	AT_SETUP = 40,
};

static uint32_t number(const uint8_t *header, int at)
{
	uint32_t n;

	memcpy(&n, header + at, sizeof(n));
	return be32toh(n);
}

static void number_put(uint8_t *header, int at, uint32_t value)
{
	uint32_t n = htobe32(value);

	memcpy(header + at, &n, sizeof(n));
}

ssize_t usbip_parse(struct usbip_request *r, const uint8_t *data, size_t len)
{
	uint32_t command;

	if (len < USBIP_HEADER)
		return 0;
	memset(r, 0, sizeof(*r));
	command = number(data, AT_COMMAND);
	r->seqnum = number(data, AT_SEQNUM);
	if (command == CMD_UNLINK) {
		r->unlink = true;
		r->victim = number(data, AT_VICTIM);
		return USBIP_HEADER;
	}
	r->in = number(data, AT_DIRECTION);
	r->endpoint = number(data, AT_ENDPOINT);
	r->length = number(data, AT_SUBMIT_LENGTH);
	memcpy(r->setup, data + AT_SETUP, sizeof(r->setup));
	if (command != CMD_SUBMIT || r->length > USBIP_MAX_DATA)
		return -1;
	if (r->in)
		return USBIP_HEADER;
	r->data = data + USBIP_HEADER;
	return len < USBIP_HEADER + r->length ? 0 : USBIP_HEADER + r->length;
}

static uint8_t *answer(struct buffer *out, int command, uint32_t seqnum, int status)
{
	uint8_t *header = buffer_append(out, NULL, USBIP_HEADER);

	number_put(header, AT_COMMAND, command);
	number_put(header, AT_SEQNUM, seqnum);
	number_put(header, AT_STATUS, status);
	return header;
}

void usbip_done(struct buffer *out, uint32_t seqnum, int status, uint32_t length,
		const void *data)
{
	uint8_t *header = answer(out, RET_SUBMIT, seqnum, status);

	number_put(header, AT_DONE_LENGTH, length);
	if (data)
		buffer_append(out, data, length);
}

void usbip_unlinked(struct buffer *out, uint32_t seqnum, int status)
{
	answer(out, RET_UNLINK, seqnum, status);
}
