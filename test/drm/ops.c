// SPDX-License-Identifier: GPL-2.0-or-later
/* What a hand can do: files, memory, and requests to the test's module */

#define _GNU_SOURCE
#include "hand.h"
#include "module/unplug-drm-test.h"

#include <errno.h>
#include <fcntl.h>
#include <libdrm/drm.h>
#include <libdrm/drm_mode.h>
#include <linux/fb.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR_ioctl_32 54

static __thread sigjmp_buf on_bus;

static void handle_bus(int signal)
{
	(void)signal;
	siglongjmp(on_bus, 1);
}

static void op_open(struct call *call)
{
	card.fd = open(call->argument, O_RDWR | O_CLOEXEC);
	answer_result(call, card.fd);
}

static void try(struct call *call, int flags)
{
	int fd = open(call->argument, O_RDWR | O_CLOEXEC | flags);

	answer_result(call, fd);
	if (fd >= 0)
		close(fd);
}

/* Another open, of whatever name; closed at once */
static void op_try(struct call *call)
{
	try(call, 0);
}

/* DRM's own ->open refuses that, behind the gate. */
static void op_try_exclusive(struct call *call)
{
	try(call, O_EXCL);
}

static void op_again(struct call *call)
{
	snprintf(call->argument, sizeof(call->argument), "/proc/self/fd/%d", card.fd);
	op_try(call);
}

static void op_close(struct call *call)
{
	if (card.memory)
		munmap(card.memory, card.size);
	card.memory = NULL;
	answer_result(call, close(card.fd));
	card.fd = -1;
}

static void op_buffer(struct call *call)
{
	struct drm_mode_create_dumb create = { .width = 640, .height = 480, .bpp = 32 };
	struct drm_mode_map_dumb map = { 0 };
	void *memory;

	if (ioctl(card.fd, DRM_IOCTL_MODE_CREATE_DUMB, &create)) {
		answer_result(call, -1);
		return;
	}
	map.handle = card.handle = create.handle;
	card.size = create.size;
	if (ioctl(card.fd, DRM_IOCTL_MODE_MAP_DUMB, &map)) {
		answer_result(call, -1);
		return;
	}
	card.offset = map.offset;
	memory = mmap(NULL, card.size, PROT_READ | PROT_WRITE, MAP_SHARED, card.fd, card.offset);
	if (memory == MAP_FAILED) {
		answer_result(call, -1);
		return;
	}
	card.memory = memory;
	answer(call, "ok");
}

static void op_mmap(struct call *call)
{
	void *memory = mmap(NULL, card.size, PROT_READ | PROT_WRITE, MAP_SHARED, card.fd,
			    card.offset);

	answer_result(call, memory == MAP_FAILED ? -1 : 0);
	if (memory != MAP_FAILED)
		munmap(memory, card.size);
}

/* map PAGE: two pages, from there on; of who has no buffer */
static void op_map(struct call *call)
{
	size_t size = 2 * sysconf(_SC_PAGESIZE);
	off_t at = strtoul(call->argument, NULL, 10) * sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, card.fd, at);

	answer_result(call, memory == MAP_FAILED ? -1 : 0);
	if (memory == MAP_FAILED)
		return;
	card.memory = memory;
	card.size = size;
	card.offset = at;
}

/* The first page, read and written: "alive", or "SIGBUS" */
static void op_touch(struct call *call)
{
	struct sigaction action = { .sa_handler = handle_bus };
	volatile uint8_t *byte = card.memory;

	sigaction(SIGBUS, &action, NULL);
	if (sigsetjmp(on_bus, 1)) {
		answer(call, "SIGBUS");
		return;
	}
	*byte = *byte + 1;
	answer(call, "alive");
}

/* write BYTE, read: to and from the first page */
static void op_write_byte(struct call *call)
{
	unsigned int byte = 0;

	sscanf(call->argument, "%x", &byte);
	*(volatile uint8_t *)card.memory = byte;
	answer(call, "ok");
}

static void op_read_byte(struct call *call)
{
	snprintf(call->answer, sizeof(call->answer), "%02x", *(volatile uint8_t *)card.memory);
}

