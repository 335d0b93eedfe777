// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device of rwsem.c behind the gate of the core, which enters and leaves
 * for every operation and fault: only nested entries are left to be guarded
 * here. See textbook.h.
 */

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <unplug/device.h>
#include "textbook.h"

struct gate_card {
	struct unplug_dev dev;
	struct textbook card;
};

/* To tell files of ours from others, which need not be the core's */
static struct gate_card *gate_cards[TEXTBOOK_EACH];

static struct gate_card *to_gate(const struct textbook *card)
{
	return container_of(card, struct gate_card, card);
}

static struct textbook *card_of(const struct file *file)
{
	return &container_of(unplug_dev_from_file(file), struct gate_card,
			     dev)->card;
}

static bool gate_enter(struct textbook *card, struct textbook_visit *visit,
		       const char *what)
{
	if (!unplug_dev_get_active(&to_gate(card)->dev))
		return false;
	textbook_visit_begin(visit, card, what);
	textbook_visit_inside(visit);
	return true;
}

static void gate_leave(struct textbook *card, struct textbook_visit *visit)
{
	textbook_visit_end(visit);
	unplug_dev_put_active(&to_gate(card)->dev);
}

/* Shut is enough: who is inside is left to the core. */
static int gate_unplug(struct textbook *card)
{
	struct textbook_visit visit;
	int err;

	textbook_visit_begin(&visit, card, "unplug");
	err = unplug_dev_unplug(&to_gate(card)->dev);
	textbook_visit_end(&visit);
	return err == -EINPROGRESS ? 0 : err;
}

static long gate_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct textbook *card = card_of(file);
	struct textbook_visit visit;
	long ret;

	textbook_visit_begin(&visit, card, "ioctl");
	textbook_visit_inside(&visit);
	ret = textbook_ioctl(card, cmd, arg);
	textbook_visit_end(&visit);
	return ret;
}

static vm_fault_t gate_fault(struct vm_fault *vmf)
{
	struct textbook *card = vmf->vma->vm_private_data;
	struct unplug_dev *dev = &to_gate(card)->dev;
	vm_fault_t ret;

	if (!unplug_dev_hw_enter(dev))
		return VM_FAULT_SIGBUS;
	ret = textbook_fault(card, vmf);
	unplug_dev_hw_exit(dev);
	return ret;
}

static const struct vm_operations_struct gate_vm_ops = {
	.fault = gate_fault,
};

static int gate_mmap(struct file *file, struct vm_area_struct *vma)
{
	return textbook_mmap(card_of(file), vma, &gate_vm_ops);
}

static const struct file_operations gate_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = gate_ioctl,
	.mmap = gate_mmap,
};

static void gate_gone(struct unplug_dev *dev)
{
	textbook_deinit(&container_of(dev, struct gate_card, dev)->card);
}

static const struct unplug_driver gate_driver = {
	.owner = THIS_MODULE,
	.name = "unplug-textbook",
	.fops = &gate_fops,
	.gone = gate_gone,
};

static struct textbook *gate_find(const struct file *file)
{
	unsigned int i;

	for (i = 0; i < TEXTBOOK_EACH; i++)
		if (gate_cards[i] &&
		    unplug_dev_from_file(file) == &gate_cards[i]->dev)
			return &gate_cards[i]->card;
	return NULL;
}

static struct textbook *gate_make(unsigned int number)
{
	struct gate_card *gate;
	int err;

	gate = unplug_dev_alloc(&gate_driver, NULL, struct gate_card, dev);
	if (IS_ERR(gate))
		return ERR_CAST(gate);
	err = textbook_init(&gate->card, &textbook_gate, number);
	if (err)
		goto put;
	err = unplug_dev_register(&gate->dev, "%s", gate->card.name);
	if (err)
		goto deinit;
	gate_cards[number] = gate;
	return &gate->card;

deinit:
	textbook_deinit(&gate->card);
put:
	unplug_dev_put(&gate->dev);
	return ERR_PTR(err);
}

static void gate_unmake(struct textbook *card)
{
	struct gate_card *gate = to_gate(card);

	unplug_dev_unplug(&gate->dev);
	unplug_dev_put(&gate->dev);
}

const struct textbook_kind textbook_gate = {
	.name = "gated",
	.make = gate_make,
	.unmake = gate_unmake,
	.find = gate_find,
	.enter = gate_enter,
	.leave = gate_leave,
	.unplug = gate_unplug,
};
