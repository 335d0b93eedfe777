// SPDX-License-Identifier: GPL-2.0-or-later
/* Waiting for everything at once, and the phases of a run; see agent.h */

#include "agent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Without a measurement; with one, a boot may take this many times as long */
#define FIRST_BOOT_SECONDS 600
#define BOOT_FACTOR 20
#define BOOT_SECONDS_MIN 120

/* Seconds: how fast a unit of --timeout may get, and waiting for one event */
#define UNIT_MIN 3
#define EVENT_MIN 30
#define EVENT_FACTOR 10

enum { FD_QMP, FD_REQUEST, FD_OUTPUT, FD_CONSOLE, FD_SIGNAL, FD_INPUT, FDS };

/* A slower boot than the one measured means a busier machine today. */
static double boot_seconds(const struct vm *vm)
{
	double before = vm->config->boot_seconds;

	return vm->boot_seconds > before ? vm->boot_seconds : before;
}

double unit_seconds(const struct vm *vm)
{
	double boot = boot_seconds(vm);

	return boot > UNIT_MIN ? boot : UNIT_MIN;
}

int timeout_seconds(const struct vm *vm)
{
	double seconds = boot_seconds(vm) * EVENT_FACTOR;

	return seconds > EVENT_MIN ? seconds : EVENT_MIN;
}

static double boot_limit(const struct vm *vm)
{
	double limit = vm->config->boot_seconds * BOOT_FACTOR;

	if (vm->config->boot_seconds == 0)
		return FIRST_BOOT_SECONDS;
	return limit > BOOT_SECONDS_MIN ? limit : BOOT_SECONDS_MIN;
}

void loop_started(struct vm *vm)
{
	if (vm->phase != PHASE_BOOT)
		return;
	vm->boot_seconds = now() - vm->start;
	vm->phase = PHASE_RUN;
	vm->deadline = vm->config->interactive ? 1e18 :
		now() + vm->config->units * unit_seconds(vm);
}

void loop_exited(struct vm *vm, int status)
{
	if (vm->end != END_NONE)
		return;
	vm->end = END_EXIT;
	vm->status = status;
	vm->phase = PHASE_OFF;
	/* A guest that cannot power off (somebody holds a lock) is killed. */
	vm->deadline = now() + 2 * unit_seconds(vm);
}

static void send_sysrq(struct vm *vm, char key)
{
	char error[HOST_LINE];

	qmp_run(vm, error, "{\"execute\":\"send-key\",\"arguments\":{\"keys\":["
		"{\"type\":\"qcode\",\"data\":\"alt\"},"
		"{\"type\":\"qcode\",\"data\":\"sysrq\"},"
		"{\"type\":\"qcode\",\"data\":\"%c\"}]}}\n", key);
}

static void kill_guest(struct vm *vm)
{
	kill(vm->pid, SIGKILL);
	vm->deadline = 1e18;
}

static void end_as(struct vm *vm, enum end end)
{
	vm->end = end;
	vm->phase = PHASE_LAST;
	vm->deadline = now() + unit_seconds(vm);
	/* First as they stand: what comes then may wake them. */
	still_save(vm);
	/* Where everybody is who does not move, and each processor: into kernel.log */
	send_sysrq(vm, 'w');
	vm->klog.asked = true;
	send_sysrq(vm, 'l');
}

static void deadline_passed(struct vm *vm)
{
	switch (vm->phase) {
	case PHASE_BOOT:
		vm->end = END_NO_BOOT;
		kill_guest(vm);
		break;
	case PHASE_RUN:
		end_as(vm, END_TIMEOUT);
		break;
	case PHASE_OOPS:
		end_as(vm, END_CRASH);
		break;
	case PHASE_LAST:
	case PHASE_OFF:
		kill_guest(vm);
		break;
	}
}

/* The kernel said something; was it its last word? */
static void console_check(struct vm *vm)
{
	if (!vm->klog.fatal)
		return;
	if (vm->phase == PHASE_BOOT && vm->end == END_NONE) {
		/* Nothing will start any more; the rest of the report may still come. */
		vm->end = END_NO_BOOT;
		vm->phase = PHASE_LAST;
		vm->deadline = now() + UNIT_MIN;
	} else if (vm->phase == PHASE_RUN && !vm->config->interactive) {
		vm->phase = PHASE_OOPS;
		if (vm->deadline > now() + timeout_seconds(vm))
			vm->deadline = now() + timeout_seconds(vm);
	}
}

