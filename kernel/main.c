// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: what is set up once, in order, and undone in reverse.
 */

#include "internal.h"

static int __init unplug_init(void)
{
	int err;

	err = unplug_hook_init();
	if (err)
		return err;
	err = unplug_shut_init();
	if (err)
		goto exit_hook;
	err = unplug_class_init();
	if (err)
		goto exit_shut;
	err = unplug_inode_init();
	if (err)
		goto exit_class;
	err = unplug_cdev_init();
	if (err)
		goto exit_inode;
	unplug_debugfs_init();
	return 0;

exit_inode:
	unplug_inode_exit();
exit_class:
	unplug_class_exit();
exit_shut:
	unplug_shut_exit();
exit_hook:
	unplug_hook_exit();
	return err;
}

static void __exit unplug_exit(void)
{
	unplug_cdev_exit();
	unplug_debugfs_exit();
	/* Waits for who freed the last device, inode and class use included. */
	unplug_shut_exit();
	WARN_ON(static_key_enabled(&unplug_stale_files));
	unplug_attr_exit();
	unplug_dummy_exit();
	unplug_inode_exit();
	unplug_class_exit();
	unplug_hook_exit();
}

module_init(unplug_init);
module_exit(unplug_exit);
MODULE_DESCRIPTION("Race-free hot-unplug of devices in use");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(UNPLUG_VERSION);
