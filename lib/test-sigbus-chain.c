// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Losses beside others' handlers: before ours, after ours, and none. Each test is a process
 * of its own, which begins without any handler; its exit status says at which line it failed.
 * Promises: U4, a limit
 */

#include <sys/resource.h>
#include <sys/syscall.h>

#include "test-sigbus.h"

#define need(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			_exit(1); \
		} \
	} while (0)

struct pair {
	struct lossy ours;
	struct lossy theirs;
	struct unplug_sigbus *guard;
};

static volatile int foreign_calls;
static volatile int foreign_code;
static volatile int foreign_masked;
static struct lossy *volatile foreign_lossy;
static struct sigaction foreign_before;

/* Somebody else's handler: mends its own memory by growing the file again. */
static void foreign(int sig, siginfo_t *info, void *context)
{
	char *addr = info->si_addr;
	char *mem = foreign_lossy ? (char *)foreign_lossy->mem : NULL;
	sigset_t mask;

	foreign_calls++;
	foreign_code = info->si_code;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	foreign_masked = sigismember(&mask, SIGUSR1) * 2 + sigismember(&mask, SIGUSR2);
	if (mem && addr >= mem && addr < mem + foreign_lossy->len) {
		if (ftruncate(foreign_lossy->fd, (off_t)foreign_lossy->len) < 0)
			_exit(99);
	} else if (foreign_before.sa_flags & SA_SIGINFO) {
		foreign_before.sa_sigaction(sig, info, context);
	} else if (info->si_code == BUS_ADRERR) {
		_exit(98);
	}
}

static void foreign_install(int flags)
{
	struct sigaction action = { .sa_sigaction = foreign, .sa_flags = SA_SIGINFO | flags };

	sigaddset(&action.sa_mask, SIGUSR1);
	need(!sigaction(SIGBUS, &action, &foreign_before));
}

static void plain(int sig)
{
	(void)sig;
	foreign_calls++;
	if (ftruncate(foreign_lossy->fd, (off_t)foreign_lossy->len) < 0)
		_exit(99);
}

static void pair_init(struct pair *pair)
{
	lossy_init(&pair->ours, 1);
	lossy_init(&pair->theirs, 1);
	pair->guard = guard_new(&pair->ours, UNPLUG_SIGBUS_PATCH);
	lossy_cut(&pair->ours, 0);
	lossy_cut(&pair->theirs, 0);
	foreign_lossy = &pair->theirs;
}

static void body_before(void *data)
{
	static struct pair pair;

	(void)data;
	foreign_install(0);
	pair_init(&pair);
	need(pair.ours.mem[0] == 0);
	need(foreign_calls == 0);
	need(pair.theirs.mem[0] == 0);
	need(foreign_calls == 1);
	/* With the mask that it asked for, not with ours */
	need(foreign_masked == 2);
	need(pair.ours.mem[1] == 0);
	need(unplug_sigbus_check() == 0);
	/* Sent ones are its, too. */
	need(!raise(SIGBUS));
	need(foreign_calls == 2 && foreign_code == SI_TKILL);
}

static void body_before_plain(void *data)
{
	static struct pair pair;

	(void)data;
	need(signal(SIGBUS, plain) != SIG_ERR);
	pair_init(&pair);
	need(pair.theirs.mem[0] == 0);
	need(pair.ours.mem[0] == 0);
	need(foreign_calls == 1);
}

static void body_after_chaining(void *data)
{
	struct unplug_sigbus *jump;
	struct unplug_sigbus_point point;
	struct lossy lossy;
	static struct pair pair;
	sigset_t mask;

	(void)data;
	pair_init(&pair);
	foreign_install(0);
	need(unplug_sigbus_check() == UNPLUG_SIGBUS_REPLACED);
	need(pair.ours.mem[0] == 0);
	need(foreign_calls == 1);
	need(pair.theirs.mem[0] == 0);
	need(foreign_calls == 2);

	/* A jump returns through it. */
	lossy_init(&lossy, 1);
	lossy_cut(&lossy, 0);
	jump = guard_new(&lossy, UNPLUG_SIGBUS_JUMP);
	if (unplug_sigbus_try(&point, jump))
		_exit(lossy.mem[0] + 10);
	need(foreign_calls == 3);
	need(!sigprocmask(SIG_SETMASK, NULL, &mask));
	need(!sigismember(&mask, SIGBUS) && !sigismember(&mask, SIGUSR1));
}

/* Foreign does not chain: we are out, are told so, and go before him. */
static void body_after_selfish(void *data)
{
	static struct pair pair;

	(void)data;
	pair_init(&pair);
	foreign_install(0);
	foreign_before.sa_flags = 0;
	need(unplug_sigbus_check() == UNPLUG_SIGBUS_REPLACED);
	need(unplug_sigbus_install() == 0);
	need(unplug_sigbus_check() == 0);
	need(pair.ours.mem[0] == 0);
	need(foreign_calls == 0);
	need(pair.theirs.mem[0] == 0);
	need(foreign_calls == 1);
}

