// SPDX-License-Identifier: GPL-2.0-only
/* A misc device: counts the ticks since it was started by a write. On platform devices. */

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

struct ticker {
	struct miscdevice misc;
	struct delayed_work work;
	atomic_t ticks;
};

static void ticker_tick(struct work_struct *work)
{
	struct ticker *ticker = container_of(work, struct ticker, work.work);

	atomic_inc(&ticker->ticks);
	schedule_delayed_work(&ticker->work, msecs_to_jiffies(10));
}

/* misc_open() has left the miscdevice here. */
static struct ticker *ticker_from_file(struct file *file)
{
	return container_of(file->private_data, struct ticker, misc);
}

static ssize_t ticker_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct ticker *ticker = ticker_from_file(file);
	char text[16];
	int length;

	length = scnprintf(text, sizeof(text), "%d\n", atomic_read(&ticker->ticks));
	return simple_read_from_buffer(to, count, pos, text, length);
}

static ssize_t ticker_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	struct ticker *ticker = ticker_from_file(file);

	atomic_set(&ticker->ticks, 0);
	mod_delayed_work(system_wq, &ticker->work, 0);
	return count;
}

static const struct file_operations ticker_fops = {
	.owner = THIS_MODULE,
	.read = ticker_read,
	.write = ticker_write,
	.llseek = default_llseek,
};

static int ticker_probe(struct platform_device *pdev)
{
	struct ticker *ticker;

	ticker = devm_kzalloc(&pdev->dev, sizeof(*ticker), GFP_KERNEL);
	if (!ticker)
		return -ENOMEM;
	INIT_DELAYED_WORK(&ticker->work, ticker_tick);
	platform_set_drvdata(pdev, ticker);

	ticker->misc.minor = MISC_DYNAMIC_MINOR;
	ticker->misc.name = "ticker";
	ticker->misc.fops = &ticker_fops;
	ticker->misc.parent = &pdev->dev;
	return misc_register(&ticker->misc);
}

static void ticker_remove(struct platform_device *pdev)
{
	struct ticker *ticker = platform_get_drvdata(pdev);

	misc_deregister(&ticker->misc);
	cancel_delayed_work_sync(&ticker->work);
}

static struct platform_driver ticker_driver = {
	.probe = ticker_probe,
	.remove_new = ticker_remove,
	.driver.name = "ticker",
};

static struct platform_device *ticker_pdev;

static int __init ticker_init(void)
{
	int err;

	err = platform_driver_register(&ticker_driver);
	if (err)
		return err;
	ticker_pdev = platform_device_register_simple("ticker", 0, NULL, 0);
	err = PTR_ERR_OR_ZERO(ticker_pdev);
	if (err)
		platform_driver_unregister(&ticker_driver);
	return err;
}

static void __exit ticker_exit(void)
{
	platform_device_unregister(ticker_pdev);
	platform_driver_unregister(&ticker_driver);
}

module_init(ticker_init);
module_exit(ticker_exit);
MODULE_DESCRIPTION("A ticker");
MODULE_LICENSE("GPL");
