// SPDX-License-Identifier: GPL-2.0-only
/* A misc device: counts the ticks since it was started by a write. On platform devices. */

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <unplug/device.h>

struct ticker {
	struct unplug_dev dev;
	struct delayed_work work;
	atomic_t ticks;
};

static void ticker_tick(struct work_struct *work)
{
	struct ticker *ticker = container_of(work, struct ticker, work.work);

	atomic_inc(&ticker->ticks);
	schedule_delayed_work(&ticker->work, msecs_to_jiffies(10));
}

static struct ticker *ticker_from_file(struct file *file)
{
	return container_of(unplug_dev_from_file(file), struct ticker, dev);
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

	if (!unplug_dev_hw_enter(&ticker->dev))
		return -ENODEV;
	atomic_set(&ticker->ticks, 0);
	mod_delayed_work(system_wq, &ticker->work, 0);
	unplug_dev_hw_exit(&ticker->dev);
	return count;
}

static const struct file_operations ticker_fops = {
	.owner = THIS_MODULE,
	.read = ticker_read,
	.write = ticker_write,
	.llseek = default_llseek,
};

static const struct unplug_driver ticker_unplug = {
	.owner = THIS_MODULE,
	.name = "ticker",
	.fops = &ticker_fops,
};

static int ticker_probe(struct platform_device *pdev)
{
	struct ticker *ticker;
	int err;

	ticker = unplug_dev_alloc(&ticker_unplug, &pdev->dev, struct ticker, dev);
	if (IS_ERR(ticker))
		return PTR_ERR(ticker);
	INIT_DELAYED_WORK(&ticker->work, ticker_tick);
	platform_set_drvdata(pdev, ticker);

	err = unplug_dev_register(&ticker->dev, "ticker");
	if (err)
		unplug_dev_put(&ticker->dev);
	return err;
}

static void ticker_remove(struct platform_device *pdev)
{
	struct ticker *ticker = platform_get_drvdata(pdev);

	unplug_dev_unplug(&ticker->dev);
	cancel_delayed_work_sync(&ticker->work);
	unplug_dev_put(&ticker->dev);
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
