/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * case: what the test cases are written with
 *
 * A case is one function that checks one promise. It runs in a process of its own,
 * in the guest, with all cards plugged in and bound to the driver under test, and
 * ends by returning (passed) or by the first expectation that does not hold, which
 * also says in which way the driver failed (enum outcome).
 *
 * The same function runs against the driver under test and against naive-ivshmem,
 * the control. Each case declares what naive does; any other result is a failure:
 * a case that naive passes although it is said to fail tests nothing.
 *
 * Nothing here sleeps for a time: all waiting is for an event, and gives up after
 * case_timeout(), which makes the outcome "hang".
 */
#ifndef UNPLUG_TEST_CASE_H
#define UNPLUG_TEST_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum outcome {
	OUTCOME_PASS,
	OUTCOME_FAIL,		/* none of the others; naive is never meant to */
	OUTCOME_WRONG_ERRNO,	/* the system call answered something else */
	OUTCOME_STALE_MAP,	/* the card, or the next one, was reached */
	OUTCOME_HANG,		/* an event did not come */
	OUTCOME_DEADLOCK,	/* proved by who waits for whom; ends the guest */
	OUTCOME_OOPS,		/* the kernel complained */
	OUTCOME_SKIP,		/* could not be tried, and says why */
};

extern const char *const outcome_names[];

/**
 * struct case_info - one case
 * @name: operation-state
 * @promise: the number from doc/promises.md, and what is checked
 * @naive: what naive-ivshmem does: "wrong-errno", "stale-map", "hang", "oops",
 *	   "passes: reason", or "absent: reason" where it has nothing to test
 * @textbook: what unplug-textbook's percpu rwsem does ("deadlock"), or the plain algorithm
 *	      of unplug-hole: "stale-map", …, "passes: reason"; NULL where the case has
 *	      nothing to do with either
 * @hole: the row of doc/mmap-races.md it is about, or NULL
 * @run: the function
 * @hooks: needs the hook build
 * @serial: in a guest of its own kind: it has the kernel patch code that others run, see test/vm/README.md
 * @poison: naive runs with poisoned, not with cleared freed memory; in a guest of its own,
 *	    which is also for what it leaves behind there: a timer in freed memory, DMA to it
 */
struct case_info {
	const char *name;
	const char *promise;
	const char *naive;
	const char *textbook;
	const char *hole;
	void (*run)(void);
	bool hooks, serial;
	bool poison;
};

/*
 * CASE(read_after, .name = "read-after", .promise = "K1 …", .naive = "wrong-errno")
 * {
 *	…
 * }
 */
#define CASE(id, ...)							\
	static void case_##id(void);					\
	static const struct case_info info_##id = {			\
		.run = case_##id, __VA_ARGS__				\
	};								\
	static const struct case_info *const entry_##id			\
		__attribute__((section("cases"), used)) = &info_##id;	\
	static void case_##id(void)

/*
 * The same for operations × states, where body(arg) is a function shared by
 * several cases.
 */
#define CASE_OF(id, body, arg, ...)					\
	CASE(id, __VA_ARGS__)						\
	{								\
		body(arg);						\
	}								\
	static const struct case_info *const entry_##id

/* Where an outcome is written: memory shared by the runner and all of a case */
struct case_result {
	int claimed;
	int outcome;
	char text[200];
};

extern struct case_result *case_result;
extern bool case_hangs;		/* the control is said to */
const struct case_info *case_find(const char *name);

/* Ends of a case; the first one counts, in whichever of its processes. */
void case_end(enum outcome outcome, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));
#define case_fail(...) case_end(OUTCOME_FAIL, __VA_ARGS__)

/* How long to wait for one event, in milliseconds */
int case_timeout(void);

/* Expectations. @what names the thing in the message. */
long expect_works(const char *what, long result);	/* not -1 */
void expect_errno(const char *what, long result, int err);
void expect_equal(const char *what, long got, long want);
void expect_signal_bus(const char *what, volatile void *at);
void expect_byte(const char *what, volatile void *at, uint8_t want);
void expect_untouched(int card, const char *generation, int byte);

/* Touching memory that may raise SIGBUS: 0, or the signal. */
int touch_read(volatile void *at, uint8_t *value);
int touch_write(volatile void *at, uint8_t value);

/*
 * drivers
 */
struct driver {
	const char *name;	/* as in --driver */
	const char *module;	/* /modules/… */
	const char *pci;	/* /sys/bus/pci/drivers/… */
	const char *class;	/* /sys/class/… */
	const char *hooks;	/* points it passes, separated by blanks; NULL: all */
	bool naive;
	bool textbook;		/* unplug-textbook or unplug-hole is, beside cards of ours */
};

extern const struct driver *driver;
extern const struct driver drivers[];

/*
 * cards: numbered 1 to CARDS as the host does
 */
#define CARDS 4
#define CARD_SIZE (1024 * 1024)
#define CARD_PATH 128

struct card {
	int number;
	char address[16];	/* 0000:00:04.0 */
	char name[32];		/* ivshmem0 */
	char node[CARD_PATH];	/* /dev/ivshmem0 */
	char id[48];		/* in the log: ivshmem0#7: */
};

