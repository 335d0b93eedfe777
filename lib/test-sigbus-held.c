// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Handlers that are stopped, or fail, at the step where they patch; and whom a loss goes to that
 * no guard answers. Each test in a process of its own, which has not had the signal yet.
 * Promises: U4
 */

#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "sigbus.h"
#include "test-sigbus.h"

#define CHILD_ASSERT(what) \
	do { \
		if (!(what)) { \
			print_error("%s:%d: %s\n", __FILE__, __LINE__, #what); \
			_exit(1); \
		} \
	} while (0)

/* What becomes of the next patch */
static enum { PATCH, HOLD, FAIL } next_patch;
static sem_t held, go;

/* The default action is to end the process: instead, one that was installed last of all */
static void (*instead_of_death)(int sig, siginfo_t *info, void *data);

static void patch_hold(void)
{
	next_patch = PATCH;
	sem_post(&held);
	while (sem_wait(&go))
		;
}

static void action_set(void (*handler)(int sig, siginfo_t *info, void *data))
{
	struct sigaction action = { .sa_flags = SA_SIGINFO, .sa_sigaction = handler };

	CHILD_ASSERT(!sigaction(SIGBUS, &action, NULL));
}

static void die_instead(void)
{
	struct sigaction action;

	CHILD_ASSERT(!sigaction(SIGBUS, NULL, &action));
	CHILD_ASSERT(action.sa_handler == SIG_DFL);
	if (instead_of_death)
		action_set(instead_of_death);
}

/* What the library calls (by the linker's --wrap) */
long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);

long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	if (nr == SYS_mmap && next_patch == FAIL) {
		errno = ENOMEM;
		return -1;
	}
	if (nr == SYS_mmap && next_patch == HOLD)
		patch_hold();
	if (nr == SYS_futex && b == FUTEX_WAIT_PRIVATE && c == SIGBUS_PATCHING)
		sem_post(&go);
	if (nr == SYS_rt_tgsigqueueinfo)
		die_instead();
	return __real_syscall(nr, a, b, c, d, e, f);
}

static struct lossy lossy;
static struct unplug_sigbus *guard;

static void lossy_guarded(enum unplug_sigbus_policy policy)
{
	lossy_init(&lossy, 1);
	guard = guard_new(&lossy, policy);
	lossy_cut(&lossy, 0);
}

/*
 * One patches, and is held
 */

static void *load(void *data)
{
	unsigned char *value = data;

	*value = lossy.mem[0];
	return NULL;
}

static pthread_t hold_in_patch(unsigned char *value)
{
	pthread_t thread;

	signal(SIGBUS, SIG_DFL);
	sem_init(&held, 0, 0);
	sem_init(&go, 0, 0);
	lossy_guarded(UNPLUG_SIGBUS_PATCH);
	next_patch = HOLD;
	CHILD_ASSERT(!pthread_create(&thread, NULL, load, value));
	while (sem_wait(&held))
		;
	CHILD_ASSERT(unplug_sigbus_lost(guard));
	return thread;
}

static void patch_waits_child(void *data)
{
	unsigned char value = 1;
	pthread_t thread = hold_in_patch(&value);

	(void)data;
	CHILD_ASSERT(lossy.mem[0] == 0);	/* lets him go, when it waits for him */
	CHILD_ASSERT(!pthread_join(thread, NULL));
	CHILD_ASSERT(value == 0);
	CHILD_ASSERT(!unplug_sigbus_unregister(guard));
}

/* Others wait for him. */
static void patch_waits(void **state)
{
	(void)state;
	assert_exit(in_child(patch_waits_child, NULL), 0);
}

/* There he is not: it patches for itself. */
static void patch_own(void *data)
{
	(void)data;
	CHILD_ASSERT(unplug_sigbus_lost(guard));	/* for all it knows */
	CHILD_ASSERT(lossy.mem[0] == 0);
	CHILD_ASSERT(!unplug_sigbus_unregister(guard));
}

