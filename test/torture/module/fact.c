// SPDX-License-Identifier: GPL-2.0-only
/*
 * What should not have happened: the first facts of each life of the module are kept, to be read
 * from the control node. And what was freed: kept, too, so that who uses it does no harm
 * before that is known.
 *
 * D	Readers take no lock: who sees the number of facts sees them, too.
 */

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "torture.h"

#define FACTS_MAX 64

/**
 * struct fact - one that was recorded
 * @fact: which
 * @slot: of the card
 * @generation: of the card
 * @where: in what
 * @seen: what was there, in words of @fact
 */
struct fact {
	enum torture_fact fact;
	unsigned int slot;
	u64 generation;
	const char *where;
	u64 seen;
};

static DEFINE_SPINLOCK(facts_lock);
static struct fact facts[FACTS_MAX];	/* and their number: under facts_lock */
static unsigned int facts_n;

static unsigned int graves_max = 4096;
module_param_named(graves, graves_max, uint, 0444);
MODULE_PARM_DESC(graves, "how many structures are kept after they were freed (default 4096)");

static DEFINE_SPINLOCK(graves_lock);
static LIST_HEAD(graves);		/* and their number: under graves_lock */
static unsigned int graves_n;

unsigned int torture_linger_us;
module_param_named(linger_us, torture_linger_us, uint, 0444);
MODULE_PARM_DESC(linger_us, "how long operations dawdle now and then, at most (default 0)");

static const char *const fact_names[] = {
#define FACT_NAME(id, name) [TORTURE_FACT_##id] = name,
	TORTURE_FACTS(FACT_NAME)
#undef FACT_NAME
};

/**
 * torture_fact() - record one
 * @card: in which
 * @fact: what
 * @where: name of an operation or step; a literal
 * @seen: what was there
 *
 * Context: Any.
 */
void torture_fact(const struct torture_card *card, enum torture_fact fact,
		  const char *where, u64 seen)
{
	unsigned long flags;

	spin_lock_irqsave(&facts_lock, flags);
	if (facts_n < FACTS_MAX) {
		facts[facts_n] = (struct fact) {
			.fact = fact,
			.slot = card->slot->number,
			.generation = card->generation,
			.where = where,
			.seen = seen,
		};
		/* D: torture_facts_show() */
		smp_store_release(&facts_n, facts_n + 1);
	}
	torture_board_fact();
	spin_unlock_irqrestore(&facts_lock, flags);
}

bool torture_facts_any(void)
{
	return READ_ONCE(facts_n) > 0;
}

/**
 * torture_facts_show() - a line for each: NAME SLOT GENERATION WHERE SEEN
 * @file: where to
 *
 * Context: Process.
 */
void torture_facts_show(struct seq_file *file)
{
	/* D */
	unsigned int i, n = smp_load_acquire(&facts_n);

	for (i = 0; i < n; i++)
		seq_printf(file, "%s %u %llu %s %llx\n",
			   fact_names[facts[i].fact], facts[i].slot,
			   facts[i].generation, facts[i].where, facts[i].seen);
}

/**
 * torture_bury() - free something, but not yet
 * @grave: first member of what kmalloc() gave
 *
 * Context: Process.
 */
void torture_bury(struct torture_grave *grave)
{
	struct torture_grave *oldest = NULL;

	spin_lock(&graves_lock);
	list_add_tail(&grave->node, &graves);
	if (++graves_n > graves_max) {
		oldest = list_first_entry(&graves, struct torture_grave, node);
		list_del(&oldest->node);
		graves_n--;
	}
	spin_unlock(&graves_lock);
	kfree(oldest);
}

/* Nobody is left who could use them. */
void torture_graves_empty(void)
{
	struct torture_grave *grave, *next;

	list_for_each_entry_safe(grave, next, &graves, node)
		kfree(grave);
}

/**
 * torture_linger() - let others come in between, now and then
 *
 * Context: Process. May be preempted, for torture_linger_us or a little more. It does not sleep:
 *	    what the kernel does for that has races of its own, which KCSAN would report
 *	    with this module in their stacks.
 */
void torture_linger(void)
{
	u32 random = torture_linger_us ? get_random_u32() : 1;
	ktime_t end;

	if (random & 7)
		return;
	end = ktime_add_us(ktime_get(), (random >> 3) % torture_linger_us);
	while (ktime_before(ktime_get(), end)) {
		cpu_relax();
		cond_resched();
	}
}
