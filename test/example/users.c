// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * users: programs that use a device while it is pulled, and what becomes of them
 *
 *	users [--module NAME] [--ioctl HEX] [--pull COMMAND] [--then COMMAND] NODE ROLE…
 *
 * Each ROLE is a process of its own with the node open. When all are at work (a sleeper:
 * asleep in the module), COMMAND is run by the shell. Every user has to come to an end by
 * itself, and then uses its old descriptor once more. All keep what they have open until
 * the second command ran. For each, and for the commands, a line "result WHAT | ANSWER".
 *
 * Without --pull the users end by themselves when they are done.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define USERS_MAX 16
#define PAGE 4096

/* What a user says: in memory shared with the parent */
struct user {
	const char *role;
	pid_t pid;
	volatile int at_work, ended;
	char answer[120];
};

static const char *module = "", *pull, *then;
static unsigned long command;
static struct user *users;
static int count;
static sigjmp_buf on_bus;

static void answer(struct user *user, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void answer(struct user *user, const char *fmt, ...)
{
	size_t n = strlen(user->answer);
	va_list args;

	va_start(args, fmt);
	vsnprintf(user->answer + n, sizeof(user->answer) - n, fmt, args);
	va_end(args);
}

/* A number, or the name of the error */
static const char *said(long result)
{
	static char text[24];

	if (result < 0)
		return strerrorname_np(errno) ?: "?";
	snprintf(text, sizeof(text), "%ld", result);
	return text;
}

/*
 * The roles. Each works until something fails; then a second try. Registers are emulated
 * under one lock of QEMU's: who does nothing else but touch them stops the guest.
 */
static void breathe(void)
{
	usleep(1000);
}

static void role_read(struct user *user, int fd)
{
	char buffer[64];

	answer(user, "%s", said(read(fd, buffer, 4)));
	answer(user, ", then %s", said(read(fd, buffer, 4)));
}

/* Who does not want to wait: until something else comes than "try again" */
static void role_nonblock(struct user *user, int fd)
{
	char buffer[64];
	long r;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((r = read(fd, buffer, 4)) < 0 && errno == EAGAIN) {
		user->at_work = 1;
		breathe();
	}
	answer(user, "%s", said(r));
	answer(user, ", then %s", said(read(fd, buffer, 4)));
}

static void role_poll(struct user *user, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, -1) < 0)
		answer(user, "%s", said(-1));
	answer(user, "%s%s%s", p.revents & POLLIN ? "IN " : "", p.revents & POLLHUP ? "HUP " : "",
	       p.revents & POLLERR ? "ERR" : "");
}

static void role_ioctl(struct user *user, int fd)
{
	uint32_t number = 0;
	long r;

	/* What is torn out answers anything, until its bus has noticed. */
	while ((r = ioctl(fd, command, &number)) >= 0 || errno != ENODEV) {
		user->at_work = 1;
		if (!pull)
			break;
		breathe();
	}
	answer(user, "%s", said(r));
	if (r < 0)
		answer(user, ", then %s", said(ioctl(fd, command, &number)));
}

static void bus_error(int signal)
{
	(void)signal;
	siglongjmp(on_bus, 1);
}

static void role_map(struct user *user, int fd)
{
	volatile uint32_t *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED) {
		answer(user, "mmap %s", said(-1));
		return;
	}
	signal(SIGBUS, bus_error);
	if (sigsetjmp(on_bus, 1) == 0)
		for (;;) {
			(void)*map;
			user->at_work = 1;
			breathe();
		}
	answer(user, "SIGBUS");
	if (mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
		answer(user, ", then mmap %s", said(-1));
}

/* For whom results are right: until ENODEV, or for a while */
static void role_work(struct user *user, int fd)
{
	uint32_t number, result, right = 1;
	long r;

	for (number = 1; number < 100 || pull; number++) {
		/* 2^32 divides the factorial of 34. */
		right = number % 34 < 2 ? 1 : right * (number % 34);
		result = number % 34;
		r = write(fd, &result, sizeof(result));
		if (r == sizeof(result))
			r = read(fd, &result, sizeof(result));
		if (r != sizeof(result)) {
			answer(user, "%s", said(r));
			answer(user, ", then %s", said(write(fd, &result, sizeof(result))));
			return;
		}
		if (result != right) {
			answer(user, "%u! = %u", number % 34, result);
			return;
		}
		user->at_work = 1;
		breathe();
	}
	answer(user, "right");
}