static void guest_gone(struct vm *vm)
{
	if (vm->end != END_NONE)
		return;
	if (vm->phase == PHASE_BOOT)
		vm->end = END_NO_BOOT;
	else if (vm->klog.fatal)
		vm->end = END_CRASH;
	else
		/* We end it by SIGKILL, after an end was found: this is QEMU's own. */
		vm->end = WIFSIGNALED(vm->emulator) ? END_EMULATOR : END_VANISHED;
}

static void on_signal(struct vm *vm, bool *gone)
{
	struct signalfd_siginfo info;

	if (read(vm->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD) {
		*gone = waitpid(vm->pid, &vm->emulator, WNOHANG) == vm->pid;
		return;
	}
	if (vm->end == END_NONE)
		vm->end = END_INTERRUPTED;
	kill_guest(vm);
}

static void output_input(struct vm *vm, const char *data, size_t n)
{
	ssize_t done;

	fwrite(data, 1, n, vm->output);
	fflush(vm->output);
	while (n > 0) {
		done = write(1, data, n);
		if (done <= 0 && errno != EINTR)
			return;	/* nobody listens any more: the file has it */
		data += done > 0 ? done : 0;
		n -= done > 0 ? done : 0;
	}
}

/* Read what @fd has and pass it on; at its end, stop looking. */
static void on_data(struct vm *vm, int which, int *fd)
{
	char data[4096];
	ssize_t n = read(*fd, data, sizeof(data));

	if (n <= 0) {
		if (n == 0 || errno != EINTR) {
			close(*fd);
			*fd = -1;
		}
		return;
	}
	switch (which) {
	case FD_REQUEST: answer_input(vm, data, n); break;
	case FD_OUTPUT: output_input(vm, data, n); break;
	case FD_CONSOLE: klog_input(&vm->klog, data, n); break;
	case FD_INPUT:
		if (write(vm->output_fd, data, n) < 0)
			say("cannot write to the guest: %s", strerror(errno));
		break;
	}
}

static int wait_milliseconds(struct vm *vm)
{
	double t = now(), next = answer_timeouts(vm, t), wait;

	if (vm->deadline < next)
		next = vm->deadline;
	wait = (next - t) * 1000 + 1;
	return wait < 0 ? 0 : wait > 60000 ? 60000 : wait;
}

/* Wait once and handle what came. Return: whether QEMU is still there. */
static bool loop_once(struct vm *vm, int *input)
{
	int *const fd[FDS] = { &vm->qmp.fd, &vm->request_fd, &vm->output_fd,
			       &vm->console_fd, &vm->signal_fd, input };
	struct pollfd p[FDS];
	bool gone = false;
	int i;

	for (i = 0; i < FDS; i++)
		p[i] = (struct pollfd){ .fd = *fd[i], .events = POLLIN };
	if (poll(p, FDS, wait_milliseconds(vm)) < 0 && errno != EINTR)
		return false;
	for (i = 0; i < FDS; i++) {
		if (!p[i].revents || *fd[i] < 0)
			continue;
		if (i == FD_QMP)
			qmp_read(vm);
		else if (i == FD_SIGNAL)
			on_signal(vm, &gone);
		else
			on_data(vm, i, fd[i]);
	}
	console_check(vm);
	if (now() >= vm->deadline)
		deadline_passed(vm);
	return !gone;
}

/* What QEMU wrote before it ended still waits in the sockets. */
static void drain(struct vm *vm)
{
	while (vm->request_fd >= 0)
		on_data(vm, FD_REQUEST, &vm->request_fd);
	while (vm->output_fd >= 0)
		on_data(vm, FD_OUTPUT, &vm->output_fd);
	while (vm->console_fd >= 0)
		on_data(vm, FD_CONSOLE, &vm->console_fd);
	if (vm->qmp.fd >= 0)
		close(vm->qmp.fd);
	close(vm->signal_fd);
	fclose(vm->klog.file);
	fclose(vm->output);
}

/**
 * loop_run() - see the guest through to its end
 *
 * Afterwards QEMU is gone, and vm->end tells how the run ended.
 */
void loop_run(struct vm *vm)
{
	int input = vm->config->interactive ? 0 : -1;
	struct termios saved, raw;
	bool terminal = input == 0 && tcgetattr(0, &saved) == 0;

	vm->deadline = now() + boot_limit(vm);
	if (qmp_hello(vm) < 0)
		kill_guest(vm);
	if (terminal) {
		say("booting; `exit` ends the guest, `request pull 2` pulls a card");
		raw = saved;
		cfmakeraw(&raw);
		tcsetattr(0, TCSANOW, &raw);
	}
	while (loop_once(vm, &input))
		;
	if (terminal)
		tcsetattr(0, TCSANOW, &saved);
	drain(vm);
	guest_gone(vm);
}
