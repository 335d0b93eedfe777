/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mode: the resolutions that an emulated monitor can prefer
 *
 * VESA timings at 60 Hz. None is smaller than 640x480 or larger than 2048x2048,
 * which is what the udl driver takes.
 */
#ifndef UNPLUG_TEST_USB_MODE_H
#define UNPLUG_TEST_USB_MODE_H

/**
 * struct mode - timing of one resolution
 * @name:	as users write it
 * @clock:	pixel clock in 10 kHz
 * @width:	visible pixels
 * @h_front:	pixels from the end of the line to the sync pulse
 * @h_sync:	its width
 * @h_total:	pixels from line to line
 * @height:	visible lines; the v_ fields as above, in lines
 * @v_front:	see @height
 * @v_sync:	see @height
 * @v_total:	see @height
 * @positive:	polarity of both sync pulses
 */
struct mode {
	const char *name;
	int clock;
	int width, h_front, h_sync, h_total;
	int height, v_front, v_sync, v_total;
	int positive;
};

/* Smallest first; the last has no name */
extern const struct mode mode_table[];

/**
 * mode_find() - look a resolution up
 * @name:	e.g. "1024x768"
 *
 * Return: the mode, or NULL if it is not in the table.
 */
const struct mode *mode_find(const char *name);

#endif
