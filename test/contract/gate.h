/* SPDX-License-Identifier: GPL-2.0-or-later OR GPL-2.0-only */
/*
 * What both gates promise, the kernel's and libunplug's, to one caller on whatever CPU he is.
 * Who includes this has included the gate, and has
 *
 *	CHECK(condition)	returns -EPROTO from a test if it does not hold
 *	CONTRACT_CLOSE(gates, n) unplug_gates_close(); it succeeds
 *	CONTRACT_THAW(gate)	unplug_gate_thaw(); likewise
 *
 * Each test returns 0, or -EPROTO. They count in one place: one test at a time. (inline: not
 * everybody runs all of them.)
 */
#ifndef _TEST_CONTRACT_GATE_H
#define _TEST_CONTRACT_GATE_H

static unsigned int contract_drained;

static void contract_note(struct unplug_gate *gate)
{
	(void)gate;
	contract_drained++;
}

static int contract_init(struct unplug_gate *gate)
{
	contract_drained = 0;
	return unplug_gate_init(gate, contract_note);
}

static void contract_shut(struct unplug_gate *gate)
{
	unplug_gate_kill(gate);
	CONTRACT_CLOSE(&gate, 1);
	unplug_gate_fold(gate);
}

/* Of a drained gate */
static int contract_exit(struct unplug_gate *gate)
{
	CHECK(contract_drained == 1);
	CHECK(unplug_gate_inside(gate) == 0);
	CHECK(!unplug_gate_get_active(gate));
	unplug_gate_destroy(gate);
	return 0;
}

/* K1, U1: before open, nobody gets in, and it need not be opened. */
static inline int contract_get_new(void)
{
	struct unplug_gate gate;

	CHECK(!contract_init(&gate));
	CHECK(!unplug_gate_get_active(&gate));
	CHECK(unplug_gate_inside(&gate) == 0);
	unplug_gate_destroy(&gate);
	CHECK(contract_drained == 0);
	return 0;
}

/* K1, U1: who was refused when it was new does not count when it is shut. */
static inline int contract_open_after_refusal(void)
{
	struct unplug_gate gate;

	CHECK(!contract_init(&gate));
	CHECK(!unplug_gate_get_active(&gate));
	unplug_gate_open(&gate);
	CHECK(unplug_gate_inside(&gate) == 0);
	CHECK(unplug_gate_get_active(&gate));
	unplug_gate_put_active(&gate);
	contract_shut(&gate);
	return contract_exit(&gate);
}

/* K1, U1: who is inside enters again, and nobody is told that it drained. */
static inline int contract_get_live(void)
{
	struct unplug_gate gate;

	CHECK(!contract_init(&gate));
	unplug_gate_open(&gate);
	CHECK(unplug_gate_get_active(&gate));
	CHECK(unplug_gate_get_active(&gate));
	CHECK(unplug_gate_inside(&gate) == 2);
	unplug_gate_put_active(&gate);
	unplug_gate_put_active(&gate);
	CHECK(unplug_gate_inside(&gate) == 0);
	CHECK(contract_drained == 0);
	contract_shut(&gate);
	return contract_exit(&gate);
}

/* K1, U1: from kill on nobody gets in; who is inside leaves, which ends nothing before fold. */
static inline int contract_get_killed(void)
{
	struct unplug_gate gate, *list = &gate;

	CHECK(!contract_init(&gate));
	unplug_gate_open(&gate);
	CHECK(unplug_gate_get_active(&gate));
	unplug_gate_kill(&gate);
	CHECK(!unplug_gate_get_active(&gate));
	CHECK(unplug_gate_inside(&gate) == 1);
	unplug_gate_put_active(&gate);
	CHECK(unplug_gate_inside(&gate) == 0);
	CONTRACT_CLOSE(&list, 1);
	CHECK(unplug_gate_inside(&gate) == 0);
	CHECK(contract_drained == 0);
	unplug_gate_fold(&gate);
	return contract_exit(&gate);
}

/* K1, U1: a nested get is refused, too; the one that was inside before stays. */
static inline int contract_get_dying(void)
{
	struct unplug_gate gate;

	CHECK(!contract_init(&gate));
	unplug_gate_open(&gate);
	CHECK(unplug_gate_get_active(&gate));
	contract_shut(&gate);
	CHECK(!unplug_gate_get_active(&gate));
	CHECK(unplug_gate_inside(&gate) == 1);
	CHECK(contract_drained == 0);
	unplug_gate_put_active(&gate);
	return contract_exit(&gate);
}

/* K2, U2: the drain word reaches zero before the sum has joined it: not drained yet. */
static inline int contract_put_before_fold(void)
{
	struct unplug_gate gate, *list = &gate;

	CHECK(!contract_init(&gate));
	unplug_gate_open(&gate);
	CHECK(unplug_gate_get_active(&gate));
	CHECK(unplug_gate_get_active(&gate));
	unplug_gate_kill(&gate);
	CONTRACT_CLOSE(&list, 1);
	unplug_gate_put_active(&gate);
	CHECK(unplug_gate_inside(&gate) == 1);
	unplug_gate_put_active(&gate);
	CHECK(unplug_gate_inside(&gate) == 0);
	CHECK(contract_drained == 0);
	unplug_gate_fold(&gate);
	return contract_exit(&gate);
}

/* K7: one round for many gates, each with its own users */
static inline int contract_close_many(void)
{
	struct unplug_gate gates[3], *list[3];
	unsigned int i, j;

	contract_drained = 0;
	for (i = 0; i < 3; i++) {
		list[i] = &gates[i];
		CHECK(!unplug_gate_init(list[i], contract_note));
		unplug_gate_open(list[i]);
		for (j = 0; j < i; j++)
			CHECK(unplug_gate_get_active(list[i]));
		unplug_gate_kill(list[i]);
	}
	CONTRACT_CLOSE(list, 3);
	for (i = 0; i < 3; i++) {
		unplug_gate_fold(list[i]);
		CHECK(unplug_gate_inside(list[i]) == i);
		CHECK(contract_drained == i + (i == 0));
		for (j = 0; j < i; j++)
			unplug_gate_put_active(list[i]);
		CHECK(contract_drained == i + 1);
		unplug_gate_destroy(list[i]);
	}
	return 0;
}

/* K12: thawed as often as one likes, with somebody inside or not when it is shut */
static inline int contract_thaw(void)
{
	struct unplug_gate gate;
	unsigned int i;

	CHECK(!contract_init(&gate));
	unplug_gate_open(&gate);
	for (i = 0; i < 6; i++) {
		CHECK(unplug_gate_get_active(&gate));
		if (i % 2)
			unplug_gate_put_active(&gate);
		contract_shut(&gate);
		CHECK(!unplug_gate_get_active(&gate));
		if (i % 2 == 0)
			unplug_gate_put_active(&gate);
		CHECK(contract_drained == i + 1);
		CONTRACT_THAW(&gate);
		CHECK(unplug_gate_inside(&gate) == 0);
	}
	contract_drained = 0;
	contract_shut(&gate);
	return contract_exit(&gate);
}

#endif /* _TEST_CONTRACT_GATE_H */
