// SPDX-License-Identifier: GPL-2.0-only
//
// What convert/drm leaves to do in virtio-gpu: telling the host of commands looks at queues that
// ->remove has freed, if somebody is late; and a command that is refused keeps the buffers it is about.

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

@@
identifier idx;
@@
 virtio_gpu_queue_ctrl_sgs(...)
 {
 ...
 if (!unplug_drm_hw_enter(vgdev->ddev, &idx)) {
 	if (fence && vbuf->objs) virtio_gpu_array_unlock_resv(vbuf->objs);
+	if (vbuf->objs)
+		virtio_gpu_array_put_free(vbuf->objs);
 	free_vbuf(vgdev, vbuf);
 	return -ENODEV;
 }
 ...
 }

// What was sent when it switched off is answered before the queues go; the answers free it.
@@
identifier dev;
expression E;
@@
 virtio_gpu_remove(...)
 {
 struct drm_device *dev = E;
+struct virtio_gpu_device *vgdev = dev->dev_private;
 ...
 unplug_drm_shutdown(dev);
+wait_event_timeout(vgdev->ctrlq.ack_queue,
+		   vgdev->ctrlq.vq->num_free == virtqueue_get_vring_size(vgdev->ctrlq.vq),
+		   5 * HZ);
 ...
 }
