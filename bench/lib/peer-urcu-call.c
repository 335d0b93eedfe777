// SPDX-License-Identifier: GPL-2.0-or-later
#undef _LGPL_SOURCE
#define PEER peer_urcu_memb_call
#define PEER_NAME "urcu-memb-call"
#include "peer-urcu.h"