/* Writers that are not answered */
static void role_write(struct user *user, int fd)
{
	long r;

	while ((r = write(fd, "unplug\n", 7)) >= 0 && pull) {
		user->at_work = 1;
		breathe();
	}
	answer(user, "%s", said(r));
	if (r < 0)
		answer(user, ", then %s", said(write(fd, "unplug\n", 7)));
}

static const struct role {
	const char *name;
	void (*run)(struct user *user, int fd);
	bool sleeps;
} roles[] = {
	{ "read", role_read, true },
	{ "nonblock", role_nonblock, false },
	{ "poll", role_poll, true },
	{ "ioctl", role_ioctl, false },
	{ "map", role_map, false },
	{ "work", role_work, false },
	{ "write", role_write, false },
};

static const struct role *role_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(roles[i].name, name) == 0)
			return &roles[i];
	fprintf(stderr, "users: no role '%s'\n", name);
	exit(2);
}

static void user_start(struct user *user, const char *node)
{
	const struct role *role = role_find(user->role);
	pid_t pid = fork();
	int fd;

	/* The child shares this memory: only the parent writes here. */
	if (pid) {
		user->pid = pid;
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(node, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		answer(user, "open %s", said(-1));
	else
		role->run(user, fd);
	user->ended = 1;
	pause();	/* with everything open */
	_exit(0);
}

static void proc_read(const struct user *user, const char *name, char text[4096])
{
	char path[64];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", user->pid, name);
	f = fopen(path, "re");
	if (f) {
		n = fread(text, 1, 4095, f);
		fclose(f);
	}
	text[n] = '\0';
}

/* Asleep, with a function of the module, or of poll, on the stack */
static bool user_sleeps(const struct user *user)
{
	char text[4096], tag[80] = "do_sys_poll";

	proc_read(user, "stat", text);
	if (!strstr(text, ") S "))
		return false;
	if (strcmp(user->role, "poll") != 0)
		snprintf(tag, sizeof(tag), "[%s]", module);
	proc_read(user, "stack", text);
	return strstr(text, tag);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Look until it is so, or for too long; processes tell by memory. */
static bool wait_for(bool (*is)(const struct user *user), const struct user *user)
{
	double end = now() + atoi(getenv("UNPLUG_TIMEOUT") ?: "60");
	struct timespec moment = { .tv_nsec = 1000000 };

	while (!is(user)) {
		if (now() > end)
			return false;
		nanosleep(&moment, NULL);
	}
	return true;
}

static bool is_at_work(const struct user *user)
{
	return user->ended || (role_find(user->role)->sleeps ? user_sleeps(user) : user->at_work);
}

static bool is_ended(const struct user *user)
{
	return user->ended;
}

static void run(const char *what, const char *line)
{
	int status = system(line);

	printf("result %s | %s\n", what, status == 0 ? "ok" : "failed");
}

static void users_report(void)
{
	int i;

	for (i = 0; i < count; i++) {
		if (wait_for(is_ended, &users[i]))
			printf("result %s | %s\n", users[i].role, users[i].answer);
		else
			printf("result %s | did not end\n", users[i].role);
	}
}

static int parse(int argc, char **argv)
{
	int i;

	for (i = 1; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (strcmp(argv[i], "--module") == 0)
			module = argv[i + 1];
		else if (strcmp(argv[i], "--ioctl") == 0)
			command = strtoul(argv[i + 1], NULL, 16);
		else if (strcmp(argv[i], "--pull") == 0)
			pull = argv[i + 1];
		else if (strcmp(argv[i], "--then") == 0)
			then = argv[i + 1];
		else
			break;
	}
	if (argc - i < 2 || argc - i - 1 > USERS_MAX || argv[i][0] == '-') {
		fprintf(stderr,
			"usage: users [--module NAME] [--ioctl HEX] [--pull COMMAND] [--then COMMAND] NODE ROLE…\n");
		exit(2);
	}
	return i;
}

int main(int argc, char **argv)
{
	int i, node = parse(argc, argv);

	setlinebuf(stdout);
	users = mmap(NULL, USERS_MAX * sizeof(*users), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (users == MAP_FAILED)
		return 2;
	for (i = node + 1; i < argc; i++) {
		users[count].role = argv[i];
		user_start(&users[count++], argv[node]);
	}
	for (i = 0; pull && i < count; i++)
		if (!wait_for(is_at_work, &users[i]))
			printf("result %s | never at work\n", users[i].role);
	if (pull)
		run("pull", pull);
	users_report();
	if (then)
		run(then, then);
	for (i = 0; i < count; i++) {
		kill(users[i].pid, SIGKILL);
		waitpid(users[i].pid, NULL, 0);
	}
	return 0;
}
