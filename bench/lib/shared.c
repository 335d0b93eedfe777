// SPDX-License-Identifier: GPL-2.0-or-later
#include "shared.h"

bool shared_get(const struct flag *flag)
{
	return !flag_get(flag);
}

void shared_put(const struct flag *flag)
{
	(void)flag;
}
