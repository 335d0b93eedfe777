// SPDX-License-Identifier: GPL-2.0-only
/*
 * Screens as the firmware leaves them: a picture in memory, of 640x480, for simpledrm. One
 * device for each address. Its name is not that of the kernel's own ("simple-framebuffer"),
 * as Debian's kernel has another driver for these built in.
 */

#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_data/simplefb.h>
#include <linux/platform_device.h>

#define WIDTH 640
#define HEIGHT 480
#define STRIDE (WIDTH * 4)

static unsigned long base[4];
static int bases;
module_param_array(base, ulong, &bases, 0);
MODULE_PARM_DESC(base, "where the pictures lie: physical addresses of memory that nobody uses");

static struct platform_device *screens[ARRAY_SIZE(base)];

static struct platform_device *screen_add(int i)
{
	const struct simplefb_platform_data picture = {
		.width = WIDTH,
		.height = HEIGHT,
		.stride = STRIDE,
		.format = "x8r8g8b8",
	};
	const struct resource memory = {
		.start = base[i],
		.end = base[i] + STRIDE * HEIGHT - 1,
		.flags = IORESOURCE_MEM,
	};

	return platform_device_register_resndata(NULL, "unplug-framebuffer", i, &memory, 1,
						 &picture, sizeof(picture));
}

static void screens_remove(void)
{
	int i;

	for (i = 0; i < bases; i++)
		if (!IS_ERR_OR_NULL(screens[i]))
			platform_device_unregister(screens[i]);
}

static int __init screen_init(void)
{
	int i;

	for (i = 0; i < bases; i++) {
		screens[i] = screen_add(i);
		if (IS_ERR(screens[i])) {
			screens_remove();
			return PTR_ERR(screens[i]);
		}
	}
	return 0;
}
module_init(screen_init);

static void __exit screen_exit(void)
{
	screens_remove();
}
module_exit(screen_exit);

MODULE_DESCRIPTION("Screens of the firmware's, for tests");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
