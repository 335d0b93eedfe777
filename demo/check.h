/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_CHECK_H
#define _DEMO_CHECK_H

/**
 * DOC: check
 *
 * The verdict. Each check is one sentence that is true or not, about what was
 * counted; none is about how long something took. All but the last are about
 * our driver; the last says that the control was caught, for a demonstration
 * that finds nothing wrong with a wrong driver proves nothing.
 */

#include <jansson.h>
#include <stdbool.h>

/* A list of {name, text, pass}. */
json_t *check_make(json_t *ours, json_t *naive);
bool check_passed(json_t *checks);

/* Is every result an operation of ours may have after the pull? */
bool check_operation(json_t *summary, const char *operation);

#endif /* _DEMO_CHECK_H */
