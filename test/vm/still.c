// SPDX-License-Identifier: GPL-2.0-or-later
/* Where each processor stood when a guest was given up: still.log */

#include "agent.h"

static int ask(struct vm *vm, FILE *file, const char *what, int cpu)
{
	fprintf(file, "# processor %d: %s\n", cpu, what);
	return qmp_say(vm, file, "{\"execute\":\"human-monitor-command\",\"arguments\":"
		       "{\"command-line\":\"%s\",\"cpu-index\":%d}}\n", what, cpu);
}

void still_save(struct vm *vm)
{
	int cpus = vm->config->icount ? 1 : vm->config->smp, cpu;
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/still.log", vm->config->out);
	file = fopen(path, "we");
	if (!file) {
		say("cannot write %s", path);
		return;
	}
	/* One that does not answer would not answer for the others either. */
	for (cpu = 0; cpu < cpus; cpu++)
		if (ask(vm, file, "info registers", cpu) || ask(vm, file, "info lapic", cpu))
			break;
	fclose(file);
}
