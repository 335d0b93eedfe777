// SPDX-License-Identifier: GPL-2.0-or-later
/* Identity of an emulated monitor; see edid.h */

#include "edid.h"

#include <stdio.h>
#include <string.h>

#define DESCRIPTOR_SIZE 18
#define DESCRIPTOR_TEXT 13

enum {
	TAG_SERIAL = 0xff,
	TAG_NAME = 0xfc,
	TAG_UNUSED = 0x10,
};

/* Three letters, five bits each */
static void put_vendor(uint8_t *p, const char *letters)
{
	unsigned int v = (letters[0] & 31) << 10 | (letters[1] & 31) << 5 |
			 (letters[2] & 31);

	p[0] = v >> 8;
	p[1] = v;
}

/* Low eight bits of two numbers, and their high four bits shared in a third byte */
static void put_pair(uint8_t *p, int first, int second)
{
	p[0] = first;
	p[1] = second;
	p[2] = (first >> 8) << 4 | second >> 8;
}

static void put_timing(uint8_t *p, const struct mode *m)
{
	p[0] = m->clock;
	p[1] = m->clock >> 8;
	put_pair(p + 2, m->width, m->h_total - m->width);
	put_pair(p + 5, m->height, m->v_total - m->height);
	p[8] = m->h_front;
	p[9] = m->h_sync;
	p[10] = m->v_front << 4 | m->v_sync;
	/* p[11]: high bits of these four, zero; p[12] to p[14]: size in mm */
	put_pair(p + 12, 320, 240);
	p[17] = 0x18 | (m->positive ? 0x06 : 0);
}

static void put_text(uint8_t *p, int tag, const char *text)
{
	size_t len = strlen(text);

	p[3] = tag;
	memset(p + 5, ' ', DESCRIPTOR_TEXT);
	memcpy(p + 5, text, len);
	if (len < DESCRIPTOR_TEXT)
		p[5 + len] = '\n';
}

/* The modes of the table have a bit each, in two bytes */
static void put_established(uint8_t *p, const struct mode *best)
{
	static const uint8_t bit[][2] = { { 0x20, 0 }, { 0x01, 0 }, { 0, 0x08 } };
	const int bits = sizeof(bit) / sizeof(bit[0]);
	int i;

	for (i = 0; i < bits && mode_table[i].name && mode_table[i].width <= best->width; i++) {
		p[0] |= bit[i][0];
		p[1] |= bit[i][1];
	}
}

void edid_make(uint8_t edid[EDID_SIZE], int number, const struct mode *mode)
{
	static const uint8_t srgb[] = { 0xee, 0x91, 0xa3, 0x54, 0x4c,
					0x99, 0x26, 0x0f, 0x50, 0x54 };
	char text[DESCRIPTOR_TEXT + 1];
	uint8_t sum = 0;
	int i;

	memset(edid, 0, EDID_SIZE);
	memset(edid + 1, 0xff, 6);
	put_vendor(edid + 8, "UNP");
	edid[10] = number;
	edid[12] = number;
	edid[16] = 1;		/* week */
	edid[17] = 2024 - 1990;
	edid[18] = 1;		/* version 1.3 */
	edid[19] = 3;
	edid[20] = 0x80;	/* digital */
	edid[21] = 32;		/* cm */
	edid[22] = 24;
	edid[23] = 120;		/* gamma 2.2 */
	edid[24] = 0x0e;	/* colour, sRGB, first timing is preferred */
	memcpy(edid + 25, srgb, sizeof(srgb));
	put_established(edid + 35, mode);
	memset(edid + 38, 0x01, 16);	/* no standard timings */
	put_timing(edid + 54, mode);
	snprintf(text, sizeof(text), "Screen %d", number);
	put_text(edid + 54 + DESCRIPTOR_SIZE, TAG_NAME, text);
	snprintf(text, sizeof(text), "unplug-%d", number);
	put_text(edid + 54 + 2 * DESCRIPTOR_SIZE, TAG_SERIAL, text);
	edid[54 + 3 * DESCRIPTOR_SIZE + 3] = TAG_UNUSED;
	for (i = 0; i < EDID_SIZE - 1; i++)
		sum += edid[i];
	edid[EDID_SIZE - 1] = -sum;
}
