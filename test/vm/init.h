/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * init: the first process of the guest
 *
 * It lives in the initrd with the few modules that reach the host's files, makes
 * a root of its own from them (init-root.c), runs one program, reports how that
 * ended and what it left behind (init-job.c), keeps what a kernel that counts has
 * counted (init-gcov.c), and powers off: always, whatever failed before.
 */
#ifndef UNPLUG_TEST_VM_INIT_H
#define UNPLUG_TEST_VM_INIT_H

#include <stdbool.h>

#define INIT_ARGS 1024

/*
 * What to run, as the host wrote it to the file "job" in the result folder:
 * NUL-terminated strings, the first letter of each saying what it is.
 */
struct init_job {
	char *text;
	const char *folder;		/* d: start here, if it exists in the guest */
	bool interactive;		/* i: the program gets the terminal */
	const char *modules;		/* m: folder bound to /modules */
	const char *tools;		/* t: folder bound to /vm */
	const char *kernel;		/* k: root of the unpacked kernel, bound to /kernel */
	char *bind[INIT_ARGS];		/* b: bound to the same path in the guest */
	char *insmod[INIT_ARGS];	/* l: load from /modules, in this order */
	char *arg[INIT_ARGS];		/* a: program and arguments */
};

void init_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int init_write(const char *path, const char *text);
int init_insmod(const char *path);

int init_root(struct init_job *job);
int init_run(struct init_job *job);
void init_end(void);
void init_save_counts(void);

#endif
