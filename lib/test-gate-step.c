// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the owner does comes between any two instructions of the last put, and a user between any
 * two of kill: the processor traps after each of them, and the other acts in the first trap, in the
 * second one when all is done again, and so on, until put or kill is over before.
 * Promises: U1, U2
 */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <ucontext.h>
#include <unistd.h>
#include <cmocka.h>
#include <libunplug/gate.h>

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)

#define TRAP_FLAG 0x100

static struct unplug_gate gate;
static void (*act)(void);
static volatile unsigned int act_step;	/* 1 is the first trap */
static volatile unsigned int step;	/* 0: not yet */
static volatile bool stepping;

static void on_trap(int number, siginfo_t *info, void *data)
{
	ucontext_t *context = data;

	(void)number;
	(void)info;
	if (!stepping) {
		context->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
		return;
	}
	context->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
	if (step++ == act_step)
		act();
}

static int trap_setup(void **state)
{
	struct sigaction action = {
		.sa_sigaction = on_trap,
		.sa_flags = SA_SIGINFO,
	};

	(void)state;
	return sigaction(SIGTRAP, &action, NULL);
}

/* One step after the other, with the other's act at that one: false if it is over before */
static bool call_with_act(unsigned int at, void (*call)(struct unplug_gate *gate))
{
	act_step = at;
	step = 0;
	stepping = true;
	__asm__ volatile ("int3" ::: "memory");
	call(&gate);
	stepping = false;
	__asm__ volatile ("nop" ::: "memory");
	return step > act_step;
}

static void put_fast(struct unplug_gate *g)
{
	unplug_gate_put_active(g);
}

static int fd;
static int act_error;

static void act_shut(void)
{
	unplug_gate_set_eventfd(&gate, fd);
	act_error = unplug_gate_shut(&gate);
}

/* The descriptor is set while the gate is live, before it is shut: it is written, once. */
static void shut_at_each(void (*put)(struct unplug_gate *gate))
{
	unsigned int at = 1;
	uint64_t told;
	bool acted;

	act = act_shut;
	fd = eventfd(0, EFD_NONBLOCK);
	assert_true(fd >= 0);
	do {
		assert_int_equal(unplug_gate_init(&gate, NULL), 0);
		unplug_gate_open(&gate);
		assert_true(unplug_gate_get_active(&gate));
		act_error = 0;
		acted = call_with_act(at++, put);
		if (!acted)
			act_shut();
		assert_int_equal(act_error, 0);
		assert_int_equal(unplug_gate_wait_drained(&gate, 0), 0);
		assert_int_equal(read(fd, &told, sizeof(told)), sizeof(told));
		assert_int_equal(told, 1);
		unplug_gate_destroy(&gate);
	} while (acted);
	assert_true(at > 5);
	close(fd);
}

static void shut_in_put(void **state)
{
	(void)state;
	shut_at_each(put_fast);
}

static void shut_in_put_slow(void **state)
{
	(void)state;
	shut_at_each(unplug_gate_put_slow);
}

static volatile bool thawed;
static unsigned int drained, late;

static bool note_drained(struct unplug_gate *g)
{
	(void)g;
	drained++;
	late += thawed;
	return true;
}

/* Who waits for nothing else: if he was told, the gate is his. */
static void act_thaw(void)
{
	bool told = !unplug_gate_wait_drained(&gate, 0);

	thawed = !unplug_gate_thaw(&gate);
	act_error = told != thawed;
}

/* ->drained does not run in the life that begins when the last one has left. */
static void thaw_in_put(void **state)
{
	unsigned int at = 1, lives = 0;
	bool acted;

	(void)state;
	act = act_thaw;
	assert_int_equal(unplug_gate_init(&gate, note_drained), 0);
	unplug_gate_open(&gate);
	do {
		drained = late = 0;
		assert_true(unplug_gate_get_active(&gate));
		assert_int_equal(unplug_gate_shut(&gate), 0);
		act_error = 0;
		thawed = false;
		acted = call_with_act(at++, put_fast);
		assert_int_equal(act_error, 0);
		assert_int_equal(drained, 1);
		assert_int_equal(late, 0);
		lives += thawed;
		if (!thawed)
			assert_int_equal(unplug_gate_thaw(&gate), 0);
	} while (acted);
	/* It was thawed in some of them, by somebody who was told before put returned. */
	assert_true(lives);
	assert_true(lives < at);
	assert_int_equal(unplug_gate_shut(&gate), 0);
	unplug_gate_destroy(&gate);
}

static unsigned int refusals, late_entries;

/* Who was refused by the word tells another, or himself, who enters by the slots. */
static void act_get(void)
{
	if (unplug_gate_get_slow(&gate)) {
		unplug_gate_put_slow(&gate);
		return;
	}
	refusals++;
	if (unplug_gate_get_active(&gate)) {
		late_entries++;
		unplug_gate_put_active(&gate);
	}
}

/* Nobody is let in after somebody was refused. */
static void get_in_kill(void **state)
{
	unsigned int at = 1;
	bool acted;

	(void)state;
	act = act_get;
	refusals = late_entries = 0;
	assert_int_equal(unplug_gate_init(&gate, NULL), 0);
	unplug_gate_open(&gate);
	do {
		acted = call_with_act(at++, unplug_gate_kill);
		assert_int_equal(unplug_gate_shut(&gate), 0);
		assert_int_equal(unplug_gate_thaw(&gate), 0);
	} while (acted);
	assert_true(refusals);
	assert_true(refusals < at);
	assert_int_equal(late_entries, 0);
	assert_int_equal(unplug_gate_shut(&gate), 0);
	unplug_gate_destroy(&gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_in_kill),
		cmocka_unit_test(shut_in_put),
		cmocka_unit_test(shut_in_put_slow),
		cmocka_unit_test(thaw_in_put),
	};

	return cmocka_run_group_tests_name("gate-step", tests, trap_setup, NULL);
}

#else

int main(void)
{
	printf("1..0 # SKIP needs x86-64, and no ThreadSanitizer, which holds signals back\n");
	return 0;
}

#endif
