// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory and registers of an adapter; see screen.h */

#include "screen.h"

#include "buffer.h"

#include <stdlib.h>
#include <string.h>

enum {
	REG_WIDTH = 0x0f,	/* two registers, high byte first */
	REG_HEIGHT = 0x17,	/* likewise */
	REG_BLANK = 0x1f,
	REG_BASE = 0x20,	/* three, high byte first */
	REG_LOCK = 0xff,
};

#define LOCK_OPEN 0xff
#define BLANK_NONE 0

void screen_reset(struct screen *s)
{
	screen_free(s);
	/* A large allocation: pages nobody writes to cost nothing. */
	s->memory = memory_get(SCREEN_MEMORY);
	memset(s->reg, 0, sizeof(s->reg));
	s->width = 0;
	s->height = 0;
	s->base = 0;
	s->lit = false;
}

void screen_light(struct screen *s, uint32_t base, unsigned int width, unsigned int height)
{
	s->width = width;
	s->height = height;
	s->base = base;
	s->lit = true;
	s->modes++;
}

void screen_dark(struct screen *s)
{
	s->offs += s->lit;
	s->lit = false;
}

static unsigned int register_pair(const struct screen *s, uint8_t reg)
{
	return s->reg[reg] << 8 | s->reg[reg + 1];
}

static void screen_unlock(struct screen *s)
{
	unsigned int width = register_pair(s, REG_WIDTH);
	unsigned int height = register_pair(s, REG_HEIGHT);

	if (s->reg[REG_BLANK] != BLANK_NONE)
		screen_dark(s);
	else if (width && height)
		screen_light(s, s->reg[REG_BASE] << 16 | register_pair(s, REG_BASE + 1),
			     width, height);
}

void screen_register(struct screen *s, uint8_t reg, uint8_t value)
{
	s->reg[reg] = value;
	if (reg == REG_LOCK && value == LOCK_OPEN)
		screen_unlock(s);
}

static bool screen_holds(uint32_t address, unsigned int count)
{
	return address + (uint64_t)count * SCREEN_PIXEL <= SCREEN_MEMORY;
}

bool screen_write(struct screen *s, uint32_t address, const uint8_t *pixels,
		  unsigned int count)
{
	if (!screen_holds(address, count))
		return false;
	memcpy(s->memory + address, pixels, count * SCREEN_PIXEL);
	s->pixels += count;
	return true;
}

bool screen_copy(struct screen *s, uint32_t from, uint32_t to, unsigned int count)
{
	if (!screen_holds(from, count) || !screen_holds(to, count))
		return false;
	memmove(s->memory + to, s->memory + from, count * SCREEN_PIXEL);
	return true;
}

/* All bits of the narrow value, repeated, so that the brightest is 255 */
static long widen(unsigned int value, int bits)
{
	return (value << (8 - bits) | value >> (2 * bits - 8)) & 255;
}

long screen_color(const struct screen *s, unsigned int x, unsigned int y)
{
	uint64_t at = s->base + ((uint64_t)y * s->width + x) * SCREEN_PIXEL;
	unsigned int v;

	if (x >= s->width || y >= s->height || at + SCREEN_PIXEL > SCREEN_MEMORY)
		return -1;
	v = s->memory[at] << 8 | s->memory[at + 1];
	return widen(v >> 11, 5) << 16 | widen(v >> 5 & 63, 6) << 8 | widen(v & 31, 5);
}

void screen_free(struct screen *s)
{
	free(s->memory);
	s->memory = NULL;
}
