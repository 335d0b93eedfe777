// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmarks' module: see bench.h, and bench/README.md for what the figures
 * mean. It is loaded in the virtual machine of make bench, never elsewhere.
 */

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include "bench.h"

/* Large enough at once: seq_file would otherwise begin again, and measure twice. */
#define SAMPLES_SIZE SZ_1M

static int bench_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, inode->i_private, NULL, SAMPLES_SIZE);
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.open = bench_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static const struct {
	const char *name;
	int (*show)(struct seq_file *seq, void *data);
} bench_files[] = {
	{ "price", price_show },
	{ "text", price_text_show },
	{ "pull", pull_show },
	{ "memory", memory_show },
	{ "many", many_show },
};

static struct dentry *bench_dir;

static int __init bench_init(void)
{
	int err, i;

	err = price_init();
	if (err)
		return err;
	err = node_init();
	if (err)
		goto price;
	err = revoke_init();
	if (err)
		goto node;
	bench_dir = debugfs_create_dir("unplug-bench", NULL);
	for (i = 0; i < ARRAY_SIZE(bench_files); i++)
		debugfs_create_file(bench_files[i].name, 0400, bench_dir,
				    bench_files[i].show, &bench_fops);
	return 0;
node:
	node_exit();
price:
	price_exit();
	return err;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	debugfs_remove(bench_dir);
	revoke_exit();
	node_exit();
	price_exit();
}
module_exit(bench_exit);

MODULE_DESCRIPTION("Benchmarks of the unplug gate");
MODULE_AUTHOR("The unplug authors");
MODULE_LICENSE("GPL");
