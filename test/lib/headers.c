// SPDX-License-Identifier: GPL-2.0-or-later
/* What the headers are compiled in: C11, nothing of GNU's, every warning */
#include <libunplug/device.h>
#include <libunplug/gate.h>
#include <libunplug/registry.h>
#include <libunplug/shmem.h>
#include <libunplug/sigbus.h>

int both(struct unplug_dev *dev);

int both(struct unplug_dev *dev)
{
	if (!unplug_dev_get_active(dev))
		return unplug_dev_error(dev);
	unplug_dev_put_active(dev);
	return 0;
}

int tried(struct unplug_sigbus *guard, const volatile unsigned char *mem);

int tried(struct unplug_sigbus *guard, const volatile unsigned char *mem)
{
	struct unplug_sigbus_point point;
	int byte;

	if (unplug_sigbus_try(&point, guard)) {
		byte = *mem;
		unplug_sigbus_end(&point);
		return byte;
	}
	return -1;
}
