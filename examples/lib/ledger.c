// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See ledger.h. Its way with a loss: a recovery point.
 */

#include "ledger.h"

#include <libunplug/sigbus.h>
#include <stdlib.h>
#include <sys/mman.h>

struct ledger {
	const volatile unsigned char *mem;
	size_t size;
	struct unplug_sigbus *guard;
};

struct ledger *ledger_open(int fd, size_t size)
{
	struct unplug_sigbus_attr attr = { .policy = UNPLUG_SIGBUS_JUMP };
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return NULL;
	ledger->size = size;
	ledger->mem = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (ledger->mem == MAP_FAILED) {
		free(ledger);
		return NULL;
	}
	if (unplug_sigbus_register(&ledger->guard, (void *)ledger->mem, size, &attr) < 0) {
		munmap((void *)ledger->mem, size);
		free(ledger);
		return NULL;
	}
	return ledger;
}

/* First the guard, then the memory that it guards */
void ledger_close(struct ledger *ledger)
{
	unplug_sigbus_unregister(ledger->guard);
	munmap((void *)ledger->mem, ledger->size);
	free(ledger);
}

static long add_up(const volatile unsigned char *mem, size_t size)
{
	long sum = 0;

	while (size)
		sum += mem[--size];
	return sum;
}

/* Nothing that add_up() has is left behind when it is left by a jump. */
long ledger_sum(struct ledger *ledger)
{
	struct unplug_sigbus_point point;
	volatile long sum = -1;

	if (unplug_sigbus_try(&point, ledger->guard)) {
		sum = add_up(ledger->mem, ledger->size);
		unplug_sigbus_end(&point);
	}
	return sum;
}