void card_init(struct card *card, int number);	/* plugged and bound */
bool card_find(struct card *card, int number);	/* false: it is not */
int card_open(const struct card *card);
void *card_map(int fd, size_t length, off_t offset);	/* shared, writable */
void card_fill(int number, int byte);			/* by the host */
uint64_t card_generation(int fd);
dev_t card_devt(const struct card *card);
unsigned long card_address(int number);		/* of its memory, on the bus */
/* How many memory types are reserved for that, of this kind if not NULL? */
int card_types_reserved(int number, const char *type);

struct job;

/*
 * unplugging. card_unplug() is the usual one: sysfs unbind from another process,
 * then waiting for gone. The others leave out the latter.
 */
void card_unplug(const struct card *card);
void card_unbind(const struct card *card);
void card_unbind_start(const struct card *card, struct job *job);
void card_bind_start(const struct card *card, struct job *job);
void card_bind(struct card *card);		/* and wait for the node */
void card_remove(const struct card *card);	/* sysfs remove */
void card_pull(const struct card *card);	/* device_del */
void card_plug(struct card *card);		/* fresh card, and wait for it */
void card_wait(struct card *card);		/* for its node */
void card_wait_gone(const struct card *card);	/* nothing to wait for in naive */
void node_wait(const char *path, bool exists);

/* Everything as it should be before a case. Returns what is wrong, or NULL. */
const char *world_restore(void);
const char *world_unload(void);
int module_load(const char *name, const char *arguments);	/* 0 or errno */
int module_unload(const char *name);				/* 0 or errno */
int module_unload_soon(const char *name);	/* the same, patiently */
/*
 * How long unplug, freeze and thaw wait for those inside: as long as these take, or no longer
 * than as shipped, which is too short for a promise on a machine that does something else.
 */
void drain_patiently(bool on);
bool module_loaded(const char *name);
/* Unplug the device of a test's driver: by another process, as a shared memory map hides races. */
void module_pull(const char *parameter);

/*
 * the kernel's log from the start of the case on
 */
void log_open(void);
void log_wait(const char *who, const char *event);
bool log_has(const char *who, const char *event);	/* until now */
void log_write(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *log_complaint(void);	/* the first one, or NULL */
void log_wait_complaint(void);	/* of the control, which is to make one */

/*
 * what kmemleak finds, where the kernel has it
 */
void leak_forget(void);
const char *leak_check(void);	/* the first leak, or NULL */

/*
 * holding an operation at a named point of the hook build
 */
bool hook_at(const char *point);	/* does the driver under test pass it? */
void hook_stop(const char *point);
void hook_wait(const char *point);
void hook_go(const char *point);
void hook_go_all(void);

/*
 * holding an operation in any build: a page that the test serves itself. Whoever
 * touches it first, be it the kernel, waits until hold_go().
 */
struct hold {
	uint8_t *page;
	size_t size;
	int uffd;
};

void hold_init(struct hold *hold, size_t size);
void hold_wait(struct hold *hold);
void hold_go(struct hold *hold, uint8_t fill);
void hold_wake(struct hold *hold);	/* without the page: he has to ask again */

/*
 * tasks: a thread that does something which may be held. task_wait() returns what
 * the function returned, and sets errno as it was then.
 */
struct task {
	unsigned long thread;
	pid_t tid;
	long (*run)(void *arg);
	void *arg;
	long result;
	int err;
	int done;
};

void task_start(struct task *task, long (*run)(void *arg), void *arg);
long task_wait(struct task *task);
bool task_running(const struct task *task);
/* Until it sleeps, in a system call */
void task_wait_asleep(struct task *task);
void task_wait_asleep_deaf(struct task *task);	/* to signals */
void task_wait_blocked(struct task *task);	/* either */
/* The same for those who may come back before: false then */
bool task_try_asleep(struct task *task);
bool task_try_asleep_deaf(struct task *task);

/*
 * jobs: a process of its own, the result being its exit status. job_start() forks:
 * the child shares the open files and has copies of the mappings. job_do() starts a
 * fresh program without either (see do.c): who unplugs must not share the memory
 * map of the process that is looked at, or its lock hides races.
 */
struct job {
	pid_t pid;
	int fd;
};

void job_start(struct job *job, int (*run)(void *arg), void *arg);
void job_do(struct job *job, const char *verb, const char *a, const char *b);
int job_wait(struct job *job);
bool job_running(const struct job *job);
void job_wait_in(const struct job *job, const char *function);
/* Until the file says this. Who makes it say so is the job, or something it does. */
void job_wait_file(const struct job *job, const char *path, const char *text);
void job_kill(struct job *job);
int do_main(const char *verb, const char *a, const char *b);

/*
 * A word between processes, by a pipe: one end of it each. @whom is who has the other.
 */
void word_tell(int fd);
void word_hear(int fd, const char *whom);

/* Small things */
int file_write(const char *path, const char *text);	/* 0 or errno */
int file_read(const char *path, char *text, size_t size);	/* its first line */
int poll_in(int fd, int milliseconds);
long now_ms(void);

#endif
