// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver whose fault handler lets go of the mapping it is called for, as handlers may that
 * wait for long: it drops mmap_lock, waits, and has the fault begin again. For the case
 * fault-let-go. The node is /dev/unplug-letgo; the parameter state says "held" when somebody
 * waits, and is written "go" to let him go on.
 */

#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sysfs.h>
#include <unplug/device.h>
#include "compat.h"

#define NODE "unplug-letgo"

struct letgo {
	struct unplug_dev dev;
};

static struct letgo *letgo;
static bool held;
static DECLARE_COMPLETION(go);

static int state_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%s\n", READ_ONCE(held) ? "held" : "free");
}

static int state_set(const char *text, const struct kernel_param *param)
{
	if (!sysfs_streq(text, "go"))
		return -EINVAL;
	complete(&go);
	return 0;
}

static const struct kernel_param_ops state_ops = {
	.get = state_get,
	.set = state_set,
};
module_param_cb(state, &state_ops, NULL, 0600);

static vm_fault_t letgo_fault(struct vm_fault *vmf)
{
	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY) || vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_SIGBUS;
	mmap_read_unlock(vmf->vma->vm_mm);
	WRITE_ONCE(held, true);
	wait_for_completion_killable(&go);
	return VM_FAULT_RETRY;
}

static const struct vm_operations_struct letgo_vm_ops = {
	.fault = letgo_fault,
};

static int letgo_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &letgo_vm_ops;
	vm_flags_set(vma, VM_PFNMAP);
	return 0;
}

static const struct file_operations letgo_fops = {
	.owner = THIS_MODULE,
	.mmap = letgo_mmap,
};

static const struct unplug_driver letgo_driver = {
	.owner = THIS_MODULE,
	.name = NODE,
	.fops = &letgo_fops,
};

static int __init letgo_init(void)
{
	int err;

	letgo = unplug_dev_alloc(&letgo_driver, NULL, struct letgo, dev);
	if (IS_ERR(letgo))
		return PTR_ERR(letgo);
	err = unplug_dev_register(&letgo->dev, NODE);
	if (err)
		unplug_dev_put(&letgo->dev);
	return err;
}
module_init(letgo_init);

static void __exit letgo_exit(void)
{
	unplug_dev_unplug(&letgo->dev);
	unplug_dev_wait_gone(&letgo->dev);
	unplug_dev_put(&letgo->dev);
}
module_exit(letgo_exit);

MODULE_DESCRIPTION("A fault handler that lets go of its mapping");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
