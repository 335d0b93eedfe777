/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_PANEL_COMPAT_H
#define _UNPLUG_PANEL_COMPAT_H

/* panel.c is written for the newest kernel. To be included behind all headers of DRM's. */
#include <linux/version.h>

/* What a commit changes has had another name. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
#define drm_atomic_commit drm_atomic_state
#endif

/* Drivers have had a date. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define PANEL_DATE .date = "20261123",
#else
#define PANEL_DATE
#endif

#endif /* _UNPLUG_PANEL_COMPAT_H */
