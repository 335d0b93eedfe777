// SPDX-License-Identifier: GPL-2.0-only
/*
 * The board that drivers of the kernel tree are tried on, with what they want to find
 * there: a device of Dell's free fall sensor with an interrupt, and one of Wilco's
 * telemetry with a mailbox. The drivers do not know that there is nothing behind it.
 *
 *	echo 1 >/sys/module/unplug_board/parameters/fall	interrupts once
 *	cat /sys/module/unplug_board/parameters/mails		mails that reached the mailbox
 */

#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/module.h>
#include <linux/platform_data/wilco-ec.h>
#include <linux/platform_device.h>

static int irq;
static struct platform_device *sensor, *telemetry;

static atomic_t mails;
module_param_named(mails, mails.counter, int, 0444);

/*
 * What the telemetry driver calls instead of wilco_ec_mailbox(): both are compiled with one
 * name for the other, the declaration in the header included. Answers zeroes.
 */
int board_mailbox(struct wilco_ec_device *ec, struct wilco_ec_message *msg)
{
	atomic_inc(&mails);
	memset(msg->response_data, 0, msg->response_size);
	return msg->response_size;
}
EXPORT_SYMBOL_GPL(board_mailbox);

static int fall_set(const char *value, const struct kernel_param *param)
{
	return generic_handle_irq_safe(irq);
}

static const struct kernel_param_ops fall_ops = {
	.set = fall_set,
};
module_param_cb(fall, &fall_ops, NULL, 0200);

static int __init board_init(void)
{
	/* Telemetry wants a pointer; board_mailbox() does not look at it. */
	struct wilco_ec_device *ec = NULL;
	struct resource resource;
	int err;

	irq = irq_alloc_desc(NUMA_NO_NODE);
	if (irq < 0)
		return irq;
	irq_set_chip_and_handler(irq, &dummy_irq_chip, handle_simple_irq);
	resource = (struct resource)DEFINE_RES_IRQ(irq);

	sensor = platform_device_register_simple("smo8800", PLATFORM_DEVID_NONE,
						 &resource, 1);
	err = PTR_ERR_OR_ZERO(sensor);
	if (err)
		goto free_irq;
	telemetry = platform_device_register_data(NULL, "wilco_telem",
						  PLATFORM_DEVID_NONE, &ec,
						  sizeof(ec));
	err = PTR_ERR_OR_ZERO(telemetry);
	if (err)
		goto unregister;
	return 0;

unregister:
	platform_device_unregister(sensor);
free_irq:
	irq_free_desc(irq);
	return err;
}

static void __exit board_exit(void)
{
	platform_device_unregister(telemetry);
	platform_device_unregister(sensor);
	irq_free_desc(irq);
}

module_init(board_init);
module_exit(board_exit);
MODULE_DESCRIPTION("A board with devices for drivers of the kernel tree");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
