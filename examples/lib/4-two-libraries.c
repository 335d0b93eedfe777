// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Example 4: two libraries in one process, each survives its own loss.
 *
 * Neither knows of the other, nor of the program's own handler of SIGBUS, which was there before and
 * reports crashes. What belongs to none of them is a crash as ever: reported, and deadly.
 *
 * The exit status is 0 if all ended as this says.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger.h"
#include "canvas.h"

#define SIZE	(64 * 1024)
#define BYTE	3

static volatile sig_atomic_t reports;
static int bad;

/* The program's: says what it was, then lets it kill */
static void report_crash(int sig)
{
	static const char text[] = "  (the program's own handler: a crash)\n";

	reports++;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(3);
	signal(sig, SIG_DFL);
}

static int file_new(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	char buf[1024];
	int i;

	memset(buf, BYTE, sizeof(buf));
	for (i = 0; i < SIZE / 1024; i++) {
		if (fd < 0 || write(fd, buf, sizeof(buf)) != sizeof(buf)) {
			perror(name);
			exit(2);
		}
	}
	return fd;
}

static void file_lose(int fd)
{
	if (ftruncate(fd, 0) < 0) {
		perror("ftruncate");
		exit(2);
	}
}

/* One line of the table, and whether it is what it should be */
static void show(const char *when, struct canvas *canvas, struct ledger *ledger,
		 int canvas_expected, long sum_expected)
{
	long sum = ledger_sum(ledger);
	char text[32];

	canvas_fill(canvas, 1);
	snprintf(text, sizeof(text), "the sum is %ld", sum);
	printf("  %-22s%-40s%s\n", when,
	       canvas_lost(canvas) ? "draws, and knows that nobody sees it" : "draws",
	       sum < 0 ? "says that it is cut, and goes on" : text);
	bad |= canvas_lost(canvas) != canvas_expected || sum != sum_expected || reports;
}

/* Memory that nobody guards: in a child, as it is deadly */
static void lose_nobodys(void)
{
	struct rlimit none = { 0, 0 };
	volatile char *mem;
	int fd, status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &none);
		fd = file_new("nobody's");
		mem = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
		file_lose(fd);
		(void)mem[0];
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("fork");
		exit(2);
	}
	bad |= !WIFSIGNALED(status) || WTERMSIG(status) != SIGBUS;
	printf("  %-22s%s\n", "nobody's is lost", WIFSIGNALED(status) ?
	       "the process is killed by SIGBUS, as before" : "the process went on");
}

int main(void)
{
	int canvas_fd = file_new("canvas"), ledger_fd = file_new("ledger");
	struct ledger *ledger;
	struct canvas *canvas;

	signal(SIGBUS, report_crash);
	canvas = canvas_open(canvas_fd, SIZE);
	ledger = ledger_open(ledger_fd, SIZE);
	if (!canvas || !ledger) {
		fprintf(stderr, "cannot open canvas and ledger\n");
		return 2;
	}

	printf("Two libraries in one process, and the program's own handler of SIGBUS\n\n");
	printf("  %-22s%-40s%s\n", "", "libcanvas", "libledger");
	printf("  %-22s%-40s%s\n", "its way with a loss", "zeroes", "recovery point");
	show("both are there", canvas, ledger, 0, (long)BYTE * SIZE);
	file_lose(canvas_fd);
	show("canvas is lost", canvas, ledger, 1, (long)BYTE * SIZE);
	file_lose(ledger_fd);
	show("ledger is lost", canvas, ledger, 1, -1);
	show("once more", canvas, ledger, 1, -1);
	lose_nobodys();
	canvas_close(canvas);
	ledger_close(ledger);
	printf("\n%s\n", bad ? "FAIL: somebody's loss was not answered as he wanted" :
	       "ok: each survived its own loss, in its own way, and hid no crash");
	return bad;
}
