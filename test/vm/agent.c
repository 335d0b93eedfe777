// SPDX-License-Identifier: GPL-2.0-or-later
/* Command line of the agent, which test/vm/run calls; see agent.h */

#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void say(const char *fmt, ...)
{
	va_list args;

	fputs("vm: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static double number(const char *name, const char *text, double min, double max)
{
	char *end;
	double x = strtod(text, &end);

	if (end == text || *end || x < min || x > max) {
		say("--%s %s: not a number from %g to %g", name, text, min, max);
		exit(2);
	}
	return x;
}

static void entry_add(struct config *config, char letter, const char *text)
{
	char *entry;

	if (config->entries == ENTRIES_MAX || asprintf(&entry, "%c%s", letter, text) < 0) {
		say("too many arguments (at most %d)", ENTRIES_MAX);
		exit(2);
	}
	config->entry[config->entries++] = entry;
}

enum { OPT_KERNEL = 1, OPT_INITRD, OPT_OUT, OPT_ACCEL, OPT_APPEND, OPT_CARDS, OPT_MODELS, OPT_SIZE, OPT_SMP,
       OPT_BOOT, OPT_UNITS, OPT_INTERACTIVE, OPT_PANIC, OPT_KEEP, OPT_ENTRY, OPT_ICOUNT, OPT_SERIAL };

static const struct option options[] = {
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "initrd", required_argument, NULL, OPT_INITRD },
	{ "out", required_argument, NULL, OPT_OUT },
	{ "accel", required_argument, NULL, OPT_ACCEL },
	{ "append", required_argument, NULL, OPT_APPEND },
	{ "cards", required_argument, NULL, OPT_CARDS },
	{ "models", required_argument, NULL, OPT_MODELS },
	{ "card-size", required_argument, NULL, OPT_SIZE },
	{ "smp", required_argument, NULL, OPT_SMP },
	{ "icount", no_argument, NULL, OPT_ICOUNT },
	{ "serial", no_argument, NULL, OPT_SERIAL },
	{ "boot-seconds", required_argument, NULL, OPT_BOOT },
	{ "timeout", required_argument, NULL, OPT_UNITS },
	{ "interactive", no_argument, NULL, OPT_INTERACTIVE },
	{ "panic-on-oops", no_argument, NULL, OPT_PANIC },
	{ "keep-cards", no_argument, NULL, OPT_KEEP },
	{ "entry", required_argument, NULL, OPT_ENTRY },
	{ }
};

static void set_size(struct config *config, const char *text)
{
	config->card_size = number("card-size", text, 4096, 1 << 30);
	/* A PCI BAR is a power of two. */
	if (config->card_size & (config->card_size - 1)) {
		say("--card-size %s: not a power of two", text);
		exit(2);
	}
}

/* Their order is that of the cards; the last one is that of all further cards. */
static void set_models(struct config *config, char *list)
{
	char *model, *state;
	int card = 1;

	for (model = strtok_r(list, ",", &state); model && card <= CARDS_MAX;
	     model = strtok_r(NULL, ",", &state)) {
		if (strspn(model, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(model)) {
			say("--models %s: not a device of QEMU's", model);
			exit(2);
		}
		config->model[card++] = strcmp(model, "ivshmem") == 0 ? "ivshmem-plain" : model;
	}
	for (; card > 1 && card <= CARDS_MAX; card++)
		config->model[card] = config->model[card - 1];
}

static void config_option(struct config *config, int option, char *arg)
{
	switch (option) {
	case OPT_KERNEL: config->kernel = arg; break;
	case OPT_INITRD: config->initrd = arg; break;
	case OPT_OUT: config->out = arg; break;
	case OPT_ACCEL: config->accel = arg; break;
	case OPT_APPEND: config->append = arg; break;
	case OPT_CARDS: config->cards = number("cards", arg, 0, CARDS_MAX); break;
	case OPT_MODELS: set_models(config, arg); break;
	case OPT_SIZE: set_size(config, arg); break;
	case OPT_SMP: config->smp = number("smp", arg, 1, 64); break;
	case OPT_ICOUNT: config->icount = true; break;
	case OPT_SERIAL: config->serial = true; break;
	case OPT_BOOT: config->boot_seconds = number("boot-seconds", arg, 0, 1e6); break;
	case OPT_UNITS: config->units = number("timeout", arg, 0.1, 1e6); break;
	case OPT_INTERACTIVE: config->interactive = true; break;
	case OPT_PANIC: config->panic_on_oops = true; break;
	case OPT_KEEP: config->keep_cards = true; break;
	case OPT_ENTRY: entry_add(config, arg[0], arg + 1); break;
	default: exit(2);
	}
}

static void config_read(struct config *config, int argc, char **argv)
{
	char text[32], usual[] = "ivshmem";
	int option;

	set_models(config, usual);
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1)
		config_option(config, option, optarg);
	if (!config->kernel || !config->initrd || !config->out || optind == argc) {
		say("use test/vm/run, which knows what to pass");
		exit(2);
	}
	if (config->interactive)
		entry_add(config, 'i', "");
	snprintf(text, sizeof(text), "UNPLUG_CARDS=%d", config->cards);
	entry_add(config, 'e', text);
	for (; optind < argc; optind++)
		entry_add(config, 'a', argv[optind]);
}

static int job_write(const struct config *config)
{
	char path[4096];
	FILE *f;
	int i;

	snprintf(path, sizeof(path), "%s/job", config->out);
	f = fopen(path, "we");
	if (!f) {
		say("cannot write %s: %s", path, strerror(errno));
		return -1;
	}
	for (i = 0; i < config->entries; i++)
		fwrite(config->entry[i], 1, strlen(config->entry[i]) + 1, f);
	return fclose(f);
}

/* What an earlier run left must not be taken for this one's. */
static void folder_clean(int fd)
{
	static const char *const names[] = {
		"boot.log", "kernel.log", "output.log", "qemu.log", "verdict", "still.log",
	};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlinkat(fd, names[i], 0);
}

/* One run at a time in a folder. The lock goes with the process. */
static int folder_take(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
		say("%s: %s", path, fd >= 0 && errno == EWOULDBLOCK ?
		    "in use by another run (choose another --name or --out)" : strerror(errno));
		return -1;
	}
	folder_clean(fd);
	return 0;
}

