// SPDX-License-Identifier: GPL-2.0-or-later
#include "image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096UL
#define TEXT_BEGIN 0xffffffff80000000

static const char *folder;
/* Addresses of text, in the low 4 GiB: what constants may point to */
static struct { uint64_t begin, end; } texts[8];
static unsigned int texts_n;

static void fail(const char *what)
{
	fprintf(stderr, "replay: %s/%s: %s\n", folder, what,
		errno ? strerror(errno) : "not as bench/dump leaves it");
	exit(1);
}

static FILE *file_open(const char *name)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	if (!file)
		fail(name);
	return file;
}

static size_t file_size(FILE *file)
{
	struct stat stat;

	return fstat(fileno(file), &stat) < 0 ? 0 : stat.st_size;
}

/* Memory at @address, or anywhere, filled from the file @name */
static void *memory_load(const char *name, uint64_t address, int prot)
{
	FILE *file = file_open(name);
	size_t size = file_size(file), offset = address % PAGE;
	int fixed = address < 1UL << 32 ? MAP_FIXED_NOREPLACE : 0;
	char *at = mmap(fixed ? (void *)(address - offset) : NULL, size + offset,
			PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0);

	if (at == MAP_FAILED || fread(at + offset, 1, size, file) != size)
		fail(name);
	fclose(file);
	if (prot && mprotect(at, size + offset, PROT_READ | PROT_WRITE | prot) < 0)
		fail(name);
	return at + offset;
}

static void texts_load(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	uint64_t address;
	FILE *file;

	if (!dir)
		fail("");
	while ((entry = readdir(dir))) {
		if (sscanf(entry->d_name, "%lx.bin", &address) != 1 || address < TEXT_BEGIN)
			continue;
		if (texts_n == sizeof(texts) / sizeof(texts[0]))
			fail(entry->d_name);
		address = (uint32_t)address;
		memory_load(entry->d_name, address, PROT_EXEC);
		file = file_open(entry->d_name);
		texts[texts_n].begin = address;
		texts[texts_n++].end = address + file_size(file);
		fclose(file);
	}
	closedir(dir);
}

static int text_has(uint64_t address)
{
	unsigned int i;

	for (i = 0; i < texts_n; i++)
		if (address >= texts[i].begin && address < texts[i].end)
			return 1;
	return 0;
}

/* mov $symbol, %reg: REX.W C7 /0 with 32 bits, to the same without .W */
static void texts_patch(void)
{
	uint32_t constant;
	unsigned int i;
	uint8_t *p;

	for (i = 0; i < texts_n; i++) {
		for (p = (void *)texts[i].begin; p + 7 <= (uint8_t *)texts[i].end; p++) {
			if ((p[0] & 0xfe) != 0x48 || p[1] != 0xc7 || (p[2] & 0xf8) != 0xc0)
				continue;
			memcpy(&constant, p + 3, sizeof(constant));
			if (text_has(constant))
				p[0] &= ~0x08;
		}
	}
}

int image_load(const char *path, struct loop loops[LOOPS_MAX])
{
	uint64_t address, object;
	char line[256], name[64];
	FILE *list;
	int n;

	folder = path;
	texts_load();
	texts_patch();
	list = file_open("loops");
	for (n = 0; fgets(line, sizeof(line), list); n++) {
		errno = 0;
		if (n == LOOPS_MAX || sscanf(line, "%63s %lx %lx %*u %lx %ld",
					     loops[n].name, &address, &object,
					     &loops[n].word, &loops[n].value) != 5 ||
		    !text_has((uint32_t)address))
			fail("loops");
		snprintf(name, sizeof(name), "%016lx.bin", object);
		loops[n].run = (void *)(uint64_t)(uint32_t)address;
		loops[n].object = memory_load(name, object, 0);
	}
	fclose(list);
	errno = 0;
	if (n < 2)
		fail("loops");
	return n;
}

uint64_t image_symbol(const char *name)
{
	FILE *list = file_open("symbols");
	char line[256], found[64];
	uint64_t offset;

	while (fgets(line, sizeof(line), list)) {
		if (sscanf(line, "%63s %lx", found, &offset) == 2 && !strcmp(found, name)) {
			fclose(list);
			return offset;
		}
	}
	errno = 0;
	fail("symbols");
	return 0;
}
