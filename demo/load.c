// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo/clock.h"
#include "demo/load.h"
#include "demo/proc.h"

/*
 * Upper half of a card of 1 MiB; the clients' pages are in the lower one.
 *
 * fio paces itself by sleeping, and by spinning for the last part of each sleep:
 * for as long as the worst of ten short sleeps took when it started. On a busy
 * machine that is most of the time. Hence few operations, nice for the thread that
 * does them, and see load_main().
 */
static const char *const load_options[] = {
	"fio", "--name=card", "--ioengine=psync", "--iodepth=1", "--thread",
	"--clocksource=clock_gettime",
	"--rw=randrw", "--bs=4k", "--rate_iops=10,10", "--nice=19",
	"--filesize=1m", "--offset=512k", "--norandommap", "--randrepeat=1",
	"--time_based", "--runtime=1d", "--invalidate=0",
	"--eta=never", "--output-format=json",
	NULL
};

#define LOAD_OPTIONS (sizeof(load_options) / sizeof(load_options[0]))

static _Noreturn void load_main(const struct load *load)
{
	char filename[96], output[96];
	const char *argv[LOAD_OPTIONS + 2];
	const struct sched_param priority = { .sched_priority = 1 };
	size_t i = LOAD_OPTIONS - 1;
	int null;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* For the measurement of sleeps; the thread that works does not inherit it. */
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority);
	null = open("/dev/null", O_RDWR);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);

	snprintf(filename, sizeof(filename), "--filename=%s", load->node);
	snprintf(output, sizeof(output), "--output=%s", load->out);
	memcpy(argv, load_options, sizeof(load_options));
	argv[i++] = filename;
	argv[i++] = output;
	argv[i] = NULL;
	if (!chdir("/tmp"))
		execvp(argv[0], (char **)argv);
	_exit(127);
}

/**
 * load_start() - start fio on a card
 * @load: to be filled
 * @number: different for every fio of the scene
 * @card: the card
 * @node: its node
 *
 * Return: 0 or a negative errno.
 */
int load_start(struct load *load, int number, int card, const char *node)
{
	char path[64];

	memset(load, 0, sizeof(*load));
	load->card = card;
	load->error = -1;
	snprintf(load->node, sizeof(load->node), "%s", node);
	snprintf(load->out, sizeof(load->out), "/tmp/fio-%d.json", number);
	load->pid = fork();
	if (load->pid < 0)
		return -errno;
	if (!load->pid)
		load_main(load);
	snprintf(path, sizeof(path), "/proc/%d/io", load->pid);
	load->counters = open(path, O_RDONLY | O_CLOEXEC);
	return load->counters < 0 ? -errno : 0;
}

static uint64_t load_calls(const struct load *load)
{
	unsigned long long reads = 0, writes = 0;
	char text[512], *line;
	ssize_t length;

	length = pread(load->counters, text, sizeof(text) - 1, 0);
	text[length > 0 ? length : 0] = '\0';
	line = strstr(text, "syscr:");
	if (!line || sscanf(line, "syscr: %llu syscw: %llu", &reads, &writes) != 2)
		return 0;
	return reads + writes;
}

static bool load_opened(const struct load *load)
{
	char path[64], target[64];
	struct dirent *entry;
	bool found = false;
	ssize_t length;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", load->pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[length > 0 ? length : 0] = '\0';
		found = !strcmp(target, load->node);
	}
	closedir(dir);
	return found;
}

/**
 * load_running() - has fio begun to work on the card?
 * @load: a started fio
 */
bool load_running(struct load *load)
{
	if (!load->running && load_opened(load)) {
		load->base = load_calls(load);
		load->running = true;
	}
	return load->running;
}

/**
 * load_ops() - operations so far
 * @load: a started fio
 *
 * Counted by the kernel: reads and writes of the process since it was seen with
 * the card open. A few of them are fio's own.
 */
uint64_t load_ops(struct load *load)
{
	uint64_t calls = load->running && !load->dead ? load_calls(load) : 0;

	return calls > load->base ? calls - load->base : 0;
}

static void load_report_job(struct load *load, json_t *job)
{
	static const char *const ways[] = { "read", "write" };
	double sum = 0, mean, max;
	json_int_t ios;
	int i;

	load->error = json_integer_value(json_object_get(job, "error"));
	for (i = 0; i < 2; i++) {
		if (json_unpack(job, "{s:{s:I, s:{s:F, s:F}}}", ways[i], "total_ios",
				&ios, "clat_ns", "mean", &mean, "max", &max))
			continue;
		load->ios += ios;
		sum += mean * ios;
		if (max / CLOCK_US > load->max_us)
			load->max_us = max / CLOCK_US;
	}
	if (load->ios)
		load->mean_us = sum / load->ios / CLOCK_US;
}

/* fio puts its error messages before the report, in the same file. */
static void load_report(struct load *load)
{
	static char text[1 << 18];
	json_t *report;
	char *begin;

	if (proc_read(load->out, text, sizeof(text)) < 0)
		return;
	begin = text[0] == '{' ? text : strstr(text, "\n{");
	if (!begin)
		return;
	report = json_loads(begin, JSON_DISABLE_EOF_CHECK, NULL);
	if (report)
		load_report_job(load, json_array_get(json_object_get(report, "jobs"), 0));
	json_decref(report);
}

/**
 * load_wait() - wait for the end of fio and read its report
 * @load: a started fio
 * @until: give up then, by clock_now()
 *
 * Return: 0, or a negative errno: -ETIMEDOUT, it goes on.
 */
int load_wait(struct load *load, uint64_t until)
{
	int err;

	if (load->dead)
		return 0;
	err = proc_wait(load->pid, until, &load->status);
	if (err)
		return err;
	load->dead = true;
	load_report(load);
	return 0;
}

/**
 * load_stop() - have fio end, as a user would with Ctrl-C
 * @load: a started fio
 */
void load_stop(struct load *load)
{
	if (!load->dead)
		kill(load->pid, SIGINT);
}
