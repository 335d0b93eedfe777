// SPDX-License-Identifier: GPL-2.0-or-later
/* Pictures of a screen; see screen.h */

#include "screen.h"

#include "buffer.h"

#include <errno.h>
#include <limits.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint8_t *shot_pixels(const struct screen *s)
{
	uint8_t *rgb = memory_get((size_t)s->width * s->height * 3), *p = rgb;
	unsigned int x, y;
	long color;

	for (y = 0; y < s->height; y++) {
		for (x = 0; x < s->width; x++) {
			color = screen_color(s, x, y);
			*p++ = color >> 16;
			*p++ = color >> 8;
			*p++ = color;
		}
	}
	return rgb;
}

static const char *shot_write(const struct screen *s, const char *path)
{
	static char error[sizeof(((png_image *)0)->message)];
	png_image image = {
		.version = PNG_IMAGE_VERSION,
		.width = s->width,
		.height = s->height,
		.format = PNG_FORMAT_RGB,
		.flags = PNG_IMAGE_FLAG_FAST,
	};
	uint8_t *rgb = shot_pixels(s);
	int done;

	done = png_image_write_to_file(&image, path, 0, rgb, 0, NULL);
	free(rgb);
	if (done)
		return NULL;
	memcpy(error, image.message, sizeof(error));
	return error;
}

const char *screen_shot(const struct screen *s, const char *path)
{
	char part[PATH_MAX];
	const char *error;

	if (!s->width)
		return "no mode was set since it was plugged";
	if (screen_color(s, s->width - 1, s->height - 1) < 0)
		return "the picture reaches beyond the memory";
	if ((size_t)snprintf(part, sizeof(part), "%s.part", path) >= sizeof(part))
		return "the path is too long";
	error = shot_write(s, part);
	if (!error && rename(part, path) < 0)
		error = strerror(errno);
	if (error)
		unlink(part);
	return error;
}
