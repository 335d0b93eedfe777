// SPDX-License-Identifier: GPL-2.0-or-later
/* Queues of bytes; see buffer.h */

#include "buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Below the size of a full packet of the udl driver: at most one is then done for each adapter
 * before the others, and short requests, have their turn.
 */
#define READ_SIZE (32 * 1024)

static void memory_missing(size_t size)
{
	fprintf(stderr, "displaylink: no memory for %zu bytes\n", size);
	exit(1);
}

void *memory_get(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		memory_missing(size);
	return p;
}

static void buffer_reserve(struct buffer *b, size_t len)
{
	size_t size = b->size ? b->size : 4096;

	if (b->len + len <= b->size)
		return;
	while (size < b->len + len)
		size *= 2;
	b->data = realloc(b->data, size);
	if (!b->data)
		memory_missing(size);
	b->size = size;
}

uint8_t *buffer_append(struct buffer *b, const void *data, size_t len)
{
	uint8_t *to;

	buffer_reserve(b, len);
	to = b->data + b->len;
	if (!len)
		return to;
	if (data)
		memcpy(to, data, len);
	else
		memset(to, 0, len);
	b->len += len;
	return to;
}

void buffer_drop(struct buffer *b, size_t len)
{
	b->len -= len;
	if (b->len && len)
		memmove(b->data, b->data + len, b->len);
}

int buffer_read(struct buffer *b, int fd)
{
	ssize_t n;

	buffer_reserve(b, READ_SIZE);
	n = read(fd, b->data + b->len, READ_SIZE);
	if (n > 0)
		b->len += n;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

int buffer_flush(struct buffer *b, int fd)
{
	ssize_t n;

	if (!b->len)
		return 1;
	n = write(fd, b->data, b->len);
	if (n > 0)
		buffer_drop(b, n);
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

void buffer_free(struct buffer *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}
