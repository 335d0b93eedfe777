// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dump: the loops of unplug-bench as they lie in the guest's memory
 *
 *	dump LOOPS FOLDER
 *
 * Runs in the guest. The kernel patches its instructions when it runs: what an object
 * file has is not what is executed. So this copies the text of kernel and modules, and
 * the objects the loops work on, out of /proc/kcore:
 *
 *	loops		LOOPS as it was: NAME LOOP OBJECT SIZE WORD VALUE
 *	symbols		where the per-CPU variables lie that a loop may meet
 *	ADDRESS.bin	memory from this address on
 */

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *folder;
static int kcore;
static Elf64_Ehdr elf;
static Elf64_Phdr *parts;

static const char *const modules[] = { "drm", "unplug", "unplug_bench" };
static const char *const per_cpu[] = { "current_task", "__preempt_count", "this_cpu_off" };

static void fail(const char *what)
{
	fprintf(stderr, "dump: %s: %s\n", what, errno ? strerror(errno) : "not as expected");
	exit(1);
}

static FILE *file_open(const char *path, const char *mode)
{
	FILE *file = fopen(path, mode);

	if (!file)
		fail(path);
	return file;
}

static FILE *result_open(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return file_open(path, "we");
}

static void kcore_open(void)
{
	ssize_t size;

	kcore = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	if (kcore < 0 || pread(kcore, &elf, sizeof(elf), 0) != sizeof(elf))
		fail("/proc/kcore");
	size = elf.e_phnum * sizeof(*parts);
	parts = malloc(size);
	if (!parts || pread(kcore, parts, size, elf.e_phoff) != size)
		fail("/proc/kcore");
}

/* Where an address is in the file, or -1 */
static off_t kcore_offset(uint64_t address, uint64_t size)
{
	int i;

	for (i = 0; i < elf.e_phnum; i++)
		if (parts[i].p_type == PT_LOAD && address >= parts[i].p_vaddr &&
		    address + size <= parts[i].p_vaddr + parts[i].p_memsz)
			return parts[i].p_offset + (address - parts[i].p_vaddr);
	return -1;
}

static void memory_dump(uint64_t address, uint64_t size)
{
	off_t from = kcore_offset(address, size);
	static char chunk[1 << 16];
	char name[64];
	ssize_t n;
	FILE *to;

	errno = 0;
	if (from < 0)
		fail("address not in /proc/kcore");
	snprintf(name, sizeof(name), "%016lx.bin", address);
	to = result_open(name);
	while (size) {
		n = pread(kcore, chunk, size < sizeof(chunk) ? size : sizeof(chunk), from);
		if (n <= 0 || fwrite(chunk, 1, n, to) != (size_t)n)
			fail(name);
		size -= n;
		from += n;
	}
	if (fclose(to))
		fail(name);
}

static void modules_dump(void)
{
	FILE *list = file_open("/proc/modules", "re");
	char line[4096], name[64];
	uint64_t size, address;
	unsigned int i, found = 0;

	while (fgets(line, sizeof(line), list)) {
		if (sscanf(line, "%63s %lu %*s %*s %*s %lx", name, &size, &address) != 3)
			continue;
		for (i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
			if (!strcmp(name, modules[i]))
				memory_dump(address, size), found++;
	}
	fclose(list);
	errno = 0;
	if (found != sizeof(modules) / sizeof(modules[0]))
		fail("/proc/modules");
}

/* The kernel's own text, and the symbols */
static void kernel_dump(void)
{
	FILE *list = file_open("/proc/kallsyms", "re"), *to = result_open("symbols");
	uint64_t address, begin = 0, end = 0;
	char line[512], name[256];
	unsigned int i, found = 0;

	while (fgets(line, sizeof(line), list)) {
		if (sscanf(line, "%lx %*c %255s", &address, name) != 2)
			continue;
		if (!strcmp(name, "_stext"))
			begin = address;
		if (!strcmp(name, "_etext"))
			end = address;
		for (i = 0; i < sizeof(per_cpu) / sizeof(per_cpu[0]); i++)
			if (!strcmp(name, per_cpu[i]))
				fprintf(to, "%s %lx\n", name, address), found++;
	}
	fclose(list);
	errno = 0;
	if (fclose(to) || !begin || end <= begin || found != sizeof(per_cpu) / sizeof(per_cpu[0]))
		fail("/proc/kallsyms");
	memory_dump(begin, end - begin);
}

int main(int argc, char **argv)
{
	char line[256], name[64];
	uint64_t loop, object, size;
	FILE *list, *to;

	if (argc != 3) {
		fprintf(stderr, "usage: dump LOOPS FOLDER\n");
		return 2;
	}
	folder = argv[2];
	kcore_open();
	list = file_open(argv[1], "re");
	to = result_open("loops");
	while (fgets(line, sizeof(line), list)) {
		errno = 0;
		if (sscanf(line, "%63s %lx %lx %lu", name, &loop, &object, &size) != 4)
			fail(argv[1]);
		memory_dump(object, size);
		fputs(line, to);
	}
	if (fclose(list) || fclose(to))
		fail("loops");
	modules_dump();
	kernel_dump();
	return 0;
}
