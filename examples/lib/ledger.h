/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _EXAMPLES_LIB_LEDGER_H
#define _EXAMPLES_LIB_LEDGER_H

/*
 * The other library of example 4: adds up a file that it has mapped. If the file is cut
 * meanwhile, it says so, as read(2) would.
 */

#include <stddef.h>

struct ledger;

struct ledger *ledger_open(int fd, size_t size);
void ledger_close(struct ledger *ledger);

/* Returns the sum of all bytes, or -1 if some are gone. */
long ledger_sum(struct ledger *ledger);

#endif /* _EXAMPLES_LIB_LEDGER_H */
