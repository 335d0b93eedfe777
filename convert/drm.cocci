// SPDX-License-Identifier: GPL-2.0-only
//
// Puts a DRM driver behind the gate: see include/unplug/drm.h.
//
//	spatch --sp-file convert/drm.cocci --in-place --dir drivers/gpu/drm/udl
//
// For drivers that define their file operations by DEFINE_DRM_GEM_FOPS, in the file
// where struct drm_driver is. What is left is a build against unplug-drm.

// A file that has sections of drm_dev_enter() is left alone: nobody would wait for
// them. Turn them into hardware sections first.

virtual patch

@ sections @
expression drm, index;
@@
 drm_dev_enter(drm, index)

@ table depends on !sections @
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
