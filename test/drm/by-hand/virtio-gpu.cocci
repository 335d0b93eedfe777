// SPDX-License-Identifier: GPL-2.0-only
//
// What convert/drm leaves to do in virtio-gpu: telling the host of commands looks at queues that
// ->remove has freed, if somebody is late; a command that is refused keeps the buffers it is about;
// and a buffer in memory of the host's is mapped at once, in no hardware section, by the card's file or
// by its dma-buf: not any more.

@ notify @
symbol vgdev;
@@
-void virtio_gpu_notify(struct virtio_gpu_device *vgdev)
+static void __virtio_gpu_notify(struct virtio_gpu_device *vgdev)
 {
 ...
 }
+void virtio_gpu_notify(struct virtio_gpu_device *vgdev)
+{
+	int idx;
+
+	if (!unplug_drm_hw_enter(vgdev->ddev, &idx))
+		return;
+	__virtio_gpu_notify(vgdev);
+	unplug_drm_hw_exit(vgdev->ddev, idx);
+}

// Who is in a section already tells the host in any case: a second one may be refused, and then it would
// wait for answers to commands that the host was not told of.
@ depends on notify @
@@
+static void __virtio_gpu_notify(struct virtio_gpu_device *vgdev);
+
 virtio_gpu_queue_ctrl_sgs(struct virtio_gpu_device *vgdev, ...)
 {
 <+...
-virtio_gpu_notify(vgdev);
+__virtio_gpu_notify(vgdev);
 ...+>
 }

@@
identifier idx;
symbol vgdev, fence, vbuf;
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

@@
identifier ret;
@@
 virtio_gpu_vram_mmap(...)
 {
 ...
-ret = io_remap_pfn_range(...);
+ret = -EOPNOTSUPP;
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
+wait_event_timeout(vgdev->ctrlq.ack_queue,
+		   vgdev->ctrlq.vq->num_free == virtqueue_get_vring_size(vgdev->ctrlq.vq),
+		   5 * HZ);
 virtio_gpu_deinit(dev);
 ...
 }
