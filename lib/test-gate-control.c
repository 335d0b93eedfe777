// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gate beside broken twins of itself, which the same test has to find. Compiled
 * once for each, with the library: CONTROL is its name, FOUND is whether it is broken. All of
 * them take their time in the sequence, so that shut meets somebody there.
 *
 *	CONTROL=none	the gate as it is
 *	CONTROL=plain	membarrier that does not restart sequences
 *	CONTROL=fence	no membarrier at all
 *	CONTROL=look	the bound is looked at before the sequence
 *
 * Promises: U1, U2
 */

#ifndef CONTROL
#define CONTROL none
#define FOUND	0
#endif

#define STRING_(s) #s
#define STRING(s) STRING_(s)

#define LONG ".rept 100\n\tpause\n\t.endr\n\t"

#ifdef LOOK_BEFORE
#define UNPLUG_GATE_LOOK(slow)
#define UNPLUG_GATE_DELAY
#else
#define UNPLUG_GATE_DELAY LONG
#define UNPLUG_GATE_LOOK(slow)						\
	"cmpl %[bound], %%eax\n\t"					\
	"jae %l[" #slow "]\n\t"
#endif

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <cmocka.h>
#include <libunplug/gate.h>

/* Broken ones are found in the first few, if both threads have a CPU at that time. */
#define ROUNDS (FOUND ? 20000 : 500)

/* If they had in fewer rounds than that, it says nothing that none was found. */
#define ROUNDS_TOGETHER 10000

static struct unplug_gate gate;
static unsigned int round_now;		/* the reader begins when it changes; 0 ends it */
static unsigned int round_over;		/* what the reader has ended */
static unsigned int entered;		/* in this round */
static bool dead;			/* ->drained was called in this round */
static unsigned int violations;
static unsigned int together;		/* rounds in which both threads had a CPU */
static cpu_set_t allowed;

static bool note_drained(struct unplug_gate *g)
{
	(void)g;
	__atomic_store_n(&dead, true, __ATOMIC_SEQ_CST);
	return true;
}

static bool control_get(void)
{
#ifdef LOOK_BEFORE
	if (!__atomic_load_n(&gate.bound, __ATOMIC_RELAXED))
		return unplug_gate_get_slow(&gate);
	__asm__ volatile (LONG);
#endif
	return unplug_gate_get_active(&gate);
}

static void control_put(void)
{
#ifdef LOOK_BEFORE
	if (!__atomic_load_n(&gate.bound, __ATOMIC_RELAXED)) {
		unplug_gate_put_slow(&gate);
		return;
	}
	__asm__ volatile (LONG);
#endif
	unplug_gate_put_active(&gate);
}

/* To the first of the CPUs we may use, or the second */
static void pin(int which)
{
	cpu_set_t one;
	int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && !which--)
			break;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
}

static void *reader(void *arg)
{
	unsigned int seen = 0, now;

	(void)arg;
	pin(1);
	for (;;) {
		while ((now = __atomic_load_n(&round_now, __ATOMIC_ACQUIRE)) ==
		       seen)
			sched_yield();
		if (!now)
			return NULL;
		seen = now;
		while (control_get()) {
			if (__atomic_load_n(&dead, __ATOMIC_SEQ_CST))
				violations++;
			control_put();
			__atomic_fetch_add(&entered, 1, __ATOMIC_RELAXED);
		}
		__atomic_store_n(&round_over, now, __ATOMIC_RELEASE);
	}
}

/* How often this thread was taken from its CPU */
static long switches(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_THREAD, &usage), 0);
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

/* One reader comes and goes until it is refused; then all must have been counted. */
static void one_round(unsigned int number)
{
	unsigned int before;
	long switched;

	__atomic_store_n(&dead, false, __ATOMIC_RELAXED);
	__atomic_store_n(&entered, 0, __ATOMIC_RELAXED);
	unplug_gate_open(&gate);
	__atomic_store_n(&round_now, number, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&entered, __ATOMIC_RELAXED))
		sched_yield();
	/* It is running at this moment, beside us if we were not taken away. */
	switched = switches();
	before = __atomic_load_n(&entered, __ATOMIC_RELAXED);
	while (__atomic_load_n(&entered, __ATOMIC_RELAXED) == before)
		;
	assert_int_equal(unplug_gate_shut(&gate), 0);
	together += switches() == switched;
	while (__atomic_load_n(&round_over, __ATOMIC_ACQUIRE) != number)
		sched_yield();
	if (unplug_gate_state(&gate) != UNPLUG_GATE_DEAD)
		violations++;
}

static void shut_in_sequence(void **state)
{
	pthread_t thread;
	unsigned int i;

	(void)state;
	pin(0);
	assert_int_equal(pthread_create(&thread, NULL, reader, NULL), 0);
	for (i = 1; i <= ROUNDS && !violations; i++)
		one_round(i);
	__atomic_store_n(&round_now, 0, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	print_message("# " STRING(CONTROL) ": %u rounds, %u on two CPUs, %u violations\n",
		      i - 1, together, violations);
	if (FOUND && !violations && together < ROUNDS_TOGETHER)
		skip();
	if (FOUND)
		assert_int_not_equal(violations, 0);
	else
		assert_int_equal(violations, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shut_in_sequence),
	};

	if (unplug_gate_init(&gate, note_drained))
		return 1;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) ||
	    CPU_COUNT(&allowed) < 2 || !gate.cpus) {
		printf("1..0 # SKIP needs two CPUs and restartable sequences\n");
		return 0;
	}
	return cmocka_run_group_tests_name("gate-control-" STRING(CONTROL),
					   tests, NULL, NULL);
}
