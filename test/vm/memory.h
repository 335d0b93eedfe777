/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory: what lies in the guest's physical memory, read in the guest by root */
#ifndef UNPLUG_TEST_VM_MEMORY_H
#define UNPLUG_TEST_VM_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/**
 * memory_count() - count bytes of a value that fill whole words
 * @address:	physical, of a word
 * @size:	how many to look at: words of eight, at most 4096
 * @byte:	the value
 *
 * Memory that was given back is soon somebody else's, and any byte may be among his. Eight of
 * them in a word are not: only those count.
 *
 * Return: how many of them have the value, or -1: errno ENOENT where the kernel does not
 * show its memory (/proc/kcore).
 */
int memory_count(uint64_t address, size_t size, uint8_t byte);

#endif
