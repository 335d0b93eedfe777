/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uevent: what the kernel tells about devices that come and go
 *
 * The kernel's own messages, not those of udev, which need not run.
 */
#ifndef UNPLUG_TEST_USB_UEVENT_H
#define UNPLUG_TEST_USB_UEVENT_H

/**
 * struct uevent - one message; what it does not say is ""
 * @action:	"add", "bind", "remove", …
 * @path:	of the device, below /sys
 * @type:	e.g. "usb_device", "drm_minor"
 * @node:	of the device, below /dev
 * @driver:	bound to it
 * @product:	of a USB device: vendor, product and revision, "17e9/bad/101"
 */
struct uevent {
	const char *action;
	const char *path;
	const char *type;
	const char *node;
	const char *driver;
	const char *product;
};

/**
 * uevent_open() - start to listen
 *
 * Return: a non-blocking descriptor, or a negative errno.
 */
int uevent_open(void);

/**
 * uevent_next() - take the next message
 * @fd:		from uevent_open()
 * @ev:		result, valid until the next call
 *
 * Return: whether there was one.
 */
int uevent_next(int fd, struct uevent *ev);

#endif
