// SPDX-License-Identifier: GPL-2.0-only
/*
 * A USB device, QEMU's tablet: read waits for its next report, an ioctl asks it how often it
 * repeats them.
 */

#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/usb.h>
#include <unplug/device.h>
#include <unplug/wait.h>

#define PAD_IOC_IDLE	_IOR('p', 0x00, u8)
#define PAD_GET_IDLE	0x02
#define PAD_REPORT_MAX	64

struct pad {
	struct unplug_dev dev;
	struct usb_device *udev;		/* in hardware sections */
	struct urb *urb;
	u8 *buffer;
	wait_queue_head_t wait;
	spinlock_t lock;			/* the fields below */
	int length;
	u8 report[PAD_REPORT_MAX];
};

static int pad_open(struct inode *inode, struct file *file)
{
	file->private_data = container_of(unplug_dev_from_file(file), struct pad, dev);
	return nonseekable_open(inode, file);
}

static ssize_t pad_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct pad *pad = file->private_data;
	u8 report[PAD_REPORT_MAX];
	int err = 0;

	spin_lock_irq(&pad->lock);
	if (!(file->f_flags & O_NONBLOCK))
		err = unplug_wait_event_interruptible_lock_irq(&pad->dev, pad->wait, pad->length,
							       pad->lock);
	else if (!pad->length)
		err = -EAGAIN;
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
	return READ_ONCE(pad->length) ? EPOLLIN | EPOLLRDNORM : 0;
}

static long pad_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct pad *pad = file->private_data;
	int err;
	u8 idle;

	if (cmd != PAD_IOC_IDLE)
		return -ENOTTY;
	if (!unplug_dev_hw_enter(&pad->dev))
		return -ENODEV;
	err = usb_control_msg_recv(pad->udev, 0, PAD_GET_IDLE,
				   USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE,
				   0, 0, &idle, 1, 1000, GFP_KERNEL);
	unplug_dev_hw_exit(&pad->dev);
	if (err)
		return err;
	return put_user(idle, (u8 __user *)arg);
}

static const struct file_operations pad_fops = {
	.owner = THIS_MODULE,
	.open = pad_open,
	.read = pad_read,
	.poll = pad_poll,
	.unlocked_ioctl = pad_ioctl,
};

static const struct unplug_driver pad_unplug = {
	.owner = THIS_MODULE,
	.name = "pad",
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

/* The URB that is always under way; undone by pad_put_urb(). */
static int pad_get_urb(struct pad *pad, struct usb_interface *interface)
{
	struct usb_endpoint_descriptor *in;
	int err;

	pad->udev = usb_get_dev(interface_to_usbdev(interface));
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

/* Nobody but the URB itself uses these: no need to wait for gone. */
static void pad_put_urb(struct pad *pad)
{
	usb_kill_urb(pad->urb);
	usb_free_urb(pad->urb);
	kfree(pad->buffer);
	usb_put_dev(pad->udev);
}

static int pad_probe(struct usb_interface *interface, const struct usb_device_id *id)
{
	struct pad *pad;
	int err;

	pad = unplug_dev_alloc(&pad_unplug, &interface->dev, struct pad, dev);
	if (IS_ERR(pad))
		return PTR_ERR(pad);
	spin_lock_init(&pad->lock);
	init_waitqueue_head(&pad->wait);
	err = pad_get_urb(pad, interface);
	if (err)
		goto put;
	usb_set_intfdata(interface, pad);
	err = unplug_dev_register(&pad->dev, "pad-%s", dev_name(&interface->dev));
	if (!err)
		return 0;

put:
	pad_put_urb(pad);
	unplug_dev_put(&pad->dev);
	return err;
}

static void pad_disconnect(struct usb_interface *interface)
{
	struct pad *pad = usb_get_intfdata(interface);

	unplug_dev_unplug(&pad->dev);
	pad_put_urb(pad);
	unplug_dev_put(&pad->dev);
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
