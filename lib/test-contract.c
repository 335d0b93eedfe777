// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the gate promises in the same words as the kernel's: test/contract
 * Promises: U1, U2
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <libunplug/gate.h>

#define CHECK(condition)						\
do {									\
	if (!(condition)) {						\
		print_error("# %s:%d: not so: %s\n", __func__, __LINE__, \
			    #condition);				\
		return -EPROTO;						\
	}								\
} while (0)

#define CONTRACT_CLOSE(gates, n) \
	assert_int_equal(unplug_gates_close((gates), (n)), 0)
#define CONTRACT_THAW(gate)	assert_int_equal(unplug_gate_thaw(gate), 0)

/* The kernel's ->drained gives nothing away. */
static void contract_note(struct unplug_gate *gate);

static bool note_drained(struct unplug_gate *gate)
{
	contract_note(gate);
	return true;
}

#define unplug_gate_init(gate, note) unplug_gate_init(gate, note_drained)

#include "../test/contract/gate.h"

#define CONTRACTS(_)							\
	_(get_new) _(open_after_refusal) _(get_live) _(get_killed)	\
	_(get_dying) _(put_before_fold) _(close_many) _(thaw)

#define DEFINE(name)							\
	static void name(void **state)					\
	{								\
		(void)state;						\
		assert_int_equal(contract_##name(), 0);			\
	}
CONTRACTS(DEFINE)

#define LIST(name) cmocka_unit_test(name),

int main(void)
{
	const struct CMUnitTest tests[] = { CONTRACTS(LIST) };

	return cmocka_run_group_tests_name("contract", tests, NULL, NULL);
}
