// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts per CPU, in and out in a word each, and looks at a flag; but whoever is preempted in
 * between counts wrongly. Protects nothing: the floor of whatever counts per CPU.
 */
#include "peer.h"

#include <unistd.h>
#ifdef __x86_64__
#include <sys/rseq.h>
#endif

struct slot {
	unsigned int in, out;
};

static struct flag *flags;
static struct slot *slots;	/* of CPU 0, then of CPU 1 */
static unsigned int gates_n;

static int init(unsigned int gates)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	gates_n = gates;
	flags = peer_array(gates, sizeof(*flags));
	slots = peer_array((size_t)gates * (cpus > 0 ? cpus : 1), sizeof(*slots));
	return 0;
}

/* Where the kernel writes it down for each thread; without that, as if there was one */
static inline unsigned int cpu(void)
{
	unsigned int n = 0;

#ifdef __x86_64__
	__asm__ volatile("movl %%fs:%c1(%2), %0" : "=r" (n)
			 : "i" (offsetof(struct rseq, cpu_id_start)), "r" (__rseq_offset));
#endif
	return n;
}

static inline struct slot *slot(unsigned int gate)
{
	return &slots[(size_t)cpu() * gates_n + gate];
}

/* Each an instruction, as the gate's are */
static inline void count(unsigned int *word)
{
	__atomic_store_n(word, *word + 1, __ATOMIC_RELAXED);
}

static inline bool get(unsigned int gate)
{
	if (flag_get(&flags[gate]))
		return false;
	count(&slot(gate)->in);
	return true;
}

static inline void put(unsigned int gate)
{
	count(&slot(gate)->out);
}

PEER_PAIRS(get, put)

const struct peer peer_bare = {
	.name = "bare", .init = init, .pairs = pairs, .get = get, .put = put,
	.bytes = 1, .bytes_each = sizeof(struct slot),
};
