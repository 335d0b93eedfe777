// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gate beside broken twins of itself, which the same test has to find. Compiled
 * once for each: CONTROL is its name, FOUND is whether it is broken. Who enters or leaves stays
 * in the sequence while the gate is shut: nothing is left to luck but that the kernel does not take
 * him away meanwhile, then the next round may do.
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

#ifdef LOOK_BEFORE
#define UNPLUG_GATE_LOOK(slow)
#define UNPLUG_GATE_DELAY
#else
#define UNPLUG_GATE_LOOK(slow)						\
	"cmpl %[bound], %%eax\n\t"					\
	"jae %l[" #slow "]\n\t"
/* Says that it is there, and stays while it is held. */
#define UNPLUG_GATE_DELAY						\
	"movl $1, control_there(%%rip)\n"				\
	"775:\n\t"							\
	"pause\n\t"							\
	"cmpl $0, control_held(%%rip)\n\t"				\
	"jne 775b\n\t"
#endif

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include <libunplug/gate.h>

/* In which somebody was there; a broken one is found in the first of them, or the second. */
#define ROUNDS 500

/* Named by UNPLUG_GATE_DELAY */
extern unsigned int control_there, control_held;
unsigned int control_there;		/* the reader is in a sequence, or about to begin it */
unsigned int control_held;

static struct unplug_gate gate;
static pthread_barrier_t barrier;
static bool ending;			/* after the last round */
static bool leaving;			/* the reader is held when it leaves, not when it enters */
static bool round_over;			/* for the reader */
static bool dead;			/* ->drained was called in this round */
static unsigned int violations;
static cpu_set_t allowed;

static bool note_drained(struct unplug_gate *g)
{
	(void)g;
	__atomic_store_n(&dead, true, __ATOMIC_SEQ_CST);
	return true;
}

#ifdef LOOK_BEFORE
static bool looks_open(void)
{
	if (!__atomic_load_n(&gate.bound, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&control_there, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&control_held, __ATOMIC_SEQ_CST))
		;
	return true;
}
#else
#define looks_open() true
#endif

static bool control_get(void)
{
	return looks_open() ? unplug_gate_get_active(&gate) : unplug_gate_get_slow(&gate);
}

static void control_put(void)
{
	if (looks_open())
		unplug_gate_put_active(&gate);
	else
		unplug_gate_put_slow(&gate);
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

/* In the next sequence */
static void be_held(bool now)
{
	if (!now)
		return;
	__atomic_store_n(&control_there, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&control_held, 1, __ATOMIC_SEQ_CST);
}

/* Enter and leave once. Who is inside what is dead has been counted by nobody: he stays. */
static void visit(void)
{
	be_held(!leaving);
	if (!control_get())
		return;
	if (__atomic_load_n(&dead, __ATOMIC_SEQ_CST)) {
		violations++;
		return;
	}
	be_held(leaving);
	control_put();
}

static void *reader(void *arg)
{
	(void)arg;
	pin(1);
	for (;;) {
		pthread_barrier_wait(&barrier);
		if (ending)
			return NULL;
		visit();
		__atomic_store_n(&round_over, true, __ATOMIC_SEQ_CST);
		pthread_barrier_wait(&barrier);
	}
}

/*
 * It is shut while the reader enters, or leaves: then all must have been counted. Returns whether
 * the reader was there.
 */
static bool one_round(void)
{
	bool there;

	__atomic_store_n(&dead, false, __ATOMIC_SEQ_CST);
	__atomic_store_n(&round_over, false, __ATOMIC_SEQ_CST);
	unplug_gate_open(&gate);
	pthread_barrier_wait(&barrier);
	/* Once it is over, whether he was there does not change any more. */
	do
		there = __atomic_load_n(&control_there, __ATOMIC_SEQ_CST) &&
			__atomic_load_n(&control_held, __ATOMIC_SEQ_CST);
	while (!there && !__atomic_load_n(&round_over, __ATOMIC_SEQ_CST));
	assert_int_equal(unplug_gate_shut(&gate), 0);
	__atomic_store_n(&control_held, 0, __ATOMIC_SEQ_CST);
	pthread_barrier_wait(&barrier);
	__atomic_store_n(&control_there, 0, __ATOMIC_SEQ_CST);
	if (unplug_gate_state(&gate) != UNPLUG_GATE_DEAD)
		violations++;
	return there;
}

static void shut_in_sequence(void **state)
{
	unsigned int rounds = 0, there = 0;
	pthread_t thread;

	(void)state;
	pin(0);
	pthread_barrier_init(&barrier, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, reader, NULL), 0);
	while (there < ROUNDS && !violations) {
		leaving = rounds++ % 2;
		there += one_round();
	}
	ending = true;
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	print_message("# " STRING(CONTROL) ": %u rounds, %u with somebody there, %u violations\n",
		      rounds, there, violations);
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