/* Who registers when somebody else has the signal is told, and has a guard nevertheless. */
static void body_register_replaced(void *data)
{
	struct unplug_sigbus_attr attr = { .policy = UNPLUG_SIGBUS_PATCH };
	struct unplug_sigbus *guard = NULL;
	static struct pair pair;
	struct lossy lossy;
	void *mem;

	(void)data;
	pair_init(&pair);
	lossy_init(&lossy, 1);
	lossy_cut(&lossy, 0);
	mem = (void *)lossy.mem;
	foreign_install(0);
	need(unplug_sigbus_register(&guard, mem, PAGE, &attr) == 0);
	need(unplug_sigbus_check() == UNPLUG_SIGBUS_REPLACED);
	need(unplug_sigbus_register(&guard, mem, PAGE, &attr) == -EEXIST);
	need(unplug_sigbus_install() == 0);
	need(lossy.mem[0] == 0);
	need(foreign_calls == 0);
	need(unplug_sigbus_unregister(guard) == 0);
	need(unplug_sigbus_register(&guard, mem, PAGE, &attr) == 0);
}

/* He calls us, we call him, who calls our older one: it ends. */
static void body_no_circle(void *data)
{
	static struct pair pair;

	(void)data;
	pair_init(&pair);
	foreign_install(0);
	need(unplug_sigbus_install() == 0);
	need(pair.ours.mem[0] == 0);
	need(pair.theirs.mem[0] == 0);
	need(foreign_calls == 1);
	lossy_cut(&pair.theirs, 0);
	foreign_lossy = NULL;
	(void)pair.theirs.mem[0];
}

static struct lossy *volatile earlier_lossy;
static volatile int earlier_calls;

/* Was there before anybody: mends its own memory, or ends the test. */
static void earlier(int sig)
{
	(void)sig;
	if (earlier_calls++)
		_exit(96);
	if (ftruncate(earlier_lossy->fd, (off_t)earlier_lossy->len) < 0)
		_exit(99);
}

/*
 * He installs himself before each of ours, knows but the last one, and we know him: what is
 * nobody's of both still gets to who was first, once, and kills if there was none.
 */
static void circle_make(struct pair *pair)
{
	pair_init(pair);
	foreign_install(0);
	need(unplug_sigbus_install() == 0);
	foreign_install(0);
	need(pair->ours.mem[0] == 0);
	need(pair->theirs.mem[0] == 0);
	need(foreign_calls == 2);
}

static void body_circle(void *data)
{
	static struct pair pair;

	(void)data;
	circle_make(&pair);
	lossy_cut(&pair.theirs, 0);
	foreign_lossy = NULL;
	(void)pair.theirs.mem[0];
}

static void body_circle_earlier(void *data)
{
	static struct pair pair;
	struct lossy lossy;

	(void)data;
	need(signal(SIGBUS, earlier) != SIG_ERR);
	lossy_init(&lossy, 1);
	lossy_cut(&lossy, 0);
	circle_make(&pair);
	foreign_calls = 0;
	earlier_lossy = &lossy;
	need(lossy.mem[0] == 0);
	need(earlier_calls == 1);
	/* By the newer, by ours; the older one is not asked to call him again. */
	need(foreign_calls == 2);
}

static sigjmp_buf foreign_env;

static void foreign_leave(int sig)
{
	(void)sig;
	foreign_calls++;
	siglongjmp(foreign_env, 1);
}

/* Who leaves by longjmp has not passed on anything: he is asked again the next time. */
static void body_leaves(void *data)
{
	static struct pair pair;
	volatile int i;

	(void)data;
	need(signal(SIGBUS, foreign_leave) != SIG_ERR);
	pair_init(&pair);
	for (i = 0; i < 3; i++) {
		if (!sigsetjmp(foreign_env, 1)) {
			(void)pair.theirs.mem[0];
			_exit(97);
		}
		need(foreign_calls == i + 1);
	}
}

static void body_levels(void *data)
{
	int i;

	(void)data;
	for (i = 0; i < 8; i++) {
		need(unplug_sigbus_install() == 0);
		need(unplug_sigbus_install() == 0);
		need(signal(SIGBUS, SIG_DFL) != SIG_ERR);
	}
	need(unplug_sigbus_install() == -ENOSPC);
	need(unplug_sigbus_check() == UNPLUG_SIGBUS_REPLACED);
}

static void body_nobodys(void *data)
{
	struct rlimit none = { 0, 0 };
	static struct pair pair;

	(void)data;
	need(!setrlimit(RLIMIT_CORE, &none));
	pair_init(&pair);
	need(pair.ours.mem[0] == 0);
	(void)pair.theirs.mem[0];
}

static void body_sent(void *data)
{
	static struct pair pair;

	(void)data;
	pair_init(&pair);
	need(!raise(SIGBUS));
}

