// SPDX-License-Identifier: GPL-2.0-only
//
// What convert/drm leaves to do in bochs: it switches off, and since 7.2 draws, in registers
// and memory that it touches without a section. Late users do so when they are unmapped.

@ embedded @
@@
 struct bochs_device {
 ...
 struct drm_device dev;
 ...
 };

@ depends on !embedded @
@@
 bochs_hw_blank(struct bochs_device *bochs, bool blank)
 {
+	int idx;
+
+	if (!unplug_drm_hw_enter(bochs->dev, &idx))
+		return;
 ...
+	unplug_drm_hw_exit(bochs->dev, idx);
 }

@ depends on embedded @
@@
 bochs_hw_blank(struct bochs_device *bochs, bool blank)
 {
+	int idx;
+
+	if (!unplug_drm_hw_enter(&bochs->dev, &idx))
+		return;
 ...
+	unplug_drm_hw_exit(&bochs->dev, idx);
 }

@ depends on embedded @
identifier iter, damage;
iterator name drm_atomic_for_each_plane_damage;
statement S;
@@
 bochs_primary_plane_helper_atomic_update(...)
 {
 ...
+	int idx;
+
 if (!fb || !bochs->stride) return;
+	if (!unplug_drm_hw_enter(&bochs->dev, &idx))
+		return;
 ...
 drm_atomic_for_each_plane_damage(&iter, &damage) S
+	unplug_drm_hw_exit(&bochs->dev, idx);
 ...
 }
