/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shared: a shared library of two functions that do next to nothing */
#ifndef UNPLUG_BENCH_SHARED_H
#define UNPLUG_BENCH_SHARED_H

#include "peer.h"

bool shared_get(const struct flag *flag);
void shared_put(const struct flag *flag);

#endif
