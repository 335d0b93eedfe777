// SPDX-License-Identifier: GPL-2.0-only
//
// What convert/drm leaves to do in virtio-gpu: telling the host of commands looks at queues that
// ->remove has freed, if somebody is late.

@@
@@
 virtio_gpu_notify(struct virtio_gpu_device *vgdev)
 {
+	int idx;
 	bool notify;
 
 	if (!atomic_read(&vgdev->pending_commands))
 		return;
+	if (!unplug_drm_hw_enter(vgdev->ddev, &idx))
+		return;
 ...
 if (notify) { virtqueue_notify(...); }
+	unplug_drm_hw_exit(vgdev->ddev, idx);
 }
