/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhci: the ports of the kernel's virtual USB host controllers
 *
 * vhci-hcd numbers its ports through: a controller has twice HUB_PORTS of them, the
 * first half at its high speed root hub (which is the one we use), the second half
 * at its super speed one. Ports below HUB_PORTS are hence on one hub; ports 0 and
 * 2 * HUB_PORTS are on different ones, which the kernel serves by work of their own.
 */
#ifndef UNPLUG_TEST_USB_VHCI_H
#define UNPLUG_TEST_USB_VHCI_H

#include <stddef.h>

/* As Debian configures its kernels: CONFIG_USBIP_VHCI_HC_PORTS */
#define VHCI_HUB_PORTS 15

/**
 * vhci_attach() - plug a high speed device
 * @port:	where
 *
 * Return: our end of the connection, non-blocking, or a negative errno: -EBUSY while
 * the port is in use, -EAGAIN if the controller is not ready.
 */
int vhci_attach(unsigned int port);

/**
 * vhci_path() - where the kernel will show a device
 * @port:	the device's
 * @path:	result, as in uevents: "/devices/platform/…", below /sys
 * @size:	of @path
 *
 * Return: 0 or a negative errno (-ENOENT: no such controller, -EINVAL: the port is not
 * at a high speed hub).
 */
int vhci_path(unsigned int port, char *path, size_t size);

#endif
