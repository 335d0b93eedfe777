// SPDX-License-Identifier: GPL-2.0-or-later
#define _LGPL_SOURCE
#define PEER_REGISTERS
#define PEER peer_urcu_memb
#define PEER_NAME "urcu-memb"
#include "peer-urcu.h"
