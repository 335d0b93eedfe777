// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What protects nothing: no gate at all; a flag that is looked at, which is the least that
 * anybody can do; and two calls into a shared library that do nothing but that.
 */
#include "peer.h"
#include "shared.h"

static struct flag *flags;

static int init(unsigned int gates)
{
	flags = peer_array(gates, sizeof(*flags));
	return 0;
}

static inline bool none_get(unsigned int gate)
{
	(void)gate;
	return true;
}

static inline void none_put(unsigned int gate)
{
	(void)gate;
}

static inline bool get(unsigned int gate)
{
	return !flag_get(&flags[gate]);
}

static inline bool call_get(unsigned int gate)
{
	return shared_get(&flags[gate]);
}

static inline void call_put(unsigned int gate)
{
	shared_put(&flags[gate]);
}

#define pairs none_pairs
PEER_PAIRS(none_get, none_put)
#undef pairs
#define pairs call_pairs
PEER_PAIRS(call_get, call_put)
#undef pairs
PEER_PAIRS(get, none_put)

const struct peer peer_none = {
	.name = "none", .init = init, .pairs = none_pairs, .get = none_get, .put = none_put,
};

const struct peer peer_flag = {
	.name = "flag", .init = init, .pairs = pairs, .get = get, .put = none_put,
	.bytes = 1,
};

const struct peer peer_call = {
	.name = "flag-call", .init = init, .pairs = call_pairs, .get = call_get, .put = call_put,
	.bytes = 1,
};
