// SPDX-License-Identifier: GPL-2.0-or-later
/* What the headers are compiled in: C11, nothing of GNU's, every warning */
#include <libunplug/device.h>
#include <libunplug/gate.h>
#include <libunplug/registry.h>

int both(struct unplug_dev *dev);

int both(struct unplug_dev *dev)
{
	if (!unplug_dev_get_active(dev))
		return unplug_dev_error(dev);
	unplug_dev_put_active(dev);
	return 0;
}
