/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buffer: bytes between a non-blocking descriptor and those who make or eat them
 *
 * Grows as needed, is eaten from the front. A zeroed buffer is an empty one. Running
 * out of memory ends the program: a test tool has nothing better to do.
 */
#ifndef UNPLUG_TEST_USB_BUFFER_H
#define UNPLUG_TEST_USB_BUFFER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct buffer - a queue of bytes
 * @data:	the first byte; moves with every call that takes the buffer
 * @len:	bytes in it
 * @size:	bytes allocated
 */
struct buffer {
	uint8_t *data;
	size_t len;
	size_t size;
};

/**
 * buffer_append() - add bytes at the end
 * @b:		the buffer
 * @data:	what to copy; NULL adds zeroes
 * @len:	how many bytes
 *
 * Return: where the new bytes are, valid until the next call.
 */
uint8_t *buffer_append(struct buffer *b, const void *data, size_t len);

/**
 * buffer_drop() - forget bytes at the front
 * @b:		the buffer
 * @len:	how many, at most all
 */
void buffer_drop(struct buffer *b, size_t len);

/**
 * buffer_read() - append what a descriptor has now
 * @b:		the buffer
 * @fd:		a non-blocking descriptor
 *
 * Return: 1 if the descriptor goes on (even if it had nothing), 0 if it ended or
 * failed.
 */
int buffer_read(struct buffer *b, int fd);

/**
 * buffer_flush() - write what a descriptor takes now
 * @b:		the buffer; keeps the rest
 * @fd:		a non-blocking descriptor
 *
 * Return: 1 if the descriptor goes on, 0 if it failed.
 */
int buffer_flush(struct buffer *b, int fd);

/**
 * buffer_free() - give the memory back; the buffer is then an empty one
 * @b:		the buffer
 */
void buffer_free(struct buffer *b);

/**
 * memory_get() - zeroed memory, or the end of the program
 * @size:	how many bytes
 *
 * Return: the memory, never NULL.
 */
void *memory_get(size_t size);

#endif
