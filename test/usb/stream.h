/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream: the command stream of the bulk endpoint
 *
 * A command starts with 0xaf and an operation; addresses have three bytes, high byte
 * first; a count of 0 means 256; pixels are RGB565, high byte first.
 *
 *	20 REG VALUE			write a register
 *	68 ADDRESS N PIXEL*N		raw
 *	69 ADDRESS N {K PIXEL}…		runs: K times PIXEL, until there are N
 *	6a FROM N TO			copy inside the memory (the udl driver sends
 *					one from 0 to 0 only, so nothing proves which
 *					address comes first)
 *	6b ADDRESS N {K PIXEL*K R}…	raw pixels, then R more of the last of them, until
 *					there are N; the last R is left out if they are
 *					complete before it
 *
 * More 0xaf before an operation are padding. A command may be cut by the end of a URB.
 * What is no command is skipped up to the next 0xaf, and counted.
 */
#ifndef UNPLUG_TEST_USB_STREAM_H
#define UNPLUG_TEST_USB_STREAM_H

#include "buffer.h"
#include "screen.h"

/**
 * struct stream - a decoder
 * @carry:	the start of a command whose rest has not come yet
 * @garbage:	how many bytes were no part of a command
 */
struct stream {
	struct buffer carry;
	uint64_t garbage;
};

/**
 * stream_feed() - decode
 * @st:		the decoder
 * @s:		gets pixels and registers
 * @data:	the bytes of a URB
 * @len:	how many
 */
void stream_feed(struct stream *st, struct screen *s, const uint8_t *data, size_t len);

/**
 * stream_reset() - forget what is not decoded yet; the counter goes on
 * @st:		the decoder
 */
void stream_reset(struct stream *st);

#endif
