// SPDX-License-Identifier: GPL-2.0-only
/*
 * What only a driver can do to a DRM card, on request of a test: see
 * unplug-drm-test.h. Builds for stock cards, and, with UNPLUG_DRM_TEST_GATED, for
 * cards behind the gate.
 */

#include <drm/drm_atomic_helper.h>
#include <drm/drm_connector.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <linux/dma-fence.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
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

static long card_touch(struct drm_device *drm)
{
	int idx;

	if (!unplug_drm_hw_enter(drm, &idx))
		return -ENODEV;
	unplug_drm_hw_exit(drm, idx);
	return 0;
}

/* Tests ask for one at a time. */
static long last_said;

static void card_say_last(struct drm_device *drm)
{
	last_said = card_touch(drm);
	module_put(THIS_MODULE);
}

/* As unplug_drm_shutdown() */
static long card_last(struct drm_device *drm)
{
	last_said = -EINPROGRESS;
	__module_get(THIS_MODULE);	/* it may be done later, by a worker */
	unplug_drm_when_gone(drm, card_say_last);
	return last_said;
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
	/* Newer kernels do not survive that twice. */
	if (!drm_dev_is_unplugged(drm))
		drm_dev_unplug(drm);
	return 0;
}

static long card_touch(struct drm_device *drm)
{
	int index;

	if (!drm_dev_enter(drm, &index))
		return -ENODEV;
	drm_dev_exit(index);
	return 0;
}

static long card_last(struct drm_device *drm)
{
	return card_touch(drm);
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

static long card_connected(struct drm_device *drm)
{
	struct drm_connector_list_iter iter;
	struct drm_connector *connector;
	long connected = 0;

	drm_connector_list_iter_begin(drm, &iter);
	drm_for_each_connector_iter(connector, &iter)
		if (READ_ONCE(connector->status) == connector_status_connected)
			connected = 1;
	drm_connector_list_iter_end(&iter);
	return connected;
}

static long card_switch_off(struct drm_device *drm)
{
	drm_atomic_helper_shutdown(drm);
	return 0;
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
	case UNPLUG_DRM_TEST_SWITCH_OFF:
		return card_switch_off(drm);
	case UNPLUG_DRM_TEST_LAST:
		return card_last(drm);
	case UNPLUG_DRM_TEST_TOUCH:
		return card_touch(drm);
	case UNPLUG_DRM_TEST_CONNECTED:
		return card_connected(drm);
	}
	return -ENOTTY;
}

/* A fence of somebody else's, for commits to wait for */
struct test_fence {
	struct dma_fence base;	/* first: freed by address */
	spinlock_t lock;
};

static const char *fence_name(struct dma_fence *fence)
{
	return "unplug-drm-test";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};

static struct sync_file *fence_file(void)
{
	struct test_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	struct sync_file *sync;

	if (!fence)
		return NULL;
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &fence_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	sync = sync_file_create(&fence->base);
	dma_fence_put(&fence->base);
	return sync;
}

static long fence_make(void)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct sync_file *sync;

	if (fd < 0)
		return fd;
	sync = fence_file();
	if (!sync) {
		put_unused_fd(fd);
		return -ENOMEM;
	}
	fd_install(fd, sync->file);
	return fd;
}

/* Of the tests' own fences only: who signals another's breaks its driver. */
static long fence_signal(int fd)
{
	struct dma_fence *fence = sync_file_get_fence(fd);
	long ret = -EINVAL;

	if (!fence)
		return -EBADF;
	if (fence->ops == &fence_ops) {
		dma_fence_signal(fence);
		ret = 0;
	}
	dma_fence_put(fence);
	return ret;
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
	if (request == UNPLUG_DRM_TEST_FENCE)
		return fence_make();
	if (request == UNPLUG_DRM_TEST_SIGNAL)
		return fence_signal(argument);
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
