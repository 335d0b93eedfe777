// SPDX-License-Identifier: GPL-2.0-or-later
/* A thread uses something until it is taken away; when that is done, it is not in use. */
#include <libunplug/gate.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static struct unplug_gate gate;
static atomic_ulong uses;

static void *user(void *data)
{
	while (unplug_gate_get_active(&gate)) {
		uses++; /* here it does not go away */
		unplug_gate_put_active(&gate);
	}
	return data;
}

int main(void)
{
	unsigned long last;
	pthread_t thread;

	if (unplug_gate_init(&gate, NULL))
		return 1;
	unplug_gate_open(&gate);
	if (pthread_create(&thread, NULL, user, NULL))
		return 1;
	while (uses < 1000)
		;
	if (unplug_gate_shut(&gate) || unplug_gate_wait_drained(&gate, -1))
		return 1;
	last = uses; /* nobody is inside, and nobody will be */
	pthread_join(thread, NULL);
	printf("used %lu times before, %lu times after\n", last, uses - last);
	unplug_gate_destroy(&gate);
	return uses != last;
}
