// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See canvas.h. Its way with a loss: zeroes in the place of what is gone.
 */

#include "canvas.h"

#include <libunplug/sigbus.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct canvas {
	unsigned char *mem;
	size_t size;
	struct unplug_sigbus *guard;
};

struct canvas *canvas_open(int fd, size_t size)
{
	struct unplug_sigbus_attr attr = { .policy = UNPLUG_SIGBUS_PATCH };
	struct canvas *canvas = calloc(1, sizeof(*canvas));

	if (!canvas)
		return NULL;
	canvas->size = size;
	canvas->mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (canvas->mem == MAP_FAILED) {
		free(canvas);
		return NULL;
	}
	if (unplug_sigbus_register(&canvas->guard, canvas->mem, size, &attr) < 0) {
		munmap(canvas->mem, size);
		free(canvas);
		return NULL;
	}
	return canvas;
}

/* First the guard, then the memory that it guards */
void canvas_close(struct canvas *canvas)
{
	unplug_sigbus_unregister(canvas->guard);
	munmap(canvas->mem, canvas->size);
	free(canvas);
}

void canvas_fill(struct canvas *canvas, unsigned char colour)
{
	memset(canvas->mem, colour, canvas->size);
}

bool canvas_lost(const struct canvas *canvas)
{
	return unplug_sigbus_lost(canvas->guard);
}
