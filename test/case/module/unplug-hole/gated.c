// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same device behind the gate of the core, which guards all its functions: they
 * only touch the device in hardware sections. See hole.h.
 */

#include <linux/err.h>
#include <linux/module.h>
#include <unplug/device.h>
#include "hole.h"

struct gated {
	struct unplug_dev dev;
	struct hole hole;
};

static struct gated *to_gated(struct hole *hole)
{
	return container_of(hole, struct gated, hole);
}

static bool gated_enter(struct hole *hole, bool forgotten)
{
	return unplug_dev_hw_enter(&to_gated(hole)->dev);
}

static void gated_leave(struct hole *hole, bool forgotten)
{
	unplug_dev_hw_exit(&to_gated(hole)->dev);
}

static void gated_unplug(struct hole *hole)
{
	unplug_dev_unplug(&to_gated(hole)->dev);
}

static int gated_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct unplug_dev *dev = unplug_dev_from_file(file);

	return hole_mmap(&container_of(dev, struct gated, dev)->hole, vma);
}

static const struct file_operations gated_fops = {
	.owner = THIS_MODULE,
	.mmap = gated_mmap,
};

static const struct unplug_driver gated_driver = {
	.owner = THIS_MODULE,
	.name = HOLE_NODE,
	.fops = &gated_fops,
};

static const struct unplug_driver gated_populating = {
	.owner = THIS_MODULE,
	.name = HOLE_NODE,
	.fops = &gated_fops,
	.populates = true,
};

static struct hole *gated_make(void)
{
	struct gated *card;
	struct hole hole;
	int err = hole_init(&hole, &hole_gated);

	if (err)
		return ERR_PTR(err);
	card = unplug_dev_alloc(hole_populates(&hole) ? &gated_populating :
						       &gated_driver,
				NULL, struct gated, dev);
	err = PTR_ERR_OR_ZERO(card);
	if (err)
		goto deinit;
	card->hole = hole;
	if (hole_dummy)
		unplug_dev_set_policy(&card->dev, UNPLUG_POLICY_DUMMY);
	err = unplug_dev_register(&card->dev, HOLE_NODE);
	if (!err)
		return &card->hole;
	unplug_dev_put(&card->dev);
deinit:
	hole_deinit(&hole);
	return ERR_PTR(err);
}

static void gated_unmake(struct hole *hole)
{
	struct gated *card = to_gated(hole);

	unplug_dev_unplug(&card->dev);
	unplug_dev_wait_gone(&card->dev);
	hole_deinit(hole);
	unplug_dev_put(&card->dev);
}

const struct hole_kind hole_gated = {
	.name = "gated",
	.make = gated_make,
	.unmake = gated_unmake,
	.unplug = gated_unplug,
	.enter = gated_enter,
	.leave = gated_leave,
};
