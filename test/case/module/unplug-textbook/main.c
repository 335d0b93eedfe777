// SPDX-License-Identifier: GPL-2.0-only
/* The devices of both kinds, and the node that controls them; see textbook.h */

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "textbook.h"

static const struct textbook_kind *const kinds[] = {
	&textbook_rwsem,
	&textbook_gate,
};

/* From init to exit */
static struct textbook *cards[ARRAY_SIZE(kinds) * TEXTBOOK_EACH];

static ssize_t control_read(struct file *file, char __user *to, size_t count,
			    loff_t *pos)
{
	char *text;
	ssize_t n;

	text = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	n = textbook_visit_print(text, PAGE_SIZE);
	n = simple_read_from_buffer(to, count, pos, text, n);
	kfree(text);
	return n;
}

static ssize_t control_write(struct file *file, const char __user *from,
			     size_t count, loff_t *pos)
{
	char name[TEXTBOOK_NAME] = "";
	unsigned int i;
	int err;

	if (count >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, from, count))
		return -EFAULT;
	for (i = 0; i < ARRAY_SIZE(cards); i++) {
		if (!sysfs_streq(name, cards[i]->name))
			continue;
		err = cards[i]->kind->unplug(cards[i]);
		return err ?: count;
	}
	return -EINVAL;
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.read = control_read,
	.write = control_write,
	.llseek = default_llseek,
};

static struct miscdevice control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "textbook-control",
	.fops = &control_fops,
};

static void unmake_cards(unsigned int n)
{
	while (n--)
		cards[n]->kind->unmake(cards[n]);
}

static int __init textbook_module_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(cards); i++) {
		cards[i] = kinds[i / TEXTBOOK_EACH]->make(i % TEXTBOOK_EACH);
		if (IS_ERR(cards[i])) {
			err = PTR_ERR(cards[i]);
			goto unmake;
		}
	}
	err = misc_register(&control);
	if (err)
		goto unmake;
	return 0;

unmake:
	unmake_cards(i);
	return err;
}

static void __exit textbook_module_exit(void)
{
	misc_deregister(&control);
	unmake_cards(ARRAY_SIZE(cards));
}

module_init(textbook_module_init);
module_exit(textbook_module_exit);
MODULE_DESCRIPTION("A device guarded as in a textbook, and by the gate, for the tests of unplug");
MODULE_LICENSE("GPL");
