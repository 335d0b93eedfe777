/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_SAMPLE_H
#define _DEMO_SAMPLE_H

/**
 * DOC: sample
 *
 * How much was done on each card in each tenth of a second, for the picture.
 */

#include <jansson.h>

#include "demo/scene.h"

int sample_start(struct scene *scene);
json_t *sample_json(const struct scene *scene);

#endif /* _DEMO_SAMPLE_H */
