/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_SCREEN_H
#define _DEMO_SCREEN_H

/**
 * DOC: screen
 *
 * The result on one screen of 80 columns: ours and the control side by side.
 * Rows of ours that are not as promised are marked with an exclamation mark.
 */

#include <jansson.h>
#include <stdbool.h>

void screen_print(json_t *report);

/* A row; @good: ours is as promised. */
void screen_row(const char *label, bool good, const char *ours, const char *naive);

#endif /* _DEMO_SCREEN_H */