static void patch_fork_child(void *data)
{
	unsigned char value = 1;
	pthread_t thread = hold_in_patch(&value);
	int status;
	pid_t pid;

	(void)data;
	pid = fork();
	CHILD_ASSERT(pid >= 0);
	if (!pid) {
		patch_own(NULL);
		_exit(0);
	}
	CHILD_ASSERT(waitpid(pid, &status, 0) == pid && !status);
	sem_post(&go);
	CHILD_ASSERT(!pthread_join(thread, NULL));
	CHILD_ASSERT(value == 0);
}

static void patch_fork(void **state)
{
	(void)state;
	assert_exit(in_child(patch_fork_child, NULL), 0);
}

/*
 * A handler of the user's forks: in parent and child it goes on
 */

static enum unplug_sigbus_verdict fork_inside(struct unplug_sigbus *lost, void *addr, void *data)
{
	pid_t *pid = data;

	(void)addr;
	*pid = fork();
	if (unplug_sigbus_unregister(lost) != -EDEADLK)
		return UNPLUG_SIGBUS_PASS;
	return UNPLUG_SIGBUS_DO_PATCH;
}

static void call_forks_child(void *data)
{
	pid_t pid = -1;
	struct unplug_sigbus_attr attr = {
		.policy = UNPLUG_SIGBUS_CALL, .lost = fork_inside, .data = &pid,
	};
	int status = 0;

	(void)data;
	signal(SIGBUS, SIG_DFL);
	lossy_init(&lossy, 1);
	CHILD_ASSERT(!unplug_sigbus_register(&guard, (void *)lossy.mem, lossy.len, &attr));
	lossy_cut(&lossy, 0);
	CHILD_ASSERT(lossy.mem[0] == 0);
	CHILD_ASSERT(!unplug_sigbus_unregister(guard));	/* it does not count who is not there */
	CHILD_ASSERT(pid >= 0);
	if (pid)
		CHILD_ASSERT(waitpid(pid, &status, 0) == pid && !status);
}

static void call_forks(void **state)
{
	(void)state;
	assert_exit(in_child(call_forks_child, NULL), 0);
}

/*
 * Not answered: who was there before is asked
 */

static sigjmp_buf asked;
static int times_asked;

static void ask(int sig, siginfo_t *info, void *data)
{
	(void)sig;
	(void)info;
	(void)data;
	times_asked++;
	siglongjmp(asked, 1);
}

static bool load_asks(void)
{
	int before = times_asked;

	if (!sigsetjmp(asked, 1))
		(void)lossy.mem[0];
	return times_asked == before + 1;
}

static void patch_fails_child(void *data)
{
	(void)data;
	action_set(ask);
	lossy_guarded(UNPLUG_SIGBUS_PATCH);
	next_patch = FAIL;
	CHILD_ASSERT(load_asks());
	next_patch = PATCH;
	CHILD_ASSERT(load_asks());	/* it is not tried again: who gave up may rely on it */
	CHILD_ASSERT(unplug_sigbus_lost(guard));
	CHILD_ASSERT(!unplug_sigbus_unregister(guard));
}

static void patch_fails(void **state)
{
	(void)state;
	assert_exit(in_child(patch_fails_child, NULL), 0);
}

/* In the place of the patch somebody maps other memory, and loses that. */
static void patch_replaced_child(void *data)
{
	void *mem;

	(void)data;
	action_set(ask);
	lossy_guarded(UNPLUG_SIGBUS_PATCH);
	CHILD_ASSERT(lossy.mem[0] == 0);
	mem = mmap((void *)lossy.mem, lossy.len, PROT_READ, MAP_SHARED | MAP_FIXED, lossy.fd, 0);
	CHILD_ASSERT(mem == lossy.mem);
	CHILD_ASSERT(load_asks());
}

static void patch_replaced(void **state)
{
	(void)state;
	assert_exit(in_child(patch_replaced_child, NULL), 0);
}

static enum unplug_sigbus_verdict pass(struct unplug_sigbus *lost, void *addr, void *data)
{
	(void)lost;
	(void)addr;
	(void)data;
	return UNPLUG_SIGBUS_PASS;
}

