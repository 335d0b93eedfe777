/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_CALLBACK_LINE_H
#define _UNPLUG_CALLBACK_LINE_H

/* An interrupt line with no hardware behind it. */
int line_new(void);	/* its number, or an error */
void line_free(void);
void line_raise(void);	/* and wait until the handler has answered, if there is one */
bool line_in_use(void);

#endif
