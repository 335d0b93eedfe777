// SPDX-License-Identifier: GPL-2.0-only
/* Parameters, and what is set up once, in order, and undone in reverse; see torture.h */

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>
#include "torture.h"

static char *guard = "unplug";
module_param(guard, charp, 0444);
MODULE_PARM_DESC(guard, "what guards the cards: unplug (default) or busted");

module_param_named(cards, torture_slots_used, uint, 0444);
MODULE_PARM_DESC(cards, "slots for cards, 1 to 16 (default 4)");

unsigned int torture_seed = 1;
module_param_named(seed, torture_seed, uint, 0444);
MODULE_PARM_DESC(seed, "of the guard's own choices (default 1)");

bool torture_waits;
module_param_named(waits, torture_waits, bool, 0444);
MODULE_PARM_DESC(waits, "newcomers wait while a card is frozen");

bool torture_dummy;
module_param_named(dummy, torture_dummy, bool, 0444);
MODULE_PARM_DESC(dummy, "mappings of a card that was pulled show zeroes");

static const struct torture_guard *const guards[] = {
	&torture_guard_unplug,
	&torture_guard_busted,
};

const struct torture_guard *torture_guard;

static int __init choose_guard(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(guards); i++)
		if (!strcmp(guard, guards[i]->name))
			torture_guard = guards[i];
	if (!torture_guard) {
		pr_err("unplug-torture: guard=%s: there is none of that name\n", guard);
		return -EINVAL;
	}
	if (torture_slots_used < 1 || torture_slots_used > TORTURE_SLOTS) {
		pr_err("unplug-torture: cards=%u: must be 1 to %d\n",
		       torture_slots_used, TORTURE_SLOTS);
		return -EINVAL;
	}
	return torture_guard->init ? torture_guard->init() : 0;
}

static int __init torture_init(void)
{
	int err;

	err = choose_guard();
	if (err)
		return err;
	err = torture_board_init();
	if (err)
		goto guard_exit;
	err = torture_slots_init();
	if (err)
		goto board_exit;
	err = torture_control_init();
	if (!err)
		return 0;
	torture_slots_exit();
board_exit:
	torture_board_exit();
guard_exit:
	if (torture_guard->exit)
		torture_guard->exit();
	return err;
}

static void __exit torture_exit(void)
{
	torture_control_exit();
	torture_slots_exit();
	if (torture_guard->exit)
		torture_guard->exit();
	torture_board_exit();
	torture_graves_empty();
}

module_init(torture_init);
module_exit(torture_exit);
MODULE_DESCRIPTION("Cards without hardware, to be tortured");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
