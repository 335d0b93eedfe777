// SPDX-License-Identifier: GPL-2.0-only
/*
 * A USB device, QEMU's tablet: read waits for its next report, an ioctl asks it how often it
 * repeats them.
 */

#include <linux/kref.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/usb.h>

#define PAD_IOC_IDLE	_IOR('p', 0x00, u8)
#define PAD_GET_IDLE	0x02
#define PAD_REPORT_MAX	64

struct pad {
	struct kref kref;
	struct usb_device *udev;
	struct usb_interface *interface;	/* NULL: disconnected */
	struct mutex io;			/* of the ioctl, with disconnect */
	struct urb *urb;
	u8 *buffer;
	wait_queue_head_t wait;
	spinlock_t lock;			/* the fields below */
	int length;
	bool gone;
	u8 report[PAD_REPORT_MAX];
};

static struct usb_driver pad_driver;

static void pad_free(struct kref *kref)
{
	struct pad *pad = container_of(kref, struct pad, kref);

	usb_free_urb(pad->urb);
	usb_put_dev(pad->udev);
	kfree(pad->buffer);
	kfree(pad);
}

static int pad_open(struct inode *inode, struct file *file)
{
	struct usb_interface *interface;
	struct pad *pad;

	interface = usb_find_interface(&pad_driver, iminor(inode));
	pad = interface ? usb_get_intfdata(interface) : NULL;
	if (!pad)
		return -ENODEV;
	kref_get(&pad->kref);
	file->private_data = pad;
	return nonseekable_open(inode, file);
}

static int pad_release(struct inode *inode, struct file *file)
{
	struct pad *pad = file->private_data;

	kref_put(&pad->kref, pad_free);
	return 0;
}

static ssize_t pad_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct pad *pad = file->private_data;
	u8 report[PAD_REPORT_MAX];
	int err = 0;

	spin_lock_irq(&pad->lock);
	if (!(file->f_flags & O_NONBLOCK))
		err = wait_event_interruptible_lock_irq(pad->wait, pad->length || pad->gone,
							pad->lock);
	else if (!pad->length)
		err = -EAGAIN;
	if (pad->gone)
		err = -ENODEV;
	if (!err) {
		count = min_t(size_t, count, pad->length);
		memcpy(report, pad->report, count);
		pad->length = 0;
	}
	spin_unlock_irq(&pad->lock);
	if (err)
		return err;
	return copy_to_user(to, report, count) ? -EFAULT : count;
}

static __poll_t pad_poll(struct file *file, struct poll_table_struct *table)
{
	struct pad *pad = file->private_data;

	poll_wait(file, &pad->wait, table);
	if (READ_ONCE(pad->gone))
		return EPOLLHUP | EPOLLERR;
	return READ_ONCE(pad->length) ? EPOLLIN | EPOLLRDNORM : 0;
}

static long pad_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct pad *pad = file->private_data;
	int err = -ENODEV;
	u8 idle;

	if (cmd != PAD_IOC_IDLE)
		return -ENOTTY;
	mutex_lock(&pad->io);
	if (pad->interface)
		err = usb_control_msg_recv(pad->udev, 0, PAD_GET_IDLE,
					   USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE,
					   0, 0, &idle, 1, 1000, GFP_KERNEL);
	mutex_unlock(&pad->io);
	if (err)
		return err;
	return put_user(idle, (u8 __user *)arg);
}

static const struct file_operations pad_fops = {
	.owner = THIS_MODULE,
	.open = pad_open,
	.release = pad_release,
	.read = pad_read,
	.poll = pad_poll,
	.unlocked_ioctl = pad_ioctl,
};

static struct usb_class_driver pad_class = {
	.name = "pad%d",
	.fops = &pad_fops,
};

static void pad_complete(struct urb *urb)
{
	struct pad *pad = urb->context;
	unsigned long flags;

	switch (urb->status) {
	case 0:
		spin_lock_irqsave(&pad->lock, flags);
		pad->length = urb->actual_length;
		memcpy(pad->report, pad->buffer, pad->length);
		spin_unlock_irqrestore(&pad->lock, flags);
		wake_up_interruptible(&pad->wait);
		break;
	case -EPROTO:
	case -EILSEQ:
	case -ETIME:		/* on the wire: the next one may be right */
		break;
	default:		/* killed, gone, or stalled */
		return;
	}
	usb_submit_urb(urb, GFP_ATOMIC);
}

/* The URB that is always under way; kill it before it is freed. */
static int pad_get_urb(struct pad *pad, struct usb_interface *interface)
{
	struct usb_endpoint_descriptor *in;
	int err;

	err = usb_find_int_in_endpoint(interface->cur_altsetting, &in);
	if (err)
		return err;
	pad->urb = usb_alloc_urb(0, GFP_KERNEL);
	pad->buffer = kmalloc(PAD_REPORT_MAX, GFP_KERNEL);
	if (!pad->urb || !pad->buffer)
		return -ENOMEM;
	usb_fill_int_urb(pad->urb, pad->udev, usb_rcvintpipe(pad->udev, in->bEndpointAddress),
			 pad->buffer, min(usb_endpoint_maxp(in), PAD_REPORT_MAX), pad_complete, pad,
			 in->bInterval);
	return usb_submit_urb(pad->urb, GFP_KERNEL);
}

static int pad_probe(struct usb_interface *interface, const struct usb_device_id *id)
{
	struct pad *pad;
	int err;

	pad = kzalloc(sizeof(*pad), GFP_KERNEL);
	if (!pad)
		return -ENOMEM;
	kref_init(&pad->kref);
	mutex_init(&pad->io);
	spin_lock_init(&pad->lock);
	init_waitqueue_head(&pad->wait);
	pad->udev = usb_get_dev(interface_to_usbdev(interface));
	pad->interface = interface;
	err = pad_get_urb(pad, interface);
	if (err)
		goto put;
	usb_set_intfdata(interface, pad);
	err = usb_register_dev(interface, &pad_class);
	if (!err)
		return 0;

	usb_set_intfdata(interface, NULL);
	usb_kill_urb(pad->urb);
put:
	kref_put(&pad->kref, pad_free);
	return err;
}

static void pad_disconnect(struct usb_interface *interface)
{
	struct pad *pad = usb_get_intfdata(interface);

	usb_deregister_dev(interface, &pad_class);
	usb_kill_urb(pad->urb);
	mutex_lock(&pad->io);
	pad->interface = NULL;
	mutex_unlock(&pad->io);
	spin_lock_irq(&pad->lock);
	pad->gone = true;
	spin_unlock_irq(&pad->lock);
	wake_up_all(&pad->wait);
	usb_set_intfdata(interface, NULL);
	kref_put(&pad->kref, pad_free);
}

static const struct usb_device_id pad_ids[] = {
	{ USB_DEVICE(0x0627, 0x0001) },
	{ }
};
MODULE_DEVICE_TABLE(usb, pad_ids);

static struct usb_driver pad_driver = {
	.name = "pad",
	.id_table = pad_ids,
	.probe = pad_probe,
	.disconnect = pad_disconnect,
};
module_usb_driver(pad_driver);

MODULE_DESCRIPTION("A tablet");
MODULE_LICENSE("GPL");
