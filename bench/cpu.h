/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu: a thread that the kernel's text takes for a CPU
 *
 * %gs is the base of per-CPU memory, as in the kernel. There: the count of
 * preempt_disable(), as in a task that may be preempted; the current task, a
 * structure of zeroes; the offset that makes a pointer of a per-CPU address. All else is
 * zero, or what replay puts there: counters, mostly. Per-CPU addresses come in two forms. Those relative to the
 * instruction wrap around at 2^64 in the kernel; from where the text lies here they
 * come out 4 GiB higher. The same memory is mapped at both places. What was allocated
 * late lies in the kernel's vmalloc space, a multiple of TiB above the base; it is mapped
 * when it is first touched.
 */
#ifndef UNPLUG_BENCH_CPU_H
#define UNPLUG_BENCH_CPU_H

#include <stdbool.h>
#include <stdint.h>

/**
 * cpu_init() - find out where the variables lie; once, after image_load()
 */
void cpu_init(void);

/**
 * cpu_become() - make this thread CPU @number and keep it on one processor
 * @number: 0 or 1
 */
void cpu_become(int number);

/**
 * cpu_store() - write a word of this thread's per-CPU memory
 * @address: a per-CPU address, as the kernel has it
 */
void cpu_store(uint64_t address, int64_t value);

/**
 * cpu_fault() - map the per-CPU memory at an address that was touched
 *
 * Context: Signal handler of the thread that touched it.
 * Return: false if no per-CPU memory can be there.
 */
bool cpu_fault(uint64_t address);

#endif