static void body_ignored_sent(void *data)
{
	siginfo_t error = { .si_signo = SIGBUS, .si_code = BUS_MCEERR_AO };
	static struct pair pair;

	(void)data;
	need(signal(SIGBUS, SIG_IGN) != SIG_ERR);
	pair_init(&pair);
	need(!raise(SIGBUS));
	/* The kernel sends it; what is not touched need not be acted upon. */
	need(!syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)syscall(SYS_gettid), SIGBUS, &error));
	need(pair.ours.mem[0] == 0);
}

static void body_ignored(void *data)
{
	static struct pair pair;

	(void)data;
	need(signal(SIGBUS, SIG_IGN) != SIG_ERR);
	pair_init(&pair);
	need(pair.ours.mem[0] == 0);
	/* The kernel does not let a fault be ignored. */
	(void)pair.theirs.mem[0];
	_exit(97);
}

static void body_resethand(void *data)
{
	static struct pair pair;

	(void)data;
	foreign_install((int)SA_RESETHAND);
	pair_init(&pair);
	need(pair.theirs.mem[0] == 0);
	need(foreign_calls == 1);
	lossy_cut(&pair.theirs, 0);
	need(pair.ours.mem[0] == 0);
	(void)pair.theirs.mem[0];
}

static void body_blocked(void *data)
{
	sigset_t mask;

	(void)data;
	need(unplug_sigbus_check() == UNPLUG_SIGBUS_ABSENT);
	need(unplug_sigbus_install() == 0);
	sigemptyset(&mask);
	sigaddset(&mask, SIGBUS);
	need(!sigprocmask(SIG_BLOCK, &mask, NULL));
	need(unplug_sigbus_check() == UNPLUG_SIGBUS_BLOCKED);
}

static void body_errno_kept(void *data)
{
	static struct pair pair;

	(void)data;
	pair_init(&pair);
	errno = 1234;
	need(pair.ours.mem[0] == 0);
	need(errno == 1234);
}

/* On the stack that the thread provides for it, if its own has no room */
static void body_altstack(void *data)
{
	stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 };
	struct unplug_sigbus_point point;
	struct unplug_sigbus *guard;
	struct lossy lossy;
	volatile int i;

	(void)data;
	need(!sigaltstack(&stack, NULL));
	lossy_init(&lossy, 1);
	guard = guard_new(&lossy, UNPLUG_SIGBUS_JUMP);
	lossy_cut(&lossy, 0);
	for (i = 0; i < 3; i++) {
		if (unplug_sigbus_try(&point, guard))
			_exit(lossy.mem[0] + 10);
		need(!sigaltstack(NULL, &stack));
		need(!(stack.ss_flags & SS_ONSTACK));
	}
}

static void expect(void **state, void (*body)(void *data), int killed_by)
{
	int status;

	(void)state;
	/* cmocka has the signal; the child begins without. */
	signal(SIGBUS, SIG_DFL);
	status = in_child(body, NULL);
	if (killed_by)
		assert_killed(status, killed_by);
	else
		assert_exit(status, 0);
}

#define CHAIN_TEST(name, killed_by) \
	static void name(void **state) \
	{ \
		expect(state, body_##name, killed_by); \
	}

CHAIN_TEST(before, 0)
CHAIN_TEST(before_plain, 0)
CHAIN_TEST(after_chaining, 0)
CHAIN_TEST(after_selfish, 0)
CHAIN_TEST(register_replaced, 0)
CHAIN_TEST(no_circle, SIGBUS)
CHAIN_TEST(circle, SIGBUS)
CHAIN_TEST(circle_earlier, 0)
CHAIN_TEST(leaves, 0)
CHAIN_TEST(levels, 0)
CHAIN_TEST(nobodys, SIGBUS)
CHAIN_TEST(sent, SIGBUS)
CHAIN_TEST(ignored_sent, 0)
CHAIN_TEST(ignored, SIGBUS)
CHAIN_TEST(resethand, SIGBUS)
CHAIN_TEST(blocked, 0)
CHAIN_TEST(errno_kept, 0)
CHAIN_TEST(altstack, 0)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before),
		cmocka_unit_test(before_plain),
		cmocka_unit_test(after_chaining),
		cmocka_unit_test(after_selfish),
		cmocka_unit_test(register_replaced),
		cmocka_unit_test(no_circle),
		cmocka_unit_test(circle),
		cmocka_unit_test(circle_earlier),
		cmocka_unit_test(leaves),
		cmocka_unit_test(levels),
		cmocka_unit_test(nobodys),
		cmocka_unit_test(sent),
		cmocka_unit_test(ignored_sent),
		cmocka_unit_test(ignored),
		cmocka_unit_test(resethand),
		cmocka_unit_test(blocked),
		cmocka_unit_test(errno_kept),
		cmocka_unit_test(altstack),
	};

	return cmocka_run_group_tests_name("sigbus-chain", tests, NULL, NULL);
}
