/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_ROUND_H
#define _DEMO_ROUND_H

/**
 * DOC: round
 *
 * One round: the card is taken out while everybody works, its client goes on
 * trying, the card comes back, gets new workers, and the host looks for what
 * does not belong there.
 */

#include "demo/scene.h"

void round_run(struct scene *scene, enum card_way way);

#endif /* _DEMO_ROUND_H */
