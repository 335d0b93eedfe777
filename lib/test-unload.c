// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Code that entered and left a gate is unloaded: the kernel, which looks at the
 * descriptor of a sequence when it delivers a signal, must not find it gone.
 * Promises: U2
 */

#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <libunplug/gate.h>

static char *plugin;

static void on_signal(int number)
{
	(void)number;
}

/* 0, or what went wrong */
static int visit_unload(struct unplug_gate *gate, int expect, int stale)
{
	void *handle = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
	int (*visit)(struct unplug_gate *gate);
	void (*leave_stale)(void);

	if (!handle)
		return 1;
	visit = (int (*)(struct unplug_gate *))dlsym(handle, "plugin_visit");
	leave_stale = (void (*)(void))dlsym(handle, "plugin_leave_stale");
	if (!visit || !leave_stale || visit(gate) != expect)
		return 2;
	if (stale)
		leave_stale();
	if (dlclose(handle) || dlopen(plugin, RTLD_NOW | RTLD_NOLOAD))
		return 3;
	return raise(SIGUSR1) ? 4 : 0;
}

/* In a child, which may die of it */
static int child_status(struct unplug_gate *gate, int expect, int stale)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		signal(SIGUSR1, on_signal);
		signal(SIGSEGV, SIG_DFL);
		_exit(visit_unload(gate, expect, stale));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void unload_entered(void **state)
{
	assert_int_equal(child_status(*state, 1, 0), 0);
}

static void unload_refused(void **state)
{
	assert_int_equal(unplug_gate_shut(*state), 0);
	assert_int_equal(child_status(*state, 0, 0), 0);
	assert_int_equal(unplug_gate_thaw(*state), 0);
}

/* That this would be found */
static void unload_stale(void **state)
{
	struct unplug_gate *gate = *state;
	int status = child_status(gate, 1, 1);

	if (!gate->cpus) {
		assert_int_equal(status, 0);
		return;
	}
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static int unload_setup(void **state)
{
	static struct unplug_gate gate;

	*state = &gate;
	if (unplug_gate_init(&gate, NULL))
		return -1;
	unplug_gate_open(&gate);
	return 0;
}

static int unload_teardown(void **state)
{
	if (unplug_gate_shut(*state))
		return -1;
	unplug_gate_destroy(*state);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unload_entered),
		cmocka_unit_test(unload_refused),
		cmocka_unit_test(unload_stale),
	};
	const char *slash = strrchr(argv[0], '/');

	(void)argc;
	/* Beside this program */
	if (!slash || asprintf(&plugin, "%.*s/test-unload-plugin.so",
			       (int)(slash - argv[0]), argv[0]) < 0)
		return 2;
	return cmocka_run_group_tests_name("unload", tests, unload_setup,
					   unload_teardown);
}
