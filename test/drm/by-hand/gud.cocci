// SPDX-License-Identifier: GPL-2.0-only
//
// What convert/drm leaves to do in gud: it draws from a buffer whose fences may be another card's, and
// waits for these in a section. Here it waits before.

// 6.1: a worker draws, from the buffer itself. What switches off waits for the worker, so that looks
// at the fences again and again, while the card is there. One that is added between its last
// look and the access to the buffer, or to the fences of a second plane, is waited for as ever.
@ prepare @
symbol gdrm, fb, map, map_data, ret, vunmap, end_cpu_access;
identifier rect, req;
@@
 gud_prep_flush(struct gud_device *gdrm, struct drm_framebuffer *fb,
+	       struct iosys_map *map_data,
 	       const struct drm_format_info *format, struct drm_rect *rect,
 	       struct gud_set_buffer_req *req)
 {
 ...
-struct iosys_map map[DRM_FORMAT_MAX_PLANES] = { };
-struct iosys_map map_data[DRM_FORMAT_MAX_PLANES] = { };
 ...
-ret = drm_gem_fb_vmap(fb, map, map_data);
-if (ret)
-	return ret;
 ...
-ret = drm_gem_fb_begin_cpu_access(fb, DMA_FROM_DEVICE);
-if (ret)
-	goto vunmap;
 ...
 end_cpu_access:
-drm_gem_fb_end_cpu_access(fb, DMA_FROM_DEVICE);
-vunmap:
-drm_gem_fb_vunmap(fb, map);
 return ret;
 }

@ depends on prepare @
identifier rect, req;
@@
 gud_flush_rect(struct gud_device *gdrm, struct drm_framebuffer *fb,
+	       struct iosys_map *map_data,
 	       const struct drm_format_info *format, struct drm_rect *rect)
 {
 ...
-ret = gud_prep_flush(gdrm, fb, format, rect, &req);
+ret = gud_prep_flush(gdrm, fb, map_data, format, rect, &req);
 ...
 }

@ depends on prepare @
symbol work, idx, out, damage;
type T;
expression E;
@@
+static int gud_fb_begin(struct gud_device *gdrm, struct drm_framebuffer *fb,
+			struct iosys_map *map, struct iosys_map *map_data)
+{
+	int idx, ret;
+
+	do {
+		if (!unplug_drm_hw_enter(&gdrm->drm, &idx))
+			return -ENODEV;
+		unplug_drm_hw_exit(&gdrm->drm, idx);
+	} while (!dma_resv_wait_timeout(fb->obj[0]->resv, dma_resv_usage_rw(false), false, HZ / 10));
+	ret = drm_gem_fb_vmap(fb, map, map_data);
+	if (ret)
+		return ret;
+	ret = drm_gem_fb_begin_cpu_access(fb, DMA_FROM_DEVICE);
+	if (ret)
+		drm_gem_fb_vunmap(fb, map);
+	return ret;
+}
+
 gud_flush_work(struct work_struct *work)
 {
+	struct iosys_map map[DRM_FORMAT_MAX_PLANES] = { };
+	struct iosys_map map_data[DRM_FORMAT_MAX_PLANES] = { };
 	T *gdrm = container_of(...);
 	...
-	if (!unplug_drm_hw_enter(&gdrm->drm, &idx))
-		return;
 	...
-	if (!fb)
-		goto out;
+	if (!fb)
+		return;
+	if (gud_fb_begin(gdrm, fb, map, map_data))
+		goto put;
+	if (!unplug_drm_hw_enter(&gdrm->drm, &idx))
+		goto end;
 	<+...
-	ret = gud_flush_rect(gdrm, fb, format, E);
+	ret = gud_flush_rect(gdrm, fb, map_data, format, E);
 	...+>
+	unplug_drm_hw_exit(&gdrm->drm, idx);
+end:
+	drm_gem_fb_end_cpu_access(fb, DMA_FROM_DEVICE);
+	drm_gem_fb_vunmap(fb, map);
+put:
 	drm_framebuffer_put(fb);
-out:
-	unplug_drm_hw_exit(&gdrm->drm, idx);
 }

@ depends on prepare @
symbol gud_async_flush;
@@
 gud_pipe_update(...)
 {
 <+...
-if (!gud_async_flush)
-	flush_work(&gdrm->work);
 ...+>
 unplug_drm_hw_exit(drm, idx);
+if (!gud_async_flush)
+	flush_work(&gdrm->work);
 }

// 6.12: who commits draws, from a copy that is mapped before.
@ depends on !prepare @
symbol drm, old_state, state, ctrl_disable;
statement S;
@@
 gud_pipe_update(...)
 {
 ...
-if (!unplug_drm_hw_enter(drm, &idx))
-	return;
+ret = fb ? drm_gem_fb_begin_cpu_access(fb, DMA_FROM_DEVICE) : -ENOENT;
+if (!unplug_drm_hw_enter(drm, &idx))
+	goto end;
 ...
-if (!fb)
-	goto ctrl_disable;
-ret = drm_gem_fb_begin_cpu_access(fb, DMA_FROM_DEVICE);
-if (ret)
-	goto ctrl_disable;
-if (drm_atomic_helper_damage_merged(old_state, state, &damage))
+if (!ret && drm_atomic_helper_damage_merged(old_state, state, &damage))
 S
-drm_gem_fb_end_cpu_access(fb, DMA_FROM_DEVICE);
-ctrl_disable:
 ...
 unplug_drm_hw_exit(drm, idx);
+end:
+if (!ret)
+	drm_gem_fb_end_cpu_access(fb, DMA_FROM_DEVICE);
 }

// 7.2, likewise
@ depends on !prepare @
symbol crtc, new_state, iter;
iterator name drm_atomic_for_each_plane_damage;
statement S;
@@
 gud_plane_atomic_update(...)
 {
 ...
-if (!crtc || !unplug_drm_hw_enter(drm, &idx))
+if (!crtc)
 	return;
 ret = drm_gem_fb_begin_cpu_access(fb, DMA_FROM_DEVICE);
 if (ret)
-	goto out;
+	return;
+if (!unplug_drm_hw_enter(drm, &idx))
+	goto out;
 ...
 drm_atomic_for_each_plane_damage(&iter, &damage) S
+unplug_drm_hw_exit(drm, idx);
+out:
 drm_gem_fb_end_cpu_access(fb, DMA_FROM_DEVICE);
-out:
-unplug_drm_hw_exit(drm, idx);
 }
