// SPDX-License-Identifier: GPL-2.0-only
/*
 * The doors that pull.c takes away: the gate, a whole device of the core, and what
 * else could be used in its place, each the way its users do it.
 */

#include <linux/module.h>
#include "bench.h"

static void door_gate_drained(struct unplug_gate *gate)
{
	complete(&container_of(gate, struct door, gate)->drained);
}

static int door_gate_init(struct door *door)
{
	int err = unplug_gate_init(&door->gate, door_gate_drained);

	if (!err)
		unplug_gate_open(&door->gate);
	return err;
}

static int door_gate_enter(struct door *door)
{
	return unplug_gate_get_active(&door->gate) ? 0 : -ENODEV;
}

static void door_gate_leave(struct door *door, int index)
{
	unplug_gate_put_active(&door->gate);
}

/* One round of interrupts for all */
static void door_gate_pull(struct door *doors, int n)
{
	struct unplug_gate *gates[DOORS_MAX];
	int i;

	for (i = 0; i < n; i++) {
		gates[i] = &doors[i].gate;
		unplug_gate_kill(gates[i]);
	}
	unplug_gates_close(gates, n);
	for (i = 0; i < n; i++)
		unplug_gate_fold(&doors[i].gate);
	for (i = 0; i < n; i++)
		wait_for_completion(&doors[i].drained);
}

static void door_gate_exit(struct door *door, bool pulled)
{
	if (!pulled)
		door_gate_pull(door, 1);
	unplug_gate_destroy(&door->gate);
}

static const struct file_operations door_fops = {
	.owner = THIS_MODULE,
};

static const struct unplug_driver door_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-bench-door",
	.fops = &door_fops,
};

struct door_dev {
	struct unplug_dev dev;
};

static int door_dev_init(struct door *door)
{
	static atomic_t number;
	struct door_dev *device;
	int err;

	device = unplug_dev_alloc(&door_driver, NULL, struct door_dev, dev);
	if (IS_ERR(device))
		return PTR_ERR(device);
	door->dev = &device->dev;
	err = unplug_dev_register(door->dev, "unplug-bench-door%d",
				  atomic_inc_return(&number));
	if (err)
		unplug_dev_put(door->dev);
	return err;
}

static int door_dev_enter(struct door *door)
{
	return unplug_dev_get_active(door->dev) ? 0 : -ENODEV;
}

static void door_dev_leave(struct door *door, int index)
{
	unplug_dev_put_active(door->dev);
}

/* As a bus does it: one device after the other */
static void door_dev_pull(struct door *doors, int n)
{
	int i;

	for (i = 0; i < n; i++)
		unplug_dev_unplug(doors[i].dev);
}

static void door_dev_exit(struct door *door, bool pulled)
{
	if (!pulled)
		door_dev_pull(door, 1);
	unplug_dev_wait_gone(door->dev);
	unplug_dev_put(door->dev);
}

static void door_ref_release(struct percpu_ref *ref)
{
	complete(&container_of(ref, struct door, ref)->drained);
}

static int door_ref_init(struct door *door)
{
	return percpu_ref_init(&door->ref, door_ref_release, 0, GFP_KERNEL);
}

static int door_ref_enter(struct door *door)
{
	return percpu_ref_tryget_live(&door->ref) ? 0 : -ENODEV;
}

static void door_ref_leave(struct door *door, int index)
{
	percpu_ref_put(&door->ref);
}

/* Kill all, then wait: their grace periods overlap. */
static void door_ref_pull(struct door *doors, int n)
{
	int i;

	for (i = 0; i < n; i++)
		percpu_ref_kill(&doors[i].ref);
	for (i = 0; i < n; i++)
		wait_for_completion(&doors[i].drained);
}

static void door_ref_exit(struct door *door, bool pulled)
{
	if (!pulled)
		door_ref_pull(door, 1);
	percpu_ref_exit(&door->ref);
}

static int door_rwsem_init(struct door *door)
{
	return percpu_init_rwsem(&door->rwsem);
}

static int door_rwsem_enter(struct door *door)
{
	return percpu_down_read_trylock(&door->rwsem) ? 0 : -ENODEV;
}

static void door_rwsem_leave(struct door *door, int index)
{
	percpu_up_read(&door->rwsem);
}

static void door_rwsem_pull(struct door *doors, int n)
{
	int i;

	for (i = 0; i < n; i++)
		percpu_down_write(&doors[i].rwsem);
}

static void door_rwsem_exit(struct door *door, bool pulled)
{
	if (pulled)
		percpu_up_write(&door->rwsem);
	percpu_free_rwsem(&door->rwsem);
}

static int door_srcu_init(struct door *door)
{
	return init_srcu_struct(&door->srcu);
}

static int door_srcu_enter(struct door *door)
	__acquires(&door->srcu)
{
	return srcu_read_lock(&door->srcu);
}

static void door_srcu_leave(struct door *door, int index)
	__releases(&door->srcu)
{
	srcu_read_unlock(&door->srcu, index);
}

static void door_srcu_pull(struct door *doors, int n)
{
	int i;

	for (i = 0; i < n; i++)
		synchronize_srcu(&doors[i].srcu);
}

static void door_srcu_exit(struct door *door, bool pulled)
{
	cleanup_srcu_struct(&door->srcu);
}

/* What drm_dev_unplug() waits for: the readers of all devices */
DEFINE_STATIC_SRCU(door_shared);

static int door_shared_init(struct door *door)
{
	return 0;
}

static int door_shared_enter(struct door *door)
	__acquires(&door_shared)
{
	return srcu_read_lock(&door_shared);
}

static void door_shared_leave(struct door *door, int index)
	__releases(&door_shared)
{
	srcu_read_unlock(&door_shared, index);
}

static void door_shared_pull(struct door *doors, int n)
{
	while (n--)
		synchronize_srcu(&door_shared);
}

static void door_shared_exit(struct door *door, bool pulled)
{
}

#define DOOR(name, prefix)						\
	{ name, prefix##_init, prefix##_enter, prefix##_leave,		\
	  prefix##_pull, prefix##_exit }

const struct door_kind door_kinds[DOOR_KINDS] = {
	DOOR("unplug", door_gate),
	DOOR("unplug_dev", door_dev),
	DOOR("percpu_ref", door_ref),
	DOOR("percpu_rwsem", door_rwsem),
	DOOR("srcu", door_srcu),
	DOOR("srcu_shared", door_shared),
};
