/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * excuse: what the kernel says where memory is made to fail, which is no complaint
 *
 * Two judge its log, the host and the cases: this is what both leave out.
 */
#ifndef UNPLUG_TEST_EXCUSE_H
#define UNPLUG_TEST_EXCUSE_H

/* NONE: it has to be judged. STACK: a stack of the kernel's follows, and belongs to it. */
enum excuse { EXCUSE_NONE, EXCUSE_LINE, EXCUSE_STACK };

enum excuse excuse_line(const char *text);

#endif
