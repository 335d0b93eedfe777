/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DEMO_PROC_H
#define _DEMO_PROC_H

/**
 * DOC: proc
 *
 * Small helpers around processes and files of the kernel.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int proc_read(const char *path, char *text, size_t size);
int proc_wait(pid_t pid, uint64_t until, int *status);

#endif /* _DEMO_PROC_H */
