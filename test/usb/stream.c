// SPDX-License-Identifier: GPL-2.0-or-later
/* Decoder of the command stream; see stream.h */

#include "stream.h"

#include <string.h>

#define SYNC 0xaf
#define MAX_COUNT 256

enum {
	OP_REGISTER = 0x20,
	OP_RAW16 = 0x68,
	OP_RUN16 = 0x69,
	OP_COPY16 = 0x6a,
	OP_MIX16 = 0x6b,
};

/* Bytes from the 0xaf to what follows the count */
#define HEADER 6

/* What a decoding function returns if it is not the size of the command */
enum {
	INCOMPLETE = 0,
	MALFORMED = -1,
};

/* The pixels of one command, which are written when all of them have come */
struct span {
	uint8_t pixels[MAX_COUNT * SCREEN_PIXEL];
	unsigned int have;
	unsigned int want;
};

static unsigned int count_at(const uint8_t *p)
{
	return *p ? *p : MAX_COUNT;
}

static uint32_t address_at(const uint8_t *p)
{
	return p[0] << 16 | p[1] << 8 | p[2];
}

static bool span_add(struct span *sp, const uint8_t *pixels, unsigned int count)
{
	if (count > sp->want - sp->have)
		return false;
	memcpy(sp->pixels + sp->have * SCREEN_PIXEL, pixels, count * SCREEN_PIXEL);
	sp->have += count;
	return true;
}

static bool span_repeat(struct span *sp, const uint8_t *pixel, unsigned int count)
{
	uint8_t *to = sp->pixels + sp->have * SCREEN_PIXEL;
	unsigned int i;

	if (count > sp->want - sp->have)
		return false;
	for (i = 0; i < count; i++)
		memcpy(to + i * SCREEN_PIXEL, pixel, SCREEN_PIXEL);
	sp->have += count;
	return true;
}

static ssize_t span_raw(struct span *sp, const uint8_t *p, size_t len)
{
	size_t size = HEADER + sp->want * SCREEN_PIXEL;

	if (len < size)
		return INCOMPLETE;
	span_add(sp, p + HEADER, sp->want);
	return size;
}

static ssize_t span_runs(struct span *sp, const uint8_t *p, size_t len)
{
	size_t at = HEADER;

	while (sp->have < sp->want) {
		if (len < at + 1 + SCREEN_PIXEL)
			return INCOMPLETE;
		if (!span_repeat(sp, p + at + 1, count_at(p + at)))
			return MALFORMED;
		at += 1 + SCREEN_PIXEL;
	}
	return at;
}

static ssize_t span_mix(struct span *sp, const uint8_t *p, size_t len)
{
	size_t at = HEADER;
	unsigned int raw;

	while (sp->have < sp->want) {
		if (len < at + 1)
			return INCOMPLETE;
		raw = count_at(p + at);
		if (len < at + 1 + raw * SCREEN_PIXEL)
			return INCOMPLETE;
		if (!span_add(sp, p + at + 1, raw))
			return MALFORMED;
		at += 1 + raw * SCREEN_PIXEL;
		if (sp->have == sp->want)
			break;
		if (len < at + 1)
			return INCOMPLETE;
		if (!span_repeat(sp, p + at - SCREEN_PIXEL, count_at(p + at)))
			return MALFORMED;
		at++;
	}
	return at;
}

static ssize_t pixels_decode(struct screen *s, const uint8_t *p, size_t len)
{
	/* Not zeroed: this is the inner loop. */
	struct span sp;
	ssize_t size;

	if (len < HEADER)
		return INCOMPLETE;
	sp.have = 0;
	sp.want = count_at(p + 5);
	if (p[1] == OP_RAW16)
		size = span_raw(&sp, p, len);
	else if (p[1] == OP_RUN16)
		size = span_runs(&sp, p, len);
	else
		size = span_mix(&sp, p, len);
	if (size > 0 && !screen_write(s, address_at(p + 2), sp.pixels, sp.want))
		return MALFORMED;
	return size;
}

static ssize_t copy_decode(struct screen *s, const uint8_t *p, size_t len)
{
	if (len < HEADER + 3)
		return INCOMPLETE;
	if (!screen_copy(s, address_at(p + 2), address_at(p + HEADER), count_at(p + 5)))
		return MALFORMED;
	return HEADER + 3;
}

static ssize_t command_decode(struct screen *s, const uint8_t *p, size_t len)
{
	if (p[0] != SYNC)
		return MALFORMED;
	if (len < 2)
		return INCOMPLETE;
	switch (p[1]) {
	case SYNC:
		return 1;
	case OP_REGISTER:
		if (len < 4)
			return INCOMPLETE;
		screen_register(s, p[2], p[3]);
		return 4;
	case OP_RAW16:
	case OP_RUN16:
	case OP_MIX16:
		return pixels_decode(s, p, len);
	case OP_COPY16:
		return copy_decode(s, p, len);
	default:
		return MALFORMED;
	}
}

static size_t garbage_length(const uint8_t *p, size_t len)
{
	const uint8_t *sync = memchr(p + 1, SYNC, len - 1);

	return sync ? (size_t)(sync - p) : len;
}

/* Return how many bytes were decoded; the rest is the start of a command. */
static size_t stream_decode(struct stream *st, struct screen *s, const uint8_t *data,
			    size_t len)
{
	size_t at = 0;
	ssize_t n;

	while (at < len) {
		n = command_decode(s, data + at, len - at);
		if (n == INCOMPLETE)
			break;
		if (n == MALFORMED) {
			n = garbage_length(data + at, len - at);
			st->garbage += n;
		}
		at += n;
	}
	return at;
}

void stream_feed(struct stream *st, struct screen *s, const uint8_t *data, size_t len)
{
	size_t done;

	if (st->carry.len) {
		buffer_append(&st->carry, data, len);
		done = stream_decode(st, s, st->carry.data, st->carry.len);
		buffer_drop(&st->carry, done);
		return;
	}
	done = stream_decode(st, s, data, len);
	buffer_append(&st->carry, data + done, len - done);
}

void stream_reset(struct stream *st)
{
	buffer_free(&st->carry);
}
