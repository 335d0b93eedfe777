// SPDX-License-Identifier: GPL-2.0-or-later
/* What lies between two cases: modules and cards as the next one expects them */

#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "test/vm/host.h"

#define PCI "/sys/bus/pci"

const struct driver drivers[] = {
	{
		.name = "unplug",
		.module = "unplug-ivshmem",
		.pci = "unplug-ivshmem",
		.class = "unplug",
	}, {
		.name = "naive",
		.module = "naive-ivshmem",
		.pci = "naive-ivshmem",
		.class = "naive",
		.hooks = "open-active operation mmap release",
		.naive = true,
	}, {
		.name = "textbook",
		.module = "unplug-ivshmem",
		.pci = "unplug-ivshmem",
		.class = "unplug",
		.hooks = "operation mmap fault",
		.textbook = true,
	}, { }
};

const struct driver *driver;
static char world_error[160];

static const char *complain(const char *what, const char *name, int err)
{
	snprintf(world_error, sizeof(world_error), "%s %s: %s", what, name, strerror(err));
	return world_error;
}

void module_pull(const char *parameter)
{
	struct job job;

	job_do(&job, "write", parameter, "1");
	expect_equal("errno of the pull", job_wait(&job), 0);
}

int module_load(const char *name, const char *arguments)
{
	char path[CARD_PATH];
	int fd, err = 0;

	snprintf(path, sizeof(path), "/modules/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (syscall(SYS_finit_module, fd, arguments, 0))
		err = errno;
	close(fd);
	return err;
}

/* The kernel knows a module's name with _ for - */
static void module_name(char *to, size_t size, const char *name)
{
	snprintf(to, size, "%s", name);
	for (; *to; to++)
		if (*to == '-')
			*to = '_';
}

int module_unload(const char *name)
{
	char plain[64];

	module_name(plain, sizeof(plain), name);
	return syscall(SYS_delete_module, plain, O_NONBLOCK) ? errno : 0;
}

/*
 * The memory of a device is freed by RCU, and pins the core until then; and who is
 * told that a device is gone may be faster than the worker that says so. Both are
 * over after some grace periods: how many, the worker's processor decides.
 */
int module_unload_soon(const char *name)
{
	long end = now_ms() + case_timeout();
	int err;

	for (;;) {
		err = module_unload(name);
		if ((err != EAGAIN && err != EBUSY) || now_ms() > end)
			return err;
		if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
			case_fail("membarrier: %m");
	}
}

static void parameter_set(const char *name, long value)
{
	char path[CARD_PATH], text[24];
	int err;

	snprintf(path, sizeof(path), "/sys/module/unplug/parameters/%s", name);
	snprintf(text, sizeof(text), "%ld", value);
	err = file_write(path, text);
	if (err)
		case_fail("%s: %s", path, strerror(err));
}

#define DRAIN_MS 100	/* as shipped */
#define STALL_MS 10000

void drain_patiently(bool on)
{
	parameter_set("drain_ms", on ? case_timeout() / 2 : DRAIN_MS);
}

/* A case that failed has left them as it wanted them. */
static void restore_parameters(void)
{
	if (!module_loaded("unplug"))
		return;
	parameter_set("drain_ms", DRAIN_MS);
	parameter_set("stall_ms", STALL_MS);
	parameter_set("tracking", 0);
}

bool module_loaded(const char *name)
{
	char plain[64], path[CARD_PATH];

	module_name(plain, sizeof(plain), name);
	snprintf(path, sizeof(path), "/sys/module/%s/initstate", plain);
	return access(path, F_OK) == 0;
}

static const char *load_missing(const char *name)
{
	int err;

	if (module_loaded(name))
		return NULL;
	err = module_load(name, "");
	return err ? complain("loading", name, err) : NULL;
}

static const char *unload_present(const char *name)
{
	int err;

	if (!module_loaded(name))
		return NULL;
	err = module_unload_soon(name);
	return err ? complain("unloading", name, err) : NULL;
}

/* Loaded by the case that needs it, which may not have come to its end. */
static const char *unload_extras(void)
{
	static const char *const names[] = {
		"unplug-badinput",
		"unplug-selftest",
		"unplug-null",
		"unplug-populate",
		"unplug-textbook",
		"unplug-prepare",
		"unplug-letgo",
		"unplug-rare",
		"unplug-hole",
		"unplug-sleeper",
		"unplug-uring",
		"unplug-inside",
		"unplug-edu",
		"naive-edu",
		"unplug-freeze",
		"unplug-callback",
		"unplug-callback",
	};
	const char *error = NULL;
	size_t i;

	for (i = 0; !error && i < sizeof(names) / sizeof(names[0]); i++)
		error = unload_present(names[i]);
	return error;
}

static const char *restore_modules(void)
{
	const char *build = getenv("UNPLUG_BUILD");
	const char *error = unload_extras();

	if (error)
		return error;
	if (!driver->naive || (build && !strcmp(build, "hooks")))
		error = load_missing("unplug");
	restore_parameters();
	return error ?: load_missing(driver->module);
}

static bool card_plugged(const char *address)
{
	char path[CARD_PATH];

	snprintf(path, sizeof(path), PCI "/devices/%s", address);
	return access(path, F_OK) == 0;
}

/* Lowest number first: names and cards then go together as they did at first. */
static const char *restore_card(int number)
{
	char path[CARD_PATH];
	struct card card;
	int err;

	if (card_find(&card, number))
		return NULL;
	if (!card_plugged(card.address)) {
		file_write(PCI "/rescan", "1");
		if (!card_plugged(card.address) && host_plug(number) < 0)
			return complain("plugging in", card.address, EIO);
		/* The driver is loaded, so the card is bound where it appears. */
		card_wait(&card);
		return NULL;
	}
	if (card_find(&card, number))
		return NULL;
	snprintf(path, sizeof(path), PCI "/drivers/%s/bind", driver->pci);
	err = file_write(path, card.address);
	return err ? complain("binding", card.address, err) : NULL;
}

const char *world_restore(void)
{
	const char *error = NULL;
	int i;

	hook_go_all();
	error = restore_modules();
	for (i = 1; !error && i <= CARDS; i++)
		error = restore_card(i);
	return error;
}

/* The leak check: a device, a file or an operation left over pins a module. */
const char *world_unload(void)
{
	static const char *const names[] = { "unplug-ivshmem", "naive-ivshmem", "unplug" };
	const char *error = unload_extras();
	size_t i;

	for (i = 0; !error && i < sizeof(names) / sizeof(names[0]); i++)
		error = unload_present(names[i]);
	return error;
}
