/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * screen: the memory behind the pixels of an adapter, and what is seen of it
 *
 *	dark  --screen_light()-->  lit   (a mode was set; also if it was lit)
 *	lit   --screen_dark()--->  dark  (it was switched off)
 *
 * A picture can be taken of a dark screen too: of what was last lit.
 *
 * The memory has 16 bits a pixel. For a DisplayLink adapter it is the whole 24-bit address
 * space of the commands, and there are registers, which are written between a lock and an
 * unlock, themselves writes to register 0xff, and take effect together at the unlock: a size
 * and blank mode 0 light the screen, another blank mode darkens it. Only the registers
 * that decide what is seen are looked at; those of the timing are not.
 */
#ifndef UNPLUG_TEST_USB_SCREEN_H
#define UNPLUG_TEST_USB_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCREEN_MEMORY (1 << 24)
#define SCREEN_PIXEL 2

/**
 * struct screen - what one adapter shows
 * @memory:	SCREEN_MEMORY bytes of big-endian RGB565
 * @reg:	as written, in effect or not
 * @width:	of the mode set last, 0 before the first
 * @height:	see @width
 * @base:	address of the top left pixel
 * @lit:	see above
 * @modes:	how often a mode was set
 * @offs:	how often it was switched off
 * @pixels:	how many were written
 */
struct screen {
	uint8_t *memory;
	uint8_t reg[256];
	unsigned int width;
	unsigned int height;
	uint32_t base;
	bool lit;
	uint64_t modes;
	uint64_t offs;
	uint64_t pixels;
};

/**
 * screen_reset() - black memory and no mode, as after power on; counters go on
 * @s:		a screen, zeroed before its first reset
 */
void screen_reset(struct screen *s);

/**
 * screen_light() - set a mode, and be seen
 * @s:		the screen
 * @base:	address of the top left pixel
 * @width:	of the picture
 * @height:	of the picture
 */
void screen_light(struct screen *s, uint32_t base, unsigned int width, unsigned int height);

/**
 * screen_dark() - be seen no more
 * @s:		the screen
 */
void screen_dark(struct screen *s);

/**
 * screen_register() - write a register
 * @s:		the screen
 * @reg:	its number
 * @value:	what to write
 */
void screen_register(struct screen *s, uint8_t reg, uint8_t value);

/**
 * screen_write() - write pixels
 * @s:		the screen
 * @address:	of the first, in bytes
 * @pixels:	as they came: big-endian RGB565
 * @count:	how many
 *
 * Return: whether they fit; if not, none is written.
 */
bool screen_write(struct screen *s, uint32_t address, const uint8_t *pixels,
		  unsigned int count);

/**
 * screen_copy() - copy pixels inside the memory
 * @s:		the screen
 * @from:	address in bytes
 * @to:		address in bytes
 * @count:	how many
 *
 * Return: whether both places exist; if not, nothing is copied.
 */
bool screen_copy(struct screen *s, uint32_t from, uint32_t to, unsigned int count);

/**
 * screen_color() - one pixel of the picture
 * @s:		the screen
 * @x:		column, from 0
 * @y:		line, from 0
 *
 * Return: 0xRRGGBB, or -1 if the picture has no such pixel.
 */
long screen_color(const struct screen *s, unsigned int x, unsigned int y);

/**
 * screen_shot() - write the picture to a PNG file
 * @s:		the screen
 * @path:	of the file, which appears complete or not at all
 *
 * Return: NULL, or what is wrong, as text.
 */
const char *screen_shot(const struct screen *s, const char *path);

/**
 * screen_free() - give the memory back
 * @s:		the screen
 */
void screen_free(struct screen *s);

#endif
