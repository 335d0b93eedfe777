// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers.h"

#include <stdio.h>
#include <string.h>

const struct peer *const peers[] = {
	&peer_none, &peer_flag, &peer_bare, &peer_call, &peer_unplug,
	&peer_unplug_pic, &peer_urcu_memb, &peer_urcu_memb_call, &peer_qsbr, &peer_ck_epoch, &peer_ck_brlock,
	&peer_ck_bytelock, &peer_atomic, &peer_rwlock,
};

const unsigned int peers_n = sizeof(peers) / sizeof(peers[0]);

void *peer_array(size_t n, size_t size)
{
	size_t bytes = (n * size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	void *array = aligned_alloc(CACHE_LINE, bytes);

	if (!array) {
		fprintf(stderr, "%s: no memory: %zu bytes\n", program_invocation_short_name, bytes);
		exit(1);
	}
	return memset(array, 0, bytes);
}

void peers_init(unsigned int gates)
{
	unsigned int i;

	for (i = 0; i < peers_n; i++) {
		if (!peers[i]->init(gates))
			continue;
		fprintf(stderr, "%s: %s cannot be had here\n", program_invocation_short_name,
			peers[i]->name);
		exit(1);
	}
}

void peers_thread_begin(unsigned int number)
{
	unsigned int i;

	for (i = 0; i < peers_n; i++)
		if (peers[i]->thread_begin)
			peers[i]->thread_begin(number);
}

void peers_thread_end(void)
{
	unsigned int i;

	for (i = 0; i < peers_n; i++)
		if (peers[i]->thread_end)
			peers[i]->thread_end();
}
