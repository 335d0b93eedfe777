// SPDX-License-Identifier: GPL-2.0-only
//
// Puts a DRM driver behind the gate: see include/unplug/drm.h.
//
//	convert/drm drivers/gpu/drm/udl
//
// calls this, and says why a driver is left alone. All files of the driver belong in one
// call of spatch, as what one of them has counts for all: never use --dir. For drivers
// that define their file operations by DEFINE_DRM_GEM_FOPS, in the file where struct
// drm_driver is. What is left is a build against unplug-drm.
//
// Left alone are drivers that have sections of drm_dev_enter(), for which nobody
// would wait, of their own or in a helper (turn them into hardware sections first); and
// drivers that clean up their mode objects themselves, under users who are late (let
// drmm_mode_config_init() do it).

virtual patch

@ sections @
expression drm, index;
@@
 drm_dev_enter(drm, index)

@ unmanaged @
expression drm;
@@
 drm_mode_config_cleanup(drm)

@ helpers @
@@
(
 #include <drm/drm_mipi_dbi.h>
|
 #include <drm/ttm/ttm_bo_driver.h>
|
 #include <drm/drm_gem_vram_helper.h>
)

@ table depends on !sections && !unmanaged && !helpers @
declarer name DEFINE_DRM_GEM_FOPS;
declarer name DEFINE_UNPLUG_DRM_GEM_FOPS;
identifier fops;
@@
-DEFINE_DRM_GEM_FOPS(fops);
+DEFINE_UNPLUG_DRM_GEM_FOPS(fops);

@ depends on table @
identifier table.fops;
fresh identifier gated = fops ## "_gated";
expression drm, flags;
@@
-drm_dev_register(drm, flags)
+unplug_drm_register(drm, flags, &gated)

@ depends on table @
expression drm;
@@
(
-drm_dev_unplug(drm)
+unplug_drm_unplug(drm)
|
-drm_dev_unregister(drm)
+unplug_drm_unplug(drm)
)

@ depends on table @
@@
 #include <drm/drm_drv.h>
+#include <unplug/drm.h>
