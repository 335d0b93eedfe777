// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes of one device's guard: the structure, what it points to, and its per-CPU
 * memory, which is there for every CPU the machine might have.
 */

#include <linux/cpumask.h>
#include <linux/percpu-refcount.h>
#include <linux/percpu-rwsem.h>
#include <linux/rwsem.h>
#include <linux/srcu.h>
#include <unplug/device.h>
#include <unplug/gate.h>
#include "bench.h"

static void memory_sample(struct seq_file *seq, const char *variant,
			  size_t once, size_t per_cpu)
{
	char what[32];

	snprintf(what, sizeof(what), "bytes_%u", num_possible_cpus());
	sample(seq, what, variant, "bytes",
	       1000 * (s64)(once + per_cpu * num_possible_cpus()));
}

int memory_show(struct seq_file *seq, void *data)
{
	memory_sample(seq, "flag", sizeof(bool), 0);
	memory_sample(seq, "unplug", sizeof(struct unplug_gate),
		      sizeof(long) + sizeof(int));
	/* All that the core keeps of a device: two gates, struct device, files */
	memory_sample(seq, "unplug_dev", sizeof(struct unplug_dev),
		      2 * (sizeof(long) + sizeof(int)));
	memory_sample(seq, "percpu_ref",
		      sizeof(struct percpu_ref) + sizeof(struct percpu_ref_data),
		      sizeof(unsigned long));
	memory_sample(seq, "percpu_rwsem", sizeof(struct percpu_rw_semaphore),
		      sizeof(int));
	memory_sample(seq, "srcu", sizeof(struct srcu_struct),
		      sizeof(struct srcu_data));
	/* One SRCU for all devices of the system, not counted, and a flag */
	memory_sample(seq, "drm_dev_enter", sizeof(bool), 0);
	memory_sample(seq, "rwsem", sizeof(struct rw_semaphore), 0);
	memory_sample(seq, "shared_atomic", sizeof(atomic_t), 0);
	return 0;
}
