// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading DRM events: as drm_read(), but woken by unplug.
 *
 * drm_read() sleeps until there is an event; on a card that is gone there may be
 * none. Events that were sent, before unplug or after it (those of commits that were
 * pending), are delivered until the last close. Nothing here is the driver's.
 */

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <unplug/drm.h>
#include "internal.h"

static struct drm_pending_event *event_take(struct drm_file *priv)
{
	struct drm_device *drm = priv->minor->dev;
	struct drm_pending_event *event;

	spin_lock_irq(&drm->event_lock);
	event = list_first_entry_or_null(&priv->event_list,
					 struct drm_pending_event, link);
	if (event) {
		priv->event_space += event->event->length;
		list_del(&event->link);
	}
	spin_unlock_irq(&drm->event_lock);
	return event;
}

static void event_put_back(struct drm_file *priv,
			   struct drm_pending_event *event)
{
	struct drm_device *drm = priv->minor->dev;

	spin_lock_irq(&drm->event_lock);
	priv->event_space -= event->event->length;
	list_add(&event->link, &priv->event_list);
	spin_unlock_irq(&drm->event_lock);
	wake_up_interruptible_poll(&priv->event_wait, EPOLLIN | EPOLLRDNORM);
}

/* Whole events only, as many as there are and fit; under event_read_lock. */
static ssize_t events_copy(struct drm_file *priv, char __user *to, size_t count)
{
	struct drm_pending_event *event;
	size_t done = 0;

	while ((event = event_take(priv))) {
		size_t length = event->event->length;

		if (length > count - done) {
			event_put_back(priv, event);
			break;
		}
		if (copy_to_user(to + done, event->event, length)) {
			event_put_back(priv, event);
			return done ?: -EFAULT;
		}
		done += length;
		kfree(event);
	}
	return done;
}

static bool events_pending(struct drm_file *priv)
{
	return !list_empty(&priv->event_list);
}

/* Commits under way have reserved their events. */
static bool events_to_come(struct file *file, struct drm_file *priv)
{
	struct drm_device *drm = priv->minor->dev;
	bool to_come;

	if (unplug_dev_is_gone(unplug_dev_from_file(file)))
		return false;
	spin_lock_irq(&drm->event_lock);
	to_come = !list_empty(&priv->pending_event_list);
	spin_unlock_irq(&drm->event_lock);
	return to_come;
}

/*
 * Bytes of events, 0 if the first does not fit; -EAGAIN if there is none yet, -ENODEV
 * if there will be none. In this order: none that is sent meanwhile is missed. Under
 * event_read_lock.
 */
static ssize_t events_read(struct file *file, bool live, char __user *to,
			   size_t count)
{
	struct drm_file *priv = file->private_data;
	bool to_come = live || events_to_come(file, priv);

	if (events_pending(priv))
		return events_copy(priv, to, count);
	return to_come ? -EAGAIN : -ENODEV;
}

/**
 * unplug_drm_read() - ->read of DRM drivers behind the gate
 * @file: an open file of the device
 * @to: buffer for whole events
 * @count: its size in bytes
 * @pos: not used: events are read as from a pipe
 *
 * Ownership: takes and puts nothing; events that were copied are freed.
 * Context: Process. May sleep; woken by unplug.
 * Return: bytes read; 0 if the first event does not fit; -EAGAIN, -ERESTARTSYS,
 *	   -EFAULT; -ENODEV if there is no event, and will be none as the card
 *	   is gone. While events of pending flips are to come on such a card: -EAGAIN,
 *	   also to who would wait, as nobody waits inside a card that goes.
 */
ssize_t unplug_drm_read(struct file *file, char __user *to, size_t count,
			loff_t *pos)
{
	struct drm_file *priv = file->private_data;
	struct drm_device *drm = priv->minor->dev;
	ssize_t ret;

	for (;;) {
		ret = mutex_lock_interruptible(&priv->event_read_lock);
		if (ret)
			return ret;
		ret = events_read(file, !READ_ONCE(drm->unplugged), to, count);
		mutex_unlock(&priv->event_read_lock);
		if (ret != -EAGAIN || file->f_flags & O_NONBLOCK ||
		    READ_ONCE(drm->unplugged))
			return ret;

		ret = wait_event_interruptible(priv->event_wait,
					       events_pending(priv) ||
					       READ_ONCE(drm->unplugged));
		if (ret)
			return ret;
	}
}
EXPORT_SYMBOL_GPL(unplug_drm_read);

/*
 * From shut on, see struct unplug_front. A reader that is still inside may hold the
 * lock for as long as its user likes.
 */
ssize_t unplug_drm_read_dead(struct file *file, char __user *to, size_t count,
			     loff_t *pos)
{
	struct drm_file *priv = file->private_data;
	ssize_t ret;

	if (!mutex_trylock(&priv->event_read_lock))
		return -EAGAIN;
	ret = events_read(file, false, to, count);
	mutex_unlock(&priv->event_read_lock);
	return ret;
}

__poll_t unplug_drm_poll_dead(struct file *file)
{
	return events_pending(file->private_data) ? EPOLLIN | EPOLLRDNORM : 0;
}
