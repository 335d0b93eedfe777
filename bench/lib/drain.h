/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drain: what its figures are made of */
#ifndef UNPLUG_BENCH_DRAIN_H
#define UNPLUG_BENCH_DRAIN_H

/* Times each gate is shut beside 300 busy threads, if its peer gets so far */
#define DRAIN_BUSY_ROUNDS 51

#endif
