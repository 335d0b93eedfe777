// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory of a device that is mapped through a file which is not the device's: a dma-buf */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096
#define NODE "/dev/unplug-export"
#define PULL "/sys/module/unplug_export/parameters/pull"

/* The memory of card 1, filled with 0x5c */
static int export_open(void)
{
	char arguments[80];

	card_fill(1, 0x5c);
	snprintf(arguments, sizeof(arguments), "start=%#lx size=%d adopt=%d", card_address(1),
		 CARD_SIZE, !driver->textbook);
	expect_equal("errno of loading unplug-export", module_load("unplug-export", arguments), 0);
	return expect_works(NODE, open(NODE, O_RDWR | O_CLOEXEC));
}

static uint8_t *export_map(int buf)
{
	uint8_t *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);
	uint8_t value;

	expect_works("mmap of the dma-buf", map == MAP_FAILED ? -1 : 0);
	expect_equal("signal, live", touch_read(map, &value), 0);
	expect_equal("live", value, 0x5c);
	return map;
}

CASE(export_after, .name = "export-after",
     .promise = "K3: a mapping of a dma-buf of device memory is revoked with the device",
     .naive = "absent: it exports nothing", .textbook = "stale-map", .hole = "j")
{
	int fd = export_open(), buf = expect_works("export", ioctl(fd, 0));
	uint8_t *map = export_map(buf);

	module_pull(PULL);
	expect_signal_bus("a page that was touched", map);
	expect_signal_bus("one that was not", map + PAGE);
	expect_errno("a new mapping",
		     mmap(NULL, PAGE, PROT_READ, MAP_SHARED, buf, 0) == MAP_FAILED ? -1 : 0,
		     ENODEV);
	/* The buffer pins the driver, and the mapping the buffer. */
	close(fd);
	close(buf);
	expect_equal("errno of an early unload", module_unload("unplug-export"), EWOULDBLOCK);
	munmap(map, 2 * PAGE);
	expect_equal("errno of unloading", module_unload_soon("unplug-export"), 0);
}
