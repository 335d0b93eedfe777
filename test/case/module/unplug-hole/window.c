// SPDX-License-Identifier: GPL-2.0-only
/*
 * The windows of this module (../window.h):
 *
 *	at_copy	fork: the child's mapping is there, its entries are not
 *	at_move	mremap: the new mapping is there, the entries are still in the old one
 *	at_zap	between the first and the second mapping that are zapped
 */

#include <linux/module.h>
#include "../window.h"
#include "hole.h"
#include "hole-compat.h"

static bool child_is_ours(const struct pt_regs *regs)
{
	return hole_is_ours((const struct vm_area_struct *)regs->di);
}

static bool zapped_is_ours(const struct pt_regs *regs)
{
	return hole_is_ours(hole_zapped_vma(regs));
}

static bool moved_is_ours(const struct pt_regs *regs)
{
	return hole_is_ours(hole_moved_vma(regs->di));
}

static struct window copy = {
	WINDOW_AT("copy_page_range"),
	.is_ours = child_is_ours,
};

static struct window move = {
	WINDOW_AT("move_page_tables"),
	.is_ours = moved_is_ours,
};

static struct window zap = {
	WINDOW_AT(HOLE_ZAP),
	.is_ours = zapped_is_ours,
	.second = true,
};

module_param_cb(at_copy, &window_ops, &copy, 0600);
module_param_cb(at_move, &window_ops, &move, 0600);
module_param_cb(at_zap, &window_ops, &zap, 0600);

static struct window *const windows[] = { &copy, &move, &zap };

void hole_windows_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(windows); i++)
		window_init(windows[i]);
}

void hole_windows_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(windows); i++)
		window_exit(windows[i]);
}
