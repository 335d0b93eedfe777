// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpu.h"
#include "image.h"

#include <asm/prctl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* More than the first chunk of per-CPU memory of any machine */
#define AREA_SIZE (4UL << 20)
#define TASK_SIZE (64UL << 10)
#define AREA_WRAP (1UL << 32)
/* The kernel keeps "no need to reschedule" in the count's top bit. */
#define PREEMPT_ENABLED 0x80000000U

/* Far above the first chunk, and below what the loader and the stack use */
#define LATE_BEGIN 0x100000000000
#define LATE_END 0x700000000000

static uint64_t at_task, at_count, at_offset;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

void cpu_init(void)
{
	at_task = image_symbol("current_task");
	at_count = image_symbol("__preempt_count");
	at_offset = image_symbol("this_cpu_off");
}

static char *area_map(int fd, uint64_t address)
{
	char *at = mmap((void *)address, AREA_SIZE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE, fd, 0);

	if (at == MAP_FAILED)
		fail("replay: per-CPU memory");
	return at;
}

static void area_fill(char *area)
{
	uint32_t count = PREEMPT_ENABLED;
	void *task = aligned_alloc(TASK_SIZE, TASK_SIZE);

	if (!task)
		fail("replay: task");
	memset(task, 0, TASK_SIZE);
	memcpy(area + at_task, &task, sizeof(task));
	memcpy(area + at_count, &count, sizeof(count));
	memcpy(area + at_offset, &area, sizeof(area));
}

void cpu_become(int number)
{
	uint64_t address = (2UL + 4 * number) << 32;
	int fd = memfd_create("per-cpu", MFD_CLOEXEC);
	cpu_set_t set;
	char *area;

	if (fd < 0 || ftruncate(fd, AREA_SIZE) < 0)
		fail("replay: per-CPU memory");
	area = area_map(fd, address);
	area_map(fd, address + AREA_WRAP);
	close(fd);
	area_fill(area);
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, area) < 0)
		fail("replay: ARCH_SET_GS");
	CPU_ZERO(&set);
	CPU_SET(number, &set);
	/* One processor only: both threads share it, the figures say so. */
	sched_setaffinity(0, sizeof(set), &set);
}

void cpu_store(uint64_t address, int64_t value)
{
	asm volatile("movq %1, %%gs:(%0)" : : "r"(address), "r"(value) : "memory");
}

bool cpu_fault(uint64_t address)
{
	void *page = (void *)(address & ~0xfffUL);

	return address >= LATE_BEGIN && address < LATE_END &&
	       mmap(page, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == page;
}
