/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_SECOND_H
#define _DEMO_SECOND_H

/**
 * DOC: second
 *
 * The second act, judged and shown: cards that compute, interrupt and do DMA. What it
 * looks at is busy.json of both sides, as busy.c writes it.
 */

#include <jansson.h>

void second_check(json_t *checks, json_t *ours, json_t *naive);
void second_print(json_t *report);

#endif /* _DEMO_SECOND_H */
