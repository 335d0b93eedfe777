// SPDX-License-Identifier: GPL-2.0-only
/* examples/mydriver, built with the modules of this tree */

#include "../../../examples/mydriver/mydriver.c"
