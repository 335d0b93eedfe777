// SPDX-License-Identifier: GPL-2.0-or-later
/* The cards of the machine, found, opened, unplugged and plugged; see case.h */

#define _GNU_SOURCE
#include "case.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "include/uapi/unplug/ivshmem.h"
#include "test/vm/host.h"

#define PCI "/sys/bus/pci"
#define TYPES "/sys/kernel/debug/x86/pat_memtype_list"

int file_write(const char *path, const char *text)
{
	ssize_t n;
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	n = write(fd, text, strlen(text));
	if (n < 0)
		err = errno;
	close(fd);
	return err;
}

int file_read(const char *path, char *text, size_t size)
{
	ssize_t n;
	int fd, err = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	text[0] = '\0';
	if (fd < 0)
		return errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		err = errno;
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return err;
}

/* The one entry of a folder that is not hidden */
static bool only_entry(const char *path, char *name, size_t size)
{
	struct dirent *entry;
	DIR *dir = opendir(path);

	name[0] = '\0';
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			snprintf(name, size, "%.*s", (int)size - 1, entry->d_name);
	if (dir)
		closedir(dir);
	return name[0];
}

bool card_find(struct card *card, int number)
{
	char path[CARD_PATH], generation[24] = "";

	memset(card, 0, sizeof(*card));
	card->number = number;
	snprintf(card->address, sizeof(card->address), "0000:00:%02x.0", number + 3);
	snprintf(path, sizeof(path), PCI "/devices/%s/%s", card->address, driver->class);
	if (!only_entry(path, card->name, sizeof(card->name)))
		return false;
	snprintf(card->node, sizeof(card->node), "/dev/%s", card->name);
	snprintf(path, sizeof(path), "/sys/class/%s/%s/generation", driver->class, card->name);
	if (driver->naive || file_read(path, generation, sizeof(generation)))
		snprintf(card->id, sizeof(card->id), "%s", card->name);
	else
		snprintf(card->id, sizeof(card->id), "%s#%s:", card->name, generation);
	return true;
}

void card_init(struct card *card, int number)
{
	if (!card_find(card, number))
		case_fail("card %d has no %s device", number, driver->class);
}

/* What leads up to an expectation is none: naive must not be caught by it. */
int card_open(const struct card *card)
{
	int fd = open(card->node, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		case_fail("open %s: %m", card->node);
	return fd;
}

void *card_map(int fd, size_t length, off_t offset)
{
	void *map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	if (map == MAP_FAILED)
		case_fail("mmap of %zu bytes at %ld: %m", length, (long)offset);
	return map;
}

void card_fill(int number, int byte)
{
	char answer[HOST_LINE];

	if (host_request(answer, "fill %d current %d", number, byte))
		case_fail("host cannot fill card %d: %s", number, answer);
}

uint64_t card_generation(int fd)
{
	struct ivshmem_info info;

	if (ioctl(fd, IVSHMEM_IOC_INFO, &info))
		case_fail("IVSHMEM_IOC_INFO: %m");
	return info.generation;
}

dev_t card_devt(const struct card *card)
{
	struct stat st;

	if (stat(card->node, &st))
		case_fail("stat %s: %m", card->node);
	return st.st_rdev;
}

/* Wait for changes in /dev until @ready says so. */
static void dev_wait(bool (*ready)(const void *arg), const void *arg, const char *what)
{
	char buffer[4096] __attribute__((aligned(8)));
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0 || inotify_add_watch(fd, "/dev", IN_CREATE | IN_DELETE) < 0)
		case_fail("inotify: %m");
	while (!ready(arg)) {
		if (poll_in(fd, case_timeout()) != 1)
			case_end(OUTCOME_HANG, "waited in vain for %s", what);
		while (read(fd, buffer, sizeof(buffer)) > 0)
			;
	}
	close(fd);
}

static bool node_is_there(const void *path)
{
	return access(path, F_OK) == 0;
}

static bool node_is_away(const void *path)
{
	return access(path, F_OK) != 0;
}

