// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cards that cannot be registered behind the gate: of a driver that forgot to say how its files
 * open, with a policy that does not exist, and one whose ->load fails when the gate is there
 * already. What was said of each is a parameter.
 */

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/module.h>
#include <unplug/drm.h>

static int said[3];
module_param_array(said, int, NULL, 0444);
MODULE_PARM_DESC(said, "what the three registrations returned");

DEFINE_UNPLUG_DRM_GEM_FOPS(refused_fops);

static int refused_load(struct drm_device *drm, unsigned long flags)
{
	return -EIO;
}

/* Not converted: its files would open past the gate. */
static const struct drm_driver past_driver = {
	.fops = &refused_fops_gated,
	.name = "unplug-refused",
	.desc = "opens past the gate",
};

static const struct drm_driver refused_driver = {
	.fops = &refused_fops,
	.load = refused_load,
	.name = "unplug-refused",
	.desc = "does not load",
};

static int refused_register(struct device *parent,
			    const struct drm_driver *driver,
			    enum unplug_policy policy)
{
	struct drm_device *drm = drm_dev_alloc(driver, parent);
	int err;

	if (IS_ERR(drm))
		return PTR_ERR(drm);
	err = unplug_drm_register_policy(drm, 0, &refused_fops_gated, policy);
	if (!err)
		unplug_drm_unplug(drm);
	drm_dev_put(drm);
	return err;
}

static struct device *parent;

static int __init refused_init(void)
{
	parent = root_device_register("unplug-drm-refused");
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	said[0] = refused_register(parent, &past_driver, UNPLUG_POLICY_SIGBUS);
	said[1] = refused_register(parent, &refused_driver, 99);
	said[2] = refused_register(parent, &refused_driver, UNPLUG_POLICY_SIGBUS);
	return 0;
}
module_init(refused_init);

static void __exit refused_exit(void)
{
	root_device_unregister(parent);
}
module_exit(refused_exit);

MODULE_DESCRIPTION("Cards that cannot be registered, for tests");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
