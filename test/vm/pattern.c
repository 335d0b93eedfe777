// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Patterns in the memory of a card, which is a file that QEMU maps shared: what
 * is written here the guest reads from its BAR, and the other way round.
 */

#include "agent.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATTERN_MAX 64

static unsigned char *map_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *memory = MAP_FAILED;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		*size = st.st_size;
		memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

/* Return: 0 or -1 with errno, as all here */
long pattern_fill(const char *path, int byte)
{
	size_t size;
	unsigned char *memory = map_file(path, &size);

	if (!memory)
		return -1;
	memset(memory, byte, size);
	munmap(memory, size);
	return 0;
}

/* Return: how many bytes differ from @byte */
long pattern_count(const char *path, int byte)
{
	size_t size, i;
	unsigned char *memory = map_file(path, &size);
	long n = 0;

	if (!memory)
		return -1;
	for (i = 0; i < size; i++)
		n += memory[i] != byte;
	munmap(memory, size);
	return n;
}

static int hex_digit(char c)
{
	if (isdigit(c))
		return c - '0';
	c = tolower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int hex_parse(const char *hex, unsigned char bytes[PATTERN_MAX])
{
	int n, high, low;

	for (n = 0; hex[2 * n]; n++) {
		high = hex_digit(hex[2 * n]);
		low = high < 0 ? -1 : hex_digit(hex[2 * n + 1]);
		if (low < 0 || n == PATTERN_MAX)
			return 0;
		bytes[n] = high << 4 | low;
	}
	return n;
}

/* Return: how often the bytes @hex stand at a multiple of 8 */
long pattern_find(const char *path, const char *hex)
{
	unsigned char bytes[PATTERN_MAX], *memory;
	size_t size, i;
	int length = hex_parse(hex, bytes);
	long n = 0;

	if (length == 0) {
		errno = EINVAL;
		return -1;
	}
	memory = map_file(path, &size);
	if (!memory)
		return -1;
	for (i = 0; i + length <= size; i += 8)
		n += memcmp(memory + i, bytes, length) == 0;
	munmap(memory, size);
	return n;
}
