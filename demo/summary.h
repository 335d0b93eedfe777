/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_SUMMARY_H
#define _DEMO_SUMMARY_H

/**
 * DOC: summary
 *
 * What a scene found, added up over its rounds and clients. Screen, page and
 * checks look at these figures only.
 *
 * operations	of old clients after the pull: list of {result, count} by kind,
 *		what is wrong first, then the most frequent
 * old		operations after the pull that worked: in all, and after a card
 *		was back; revived: that worked after one had failed; killed: ends
 *		of old clients the kernel killed
 * fill		(i) rounds measured, rounds with changes, bytes changed
 * replug	(ii) rounds measured, old patterns found on fresh cards, by way
 * rebound	the same for a card that was not exchanged
 * times	median and max of shut, drained, gone (us) and of the calls (ms)
 * others	operations of the other cards while the card was out
 * fresh	rounds whose new client worked, its failed operations
 * fio		what fio ended with, on the other cards and on the pulled one
 */

#include <jansson.h>

json_t *summary_make(json_t *scene);

/* "ENODEV" or "ENODEV, ok 3x": results of an operation in at most @size - 1 bytes. */
void summary_results(json_t *summary, const char *operation, char *text, size_t size);

/* An integer deep in an object, 0 where there is none. */
json_int_t summary_number(json_t *object, const char *first, const char *second);

#endif /* _DEMO_SUMMARY_H */
