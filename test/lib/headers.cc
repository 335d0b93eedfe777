// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The headers in C++. Linked twice, as two files (MAIN): of an inline function, and of
 * what it has inlined, the linker has to keep one.
 */
#include <libunplug/device.h>
#include <libunplug/gate.h>
#include <libunplug/registry.h>
#include <libunplug/shmem.h>
#include <libunplug/sigbus.h>

int other(unplug_gate *gate);

inline int once(unplug_gate *gate)
{
	if (!unplug_gate_get_active(gate))
		return 1;
	unplug_gate_put_active(gate);
	return 0;
}

inline int peek(const char *mem)
{
	unplug_sigbus_point point;

	if (unplug_sigbus_try(&point, NULL)) {
		int byte = *mem;

		unplug_sigbus_end(&point);
		return byte;
	}
	return -1;
}

static inline int revoked()
{
	unplug_shmem *shmem;

	if (unplug_shmem_create(&shmem, "headers", 1, 0) || peek((char *)unplug_shmem_addr(shmem)) ||
	    unplug_shmem_revoke(shmem, -1, NULL) || !unplug_shmem_lost(shmem))
		return 1;
	unplug_shmem_free(shmem);
	return 0;
}

template <int N> struct times {
	static int visit(unplug_gate *gate)
	{
		int failed = 0;

		for (int i = 0; i < N; i++)
			failed += once(gate);
		return failed;
	}
};

#ifdef MAIN
int main()
{
	unplug_gate gate;
	int failed;

	if (unplug_gate_init(&gate, NULL))
		return 1;
	unplug_gate_open(&gate);
	failed = times<3>::visit(&gate) + other(&gate);
	if (unplug_gate_shut(&gate) || once(&gate) != 1)
		return 1;
	unplug_gate_destroy(&gate);
	return failed + revoked();
}
#else
int other(unplug_gate *gate)
{
	return times<3>::visit(gate) + revoked();
}
#endif