/* By a signal that nobody sends: QEMU has crashed, before there was anything of ours to run. */
static bool crashed(const struct vm *vm)
{
	int signal = WIFSIGNALED(vm->emulator) ? WTERMSIG(vm->emulator) : 0;

	return signal == SIGSEGV || signal == SIGBUS || signal == SIGABRT;
}

/* The emulator's own boot crashes, rare and known, are not a result: see README.md */
static bool worth_a_retry(const struct vm *vm)
{
	return vm->end == END_NO_BOOT && (vm->klog.emulator || crashed(vm));
}

int main(int argc, char **argv)
{
	struct config config = {
		.accel = "tcg", .append = "", .cards = 4, .smp = 2, .card_size = 1 << 20, .units = 40,
	};
	static struct vm vm;
	int attempt;

	config_read(&config, argc, argv);
	/* Whoever started us may be killed without a chance to stop us. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	if (folder_take(config.out) < 0 || job_write(&config) < 0)
		return 2;
	for (attempt = 0; attempt < 2; attempt++) {
		memset(&vm, 0, sizeof(vm));
		vm.config = &config;
		if (machine_start(&vm) < 0)
			return 2;
		loop_run(&vm);
		if (!config.keep_cards)
			card_remove_files(&vm);
		if (!worth_a_retry(&vm))
			break;
		say("known crash of the emulator while booting (%s): once more",
		    vm.klog.emulator ? vm.klog.verdict : "QEMU ended by a signal");
	}
	return verdict_write(&vm) < 0 ? 2 : verdict_exit(&vm);
}
