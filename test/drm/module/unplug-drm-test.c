// SPDX-License-Identifier: GPL-2.0-only
/*
 * What only a driver can do to a DRM card, on request of a test: see
 * unplug-drm-test.h. Builds for stock cards, and, with UNPLUG_DRM_TEST_GATED, for
 * cards behind the gate.
 */

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/wait.h>
#include "unplug-drm-test.h"
#ifdef UNPLUG_DRM_TEST_GATED
#include <unplug/drm.h>
#endif

static DECLARE_WAIT_QUEUE_HEAD(leave_wait);
/* How often sections were told to end */
static atomic_t leaves = ATOMIC_INIT(0);

#ifdef UNPLUG_DRM_TEST_GATED
static long card_get(struct drm_device *drm)
{
	return drm_dev_get_active(drm) ? 0 : -EBUSY;
}

static long card_put(struct drm_device *drm)
{
	drm_dev_put_active(drm);
	return 0;
}

static long card_unplug(struct drm_device *drm)
{
	return unplug_drm_unplug(drm);
}
#else
static long card_get(struct drm_device *drm)
{
	return -EOPNOTSUPP;
}

static long card_put(struct drm_device *drm)
{
	return -EOPNOTSUPP;
}

static long card_unplug(struct drm_device *drm)
{
	drm_dev_unplug(drm);
	return 0;
}
#endif

/* Named for those who look where a task sleeps. */
static noinline long unplug_drm_test_section(struct drm_device *drm)
{
	int before = atomic_read(&leaves);
	int index;
	long ret;

	if (!drm_dev_enter(drm, &index))
		return -ENODEV;
	ret = wait_event_killable(leave_wait, atomic_read(&leaves) != before);
	drm_dev_exit(index);
	return ret;
}

static long card_request(struct drm_device *drm, unsigned int request)
{
	switch (request) {
	case UNPLUG_DRM_TEST_GET:
		return card_get(drm);
	case UNPLUG_DRM_TEST_PUT:
		return card_put(drm);
	case UNPLUG_DRM_TEST_SECTION:
		return unplug_drm_test_section(drm);
	case UNPLUG_DRM_TEST_UNPLUG:
		return card_unplug(drm);
	}
	return -ENOTTY;
}

/* That it is a DRM card's descriptor the tests, all of them root's, see to. */
static long test_ioctl(struct file *file, unsigned int request,
		       unsigned long argument)
{
	struct file *card;
	long ret;

	if (request == UNPLUG_DRM_TEST_LEAVE) {
		atomic_inc(&leaves);
		wake_up_all(&leave_wait);
		return 0;
	}
	card = fget(argument);
	if (!card)
		return -EBADF;
	ret = -EINVAL;
	if (imajor(file_inode(card)) == DRM_MAJOR)
		ret = card_request(((struct drm_file *)card->private_data)->minor->dev,
				   request);
	fput(card);
	return ret;
}

static const struct file_operations test_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = test_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice test_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "unplug-drm-test",
	.fops = &test_fops,
	.mode = 0600,
};
module_misc_device(test_device);

MODULE_DESCRIPTION("Requests of tests to DRM cards");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
