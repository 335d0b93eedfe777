/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_RECORD_H
#define _DEMO_RECORD_H

/**
 * DOC: record
 *
 * What a scene found, as a JSON file on the host. Written after every round, and
 * after each measurement in it: a driver that takes the machine down does not take
 * what was measured before with it.
 */

#include "demo/scene.h"

int record_write(const struct scene *scene);

#endif /* _DEMO_RECORD_H */
