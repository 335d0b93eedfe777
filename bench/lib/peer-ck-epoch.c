// SPDX-License-Identifier: GPL-2.0-or-later
/* ck_epoch of Concurrency Kit: one for all gates, and a flag for each */
#include "peer.h"

#include <ck_epoch.h>

static ck_epoch_t epoch;
static ck_epoch_record_t *records;
static __thread ck_epoch_record_t *record;
static struct flag *flags;

static int init(unsigned int gates)
{
	flags = peer_array(gates, sizeof(*flags));
	records = peer_array(THREADS_MAX, sizeof(*records));
	ck_epoch_init(&epoch);
	return 0;
}

/* Records are used again, as threads are in turn what reads. */
static void thread_begin(unsigned int number)
{
	record = ck_epoch_recycle(&epoch, NULL);
	if (record)
		return;
	record = &records[number];
	ck_epoch_register(&epoch, record, NULL);
}

static void thread_end(void)
{
	ck_epoch_unregister(record);
}

static inline void put(unsigned int gate)
{
	(void)gate;
	ck_epoch_end(record, NULL);
}

static inline bool get(unsigned int gate)
{
	ck_epoch_begin(record, NULL);
	if (!flag_get(&flags[gate]))
		return true;
	ck_epoch_end(record, NULL);
	return false;
}

PEER_PAIRS(get, put)

static void gate_shut(unsigned int gate)
{
	flag_set(&flags[gate], true);
	ck_epoch_synchronize(record);
}

static void gate_open(unsigned int gate)
{
	flag_set(&flags[gate], false);
}

const struct peer peer_ck_epoch = {
	.name = "ck_epoch", .init = init, .thread_begin = thread_begin, .thread_end = thread_end,
	.pairs = pairs, .get = get, .put = put, .shut = gate_shut, .open = gate_open,
	.bytes = 1,
};
