/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests to /dev/unplug-drm-test: what only a driver can do to a DRM card, on behalf
 * of a test. The argument is an open descriptor of the card.
 */
#ifndef UNPLUG_DRM_TEST_H
#define UNPLUG_DRM_TEST_H

#include <linux/ioctl.h>

/* drm_dev_get_active(): 0, or EBUSY if it was refused; EOPNOTSUPP on a stock card */
#define UNPLUG_DRM_TEST_GET	_IO('U', 0)
/* drm_dev_put_active(), once per get that was not refused */
#define UNPLUG_DRM_TEST_PUT	_IO('U', 1)
/* drm_dev_enter(), sleep until UNPLUG_DRM_TEST_LEAVE, drm_dev_exit(); ENODEV if refused */
#define UNPLUG_DRM_TEST_SECTION	_IO('U', 2)
/* All sections end. No argument. */
#define UNPLUG_DRM_TEST_LEAVE	_IO('U', 3)
/* Unplug the card, as its driver would: what that says */
#define UNPLUG_DRM_TEST_UNPLUG	_IO('U', 4)

/* drm_atomic_helper_shutdown(), which drivers call when they have unplugged a card */
#define UNPLUG_DRM_TEST_SWITCH_OFF _IO('U', 5)
/* 1 if one of its connectors has the status connected, else 0 */
#define UNPLUG_DRM_TEST_CONNECTED _IO('U', 6)
/* A sync file of a fence that only the next request signals: its descriptor. No argument */
#define UNPLUG_DRM_TEST_FENCE	_IO('U', 7)
/* Signals such a fence. The argument is the descriptor. */
#define UNPLUG_DRM_TEST_SIGNAL	_IO('U', 8)

/*
 * A hardware section, as the driver's when it switches off in ->remove: of a card that was
 * unplugged. ENODEV if it is refused, EINPROGRESS if it is left for later
 */
#define UNPLUG_DRM_TEST_LAST	_IO('U', 9)
/* A hardware section like any other: ENODEV if it is refused */
#define UNPLUG_DRM_TEST_TOUCH	_IO('U', 10)

#endif /* UNPLUG_DRM_TEST_H */
