// SPDX-License-Identifier: GPL-2.0-only
//
// Puts a DRM driver behind the gate: see include/unplug/drm.h.
//
//	convert/drm drivers/gpu/drm/udl
//
// calls this, looks at what came of it, and says why a driver is left alone. All files of
// the driver belong in one call of spatch, as what one of them has counts for all: never
// use --dir. For drivers that define their file operations by DEFINE_DRM_GEM_FOPS, in the
// file where struct drm_driver is. What is left is a build against unplug-drm.
//
// Sections of drm_dev_enter() become hardware sections. Those that take modeset locks
// must not: a user inside may hold these as long as he likes. They become operations. What
// touches hardware in them is a section of its own in all drivers seen so far.

virtual patch

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
)

@ vram @
@@
 #include <drm/drm_gem_vram_helper.h>

@ table depends on !unmanaged && !helpers @
declarer name DEFINE_DRM_GEM_FOPS;
declarer name DEFINE_UNPLUG_DRM_GEM_FOPS;
identifier fops;
@@
-DEFINE_DRM_GEM_FOPS(fops);
+DEFINE_UNPLUG_DRM_GEM_FOPS(fops);

// Memory of the card's, in faults
@ depends on table && vram @
declarer name DEFINE_UNPLUG_DRM_GEM_FOPS;
declarer name DEFINE_UNPLUG_DRM_VRAM_FOPS;
identifier fops;
@@
-DEFINE_UNPLUG_DRM_GEM_FOPS(fops);
+DEFINE_UNPLUG_DRM_VRAM_FOPS(fops);

@ depends on table @
identifier table.fops;
fresh identifier gated = fops ## "_gated";
expression drm, flags;
@@
-drm_dev_register(drm, flags)
+unplug_drm_register(drm, flags, &gated)

// Before unplug it would wait for the worker that polls, and so for who holds its locks.
@ depends on table @
expression drm;
@@
-drm_kms_helper_poll_fini(drm);
-drm_dev_unplug(drm);
+unplug_drm_unplug(drm);
+drm_kms_helper_poll_fini(drm);

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

// It would wait for who holds the modeset locks.
@ depends on table exists @
expression drm;
@@
 unplug_drm_unplug(drm);
 ... when any
-drm_atomic_helper_shutdown(drm);
+unplug_drm_shutdown(drm);

@ section depends on table @
identifier f, idx;
expression drm;
@@
 f(...)
 {
 <+...
 drm_dev_enter(drm, &idx)
 ...+>
 }

@ locks exists @
identifier f, idx;
expression drm;
statement S;
@@
 f(...)
 {
 ... when any
 if (!drm_dev_enter(drm, &idx)) S
 <+...
(
 drm_modeset_acquire_init(...)
|
 drm_modeset_lock(...)
|
 drm_modeset_lock_all(...)
|
 drm_atomic_commit(...)
|
 drm_kms_helper_hotplug_event(...)
|
 drm_helper_hpd_irq_event(...)
)
 ...+>
 }

@ operation @
identifier locks.f, locks.idx;
expression locks.drm;
@@
 f(...)
 {
 <+...
-drm_dev_exit(idx)
+unplug_drm_exit(drm, idx)
 ...+>
 }

@ depends on operation @
identifier locks.f, locks.idx;
expression locks.drm;
@@
 f(...)
 {
 <+...
-drm_dev_enter(drm, &idx)
+unplug_drm_enter(drm, &idx)
 ...+>
 }

@ ended @
identifier section.f, section.idx;
expression section.drm;
@@
 f(...)
 {
 <+...
-drm_dev_exit(idx)
+unplug_drm_hw_exit(drm, idx)
 ...+>
 }

// One without an exit in the same function is left, which convert/drm sees.
@ depends on ended @
identifier section.f, section.idx;
expression section.drm;
@@
 f(...)
 {
 <+...
-drm_dev_enter(drm, &idx)
+unplug_drm_hw_enter(drm, &idx)
 ...+>
 }

@ depends on table @
@@
 #include <drm/drm_drv.h>
+#include <unplug/drm.h>
