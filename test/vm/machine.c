// SPDX-License-Identifier: GPL-2.0-or-later
/* The virtual machine: QEMU's command line, its sockets, its start */

#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define ARGS_MAX 160

struct args {
	char *v[ARGS_MAX];
	int n;
};

static void add(struct args *args, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Out of space or memory is a bug of this file or the end anyway. */
static void add(struct args *args, const char *fmt, ...)
{
	va_list list;

	if (args->n == ARGS_MAX - 1)
		abort();
	va_start(list, fmt);
	if (vasprintf(&args->v[args->n++], fmt, list) < 0)
		abort();
	va_end(list);
}

static void add_machine(struct args *args, const struct config *config)
{
	bool tcg = strcmp(config->accel, "tcg") == 0 || config->icount;

	add(args, "qemu-system-x86_64");
	/* i440fx: its ACPI hot-plug works per slot, without bridges */
	add(args, "-machine");
	add(args, "pc,hpet=off,vmport=off");
	add(args, "-accel");
	if (config->icount) {
		/* One instruction is one nanosecond: see README.md */
		add(args, "tcg,thread=single");
		add(args, "-icount");
		add(args, "shift=0,sleep=off,align=off");
	} else {
		add(args, !tcg ? "%s" : config->serial ? "tcg,thread=single" : "tcg,thread=multi",
		    config->accel);
	}
	add(args, "-cpu");
	add(args, tcg ? "max" : "host");
	add(args, "-smp");
	add(args, "%d", config->icount ? 1 : config->smp);
	add(args, "-m");
	add(args, "1024");
	add(args, "-nodefaults");
	add(args, "-no-user-config");
	add(args, "-display");
	add(args, "none");
	add(args, "-no-reboot");
}

static void add_kernel(struct args *args, const struct config *config)
{
	add(args, "-kernel");
	add(args, "%s", config->kernel);
	add(args, "-initrd");
	add(args, "%s", config->initrd);
	add(args, "-append");
	/*
	 * no_timer_check: a busy host is late with ticks, and the kernel panics that counts too
	 * few. i8042.*: probing a mouse that is not there takes a while
	 */
	add(args, "console=ttyS0 tsc=reliable no_timer_check mitigations=off quiet panic=-1 "
	    "random.trust_cpu=on i8042.noaux i8042.nomux%s %s",
	    config->panic_on_oops ? " oops=panic" : "", config->append);
}

static void add_serial(struct args *args, const char *name, int fd)
{
	add(args, "-chardev");
	add(args, "socket,id=%s,fd=%d", name, fd);
	add(args, "-serial");
	add(args, "chardev:%s", name);
}

/* In slots above those of all cards */
static void add_share(struct args *args, const char *tag, const char *path, int slot,
		      const char *rest)
{
	add(args, "-fsdev");
	add(args, "local,id=%s,path=%s,security_model=none,multidevs=remap%s", tag, path, rest);
	add(args, "-device");
	add(args, "virtio-9p-pci,fsdev=%s,mount_tag=%s,addr=%#x", tag, tag, slot);
}

static int add_memory(struct args *args, const struct vm *vm, int card)
{
	char path[4096];

	if (card_create(vm, card, 0) < 0)
		return -1;
	card_file(vm, card, 0, path);
	add(args, "-object");
	add(args, "memory-backend-file,id=mem%d.0,mem-path=%s,size=%ld,share=on", card, path,
	    vm->config->card_size);
	return 0;
}

static int add_cards(struct args *args, const struct vm *vm)
{
	char device[HOST_LINE];
	bool hub = false;
	int card;

	for (card = 1; card <= vm->config->cards; card++) {
		if (card_has_memory(vm, card) && add_memory(args, vm, card) < 0)
			return -1;
		if (card_is_usb(vm, card) && !hub) {
			hub = true;
			add(args, "-device");
			add(args, "qemu-xhci,id=usb,p2=15,p3=15,addr=0x1d");
		}
		card_device(vm, card, device);
		add(args, "-device");
		add(args, "%s", device);
	}
	return 0;
}

static int add_all(struct args *args, const struct vm *vm, const int fd[4])
{
	add_machine(args, vm->config);
	add_kernel(args, vm->config);
	add_serial(args, "console", fd[0]);
	add_serial(args, "request", fd[1]);
	add_serial(args, "output", fd[2]);
	add(args, "-chardev");
	add(args, "socket,id=qmp,fd=%d", fd[3]);
	add(args, "-mon");
	add(args, "chardev=qmp,mode=control");
	if (add_cards(args, vm) < 0)
		return -1;
	add_share(args, "host", "/", 0x1e, ",readonly=on");
	add_share(args, "out", vm->config->out, 0x1f, "");
	return 0;
}

static void child_exec(const struct vm *vm, struct args *args, pid_t parent)
{
	char path[4096];
	sigset_t none;
	int fd;

	/* Ctrl-C is for us, who then end QEMU; if we are killed, so is QEMU. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(path, sizeof(path), "%s/qemu.log", vm->config->out);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	dup2(open("/dev/null", O_RDWR), 0);
	dup2(fd, 1);
	dup2(fd, 2);
	args->v[args->n] = NULL;
	execvp(args->v[0], args->v);
	dprintf(2, "cannot run %s: %s\n", args->v[0], strerror(errno));
	_exit(127);
}

static int signals_open(struct vm *vm)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	vm->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	return vm->signal_fd;
}

/* Our ends close on exec, QEMU's are inherited. */
static int sockets_open(int ours[4], int theirs[4])
{
	int i, pair[2];

	for (i = 0; i < 4; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
			return -1;
		ours[i] = pair[0];
		theirs[i] = pair[1];
		fcntl(pair[1], F_SETFD, 0);
	}
	return 0;
}

static int output_open(struct vm *vm)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/output.log", vm->config->out);
	vm->output = fopen(path, "we");
	return vm->output ? 0 : -1;
}

/**
 * machine_start() - start QEMU with everything connected
 *
 * Return: 0, or -1 with the reason printed.
 */
int machine_start(struct vm *vm)
{
	pid_t parent = getpid();
	struct args args = { };
	int ours[4], theirs[4], i;

	if (sockets_open(ours, theirs) < 0 || signals_open(vm) < 0 || output_open(vm) < 0 ||
	    klog_open(&vm->klog, vm->config->out) < 0) {
		say("cannot start in %s: %s", vm->config->out, strerror(errno));
		return -1;
	}
	if (add_all(&args, vm, theirs) < 0)
		return -1;
	vm->start = now();
	vm->pid = fork();
	if (vm->pid == 0)
		child_exec(vm, &args, parent);
	for (i = 0; i < 4; i++)
		close(theirs[i]);
	while (args.n)
		free(args.v[--args.n]);
	vm->console_fd = ours[0];
	vm->request_fd = ours[1];
	vm->output_fd = ours[2];
	vm->qmp.fd = ours[3];
	return vm->pid > 0 ? 0 : -1;
}
