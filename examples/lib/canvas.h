/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _EXAMPLES_LIB_CANVAS_H
#define _EXAMPLES_LIB_CANVAS_H

/*
 * One of the two libraries of example 4: draws into memory that a display server shares. If
 * that goes away it goes on drawing, where nobody sees it, until the program looks.
 */

#include <stdbool.h>
#include <stddef.h>

struct canvas;

struct canvas *canvas_open(int fd, size_t size);
void canvas_close(struct canvas *canvas);
void canvas_fill(struct canvas *canvas, unsigned char colour);
bool canvas_lost(const struct canvas *canvas);

#endif /* _EXAMPLES_LIB_CANVAS_H */
