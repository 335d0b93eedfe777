// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The signal handler, and those of others before and after it.
 *
 * It is installed as one of a few functions that differ in nothing but the number of the installation:
 * each knows who had the signal before it. So if somebody is installed after us,
 * and we again after him, he may call us for what is not his: he means, and gets, our
 * older one, which calls who was before that.
 *
 * If he installs himself once more he knows our newer one alone, and each calls the other. So
 * a level marks a signal that it has passed on: if that comes again, the next older
 * level has its turn. The mark is in the signal's own information, behind what
 * the kernel uses of it: it goes where the signal goes, and with it. Were it the thread's, it
 * would stay when a handler is left by longjmp().
 */

#include "sigbus.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define KERNEL_SIGSET_SIZE 8

/* How often others may come between */
#define LEVELS 8

/* What was there before each installation; written before the handler is installed. */
static struct {
	struct sigaction before;
	_Atomic bool reset;	/* SA_RESETHAND: was called once */
} levels[LEVELS];

/*
 * struct mark - which levels have passed a signal on, in the last bytes of its siginfo_t
 * @magic: MARK_MAGIC: they say something; the kernel leaves zeroes there
 * @passed: a bit for each
 */
struct mark {
	uint64_t magic;
	uint64_t passed;
};

#define MARK_MAGIC	0x4b52414d53554253	/* "SBUSMARK" */
#define MARK_AT		(sizeof(siginfo_t) - sizeof(struct mark))

/* The kernel's own information ends at 48. */
_Static_assert(MARK_AT >= 64, "there is no room for a mark");

/* How many were used; under the lock, but for a look whether there is one */
static _Atomic unsigned int n_levels;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static int fork_error;

static void fork_init(void)
{
	fork_error = sigbus_fork_init();
}

/* Around a fork: the child finds both locks free, and what they protect whole. */
void sigbus_handler_lock(void)
{
	pthread_mutex_lock(&lock);
}

void sigbus_handler_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

/*
 * As if we had never been: the default action, by a signal that is pending until this
 * handler returns. Its information is the first one's, so a core file looks the same.
 */
static void die(siginfo_t *info)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	memset((char *)info + MARK_AT, 0, sizeof(struct mark));

	sigaction(SIGBUS, &action, NULL);
	syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)syscall(SYS_gettid), SIGBUS, info);
}

/* The signals that were to be blocked while the other handler runs */
static uint64_t chain_mask(const struct sigaction *action, const ucontext_t *context)
{
	uint64_t mask, more;

	memcpy(&mask, &context->uc_sigmask, sizeof(mask));
	memcpy(&more, &action->sa_mask, sizeof(more));
	if (!(action->sa_flags & SA_NODEFER))
		more |= UINT64_C(1) << (SIGBUS - 1);
	return mask | more;
}

/*
 * The level whose turn it is to pass the signal on: @level, or the next older one that has not
 * done so; -1 if all have.
 */
static int level_turn(unsigned int level, siginfo_t *info)
{
	struct mark mark;
	int turn = (int)level;

	memcpy(&mark, (char *)info + MARK_AT, sizeof(mark));
	if (mark.magic != MARK_MAGIC)
		mark = (struct mark){ .magic = MARK_MAGIC };
	while (turn >= 0 && (mark.passed & (UINT64_C(1) << turn)))
		turn--;
	if (turn >= 0)
		mark.passed |= UINT64_C(1) << turn;
	memcpy((char *)info + MARK_AT, &mark, sizeof(mark));
	return turn;
}

/* Nobody's here: give it to who was there before, in the way that he asked for. */
static void chain(int level, int sig, siginfo_t *info, ucontext_t *context)
{
	const struct sigaction *action = &levels[level].before;
	uint64_t mask = chain_mask(action, context), ours;

	/* Only what was sent can be ignored; one memory error is, that nobody has met yet. */
	if (action->sa_handler == SIG_IGN &&
	    (info->si_code <= 0 || info->si_code == BUS_MCEERR_AO))
		return;
	if (action->sa_handler == SIG_IGN || action->sa_handler == SIG_DFL ||
	    ((action->sa_flags & SA_RESETHAND) && atomic_exchange(&levels[level].reset, true))) {
		die(info);
		return;
	}
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &ours, KERNEL_SIGSET_SIZE);
	if (action->sa_flags & SA_SIGINFO)
		action->sa_sigaction(sig, info, context);
	else
		action->sa_handler(sig);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &ours, NULL, KERNEL_SIGSET_SIZE);
}

