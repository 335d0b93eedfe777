// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where each processor stood when a guest was given up: still.log
 *
 * And whether one stands as no kernel would have it, so that the emulator must have lost what
 * the kernel told its interrupt controller. Linux does not halt within an interrupt; and when it
 * halts, its one-shot timer runs, has just rung, or is masked. README.md tells how that happens.
 */

#include "agent.h"

#include <stdlib.h>
#include <string.h>

/* The line of @text that begins with @word, up to its end; or "" */
static const char *line_of(const char *text, const char *word, char line[256])
{
	const char *at = text;
	size_t n = strlen(word);

	line[0] = '\0';
	while (at && strncmp(at, word, n) != 0) {
		at = strchr(at, '\n');
		if (at)
			at++;
	}
	if (at)
		snprintf(line, 256, "%.*s", (int)strcspn(at, "\r\n"), at);
	return line;
}

static bool has(const char *text, const char *word, const char *part)
{
	char line[256];

	return strstr(line_of(text, word, line), part);
}

/* NULL: nothing is wrong with it, as far as that can be told. */
const char *still_judge(const char *registers, const char *lapic)
{
	if (!strstr(registers, "HLT=1") || !strstr(lapic, "ISR"))
		return NULL;
	if (!has(lapic, "ISR", "(none)"))
		return "halts within an interrupt";
	if (has(lapic, "LVTT\t", "one-shot") && !has(lapic, "LVTT\t", "masked") &&
	    has(lapic, "Timer", "current_count = 0") && has(lapic, "IRR", "(none)"))
		return "halts, and its timer was not set again";
	return NULL;
}

static char *ask(struct vm *vm, FILE *file, const char *what, int cpu)
{
	char *text = qmp_text(vm, "{\"execute\":\"human-monitor-command\",\"arguments\":"
			      "{\"command-line\":\"%s\",\"cpu-index\":%d}}\n", what, cpu);

	fprintf(file, "# processor %d: %s\n%s", cpu, what, text ?: "no answer\n");
	return text;
}

/* Return: did the monitor answer? */
static bool processor_save(struct vm *vm, FILE *file, int cpu)
{
	char *registers = ask(vm, file, "info registers", cpu), *lapic = NULL;
	const char *wrong = NULL;

	if (registers)
		lapic = ask(vm, file, "info lapic", cpu);
	if (lapic)
		wrong = still_judge(registers, lapic);
	if (wrong && !vm->lost[0])
		snprintf(vm->lost, sizeof(vm->lost), "processor %d %s", cpu, wrong);
	free(registers);
	free(lapic);
	return lapic;
}

void still_save(struct vm *vm)
{
	int cpus = vm->config->icount ? 1 : vm->config->smp, cpu;
	char path[4096], error[HOST_LINE];
	FILE *file;

	snprintf(path, sizeof(path), "%s/still.log", vm->config->out);
	file = fopen(path, "we");
	if (!file) {
		say("cannot write %s", path);
		return;
	}
	/* All at the same time. One that does not answer would not answer for the others either. */
	qmp_run(vm, error, "{\"execute\":\"stop\"}\n");
	for (cpu = 0; cpu < cpus && processor_save(vm, file, cpu); cpu++)
		;
	qmp_run(vm, error, "{\"execute\":\"cont\"}\n");
	fclose(file);
}