static void call_passes_child(void *data)
{
	struct unplug_sigbus_attr attr = { .policy = UNPLUG_SIGBUS_CALL, .lost = pass };

	(void)data;
	action_set(ask);
	lossy_init(&lossy, 1);
	CHILD_ASSERT(!unplug_sigbus_register(&guard, (void *)lossy.mem, lossy.len, &attr));
	lossy_cut(&lossy, 0);
	CHILD_ASSERT(load_asks());
	CHILD_ASSERT(!unplug_sigbus_lost(guard));
	CHILD_ASSERT(!unplug_sigbus_unregister(guard));
}

static void call_passes(void **state)
{
	(void)state;
	assert_exit(in_child(call_passes_child, NULL), 0);
}

/*
 * As often as others may come between, each of our handlers answers, and knows who was before it
 */

static int last_asked;

static void ask_even(int sig, siginfo_t *info, void *data)
{
	last_asked = 0;
	ask(sig, info, data);
}

static void ask_odd(int sig, siginfo_t *info, void *data)
{
	last_asked = 1;
	ask(sig, info, data);
}

static void levels_child(void *data)
{
	int level;

	(void)data;
	for (level = 0; level < 8; level++) {
		action_set(level % 2 ? ask_odd : ask_even);
		CHILD_ASSERT(!unplug_sigbus_install());
		lossy_guarded(UNPLUG_SIGBUS_PATCH);
		CHILD_ASSERT(lossy.mem[0] == 0 && !times_asked);
		CHILD_ASSERT(!unplug_sigbus_unregister(guard));
		lossy_deinit(&lossy);

		lossy_init(&lossy, 1);
		lossy_cut(&lossy, 0);
		CHILD_ASSERT(load_asks() && last_asked == level % 2);
		lossy_deinit(&lossy);
		times_asked = 0;
	}
	action_set(ask_even);
	CHILD_ASSERT(unplug_sigbus_install() == -ENOSPC);
	CHILD_ASSERT(unplug_sigbus_check() == UNPLUG_SIGBUS_REPLACED);
}

static void levels(void **state)
{
	(void)state;
	assert_exit(in_child(levels_child, NULL), 0);
}

/*
 * Nobody was there: the process ends by the signal, with what the kernel said about it
 */

static void mourn(int sig, siginfo_t *info, void *data)
{
	(void)data;
	_exit(sig == SIGBUS && info->si_code == BUS_ADRERR && info->si_addr == lossy.mem ? 0 : 1);
}

static void nobody_child(void *data)
{
	(void)data;
	signal(SIGBUS, SIG_DFL);
	instead_of_death = mourn;
	CHILD_ASSERT(!unplug_sigbus_install());
	lossy_init(&lossy, 1);
	lossy_cut(&lossy, 0);
	(void)lossy.mem[0];
	_exit(1);
}

static void nobody(void **state)
{
	(void)state;
	assert_exit(in_child(nobody_child, NULL), 0);
}

static struct sigaction ours;

/* As one does who has installed himself twice, and knows us alone as the one before him. */
static void give_back(int sig, siginfo_t *info, void *data)
{
	ours.sa_sigaction(sig, info, data);
}

static void only_each_other_child(void *data)
{
	(void)data;
	action_set(give_back);
	instead_of_death = mourn;
	CHILD_ASSERT(!unplug_sigbus_install());
	CHILD_ASSERT(!sigaction(SIGBUS, NULL, &ours));
	lossy_init(&lossy, 1);
	lossy_cut(&lossy, 0);
	(void)lossy.mem[0];
	_exit(1);
}

static void only_each_other(void **state)
{
	(void)state;
	assert_exit(in_child(only_each_other_child, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patch_waits),
		cmocka_unit_test(patch_fork),
		cmocka_unit_test(call_forks),
		cmocka_unit_test(patch_fails),
		cmocka_unit_test(patch_replaced),
		cmocka_unit_test(call_passes),
		cmocka_unit_test(levels),
		cmocka_unit_test(nobody),
		cmocka_unit_test(only_each_other),
	};

	return cmocka_run_group_tests_name("sigbus-held", tests, NULL, NULL);
}