/*
 * Losses are the kernel's BUS_ADRERR. Memory errors are not: to go on with zeroes would hide
 * that the machine is broken.
 */
static void handle(unsigned int level, int sig, siginfo_t *info, void *data)
{
	uintptr_t addr = (uintptr_t)info->si_addr;
	ucontext_t *context = data;
	int error = errno, turn;

	if (info->si_code != BUS_ADRERR ||
	    (!sigbus_copy_fix(addr, context) && !sigbus_answer(addr, context))) {
		errno = error;
		turn = level_turn(level, info);
		if (turn < 0)
			die(info);
		else
			chain(turn, sig, info, context);
	}
	errno = error;
}

#define ENTRY(n) \
	static void entry_##n(int sig, siginfo_t *info, void *data) \
	{ \
		handle(n, sig, info, data); \
	}

ENTRY(0)
ENTRY(1)
ENTRY(2)
ENTRY(3)
ENTRY(4)
ENTRY(5)
ENTRY(6)
ENTRY(7)

static void (*const entries[])(int sig, siginfo_t *info, void *data) = {
	entry_0, entry_1, entry_2, entry_3, entry_4, entry_5, entry_6, entry_7,
};

_Static_assert(ARRAY_SIZE(entries) == LEVELS, "an entry for each level");

static bool action_is_ours(const struct sigaction *action)
{
	size_t i;

	for (i = 0; action->sa_flags & SA_SIGINFO && i < ARRAY_SIZE(entries); i++) {
		if (action->sa_sigaction == entries[i])
			return true;
	}
	return false;
}

/* Under the lock. */
static int install(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
	unsigned int level = n_levels;
	struct sigaction before;

	if (sigaction(SIGBUS, NULL, &before) < 0)
		return -errno;
	if (action_is_ours(&before))
		return 0;
	if (level == LEVELS)
		return -ENOSPC;
	levels[level].before = before;

	/* Whether a sleep that it interrupts is restarted is for who was there to say. */
	action.sa_flags |= before.sa_flags & SA_RESTART;
	action.sa_sigaction = entries[level];
	/*
	 * Not sigfillset(), which leaves out those that the C library uses itself: a thread that is
	 * cancelled inside a guard would never leave it.
	 */
	memset(&action.sa_mask, 0xff, sizeof(action.sa_mask));
	if (sigaction(SIGBUS, &action, NULL) < 0)
		return -errno;
	n_levels = level + 1;
	return 0;
}

/**
 * unplug_sigbus_install() - have the signal
 *
 * Called by the first unplug_sigbus_register(), and of use besides for who was told by
 * unplug_sigbus_check() that somebody else has it: he gets what is not ours then, as
 * if he had been there first. That may happen seven times in a process. There is
 * no way back, as it could not be known who relies on it.
 *
 * Who installs a handler at the very same time may be overlooked.
 *
 * Context: Any thread, not in a signal handler.
 * Return: 0, also if we have it already; -ENOSPC: somebody came between too often;
 *	   -ENOMEM.
 */
int unplug_sigbus_install(void)
{
	int r;

	/* Not under the lock: who forks may wait for it, and has that of pthread_atfork(). */
	pthread_once(&fork_once, fork_init);
	if (fork_error)
		return fork_error;
	pthread_mutex_lock(&lock);
	r = install();
	pthread_mutex_unlock(&lock);
	return r;
}

/* Have had the signal at some time: who took it since is for unplug_sigbus_check(). */
int sigbus_need(void)
{
	return n_levels ? 0 : unplug_sigbus_install();
}

/**
 * unplug_sigbus_check() - can losses be answered?
 *
 * That a later handler calls ours cannot be seen from here: UNPLUG_SIGBUS_REPLACED says only that it
 * is his decision.
 *
 * Context: Any.
 * Return: 0, or UNPLUG_SIGBUS_ABSENT, or UNPLUG_SIGBUS_REPLACED; and UNPLUG_SIGBUS_BLOCKED, if
 *	   the calling thread blocks the signal.
 */
unsigned int unplug_sigbus_check(void)
{
	struct sigaction action;
	unsigned int found = 0;
	sigset_t mask;

	if (!n_levels)
		found |= UNPLUG_SIGBUS_ABSENT;
	else if (sigaction(SIGBUS, NULL, &action) < 0 || !action_is_ours(&action))
		found |= UNPLUG_SIGBUS_REPLACED;
	if (!pthread_sigmask(SIG_SETMASK, NULL, &mask) && sigismember(&mask, SIGBUS) == 1)
		found |= UNPLUG_SIGBUS_BLOCKED;
	return found;
}
