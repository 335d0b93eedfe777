/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent: the host's side of one run of the virtual machine
 *
 * A run goes through phases, each with a deadline, so that it always ends:
 *
 *	BOOT ──started──> RUN ──exit──> OFF ──> (QEMU is gone)
 *	                   │ │
 *	      kernel oops ─┘ └─ deadline
 *	             v            v
 *	           OOPS ──────> LAST ──> (QEMU is killed)
 *
 * OOPS gives the program a chance to end by itself; in LAST the guest is asked
 * for the stacks of its blocked tasks. One thread waits for everything in one
 * poll(): monitor, request port, output, console, signals. QEMU is our child,
 * connected by socket pairs only (no name or port that another run could take),
 * and dies with us.
 */
#ifndef UNPLUG_TEST_VM_AGENT_H
#define UNPLUG_TEST_VM_AGENT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "host.h"
#include "kcsan.h"

#define CARDS_MAX 16
#define ENTRIES_MAX 512

/* Exit statuses besides the program's; README.md has them for users */
enum { EXIT_CRASH = 200, EXIT_TIMEOUT, EXIT_NO_BOOT, EXIT_VANISHED, EXIT_UNCLEAN, EXIT_EMULATOR };

enum end { END_NONE, END_EXIT, END_CRASH, END_TIMEOUT, END_NO_BOOT, END_VANISHED,
	   END_EMULATOR, END_INTERRUPTED };

enum phase { PHASE_BOOT, PHASE_RUN, PHASE_OOPS, PHASE_LAST, PHASE_OFF };

/* The command line; constant after main() read it */
struct config {
	const char *kernel, *initrd, *out, *accel;
	const char *append;
	int cards, smp;
	const char *model[CARDS_MAX + 1];	/* of QEMU's; from 1 */
	long card_size;
	double boot_seconds;		/* as measured before, 0: never */
	double units;
	bool interactive, panic_on_oops, keep_cards, icount, serial;
	char *entry[ENTRIES_MAX];	/* of the job file, see init.h */
	int entries;
};

/* A line that is arriving in pieces */
struct line {
	char text[1024];
	size_t n;
};

struct klog {
	FILE *file;
	struct line line;
	char verdict[256];		/* first line that tells of a fault, or "" */
	bool fatal;			/* an oops: somebody in the kernel died */
	bool failing;			/* memory is made to fail: see excuse.h */
	bool asked;			/* for backtraces, by NMIs, which take long on a busy host */
	struct kcsan kcsan;
	bool emulator;			/* what the emulator's own rare boot crashes look like */
};

enum card_state { CARD_PLUGGED, CARD_LEAVING, CARD_GONE };

struct card {
	enum card_state state;
	int generation;
	/* Who waits for it to leave: the id of a request, or "" */
	char waiter[32];
	double deadline;
};

struct qmp {
	int fd;
	char text[65536];
	size_t n;
};

struct vm {
	const struct config *config;
	pid_t pid;
	int request_fd, output_fd, console_fd, signal_fd;
	struct qmp qmp;
	struct klog klog;
	struct line request;
	FILE *output;
	struct card card[CARDS_MAX + 1];	/* from 1 */
	enum phase phase;
	enum end end;
	double start, boot_seconds, deadline;
	int status;
	int emulator;		/* how QEMU ended, as wait() tells */
	char left[128], stuck[128];
	char lost[128];		/* what still.c finds, or "" */
};

/* agent.c */
double now(void);
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* machine.c */
int machine_start(struct vm *vm);

/* loop.c */
void loop_run(struct vm *vm);
double unit_seconds(const struct vm *vm);
int timeout_seconds(const struct vm *vm);
void loop_started(struct vm *vm);
void loop_exited(struct vm *vm, int status);

/* qmp.c: NULL or -1 with the reason in error */
int qmp_hello(struct vm *vm);
int qmp_run(struct vm *vm, char error[HOST_LINE], const char *fmt, ...);
char *qmp_text(struct vm *vm, const char *fmt, ...);
void qmp_read(struct vm *vm);

/* card.c */
void card_file(const struct vm *vm, int card, int generation, char path[4096]);
int card_create(const struct vm *vm, int card, int generation);
void card_device(const struct vm *vm, int card, char text[HOST_LINE]);
bool card_has_memory(const struct vm *vm, int card);
bool card_is_usb(const struct vm *vm, int card);
void card_deleted(struct vm *vm, const char *id);
int card_unplug(struct vm *vm, int card, char error[HOST_LINE]);
int card_plug(struct vm *vm, int card, char error[HOST_LINE]);
void card_remove_files(const struct vm *vm);

/* pattern.c: on the memory of a card, seen from the host */
long pattern_fill(const char *path, int byte);
long pattern_count(const char *path, int byte);
long pattern_find(const char *path, const char *hex);

/* answer.c */
void answer_input(struct vm *vm, const char *data, size_t n);
void answer_left(struct vm *vm, int card);
double answer_timeouts(struct vm *vm, double t);

/* still.c */
void still_save(struct vm *vm);
const char *still_judge(const char *registers, const char *lapic);

/* klog.c */
int klog_open(struct klog *klog, const char *dir);
void klog_input(struct klog *klog, const char *data, size_t n);

/* verdict.c */
const char *end_name(enum end end);
int verdict_write(const struct vm *vm);
int verdict_exit(const struct vm *vm);

#endif
