// SPDX-License-Identifier: GPL-2.0-or-later
/* What a run ends with: the file "verdict" and the exit status */

#include "agent.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

static const char *const end_names[] = {
	[END_NONE] = "none",
	[END_EXIT] = "exit",
	[END_CRASH] = "crash",
	[END_TIMEOUT] = "timeout",
	[END_NO_BOOT] = "no-boot",
	[END_VANISHED] = "vanished",
	[END_EMULATOR] = "emulator",
	[END_INTERRUPTED] = "interrupted",
};

const char *end_name(enum end end)
{
	return end_names[end];
}

int verdict_write(const struct vm *vm)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/verdict", vm->config->out);
	f = fopen(path, "we");
	if (!f) {
		say("cannot write %s: %s", path, strerror(errno));
		return -1;
	}
	fprintf(f, "end: %s\n", end_name(vm->end));
	if (vm->end == END_EXIT)
		fprintf(f, "status: %d\n", vm->status);
	fprintf(f, "kernel: %s\n", vm->klog.verdict[0] ? vm->klog.verdict : "clean");
	fprintf(f, "left: %s\n", vm->left[0] ? vm->left : "none");
	fprintf(f, "stuck: %s\n", vm->stuck[0] ? vm->stuck : "none");
	if (vm->lost[0])
		fprintf(f, "lost: %s\n", vm->lost);
	if (WIFSIGNALED(vm->emulator))
		fprintf(f, "qemu: signal %d\n", WTERMSIG(vm->emulator));
	else
		fprintf(f, "qemu: exit %d\n", WEXITSTATUS(vm->emulator));
	fprintf(f, "boot-seconds: %.1f\n", vm->boot_seconds);
	fprintf(f, "accel: %s\n", vm->config->accel);
	return fclose(f);
}

int verdict_exit(const struct vm *vm)
{
	switch (vm->end) {
	case END_EXIT:
		if (vm->status)
			return vm->status;
		if (!vm->klog.verdict[0] && !vm->left[0] && !vm->stuck[0])
			return 0;
		say("the program was content, but: kernel: %s; left: %s; stuck: %s",
		    vm->klog.verdict[0] ? vm->klog.verdict : "clean",
		    vm->left[0] ? vm->left : "none", vm->stuck[0] ? vm->stuck : "none");
		return EXIT_UNCLEAN;
	case END_CRASH:
		say("the guest crashed: %s", vm->klog.verdict);
		return EXIT_CRASH;
	case END_TIMEOUT:
		say("timeout: the program did not end within %.0f s; kernel: %s",
		    vm->config->units * unit_seconds(vm),
		    vm->klog.verdict[0] ? vm->klog.verdict : "clean");
		return EXIT_TIMEOUT;
	case END_NO_BOOT:
		say("the guest did not boot: see kernel.log and qemu.log in %s", vm->config->out);
		return EXIT_NO_BOOT;
	case END_INTERRUPTED:
		return 130;
	case END_EMULATOR:
		say("QEMU itself ended by signal %d: see qemu.log in %s", WTERMSIG(vm->emulator),
		    vm->config->out);
		return EXIT_EMULATOR;
	default:
		say("the guest went away without a status: see the logs in %s", vm->config->out);
		return EXIT_VANISHED;
	}
}