/* What a child sees in the first page */
static void op_child_byte(struct call *call)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		_exit(*(volatile uint8_t *)card.memory);
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		snprintf(call->answer, sizeof(call->answer), "SIG%s",
			 sigabbrev_np(WTERMSIG(status)));
	else
		snprintf(call->answer, sizeof(call->answer), "%02x", WEXITSTATUS(status));
}

static void op_ioctl(struct call *call)
{
	struct drm_version version = { 0 };

	answer_result(call, ioctl(card.fd, DRM_IOCTL_VERSION, &version));
}

/*
 * The kernel's 32-bit entry, from a 64-bit program. The structure's layout is that of
 * both, as are all of DRM's newer ones; the pointers have to be low.
 */
static void op_compat(struct call *call)
{
	struct drm_get_cap *cap = call->buffer;
	long result = NR_ioctl_32;

	cap->capability = DRM_CAP_DUMB_BUFFER;
	__asm__ volatile("int $0x80"
			 : "+a" (result)
			 : "b" (card.fd), "c" (DRM_IOCTL_GET_CAP), "d" (cap)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = -(int)result;
	answer_result(call, (int)result < 0 ? -1 : 0);
}

/* One that has a layout of its own in 32 bits, and so a handler of its own */
static void op_compat_version(struct call *call)
{
	uint32_t *version = call->buffer;	/* all its members are of 32 bits */
	const unsigned int request = _IOC(_IOC_READ | _IOC_WRITE, 'd', 0, 36);
	long result = NR_ioctl_32;

	memset(version, 0, 36);
	__asm__ volatile("int $0x80"
			 : "+a" (result)
			 : "b" (card.fd), "c" (request), "d" (version)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = -(int)result;
	answer_result(call, (int)result < 0 ? -1 : 0);
}

static void op_fdinfo(struct call *call)
{
	char path[64], text[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", card.fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	if (n >= 0)
		text[n] = '\0';
	answer(call, n < 0 ? strerrorname_np(errno) : strncmp(text, "pos:", 4) ? "strange" : "ok");
	close(fd);
}

/* Sleeps until there is something, or no more */
static void op_poll(struct call *call)
{
	struct pollfd fd = { .fd = card.fd, .events = POLLIN };

	poll(&fd, 1, !strcmp(call->argument, "now") ? 0 : -1);
	snprintf(call->answer, sizeof(call->answer), "%s%s%s%s", fd.revents & POLLIN ? "IN" : "",
		 fd.revents & POLLHUP ? "HUP" : "", fd.revents & POLLERR ? "ERR" : "",
		 fd.revents ? "" : "quiet");
}

/* Where the kernel fills @buffer with no lock held */
static void op_resources(struct call *call)
{
	struct drm_mode_card_res res = {
		.crtc_id_ptr = (uintptr_t)call->buffer,
		.count_crtcs = 1,
	};

	answer_result(call, ioctl(card.fd, DRM_IOCTL_MODE_GETRESOURCES, &res));
}

/* Lists a folder: its lock is held while the buffer is filled. */
static void op_list(struct call *call)
{
	int fd = open(call->argument, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	answer_result(call, syscall(SYS_getdents64, fd, call->buffer, 4096));
	close(fd);
}

/* blank /dev/fbN: which takes the card's modeset locks, with the console locked */
static void op_blank(struct call *call)
{
	int fd = open(call->argument, O_RDWR | O_CLOEXEC);

	answer_result(call, ioctl(fd, FBIOBLANK, FB_BLANK_POWERDOWN));
	close(fd);
}

/*
 * vga-screen RESOURCE: has a VGA card of QEMU's been told not to show anything? Its registers lie
 * in that file of sysfs; a read of the second makes the first readable.
 */
static void op_vga_screen(struct call *call)
{
	enum { ATTRIBUTE_INDEX = 0x400, INPUT_STATUS = 0x41a, PALETTE_ON = 0x20 };
	int fd = open(call->argument, O_RDWR | O_CLOEXEC);
	volatile uint8_t *vga = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	close(fd);
	if (vga == MAP_FAILED) {
		answer_result(call, -1);
		return;
	}
	(void)vga[INPUT_STATUS];
	answer(call, vga[ATTRIBUTE_INDEX] & PALETTE_ON ? "lit" : "dark");
	munmap((void *)vga, 4096);
}

/* How many lines of the kernel's log have both texts, after the last with @mark */
static int log_count(const char *mark, const char *first, const char *second)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char line[8192], *at;
	int count = 0;
	ssize_t n;

	while ((n = read(fd, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		if (strstr(line, mark))
			count = 0;
		at = strstr(line, first);
		if (at && strstr(at, second))
			count++;
	}
	close(fd);
	return count;
}

/*
 * log N MARK|FIRST|SECOND: until N such lines came after the mark; 0: how many there are.
 * Looks again when there are new lines.
 */
static void op_log(struct call *call)
{
	struct pollfd fd = { .events = POLLIN };
	char mark[64], first[64], second[64];
	int want, have, ready = 1;

	if (sscanf(call->argument, "%d %63[^|]|%63[^|]|%63[^|]", &want, mark, first, second) != 4) {
		answer(call, "EINVAL");
		return;
	}
	fd.fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	do {
		lseek(fd.fd, 0, SEEK_END);
		have = log_count(mark, first, second);
	} while (want && have < want && (ready = poll(&fd, 1, timeout_ms())) == 1);
	close(fd.fd);
	if (want)
		answer(call, ready == 1 ? "ok" : "asleep");
	else
		snprintf(call->answer, sizeof(call->answer), "%d", have);
}

int request(unsigned int number, unsigned long argument)
{
	int fd = open("/dev/unplug-drm-test", O_RDWR | O_CLOEXEC);
	int err, result = fd < 0 ? -1 : ioctl(fd, number, argument);

	err = errno;
	close(fd);
	errno = err;
	return result;
}

static void request_card(struct call *call, unsigned int number)
{
	answer_result(call, request(number, card.fd));
}

static void op_get(struct call *call)
{
	request_card(call, UNPLUG_DRM_TEST_GET);
}

static void op_put(struct call *call)
{
	request_card(call, UNPLUG_DRM_TEST_PUT);
}

static void op_section(struct call *call)
{
	request_card(call, UNPLUG_DRM_TEST_SECTION);
}

static void op_leave(struct call *call)
{
	request_card(call, UNPLUG_DRM_TEST_LEAVE);
}

static void op_unplug(struct call *call)
{
	request_card(call, UNPLUG_DRM_TEST_UNPLUG);
}

static void op_switch_off(struct call *call)
{
	request_card(call, UNPLUG_DRM_TEST_SWITCH_OFF);
}

static void op_last_section(struct call *call)
{
	request_card(call, UNPLUG_DRM_TEST_LAST);
}

static void op_hw_section(struct call *call)
{
	request_card(call, UNPLUG_DRM_TEST_TOUCH);
}

/* What the kernel thinks of the card's monitors: "connected", if of one of them */
static void op_connectors(struct call *call)
{
	int result = request(UNPLUG_DRM_TEST_CONNECTED, card.fd);

	answer(call, result < 0 ? strerrorname_np(errno) : result ? "connected" : "disconnected");
}

const struct op ops[] = {
	{ "open", op_open },
	{ "try", op_try },
	{ "try-exclusive", op_try_exclusive },
	{ "again", op_again },
	{ "close", op_close },
	{ "buffer", op_buffer },
	{ "mmap", op_mmap },
	{ "map", op_map },
	{ "touch", op_touch },
	{ "write-byte", op_write_byte },
	{ "read-byte", op_read_byte },
	{ "child-byte", op_child_byte },
	{ "ioctl", op_ioctl },
	{ "compat", op_compat },
	{ "compat-version", op_compat_version },
	{ "fdinfo", op_fdinfo },
	{ "poll", op_poll },
	{ "resources", op_resources },
	{ "list", op_list },
	{ "blank", op_blank },
	{ "vga-screen", op_vga_screen },
	{ "log", op_log },
	{ "get", op_get },
	{ "put", op_put },
	{ "section", op_section },
	{ "leave", op_leave },
	{ "unplug", op_unplug },
	{ "switch-off", op_switch_off },
	{ "connectors", op_connectors },
	{ "last-section", op_last_section },
	{ "hw-section", op_hw_section },
	{ }
};