void node_wait(const char *path, bool exists)
{
	dev_wait(exists ? node_is_there : node_is_away, path, path);
}

/* The slot says which card it is; the name depends on who else is away. */
static bool card_is_there(const void *arg)
{
	const struct card *card = arg;
	struct card now;

	return card_find(&now, card->number) && node_is_there(now.node);
}

/* The node is there a moment before its gate is open. */
static void card_wait_live(const struct card *card)
{
	char path[CARD_PATH + 16], state[16] = "";
	time_t end = time(NULL) + case_timeout() / 1000 + 1;

	snprintf(path, sizeof(path), "/sys/class/%s/%s/state", driver->class, card->name);
	while (!file_read(path, state, sizeof(state)) && !strcmp(state, "registering")) {
		if (time(NULL) > end)
			case_end(OUTCOME_HANG, "%s stays 'registering'", path);
		sched_yield();
	}
}

void card_wait(struct card *card)
{
	dev_wait(card_is_there, card, card->address);
	card_init(card, card->number);
	if (!driver->naive)
		card_wait_live(card);
}

/* From a process that shares nothing with this one */
static void do_and_wait(const char *verb, const char *a, const char *b)
{
	struct job job;
	int err;

	job_do(&job, verb, a, b);
	err = job_wait(&job);
	if (err)
		case_fail("%s %s %s: %s", verb, a, b, strerror(err));
}

/* "bind" or "unbind" of the driver under test */
static void driver_path(char path[CARD_PATH], const char *file)
{
	snprintf(path, CARD_PATH, PCI "/drivers/%s/%s", driver->pci, file);
}

void card_unbind_start(const struct card *card, struct job *job)
{
	char path[CARD_PATH];

	driver_path(path, "unbind");
	job_do(job, "write", path, card->address);
}

void card_unbind(const struct card *card)
{
	char path[CARD_PATH];

	driver_path(path, "unbind");
	do_and_wait("write", path, card->address);
}

void card_remove(const struct card *card)
{
	char path[CARD_PATH];

	snprintf(path, sizeof(path), PCI "/devices/%s/remove", card->address);
	do_and_wait("write", path, "1");
}

void card_pull(const struct card *card)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", card->number);
	do_and_wait("host", "pull", number);
}

void card_wait_gone(const struct card *card)
{
	if (!driver->naive)
		log_wait(card->id, "gone after");
}

void card_unplug(const struct card *card)
{
	card_unbind(card);
	card_wait_gone(card);
}

void card_bind_start(const struct card *card, struct job *job)
{
	char path[CARD_PATH];

	driver_path(path, "bind");
	job_do(job, "write", path, card->address);
}

void card_bind(struct card *card)
{
	char path[CARD_PATH];

	driver_path(path, "bind");
	do_and_wait("write", path, card->address);
	card_wait(card);
}

void card_plug(struct card *card)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", card->number);
	do_and_wait("host", "plug", number);
	card_wait(card);
}

unsigned long card_address(int number)
{
	char path[CARD_PATH], line[128];
	unsigned long start;
	FILE *file;
	int i;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/0000:00:%02x.0/resource", number + 3);
	file = fopen(path, "re");
	if (!file)
		case_fail("%s: %m", path);
	for (i = 0; i < 3; i++)		/* a line per BAR: the third is the memory */
		if (!fgets(line, sizeof(line), file))
			case_fail("%s: too short", path);
	fclose(file);
	if (sscanf(line, "%lx", &start) != 1)
		case_fail("%s: %s", path, line);
	return start;
}

int card_types_reserved(int number, const char *type)
{
	char line[256], start[32];
	FILE *file = fopen(TYPES, "re");
	int n = 0;

	if (!file)
		case_end(OUTCOME_SKIP, TYPES ": %m");
	snprintf(start, sizeof(start), "%lx-", card_address(number));
	while (fgets(line, sizeof(line), file))
		n += strstr(line, start) && (!type || strstr(line, type));
	fclose(file);
	return n;
}
